"""What SPF an operator is told to publish."""

import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from outwarden.authentication.answers import RecordType
from outwarden.authentication.report import Check, State
from outwarden.authentication.spf import Sending, SpfResult, evaluate_spf
from outwarden.authentication.spf_checks import check_spf

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

A, AAAA, MX, PTR, TXT = RecordType.A, RecordType.AAAA, RecordType.MX, RecordType.PTR, RecordType.TXT
OURS = ip_address("192.0.2.25")
THERE = {
    "mx.isp.example": {A: ["192.0.2.10"]},
    "many.example": {TXT: ["v=spf1 a a a a a a a a a a a -all"], A: ["192.0.2.99"]},
    "broken.example": {TXT: ["v=spf1 oops -all"]},
    "partner.example": {TXT: ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "25.2.0.192.in-addr.arpa": {PTR: ["mail.isp.example"]},
    "mail.isp.example": {A: ["192.0.2.25"]},
}

# Name, records of isp.example, is our address given, the record advised (None: nothing to change, or no cure).
ADVICE = [
    ("no record, mail exchangers", [], False, "v=spf1 mx ~all"),
    ("no record, an address", [], True, "v=spf1 ip4:192.0.2.25 ~all"),
    ("all is well", ["v=spf1 ip4:192.0.2.25 -all"], True, None),
    ("well, mildly", ["v=spf1 mx ip4:192.0.2.25 ~all"], True, None),
    ("our address is missing", ["v=spf1 mx -all"], True, "v=spf1 ip4:192.0.2.25 mx -all"),
    ("anybody may send", ["v=spf1 mx +all"], False, "v=spf1 mx ~all"),
    ("no end", ["v=spf1 mx"], False, "v=spf1 mx ~all"),
    (
        "two records",
        ["v=spf1 mx -all", "v=spf1 include:partner.example ~all"],
        False,
        "v=spf1 mx include:partner.example -all",
    ),
    ("a mistyped term", ["v=spf1 mx ipv4:192.0.2.25 -all"], True, "v=spf1 ip4:192.0.2.25 mx -all"),
    ("an include that is gone", ["v=spf1 mx include:gone.example -all"], False, "v=spf1 mx -all"),
    ("ptr is all that we pass by", ["v=spf1 mx ptr -all"], True, "v=spf1 ip4:192.0.2.25 mx -all"),
    ("a redirect stays", ["v=spf1 redirect=partner.example"], True, "v=spf1 ip4:192.0.2.25 redirect=partner.example"),
    ("a redirect beside all has no effect", ["v=spf1 mx redirect=partner.example +all"], False, "v=spf1 mx ~all"),
    ("too many look-ups", ["v=spf1 include:many.example -all"], False, None),
    ("a partner's record is broken", ["v=spf1 mx include:broken.example -all"], False, "v=spf1 mx -all"),
    ("a name that has no address", ["v=spf1 mx a:gone.example -all"], False, "v=spf1 mx -all"),
    (
        "two redirects in two records",
        ["v=spf1 redirect=partner.example", "v=spf1 redirect=gone.example"],
        False,
        "v=spf1 redirect=partner.example",
    ),
]


def checks(texts: list[str], with_address: bool) -> list[Check]:
    zones = Zones({**THERE, "isp.example": {TXT: ["something else", *texts], MX: ["10 mx.isp.example"]}})
    return check_spf("isp.example", [OURS] if with_address else [], None, zones)


@pytest.mark.parametrize(("texts", "given", "advised"), [case[1:] for case in ADVICE], ids=[case[0] for case in ADVICE])
def test_the_record_to_publish(texts: list[str], given: bool, advised: str | None) -> None:
    lines = {check.record_to_publish for check in checks(texts, given) if check.record_to_publish}
    assert lines == ({f'isp.example. IN TXT "{advised}"'} if advised else set())


@pytest.mark.parametrize(("texts", "advised"), [(case[1], case[3]) for case in ADVICE if case[2] and case[3]])
def test_the_advice_lets_our_address_pass(texts: list[str], advised: str) -> None:
    zones = Zones({**THERE, "isp.example": {TXT: [advised], MX: ["10 mx.isp.example"]}})
    assert evaluate_spf(Sending(OURS, "isp.example", "rosa@isp.example"), zones).result is SpfResult.PASS


def test_a_fault_behind_a_match_is_found() -> None:
    found = checks(["v=spf1 ip4:192.0.2.25 include:gone.example -all"], True)
    assert {check.name: check.state for check in found} == {
        "spf": State.FAIL,
        "spf-limits": State.PASS,
        "spf-address": State.PASS,
    }


def test_limits_that_strike_only_some() -> None:
    by_name = {
        check.name: check for check in checks(["v=spf1 ip4:192.0.2.25 a:many.example" + " mx" * 10 + " -all"], True)
    }
    assert by_name["spf"].state is State.PASS
    assert by_name["spf-limits"].state is State.FAIL
    assert by_name["spf-address"].state is State.PASS


def test_the_helo_name_gets_one_record_for_all_addresses() -> None:
    zones = Zones({"isp.example": {TXT: ["v=spf1 ip4:192.0.2.0/24 -all"]}})
    ours = [OURS, ip_address("192.0.2.26")]
    advised = {check.record_to_publish for check in check_spf("isp.example", ours, "mail.isp.example", zones)}
    assert advised == {None, 'mail.isp.example. IN TXT "v=spf1 ip4:192.0.2.25 ip4:192.0.2.26 -all"'}


def test_a_record_that_could_not_be_asked_for_is_not_missing() -> None:
    zones = Zones({}, {("isp.example", TXT): "timeout"})
    assert [(check.name, check.state) for check in check_spf("isp.example", [OURS], None, zones)] == [
        ("spf", State.UNKNOWN)
    ]


def test_an_include_that_could_not_be_asked_for_is_not_missing() -> None:
    zones = Zones({"isp.example": {TXT: ["v=spf1 include:slow.example -all"]}}, {("slow.example", TXT): "timeout"})
    found = check_spf("isp.example", [OURS], None, zones)
    assert {check.state for check in found if check.name in {"spf", "spf-address"}} == {State.UNKNOWN}
