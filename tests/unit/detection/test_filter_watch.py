"""The filter's own mistakes: what counts as one, as whose, and when it is said that they rise."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.filter_report import Mistakes
from outwarden.detection.filter_watch import FALSE_ALARMS_A_DAY, FilterWatch, MalformedFilterWatch
from outwarden.detection.filter_watch import watch as bounds
from outwarden.detection.filter_watch.days import MOST_ACCOUNTS
from outwarden.detection.filter_watch.rises import Counted, chance_of
from outwarden.events import (
    AccountKind,
    Action,
    Attempted,
    ComplaintReceived,
    Decision,
    Finding,
    Outcome,
    RefusalClass,
)

AT = datetime(2026, 11, 25, 7, 12, tzinfo=UTC)
ROSA = "rosa@isp.example"


def decision(action: Action = Action.ACCEPT, account: str = ROSA, *rules: str) -> Decision:
    findings = (*(Finding(rule, 2.0, "", AT) for rule in rules), Finding("known", -1.0, "", AT))
    return Decision(account, action, AT, 0.0, () if action is Action.ACCEPT else findings)


def answer(
    queue_id: str,
    account: str = ROSA,
    outcome: Outcome = Outcome.BOUNCED,
    refusal: RefusalClass | None = RefusalClass.CONTENT_REFUSED,
    listing: str | None = None,
    outbound: bool = True,
    at: datetime = AT,
) -> Attempted:
    return Attempted(
        at, "mx1", queue_id, account, AccountKind.LOGIN, "a@big.example", outcome, refusal,
        listing=listing, outbound=outbound,
    )  # fmt: skip


def counts(mistakes: Mistakes) -> tuple[int, int, int]:
    return mistakes.stopped, mistakes.wrong, mistakes.missed


ANSWERS = [
    ("refused as spam", answer("A1"), 1),
    ("our address is listed", answer("A1", refusal=RefusalClass.ADDRESS_BLOCKLISTED, listing="spamhaus-zen"), 1),
    ("no such recipient", answer("A1", refusal=RefusalClass.UNKNOWN_RECIPIENT), 0),
    ("a full mailbox", answer("A1", refusal=RefusalClass.MAILBOX_FULL), 0),
    ("delivered", answer("A1", outcome=Outcome.DELIVERED, refusal=None), 0),
    ("put off", answer("A1", outcome=Outcome.DEFERRED), 0),
    ("by ourselves", answer("A1", outbound=False), 0),
]


@pytest.mark.parametrize(("event", "missed"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_what_is_missed(event: Attempted, missed: int) -> None:
    watch = FilterWatch()
    watch.decided(decision(), "A1", AT)
    watch.attempted(event)
    watch.attempted(event)
    report = watch.report(AT)
    assert counts(report.whole) == (0, 0, missed)
    assert report.whole.accepted == 1
    assert [each.name for each in report.accounts] == ([ROSA] if missed else [])
    assert [each.name for each in report.lists] == (["spamhaus-zen"] if event.listing else [])
    assert report.whole.evidence == (("A1",) if missed else ())


def test_a_complaint_is_a_miss_and_each_message_is_one() -> None:
    watch = FilterWatch()
    watch.decided(decision(), "A1", AT)
    watch.attempted(answer("A1"))
    watch.complained(ComplaintReceived(AT, "mx1", ROSA, AccountKind.LOGIN, "A1"))
    watch.complained(ComplaintReceived(AT, "mx1", ROSA, AccountKind.LOGIN, ""))
    watch.complained(ComplaintReceived(AT, "mx1", ROSA, AccountKind.LOGIN, ""))
    assert watch.report(AT).whole.missed == 2


@pytest.mark.parametrize("by", ["person", "probe", "owner"])
def test_what_was_stopped_and_is_let_go_was_wrong_by_each_of_its_rules(by: bounds.ReleasedBy) -> None:
    watch = FilterWatch()
    watch.decided(decision(Action.HOLD, ROSA, "volume", "network"), "A1", AT)
    watch.decided(decision(Action.HOLD, ROSA, "volume"), "A2", AT)
    watch.decided(decision(Action.BLOCK, "jan", "network"), "A3", AT)
    watch.released(ROSA, ["A1", "A3", "A9"], by, AT)
    watch.released(ROSA, ["A1"], by, AT)
    report = watch.report(AT)
    assert counts(report.whole) == (3, 1, 0)
    assert {each.name: counts(each) for each in report.rules} == {"volume": (2, 1, 0), "network": (2, 1, 0)}
    assert {each.name: counts(each) for each in report.accounts} == {ROSA: (2, 1, 0), "jan": (1, 0, 0)}
    assert next(each for each in report.rules if each.name == "volume").evidence == ("A1",)


def test_without_queue_ids_all_that_was_stopped_of_the_account_is_let_go() -> None:
    watch = FilterWatch()
    for queue_id in ("A1", "", ""):
        watch.decided(decision(Action.BLOCK, ROSA, "volume"), queue_id, AT)
    watch.decided(decision(Action.BLOCK, "jan", "volume"), "", AT)
    watch.released(ROSA, (), "person", AT)
    assert counts(watch.report(AT).whole) == (4, 3, 0)


def test_what_a_remote_refuses_was_stopped_rightly_after_all() -> None:
    watch = FilterWatch()
    for queue_id in ("A1", "A2"):
        watch.decided(decision(Action.HOLD, ROSA, "volume"), queue_id, AT)
    watch.released(ROSA, ["A1", "A2"], "probe", AT)
    watch.attempted(answer("A1", at=AT + timedelta(days=1)))
    watch.released(ROSA, (), "owner", AT)
    report = watch.report(AT)
    assert counts(report.whole) == counts(report.rules[0]) == counts(report.accounts[0]) == (2, 1, 0)


def test_what_would_have_been_stopped_is_not_missed() -> None:
    watch = FilterWatch()
    watch.decided(decision(Action.BLOCK, ROSA, "volume"), "A1", AT)
    watch.attempted(answer("A1"))
    assert counts(watch.report(AT).whole) == (1, 0, 0)


def test_late_lists_and_those_that_could_not_be_asked_are_counted() -> None:
    watch = FilterWatch()
    watch.late("zen", AT)
    watch.late("zen", AT)
    watch.could_not_ask("dbl", AT)
    report = watch.report(AT)
    assert [(each.name, each.late, each.could_not_ask) for each in report.lists] == [("zen", 2, 0), ("dbl", 0, 1)]
    assert (report.whole.late, report.days[0].could_not_ask) == (2, 1)


def ordinary(watch: FilterWatch, days: int, deed: Callable[[datetime, int], None]) -> datetime:
    """Some weeks of a thousand messages a day, and of an account missed and one stopped wrongly every other day."""
    for number in range(days):
        at = AT + timedelta(days=number)
        for _ in range(1000):
            watch.decided(decision(), "", at)
        if number % 2:
            watch.attempted(answer(f"M{number}", f"m{number}", at=at))
            watch.decided(decision(Action.HOLD, f"w{number}", "volume", "network"), f"W{number}", at)
            watch.released(f"w{number}", [f"W{number}"], "person", at)
        deed(at, number)
    return at


def _nothing(_at: datetime, _number: int) -> None:
    """Do nothing."""


RISES: list[tuple[str, int, Callable[[FilterWatch, datetime, int], None], list[str]]] = [
    ("ordinary days", 0, lambda _watch, _at, _n: None, []),
    (
        "a rule errs",
        12,
        lambda watch, at, n: (
            (
                watch.decided(decision(Action.HOLD, f"x{n}", "volume"), f"X{n}", at),
                watch.released(f"x{n}", [f"X{n}"], "person", at),
            )
            and None
        ),
        ["filter-wrong", "filter-wrong"],
    ),
    (
        "our address is listed",
        12,
        lambda watch, at, n: watch.attempted(answer(f"X{n}", f"x{n}", listing="zen", at=at)),
        ["filter-missed", "filter-missed"],
    ),
    ("one account sends much", 200, lambda watch, at, n: watch.attempted(answer(f"X{n}", "x", at=at)), []),
    ("two accounts", 2, lambda watch, at, n: watch.attempted(answer(f"X{n}", f"x{n}", at=at)), []),
]


@pytest.mark.parametrize(("times", "deed", "found"), [case[1:] for case in RISES], ids=[case[0] for case in RISES])
def test_what_rises(times: int, deed: Callable[[FilterWatch, datetime, int], None], found: list[str]) -> None:
    watch = FilterWatch()
    at = ordinary(watch, 20, _nothing)
    for number in range(times):
        deed(watch, at, number)
    findings = watch.findings(at)
    assert [each.rule for each in findings] == found
    assert all(each.points == 0 and len(each.evidence) == 5 for each in findings)
    report = watch.report(at)
    rising = [each.name for part in (report.rules, report.lists) for each in part if each.rising]
    assert bool(report.whole.rising) == bool(found)
    assert rising == ({"filter-wrong": ["volume"], "filter-missed": ["zen"]}[found[0]] if found else [])


def test_a_week_of_past_is_needed() -> None:
    watch = FilterWatch()
    at = ordinary(watch, 8, _nothing)
    for number in range(50):
        watch.attempted(answer(f"X{number}", f"x{number}", at=at))
    assert watch.findings(at) == ()


def poisson(dice: random.Random, mean: float) -> int:
    count, left, enough = 0, dice.random(), exp(-mean)
    while left > enough:
        count, left = count + 1, left * dice.random()
    return count


def test_false_alarms_are_as_rare_as_is_said_where_days_differ_by_a_third() -> None:
    dice = random.Random(7)
    rules = ("volume", "network", "same-message", "links")
    looks = alarms = 0
    for server in range(30):
        watch = FilterWatch()
        for number in range(40):
            at = AT + timedelta(days=number)
            lively = dice.gammavariate(10, 0.1)
            for one in range(poisson(dice, 6 * lively)):
                watch.attempted(answer(f"M{server}-{number}-{one}", f"m{number}-{one}", at=at))
            for one in range(poisson(dice, 3 * lively)):
                name = f"{number}-{one}"
                watch.decided(decision(Action.HOLD, name, *dice.sample(rules, 2)), name, at)
                watch.released(name, [name], "person", at)
            looks, alarms = looks + 1, alarms + bool(watch.findings(at))
    assert alarms <= 2 + 3 * FALSE_ALARMS_A_DAY * looks


CHANCES = [
    ("nothing", Counted(0, 2), Counted(10, 20), 1.0, 1.0),
    ("as usual", Counted(1, 2), Counted(10, 20), 1.0, 1.0),
    ("no past", Counted(5, 2), Counted(0, 0), 1.0, 1.0),
    ("twice", Counted(4, 2), Counted(20, 20), 0.05, 0.2),
    ("ten times", Counted(20, 2), Counted(20, 20), 0.0, 1e-5),
    ("many and never before", Counted(8, 2), Counted(0, 30), 0.0, 1e-6),
]


@pytest.mark.parametrize(
    ("recent", "past", "least", "most"), [case[1:] for case in CHANCES], ids=[c[0] for c in CHANCES]
)
def test_how_probable_a_count_is(recent: Counted, past: Counted, least: float, most: float) -> None:
    assert least <= chance_of(recent, past) <= most


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.1, 1e6), st.floats(0.1, 1e6))
def test_a_chance_is_one_and_falls_with_the_count(now: int, before: int, recent: float, past: float) -> None:
    chance = chance_of(Counted(now, recent), Counted(before, past))
    assert 0.0 <= chance <= 1.0
    assert chance_of(Counted(now + 1, recent), Counted(before, past)) <= chance + 1e-9


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_STOPPED", 100)
    monkeypatch.setattr(bounds, "MOST_MISSED", 100)
    watch = FilterWatch()
    for number in range(3000):
        at = AT + timedelta(hours=number)
        name = f"{number}{'x' * 1000}"
        watch.decided(decision(Action.HOLD, name, f"rule{number}"), f"A{number}", at)
        watch.attempted(answer(f"B{number}", name, listing=name, at=at))
        watch.late(name, at)
    assert len(watch.saved()) < 4_000_000
    assert len(watch.report(at).days) == bounds.DAYS_KEPT
    for number in range(MOST_ACCOUNTS + 500):
        watch.attempted(answer(f"C{number}", f"c{number}", at=at))
    assert watch.report(at).days[0].missed >= MOST_ACCOUNTS + 500


def test_late_news_of_days_long_gone_changes_nothing() -> None:
    watch = FilterWatch()
    watch.decided(decision(), "A1", AT)
    watch.attempted(answer("A1", at=AT - timedelta(days=400)))
    assert watch.report(AT).whole.missed == 0
    assert len(watch.report(AT).days) == 1


NAMES = st.sampled_from(["rosa", "jan", "", "\u2028"])
IDS = st.sampled_from(["A1", "A2", "A3", ""])
WHEN = st.integers(0, 60 * 24).map(lambda hours: AT + timedelta(hours=hours))
DEEDS = st.one_of(
    st.tuples(st.just("decided"), st.builds(decision, st.sampled_from(Action), NAMES, NAMES), IDS, WHEN),
    st.tuples(st.just("attempted"), st.builds(answer, IDS, NAMES, listing=st.one_of(st.none(), NAMES), at=WHEN)),
    st.tuples(st.just("complained"), st.builds(ComplaintReceived, WHEN, NAMES, NAMES, st.just(AccountKind.LOGIN), IDS)),
    st.tuples(st.just("released"), NAMES, st.lists(IDS, max_size=2), st.just("probe"), WHEN),
    st.tuples(st.sampled_from(["late", "could_not_ask"]), NAMES, WHEN),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DEEDS, max_size=40), st.integers(0, 40))
def test_saved_and_restored_between_any_two_events_it_goes_on_as_if_it_had_not_been(deeds: list, cut: int) -> None:  # type: ignore[type-arg]
    whole, parts = FilterWatch(), FilterWatch()
    for number, (verb, *arguments) in enumerate(deeds):
        if number == cut:
            parts = FilterWatch.restored(parts.saved())
        for watch in (whole, parts):
            getattr(watch, verb)(*arguments)
    now = AT + timedelta(days=60)
    assert whole.saved() == parts.saved()
    assert whole.report(now) == parts.report(now)
    assert whole.findings(now) == parts.findings(now)


@given(st.binary(max_size=200))
def test_what_was_not_saved_by_it_is_refused(octets: bytes) -> None:
    try:
        FilterWatch.restored(octets).report(AT)
    except MalformedFilterWatch:
        pass
