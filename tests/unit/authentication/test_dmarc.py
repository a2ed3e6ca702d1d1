"""DMARC by RFC 9989: records, the tree walk, and what is advised."""

import sys
from pathlib import Path

import pytest

from outwarden.authentication.answers import RecordType
from outwarden.authentication.dmarc import MalformedDmarc, discover, is_aligned, parse_dmarc, walk
from outwarden.authentication.dmarc_checks import check_dmarc
from outwarden.authentication.report import Check, State

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

TXT = RecordType.TXT


def zones(table: dict[str, str], silent: tuple[str, ...] = ()) -> Zones:
    """Records at ``_dmarc.`` of each name."""
    return Zones(
        {f"_dmarc.{name}": {TXT: [text]} for name, text in table.items()},
        {(f"_dmarc.{name}", TXT): "timeout" for name in silent},
    )


# Name, record, kind of name, policy as it applies.
POLICIES = [
    ("its own", "v=DMARC1; p=reject", "domain", "reject"),
    ("below, without sp", "v=DMARC1; p=reject", "subdomain", "reject"),
    ("below", "v=DMARC1; p=reject; sp=none", "subdomain", "none"),
    ("not there, without np", "v=DMARC1; p=reject; sp=quarantine", "nonexistent", "quarantine"),
    ("not there", "v=DMARC1; p=none; sp=none; np=reject", "nonexistent", "reject"),
    ("test mode", "v=DMARC1; p=reject; t=y", "domain", "quarantine"),
    ("test mode, milder", "v=DMARC1; p=quarantine; t=y", "domain", "none"),
    ("no p, but reports", "v=DMARC1; rua=mailto:d@isp.example", "domain", "none"),
    ("an unknown p, but reports", "v=DMARC1; p=refuse; rua=mailto:d@isp.example", "domain", "none"),
    ("capitals", "v=DMARC1; P=Reject", "domain", "reject"),
    ("blanks", "v = DMARC1 ; p = reject ;", "domain", "reject"),
    ("pct says nothing any more", "v=DMARC1; p=reject; pct=0", "domain", "reject"),
    ("any order", "v=DMARC1; rua=mailto:d@isp.example; p=reject", "domain", "reject"),
]


@pytest.mark.parametrize(
    ("text", "kind", "policy"), [case[1:] for case in POLICIES], ids=[case[0] for case in POLICIES]
)
def test_the_policy_that_applies(text: str, kind: str, policy: str) -> None:
    assert parse_dmarc(text).policy_for(kind) == policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("v=dmarc1; p=none", "begin"),
        ("p=none; v=DMARC1", "begin"),
        ("v=DMARC10; p=none", "begin"),
        ("v=DMARC1", "neither"),
        ("v=DMARC1; p=refuse", "neither"),
        ("v=DMARC1; p=none; p=reject", "twice"),
        ("v=DMARC1; p=none; oops", "tag=value"),
    ],
)
def test_a_malformed_record(text: str, why: str) -> None:
    with pytest.raises(MalformedDmarc, match=why):
        parse_dmarc(text)


WALKS = [
    ("a.b.example", ["a.b.example", "b.example", "example"]),
    (
        "a.b.c.d.e.f.g.example",
        [
            "a.b.c.d.e.f.g.example",
            "b.c.d.e.f.g.example",
            "c.d.e.f.g.example",
            "d.e.f.g.example",
            "e.f.g.example",
            "f.g.example",
            "g.example",
            "example",
        ],
    ),
    (
        "a.b.c.d.e.f.g.h.i.j.example",
        [
            "a.b.c.d.e.f.g.h.i.j.example",
            "e.f.g.h.i.j.example",
            "f.g.h.i.j.example",
            "g.h.i.j.example",
            "h.i.j.example",
            "i.j.example",
            "j.example",
            "example",
        ],
    ),
]


@pytest.mark.parametrize(("domain", "names"), WALKS)
def test_the_walk(domain: str, names: list[str]) -> None:
    assert walk(domain) == names
    assert len(names) <= 8


NONE, SUFFIX, ORGANISATION = "v=DMARC1; p=none", "v=DMARC1; p=reject; psd=y", "v=DMARC1; p=none; psd=n"
# Name, domain, records, whose record holds, the organisational domain.
DISCOVERIES = [
    ("nothing anywhere", "a.isp.example", {}, None, "a.isp.example"),
    ("its own alone", "isp.example", {"isp.example": NONE}, "isp.example", "isp.example"),
    ("from above", "a.b.isp.example", {"isp.example": NONE}, "isp.example", "isp.example"),
    (
        "its own, the fewest labels are the organisation",
        "a.isp.example",
        {"a.isp.example": NONE, "isp.example": NONE},
        "a.isp.example",
        "isp.example",
    ),
    (
        "not from in between",
        "a.b.isp.example",
        {"b.isp.example": NONE, "isp.example": NONE},
        "isp.example",
        "isp.example",
    ),
    ("below a public suffix", "a.isp.co.example", {"co.example": SUFFIX}, "co.example", "isp.co.example"),
    (
        "below a public suffix, with a record",
        "a.isp.co.example",
        {"co.example": SUFFIX, "isp.co.example": NONE},
        "isp.co.example",
        "isp.co.example",
    ),
    ("the public suffix itself", "co.example", {"co.example": SUFFIX}, "co.example", "co.example"),
    (
        "an organisation that says so",
        "a.unit.isp.example",
        {"unit.isp.example": ORGANISATION, "isp.example": NONE},
        "unit.isp.example",
        "unit.isp.example",
    ),
    (
        "a malformed record counts as none",
        "a.isp.example",
        {"a.isp.example": "v=DMARC1; oops", "isp.example": NONE},
        "isp.example",
        "isp.example",
    ),
]


@pytest.mark.parametrize(
    ("domain", "table", "holding", "organisational"),
    [case[1:] for case in DISCOVERIES],
    ids=[case[0] for case in DISCOVERIES],
)
def test_discovery(domain: str, table: dict[str, str], holding: str | None, organisational: str) -> None:
    found = discover(domain, zones(table))
    assert (found.holding and found.holding.domain, found.organisational) == (holding, organisational)


def test_several_records_count_as_none() -> None:
    several = Zones({"_dmarc.isp.example": {TXT: [NONE, NONE]}})
    (check,) = check_dmarc("isp.example", several)
    assert (check.state, check.name) == (State.FAIL, "dmarc")
    assert "2 DMARC records" in check.text


def test_alignment_that_could_not_be_asked_for() -> None:
    assert is_aligned("isp.example", "a.isp.example", False, zones({}, ("isp.example",))) is None


FULL = "v=DMARC1; p=reject; np=reject; rua=mailto:d@isp.example; ruf=mailto:f@isp.example; fo=1"
# Name, record, and the checks that do not pass, with the record advised.
ADVICE = [
    ("all is well", FULL, {}),
    ("none", None, {"dmarc": "v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@isp.example"}),
    ("malformed", "v=DMARC1; p=oops", {"dmarc": "v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@isp.example"}),
    ("only watching", FULL.replace("p=reject;", "p=none;", 1), {"dmarc-policy": None}),
    (
        "no reports",
        "v=DMARC1; p=reject; ruf=mailto:f@isp.example; fo=1",
        {"dmarc-reports": "v=DMARC1; p=reject; rua=mailto:dmarc-reports@isp.example; ruf=mailto:f@isp.example; fo=1"},
    ),
    (
        "no failure reports",
        "v=DMARC1; p=reject; rua=mailto:d@isp.example",
        {
            "dmarc-failure-reports": "v=DMARC1; p=reject; rua=mailto:d@isp.example; ruf=mailto:dmarc-failures@isp.example; fo=1"  # noqa: E501
        },
    ),
    ("fo=0", FULL.replace("fo=1", "fo=0"), {"dmarc-failure-reports": FULL}),
    ("removed tags", FULL + "; pct=100; rf=afrf; ri=86400", {"dmarc-tags": FULL}),
    ("removed sizes", FULL.replace("d@isp.example", "d@isp.example!10m"), {"dmarc-tags": FULL}),
    ("a report address that is none", FULL.replace("rua=", "rua=d@isp.example,"), {"dmarc-tags": FULL}),
    ("test mode", FULL + "; t=y", {"dmarc-test-mode": FULL}),
    (
        "names that do not exist",
        FULL.replace("np=reject", "sp=none"),
        {
            "dmarc-subdomains": "v=DMARC1; p=reject; sp=none; np=reject; rua=mailto:d@isp.example; ruf=mailto:f@isp.example; fo=1"  # noqa: E501
        },
    ),
    ("an unknown value", FULL + "; adkim=x", {"dmarc-tags": FULL}),
]


def not_passed(checks: list[Check]) -> dict[str, str | None]:
    return {check.name: check.record_to_publish for check in checks if check.state is not State.PASS}


@pytest.mark.parametrize(("text", "advised"), [case[1:] for case in ADVICE], ids=[case[0] for case in ADVICE])
def test_the_record_to_publish(text: str | None, advised: dict[str, str | None]) -> None:
    found = not_passed(check_dmarc("isp.example", zones({"isp.example": text} if text else {})))
    assert found == {name: record and f'_dmarc.isp.example. IN TXT "{record}"' for name, record in advised.items()}


@pytest.mark.parametrize("record", [record for case in ADVICE for record in case[2].values() if record])
def test_the_advice_can_be_read_and_needs_no_more_advice_on_tags(record: str) -> None:
    names = not_passed(check_dmarc("isp.example", zones({"isp.example": record})))
    assert names.keys() <= {"dmarc-policy", "dmarc-failure-reports"}


# Name, where reports go, who agreed, and the line that somebody else has to publish.
CONSENTS = [
    ("ours", "d@isp.example", {}, None),
    ("below ours", "d@reports.isp.example", {}, None),
    ("agreed", "d@reports.example", {"isp.example._report._dmarc.reports.example": "v=DMARC1"}, None),
    (
        "agreed, with addresses",
        "d@reports.example",
        {"isp.example._report._dmarc.reports.example": "v=DMARC1; rua=mailto:x@reports.example"},
        None,
    ),
    ("not agreed", "d@reports.example", {}, 'isp.example._report._dmarc.reports.example. IN TXT "v=DMARC1;"'),
]


@pytest.mark.parametrize(
    ("mailbox", "agreed", "line"), [case[1:] for case in CONSENTS], ids=[case[0] for case in CONSENTS]
)
def test_who_takes_reports_has_agreed(mailbox: str, agreed: dict[str, str], line: str | None) -> None:
    table = {"_dmarc.isp.example": FULL.replace("d@isp.example", mailbox), **agreed}
    checks = check_dmarc("isp.example", Zones({name: {TXT: [text]} for name, text in table.items()}))
    assert not_passed(checks) == ({"dmarc-report-consent": line} if line else {})


def test_a_record_from_above_is_advised_where_it_stands() -> None:
    checks = check_dmarc("a.isp.example", zones({"isp.example": FULL + "; t=y"}))
    assert not_passed(checks) == {"dmarc-test-mode": f'_dmarc.isp.example. IN TXT "{FULL}"'}


def test_what_could_not_be_asked_for_is_not_missing() -> None:
    for silent in ("a.isp.example", "isp.example"):
        (check,) = check_dmarc("a.isp.example", zones({}, (silent,)))
        assert check.state is State.UNKNOWN
