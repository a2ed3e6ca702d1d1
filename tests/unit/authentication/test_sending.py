"""The sending side: reverse names, HELO, CFBL-Address, role mailboxes."""

import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from outwarden.authentication.answers import RecordType
from outwarden.authentication.cfbl import check_cfbl
from outwarden.authentication.dkim_canonical import read_message
from outwarden.authentication.report import State
from outwarden.authentication.reverse_names import check_reverse_names
from outwarden.authentication.role_mailboxes import Probe, check_role_mailboxes

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

A, AAAA, PTR = RecordType.A, RecordType.AAAA, RecordType.PTR
PASS, WARN, FAIL, UNKNOWN = State.PASS, State.WARN, State.FAIL, State.UNKNOWN
REVERSE = "25.2.0.192.in-addr.arpa"
REVERSE6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

# Name, address, records, names that cannot be asked for, state, line to publish.
NAMES = [
    ("good", "192.0.2.25", {REVERSE: {PTR: ["mail.isp.example"]}, "mail.isp.example": {A: ["192.0.2.25"]}}, PASS, None),
    (
        "good, IPv6",
        "2001:db8::25",
        {REVERSE6: {PTR: ["mail.isp.example"]}, "mail.isp.example": {AAAA: ["2001:db8::25"]}},
        PASS,
        None,
    ),
    (
        "one of two leads back",
        "192.0.2.25",
        {REVERSE: {PTR: ["old.isp.example", "mail.isp.example"]}, "mail.isp.example": {A: ["192.0.2.25"]}},
        PASS,
        None,
    ),
    ("no name", "192.0.2.25", {}, FAIL, f"{REVERSE}. IN PTR mail.isp.example."),
    (
        "does not lead back",
        "192.0.2.25",
        {REVERSE: {PTR: ["mail.isp.example"]}, "mail.isp.example": {A: ["192.0.2.99"]}},
        FAIL,
        "mail.isp.example. IN A 192.0.2.25",
    ),
    (
        "a customer's line",
        "192.0.2.25",
        {REVERSE: {PTR: ["host-192-0-2-25.isp.example"]}, "host-192-0-2-25.isp.example": {A: ["192.0.2.25"]}},
        WARN,
        f"{REVERSE}. IN PTR mail.isp.example.",
    ),
]


@pytest.mark.parametrize(
    ("address", "table", "state", "line"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES]
)
def test_a_reverse_name(address: str, table: dict, state: State, line: str | None) -> None:
    (check,) = check_reverse_names("isp.example", (ip_address(address),), None, Zones(table))
    assert (check.state, check.record_to_publish) == (state, line)


def test_a_reverse_name_that_could_not_be_asked_for() -> None:
    ours = (ip_address("192.0.2.25"),)
    first = Zones({}, {(REVERSE, PTR): "servfail"})
    back = Zones({REVERSE: {PTR: ["mail.isp.example"]}}, {("mail.isp.example", A): "timeout"})
    for zones in (first, back):
        (check,) = check_reverse_names("isp.example", ours, None, zones)
        assert check.state is UNKNOWN


@pytest.mark.parametrize(
    ("helo", "state"),
    [("mail.isp.example", PASS), ("other.isp.example", FAIL), ("localhost", FAIL), ("bad name", FAIL)],
)
def test_the_helo_name(helo: str, state: State) -> None:
    zones = Zones({"mail.isp.example": {A: ["192.0.2.25"]}})
    check = check_reverse_names("isp.example", (ip_address("192.0.2.25"),), helo, zones)[-1]
    assert (check.name, check.state) == ("helo", state)


SIGNED = b"DKIM-Signature: v=1; a=rsa-sha256; d=%b; s=s; h=from:cfbl-address; bh=AAAA; b=AAAA\r\n"
FROM = b"From: rosa@isp.example\r\n"
# Name, message, state.
CFBL = [
    ("none", FROM, WARN),
    ("good", SIGNED % b"isp.example" + FROM + b"CFBL-Address: fbl@isp.example; report=arf\r\n", PASS),
    (
        "good, of the sending service",
        SIGNED % b"service.example" + FROM + b"CFBL-Address: fbl@service.example\r\n",
        PASS,
    ),
    ("two", SIGNED % b"isp.example" + FROM + b"CFBL-Address: a@isp.example\r\nCFBL-Address: b@isp.example\r\n", FAIL),
    ("no mailbox", SIGNED % b"isp.example" + FROM + b"CFBL-Address: fbl\r\n", FAIL),
    ("not signed", FROM + b"CFBL-Address: fbl@isp.example\r\n", FAIL),
    ("of somebody else", SIGNED % b"isp.example" + FROM + b"CFBL-Address: fbl@other.example\r\n", FAIL),
]


@pytest.mark.parametrize(("message", "state"), [case[1:] for case in CFBL], ids=[case[0] for case in CFBL])
def test_cfbl(message: bytes, state: State) -> None:
    assert check_cfbl(read_message(message + b"\r\n")).state is state


@pytest.mark.parametrize(("accepted", "state"), [(True, PASS), (False, FAIL), (None, UNKNOWN)])
def test_role_mailboxes(accepted: bool | None, state: State) -> None:
    asked: list[tuple[str, str]] = []

    def probe(host: str, mailbox: str) -> Probe:
        asked.append((host, mailbox))
        return Probe(accepted, "its words")

    checks = check_role_mailboxes("isp.example", ("mx1.isp.example", "mx2.isp.example"), probe)
    assert [check.state for check in checks] == [state, state]
    assert asked == [("mx1.isp.example", "abuse@isp.example"), ("mx1.isp.example", "postmaster@isp.example")]


def test_role_mailboxes_are_only_probed_when_asked() -> None:
    (check,) = check_role_mailboxes("isp.example", ("mx1.isp.example",), None)
    assert check.state is UNKNOWN
