"""Bounces and deferrals against a seasonal past: rhythms are not accused, jumps are, mad hours move nothing."""

import random
from collections.abc import Callable
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.baseline.flow_findings import Behind, destination_troubles, flow_findings
from outwarden.detection.baseline.flow_rows import hours_of
from outwarden.detection.baseline.seasons import week_hour
from outwarden.detection.baseline.shares import SharePast
from outwarden.detection.baseline.tails import beta_binomial_tail
from outwarden.detection.baseline.troubles import BOUNCES, DEFERRALS, RATES, Row, Trouble, troubles

MONDAY = 480_000 // 168 * 168 + 96
"""Midnight of a Monday, in hours since 1970."""
DAY, WEEK = 24, 168

Peak = Callable[[int], tuple[int, int]]
"""What is added at an hour of the series: bad, and all."""


def nothing(_: int) -> tuple[int, int]:
    return 0, 0


def month(
    seed: int = 1, hours: int = 4 * WEEK, usual: float = 0.04, busy: int = 600, peak: Peak = nothing
) -> list[Row]:
    """A server that sends ten times as much by day, less at the weekend; 4 % bounces, by chance alone."""
    world = random.Random(seed)
    rows = []
    for number in range(hours):
        by_day = 7 <= number % DAY < 20
        total = busy if by_day else busy // 10
        total = total // 2 if number % WEEK >= 5 * DAY else total
        spread = (usual * (1 - usual) * total) ** 0.5
        bad = min(total, max(0, round(world.gauss(usual * total, spread))))
        more_bad, more = peak(number)
        rows.append((MONDAY + number, bad + more_bad, total + more))
    return rows


def jump(rows: list[Row], at: int, share: float) -> list[Row]:
    """The same, with another share of bad results in one hour, where the series ends."""
    hour, _, total = rows[at]
    return [*rows[:at], (hour, round(share * total), total)]


def found(rows: list[Row], since: int = 0) -> list[Trouble]:
    return troubles(BOUNCES, rows, 2e-4, since)


def test_the_first_hour_of_the_series_is_a_monday() -> None:
    assert week_hour(MONDAY) == 0


PEAKS: list[tuple[str, Peak]] = [
    ("a newsletter every night", lambda number: (60, 400) if number % DAY == 22 else (0, 0)),
    ("Monday morning", lambda number: (200, 900) if number % WEEK in (9, 10) else (0, 0)),
    ("all weekend", lambda number: (15, 60) if number % WEEK >= 5 * DAY else (0, 0)),
    ("a small peak in a quiet night", lambda number: (14, 40) if number % WEEK == 51 else (0, 0)),
]


@pytest.mark.parametrize(("name", "peak"), PEAKS, ids=[name for name, _ in PEAKS])
def test_a_rhythm_is_said_once_at_most(name: str, peak: Peak) -> None:
    assert len(found(month(peak=peak))) <= 1
    assert found(month(peak=peak), since=MONDAY + WEEK + DAY) == []


def test_a_mailing_that_is_an_hour_late_is_the_same_mailing() -> None:
    """The local clock moves by one hour twice a year, and the mailing with it."""
    late = month(peak=lambda number: (60, 400) if number % DAY == (22 if number < 3 * WEEK else 23) else (0, 0))
    assert found(late, since=MONDAY + 2 * WEEK) == []


@given(slot=st.integers(0, WEEK - 1), share=st.floats(0.1, 1.0), total=st.integers(20, 20_000), seed=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_regular_weekly_peak_is_never_found_after_two_weeks(slot: int, share: float, total: int, seed: int) -> None:
    rows = month(seed, peak=lambda number: (round(share * total), total) if number % WEEK == slot else (0, 0))
    assert found(rows, since=MONDAY + 2 * WEEK) == []


@given(at=st.integers(2 * WEEK, 4 * WEEK - 1), seed=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_doubled_share_with_enough_mail_is_found_within_the_hour(at: int, seed: int) -> None:
    rows = jump(month(seed, busy=20_000, hours=at + 1), at, 0.085)
    (trouble,) = found(rows)
    assert trouble.hours == (MONDAY + at,)
    assert trouble.lasting
    assert trouble.usual == pytest.approx(0.04, abs=0.015)


def test_a_jump_in_a_quiet_hour_is_not_hidden_by_a_loud_one() -> None:
    newsletter: Peak = lambda number: (600, 2_000) if number % DAY == 12 else (0, 0)  # noqa: E731
    at = 3 * WEEK + 2 * DAY + 3
    (trouble,) = found(jump(month(peak=newsletter, hours=at + 1), at, 0.4), since=MONDAY + at)
    assert (trouble.hours, trouble.bad) == ((MONDAY + at,), 24)


@pytest.mark.parametrize("mad", [(2_000, 2_000), (1_000_000, 1_000_000), (0, 1_000_000)])
@pytest.mark.parametrize("when", [5, 2 * WEEK + 13, 3 * WEEK + 2])
def test_one_mad_hour_moves_nothing(mad: tuple[int, int], when: int) -> None:
    at = 3 * WEEK + 3 * DAY + 10
    calm = jump(month(hours=at + 1), at, 0.14)
    moved = [*calm]
    moved[when] = (calm[when][0], *mad)
    since = MONDAY + at
    (before,), (after,) = found(calm, since), found(moved, since)
    assert after.hours == before.hours
    assert after.usual == pytest.approx(before.usual, rel=0.2)
    mad_only = [*month(hours=at + 1)]
    mad_only[when] = (calm[when][0], *mad)
    assert found(mad_only, MONDAY + when + 1) == []


@given(times=st.integers(2, 50))
@settings(max_examples=10, deadline=None)
def test_a_trouble_of_a_larger_server_is_a_trouble(times: int) -> None:
    at = 2 * WEEK + 3 * DAY + 9
    rows = jump(month(hours=at + 1), at, 0.3)
    larger = [(hour, bad * times, total * times) for hour, bad, total in rows]
    (one,), (other,) = found(rows), found(larger)
    assert (one.hours, one.bad * times) == (other.hours, other.bad)
    assert other.usual == pytest.approx(one.usual, rel=0.2)
    assert other.points >= one.points


def test_hours_of_one_trouble_are_one_finding_and_say_when() -> None:
    rows = month(hours=3 * WEEK)
    for hour in (8, 9, 11, 30):
        rows[2 * WEEK + hour] = (rows[2 * WEEK + hour][0], 200, 600)
    first, second = sorted(found(rows), key=lambda one: one.hours)
    assert [hour - MONDAY - 2 * WEEK for hour in first.hours] == [8, 9, 11]
    assert [hour - MONDAY - 2 * WEEK for hour in second.hours] == [30]
    assert (first.bad, first.total, first.lasting) == (600, 1800, False)


def test_a_small_server_is_not_accused_for_three_of_twenty() -> None:
    rows = month(busy=20)
    assert found([*rows, (MONDAY + 4 * WEEK, 3, 20)]) == []


def test_what_is_older_than_a_month_is_forgotten() -> None:
    past = SharePast(0.04, 0.02)
    for number, (hour, bad, total) in enumerate(month(hours=3 * WEEK)):
        past.add(hour, bad + (total // 5 if number < WEEK else 0), total)
    old = past.usual(MONDAY + 3 * WEEK + 10)
    for hour, bad, total in month(hours=5 * WEEK):
        past.add(hour + 3 * WEEK, bad, total)
    new = past.usual(MONDAY + 8 * WEEK + 10)
    assert (old.rhythm, new.rhythm) == (True, True)
    assert old.most > 0.2 > 0.06 > new.most


@given(a=st.floats(0.2, 200), b=st.floats(0.2, 2_000), total=st.integers(1, 300), bad=st.integers(0, 300))
def test_a_tail_is_a_probability_and_falls(a: float, b: float, total: int, bad: int) -> None:
    bad = min(bad, total)
    tail = beta_binomial_tail(bad, total, (a, b))
    assert 0.0 <= tail <= 1.0
    assert beta_binomial_tail(min(bad + 1, total), total, (a, b)) <= tail + 1e-9


@pytest.mark.parametrize(("bad", "total"), [(9, 10), (15, 20), (20, 20)])
def test_a_tail_is_the_sum_of_its_terms(bad: int, total: int) -> None:
    # Beta (1, 1) makes every count as probable as any other.
    assert beta_binomial_tail(bad, total, (1.0, 1.0)) == pytest.approx((total + 1 - bad) / (total + 1))
    # A huge Beta is binomial.
    binomial = sum(comb(total, count) * 0.5**total for count in range(bad, total + 1))
    assert beta_binomial_tail(bad, total, (1e7, 1e7)) == pytest.approx(binomial, rel=1e-3)


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 500), st.integers(0, 500)), max_size=80))
@settings(max_examples=50, deadline=None)
def test_any_hours_can_be_judged(counts: list[tuple[int, int, int]]) -> None:
    rows = [(hour, bad, bad + good) for hour, bad, good in sorted({one[0]: one for one in counts}.values())]
    for rate in RATES:
        for trouble in troubles(rate, rows, 0.5):
            assert trouble.bad > trouble.usual * trouble.total
            assert 1.0 <= trouble.points <= 3.0


def flow(rows: list[Row], deferred: bool = False) -> list[int]:
    """Rows as a record keeps them."""
    return [
        number
        for hour, bad, total in rows
        for number in ((hour, total - bad, bad, 0) if deferred else (hour, total - bad, 0, bad))
    ]


def nobody(*_: object) -> Behind:
    return Behind([("rosa@isp.example", 0.9), ("tim@isp.example", 0.05)], ("a line",))


def test_a_finding_says_usual_and_observed_since_when_where_and_who() -> None:
    rows = month()
    rows[-2:] = [(hour, total // 2, total) for hour, _, total in rows[-2:]]
    gmail = [(hour, bad, total) for hour, bad, total in rows[-40:]]
    (finding,) = flow_findings(hours_of(flow(rows)), {"gmail.com": hours_of(flow(gmail))}, {}, nobody, nobody)
    assert finding.text.startswith("all destinations: 50 % of 60 bounced since ")
    assert "most at gmail.com (100%); behind it rosa@isp.example (90%)" in finding.text
    assert "tim@" not in finding.text
    assert (finding.rule, finding.evidence) == ("bounce-rate", ("a line",))


def test_what_only_one_destination_shows_is_said_of_it_and_weighs_little() -> None:
    calm = month(hours=3 * WEEK + 12)
    slow = jump(month(2, hours=3 * WEEK + 12, busy=100), 3 * WEEK + 11, 0.9)
    hours = {"slow.example": hours_of(flow(slow, deferred=True))}
    of_destinations = destination_troubles(hours)
    (finding,) = flow_findings(hours_of(flow(calm, deferred=True)), hours, of_destinations, nobody, nobody)
    assert finding.rule == DEFERRALS.rule
    assert finding.text.startswith("slow.example: 90 % of 100 deferred in the hour from ")
    assert finding.points == 1.5


def test_a_destination_is_not_accused_again_for_what_the_whole_server_shows() -> None:
    rows = jump(month(hours=3 * WEEK + 12), 3 * WEEK + 11, 0.5)
    hours = {"big.example": hours_of(flow(rows))}
    found_in = flow_findings(hours_of(flow(rows)), hours, destination_troubles(hours), nobody, nobody)
    assert [one.text.split(":")[0] for one in found_in] == ["all destinations"]
