"""The receiving side: mail exchangers, MTA-STS, TLS reports, DANE, parked domains."""

import sys
from pathlib import Path

import pytest

from outwarden.authentication.answers import RecordType
from outwarden.authentication.dane import check_dane
from outwarden.authentication.mail_exchangers import check_exchangers, check_parked, find_exchangers
from outwarden.authentication.mta_sts import MalformedPolicy, PolicyText, advised_policy, check_mta_sts, parse_policy
from outwarden.authentication.report import State
from outwarden.authentication.tls_reports import check_tls_reports

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

A, MX, TLSA, TXT = RecordType.A, RecordType.MX, RecordType.TLSA, RecordType.TXT
PASS, WARN, FAIL, UNKNOWN = State.PASS, State.WARN, State.FAIL, State.UNKNOWN
HOSTS = ("mx1.isp.example", "mx2.isp.example")
POLICY = advised_policy(HOSTS, "enforce")

# Name, text, why it is no policy.
NO_POLICIES = [
    ("empty", "", "version"),
    ("a web page", "<html>hello</html>", "version"),
    ("no mode", "version: STSv1\nmx: a.example\nmax_age: 10\n", "mode"),
    ("unknown mode", "version: STSv1\nmode: strict\nmx: a.example\nmax_age: 10\n", "mode"),
    ("no age", "version: STSv1\nmode: enforce\nmx: a.example\n", "max_age"),
    ("an age over a year", "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601\n", "max_age"),
    ("no host", "version: STSv1\nmode: enforce\nmax_age: 10\n", "mx:"),
    ("too long", POLICY + "x" * 65_536, "64 KB"),
]


@pytest.mark.parametrize(("text", "why"), [case[1:] for case in NO_POLICIES], ids=[case[0] for case in NO_POLICIES])
def test_a_malformed_policy(text: str, why: str) -> None:
    with pytest.raises(MalformedPolicy, match=why):
        parse_policy(text)


@pytest.mark.parametrize(
    ("pattern", "host", "named"),
    [
        ("mx.isp.example", "mx.isp.example", True),
        ("*.isp.example", "mx.isp.example", True),
        ("*.isp.example", "a.mx.isp.example", False),
        ("*.isp.example", "isp.example", False),
        ("mx.isp.example", "mx.other.example", False),
    ],
)
def test_a_policy_names_a_host(pattern: str, host: str, named: bool) -> None:
    policy = parse_policy(f"version: STSv1\r\nmode: enforce\r\nmx: {pattern}\r\nmax_age: 86400\r\n")
    assert policy.names(host) is named


# Name, TXT records, what was fetched, and the states of the checks.
MTA_STS = [
    ("no record", [], None, [WARN]),
    ("two records", ["v=STSv1; id=1", "v=STSv1; id=2"], None, [FAIL]),
    ("no id", ["v=STSv1"], None, [FAIL]),
    ("an id with a hyphen", ["v=STSv1; id=2026-11"], None, [FAIL]),
    ("enforced", ["v=STSv1; id=1"], PolicyText(POLICY), [PASS, PASS]),
    ("testing", ["v=STSv1; id=1"], PolicyText(advised_policy(HOSTS, "testing")), [PASS, WARN]),
    ("a host is not named", ["v=STSv1; id=1"], PolicyText(advised_policy(HOSTS[:1], "enforce")), [PASS, FAIL]),
    ("malformed", ["v=STSv1; id=1"], PolicyText("hello"), [PASS, FAIL]),
    ("a redirect", ["v=STSv1; id=1"], PolicyText(fault="the answer is 301, not 200", refused=True), [PASS, FAIL]),
    ("no answer", ["v=STSv1; id=1"], PolicyText(fault="did not answer in time"), [PASS, UNKNOWN]),
]


@pytest.mark.parametrize(
    ("texts", "fetched", "states"), [case[1:] for case in MTA_STS], ids=[case[0] for case in MTA_STS]
)
def test_mta_sts(texts: list[str], fetched: PolicyText | None, states: list[State]) -> None:
    asked: list[str] = []

    def fetch(host: str) -> PolicyText:
        asked.append(host)
        assert fetched is not None
        return fetched

    zones = Zones({"_mta-sts.isp.example": {TXT: texts}})
    checks = check_mta_sts("isp.example", HOSTS, zones, fetch if fetched else None)
    assert [check.state for check in checks] == states
    assert asked == (["mta-sts.isp.example"] if fetched else [])


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=TLSRPTv1; rua=mailto:tls@isp.example"], PASS),
        (["v=TLSRPTv1; rua=https://isp.example/tls,mailto:tls@isp.example"], PASS),
        ([], WARN),
        (["v=TLSRPTv1"], FAIL),
        (["v=TLSRPTv1; rua=tls@isp.example"], FAIL),
        (["v=TLSRPTv1; rua=mailto:a@isp.example", "v=TLSRPTv1; rua=mailto:b@isp.example"], FAIL),
    ],
)
def test_tls_reports(texts: list[str], state: State) -> None:
    assert check_tls_reports("isp.example", Zones({"_smtp._tls.isp.example": {TXT: texts}})).state is state


HASH = "ab" * 32
# Name, TLSA records of the first host, of the second, validated, states.
DANE = [
    ("not used", [], [], True, []),
    ("good", [f"3 1 1 {HASH}"], [f"2 0 1 {HASH}"], True, [PASS, PASS]),
    ("one host without", [f"3 1 1 {HASH}"], [], True, [PASS, WARN]),
    ("not validated", [f"3 1 1 {HASH}"], [f"3 1 1 {HASH}"], False, [WARN, WARN]),
    ("a hash cut off", ["3 1 1 abcd"], [f"3 1 1 {HASH}"], True, [FAIL, PASS]),
    ("a usage that SMTP does not know", [f"1 1 1 {HASH}", f"3 1 1 {HASH}"], [f"3 1 1 {HASH}"], True, [WARN, PASS]),
]


@pytest.mark.parametrize(
    ("first", "second", "secure", "states"), [case[1:] for case in DANE], ids=[case[0] for case in DANE]
)
def test_dane(first: list[str], second: list[str], secure: bool, states: list[State]) -> None:
    table = {f"_25._tcp.{host}": {TLSA: values} for host, values in zip(HOSTS, (first, second), strict=True)}
    assert [check.state for check in check_dane(HOSTS, Zones(table, secure=secure))] == states


# Name, MX records, states of the checks, is it parked.
EXCHANGERS = [
    ("good", ["20 mx2.isp.example", "10 mx1.isp.example"], [PASS], False),
    ("no address", ["10 mx1.isp.example", "20 gone.isp.example"], [FAIL], False),
    ("an address for a name", ["10 192.0.2.1"], [FAIL], False),
    ("null MX", ["0 "], [PASS], True),
    ("null MX and another", ["0 ", "10 mx1.isp.example"], [FAIL], False),
    ("none at all", [], [PASS], True),
]


@pytest.mark.parametrize(
    ("values", "states", "parked"), [case[1:] for case in EXCHANGERS], ids=[case[0] for case in EXCHANGERS]
)
def test_mail_exchangers(values: list[str], states: list[State], parked: bool) -> None:
    zones = Zones({"isp.example": {MX: values}, **{host: {A: ["192.0.2.1"]} for host in HOSTS}})
    mail = find_exchangers("isp.example", zones)
    assert mail.parked is parked
    assert [check.state for check in check_exchangers("isp.example", mail, zones)] == states


def test_the_best_mail_exchanger_comes_first() -> None:
    zones = Zones({"isp.example": {MX: ["20 mx2.isp.example", "9 mx1.isp.example"]}})
    assert find_exchangers("isp.example", zones).hosts == HOSTS


def test_a_domain_without_mx_is_its_own() -> None:
    mail = find_exchangers("isp.example", Zones({"isp.example": {A: ["192.0.2.1"]}}))
    assert (mail.hosts, mail.parked) == (("isp.example",), False)


def test_a_parked_domain() -> None:
    bare = Zones({"parked.example": {}})
    advised = [
        check.record_to_publish
        for check in check_parked("parked.example", find_exchangers("parked.example", bare), bare)
    ]
    assert advised == [
        "parked.example. IN MX 0 .",
        'parked.example. IN TXT "v=spf1 -all"',
        '_dmarc.parked.example. IN TXT "v=DMARC1; p=reject"',
    ]
    done = Zones(
        {
            "parked.example": {MX: ["0 "], TXT: ["v=spf1 -all"]},
            "_dmarc.parked.example": {TXT: ["v=DMARC1; p=reject"]},
        }
    )
    checks = check_parked("parked.example", find_exchangers("parked.example", done), done)
    assert {check.state for check in checks} == {PASS}
