"""Which lists are believed, by what their controls answered."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from outwarden.dns.catalogue import load_catalogue
from outwarden.dns.list_answers import NOT_LISTED, Reading, could_not_ask
from outwarden.dns.list_health import FIT, Control, Expect, Health, HealthBook, canaries, controls, judge
from outwarden.dns.targets import TargetKind
from outwarden.events import ListAnswerKind, WhyNot

LISTS = load_catalogue().lists
CHANCE = bytes(range(32))
THERE = Reading(ListAnswerKind.LISTED, ("127.0.0.2",), "listed")
PRAISED = Reading(ListAnswerKind.NOT_LISTED, ("127.0.1.3",), "good", praised=True)
GONE = NOT_LISTED
REFUSED = could_not_ask(WhyNot.REFUSED, "refused")
PARKED = could_not_ask(WhyNot.REWRITTEN, "parked")
SILENT = could_not_ask(WhyNot.TIMEOUT, "silent")

VERDICTS = [
    ("as RFC 5782 demands", THERE, GONE, GONE, None),
    ("a whitelist praises its test entry", PRAISED, GONE, GONE, None),
    ("the test entry is missing", GONE, GONE, GONE, WhyNot.CANARY_FAILED),
    ("it lists 127.0.0.1", THERE, THERE, GONE, WhyNot.CANARY_FAILED),
    ("it lists what was drawn at random", THERE, GONE, THERE, WhyNot.CANARY_FAILED),
    ("it praises what was drawn at random", PRAISED, GONE, PRAISED, WhyNot.CANARY_FAILED),
    ("it lists everything", THERE, THERE, THERE, WhyNot.CANARY_FAILED),
    ("it refuses", REFUSED, REFUSED, REFUSED, WhyNot.REFUSED),
    ("it refuses only where nothing is listed", THERE, GONE, REFUSED, WhyNot.REFUSED),
    ("it is parked", PARKED, PARKED, PARKED, WhyNot.REWRITTEN),
    ("the resolver rewrites what does not exist", THERE, PARKED, PARKED, WhyNot.REWRITTEN),
    ("it is silent", SILENT, SILENT, SILENT, WhyNot.TIMEOUT),
    ("one control is lost", THERE, SILENT, GONE, WhyNot.TIMEOUT),
    ("the test entry is lost", SILENT, GONE, GONE, WhyNot.TIMEOUT),
]


@pytest.mark.parametrize(
    ("listed", "absent", "canary", "why_not"), [c[1:] for c in VERDICTS], ids=[c[0] for c in VERDICTS]
)
def test_who_is_believed(listed: Reading, absent: Reading, canary: Reading, why_not: WhyNot | None) -> None:
    read = [
        (Control("2.0.0.127", Expect.LISTED), listed),
        (Control("1.0.0.127", Expect.ABSENT), absent),
        (Control("9.9.200.127", Expect.ABSENT_CANARY), canary),
    ]
    for order in (read, read[::-1]):
        health = judge(order)
        assert (health.fit, health.why_not) == (why_not is None, why_not)
        assert health.fit or health.meaning


def test_one_of_several_test_entries_is_enough() -> None:
    read = [(Control("test", Expect.LISTED), THERE), (Control("2.0.0.127", Expect.LISTED), REFUSED)]
    assert judge(read) == FIT


def test_the_controls_of_an_address_list() -> None:
    parts = [control.part for control in controls(LISTS["psbl"], TargetKind.IPV4, CHANCE)]
    assert parts[:2] == ["2.0.0.127", "1.0.0.127"]
    assert len(set(parts)) == 4


def test_the_controls_of_a_list_of_domains() -> None:
    parts = [control.part for control in controls(LISTS["spamhaus-dbl"], TargetKind.DOMAIN, CHANCE)]
    assert parts[:2] == ["dbltest.com", "example.com"]
    assert not any(part.replace(".", "").isdigit() for part in parts)


def test_the_controls_of_a_list_of_hashes_look_like_its_hashes() -> None:
    found = controls(LISTS["abusix-shorthash"], TargetKind.URL, CHANCE)
    assert [len(control.part) for control in found] == [40] * 4


def test_controls_of_ipv6_prove_the_list_by_either_entry() -> None:
    found = controls(LISTS["spamhaus-zen"], TargetKind.IPV6, CHANCE)
    listed = [control.part for control in found if control.expect is Expect.LISTED]
    assert listed[0].startswith("2.0.0.0.0.0.f.7.f.f.f.f.0.")
    assert listed[1] == "2.0.0.127"


def test_canaries_are_where_nobody_can_be_listed() -> None:
    for part in canaries(LISTS["psbl"], TargetKind.IPV4, CHANCE, 32):
        address = ip_address(".".join(reversed(part.split("."))))
        assert address.is_loopback or address.is_reserved
        assert address not in (ip_address("127.0.0.1"), ip_address("127.0.0.2"), ip_address("255.255.255.255"))


def test_canaries_differ_each_time() -> None:
    first = canaries(LISTS["psbl"], TargetKind.IPV4, CHANCE, 2)
    assert first != canaries(LISTS["psbl"], TargetKind.IPV4, bytes(32), 2)


def test_a_verdict_is_remembered_for_its_time() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    book = HealthBook()
    sick = Health(False, WhyNot.REFUSED, "refused")
    book.put("a", TargetKind.IPV4, FIT, now)
    book.put("b", TargetKind.IPV4, sick, now)
    assert book.get("a", TargetKind.IPV6, now) is None
    for minutes, fit, unfit in [(9, FIT, sick), (11, FIT, None), (29, FIT, None), (31, None, None)]:
        later = now + timedelta(minutes=minutes)
        assert (book.get("a", TargetKind.IPV4, later), book.get("b", TargetKind.IPV4, later)) == (fit, unfit)
