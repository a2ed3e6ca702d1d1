"""A queue's size and age against its own past: rhythms, mad samples, and who is behind the growth."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.baseline.levels import growing, grown
from outwarden.detection.baseline.queue_findings import queue_growth
from outwarden.detection.baseline.queue_samples import QueuePast, QueueSample, queue_sample

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = 168


def size(hour: int, world: random.Random) -> float:
    """A queue of 40 by day and 15 by night, with a newsletter at ten in the evening and a peak on Monday morning."""
    usual = 40 if 7 <= hour % 24 < 20 else 15
    usual += 500 if hour % 24 == 22 else 0
    usual += 900 if hour % WEEK == 9 else 0
    return usual * world.uniform(0.8, 1.25)


def weeks(count: int, seed: int = 1) -> list[tuple[datetime, float]]:
    world = random.Random(seed)
    return [(MONDAY + hour * HOUR, size(hour, world)) for hour in range(count * WEEK)]


@pytest.mark.parametrize("seed", range(5))
def test_a_rhythm_is_no_growth(seed: int) -> None:
    for end in range(2 * WEEK + 1, 4 * WEEK, 7):
        assert growing(weeks(4, seed)[:end]) is None


def test_a_jump_in_a_quiet_hour_is_found_in_that_hour_though_every_evening_is_louder() -> None:
    series = weeks(3)[: 2 * WEEK + 3 * 24 + 4]
    at = series[-1][0]
    growth = growing([*series[:-1], (at, 200.0)])
    assert growth is not None
    assert (growth.since, growth.peak, growth.lasting) == (at, 200.0, True)
    assert growth.usual < 25


@given(at=st.integers(WEEK, 3 * WEEK - 1), mad=st.floats(1e4, 1e9))
@settings(max_examples=20, deadline=None)
def test_one_mad_sample_is_not_what_is_usual(at: int, mad: float) -> None:
    series = weeks(3)[: 2 * WEEK + 4 * 24 + 4]
    at = min(at, len(series) - 25)
    moved = [*series]
    moved[at] = (series[at][0], mad)
    jump = (series[-1][0] + HOUR / 2, 300.0)
    growth, other = growing([*series, jump]), growing([*moved, jump])
    assert growth is not None
    assert other is not None
    assert other.usual == pytest.approx(growth.usual, rel=0.3)
    assert other.limit == pytest.approx(growth.limit, rel=0.3)


@given(times=st.floats(0.01, 1e6))
@settings(max_examples=20, deadline=None)
def test_the_unit_does_not_matter(times: float) -> None:
    series = [*weeks(3), (MONDAY + 3 * WEEK * HOUR, 300.0)]
    growth = growing(series)
    other = growing([(at, value * times) for at, value in series], 20.0 * times)
    assert growth is not None
    assert other is not None
    assert other.since == growth.since
    assert other.limit == pytest.approx(growth.limit * times)


def test_an_older_and_higher_growth_does_not_hide_the_one_that_lasts() -> None:
    series = [(at, 5_000.0 if 300 <= number < 304 else value) for number, (at, value) in enumerate(weeks(3))]
    series = [*series[: 2 * WEEK + 28], (MONDAY + (2 * WEEK + 28) * HOUR, 300.0)]
    highest, lasting = grown(series), growing(series)
    assert highest is not None
    assert lasting is not None
    assert (highest.lasting, lasting.lasting) == (False, True)


def test_the_age_of_the_oldest_message_is_said_and_weighs_little() -> None:
    samples = [QueueSample(MONDAY + hour * HOUR, 30, 120) for hour in range(40)]
    (finding,) = queue_growth([*samples, QueueSample(MONDAY + 40 * HOUR, 30, 3 * 1440)])
    assert finding.text == "the oldest message waits 3 days, usually 2 hours"
    assert (finding.rule, finding.points) == ("queue-age", 0.5)


def test_who_was_large_before_is_not_behind_the_growth() -> None:
    usual = {"news@isp.example": 400, "tim@isp.example": 3}
    samples = [QueueSample(MONDAY + hour * HOUR, 403, None, {"big.example": 403}, usual) for hour in range(40)]
    now = QueueSample(
        MONDAY + 40 * HOUR,
        1_600,
        None,
        {"big.example": 400, "slow.example": 1_200},
        {"news@isp.example": 400, "rosa@isp.example": 1_200},
    )
    (finding,) = queue_growth([*samples, now])
    assert finding.text == (
        "queue grew from its usual 403 messages to 1600 since 2026-11-03T16:00Z; waiting for slow.example (100%)"
        "; behind it rosa@isp.example (100%)"
    )


def test_a_destination_that_is_not_among_the_ten_largest_is_not_taken_for_empty() -> None:
    many = {f"d{number}.example": 200 for number in range(10)}
    samples = [QueueSample(MONDAY + hour * HOUR, 2_100, None, many) for hour in range(40)]
    now = QueueSample(MONDAY + 40 * HOUR, 2_100, None, {**many, "rank11.example": 201})
    assert queue_growth([*samples, now]) == ()


def test_a_sample_keeps_the_ten_largest() -> None:
    sample = queue_sample(MONDAY, 9, 7_300, [(f"d{number}", number) for number in range(1_000)], [])
    assert (sample.oldest_minutes, len(sample.destinations), sample.destinations["d999"]) == (121, 10, 999)


SAMPLES = st.builds(
    QueueSample,
    st.integers(0, 900 * 60).map(lambda minute: MONDAY + timedelta(minutes=minute)),
    st.integers(0, 50),
    st.none() | st.integers(0, 9),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
)
PASTS = st.lists(SAMPLES, max_size=20).map(lambda samples: QueuePast(sorted(samples, key=lambda one: one.at)))


@given(one=PASTS, other=PASTS, third=PASTS)
def test_pasts_are_merged_in_any_order(one: QueuePast, other: QueuePast, third: QueuePast) -> None:
    assert one.merged(other).samples == other.merged(one).samples
    assert one.merged(other).merged(third).samples == one.merged(other.merged(third)).samples


def test_a_month_of_looks_is_bounded() -> None:
    past = QueuePast()
    for minute in range(0, 60 * 24 * 45, 10):
        past.add(QueueSample(MONDAY + timedelta(minutes=minute), minute % 7))
    assert len(past.samples) <= 31 * 24 + 6
    past.add(QueueSample(MONDAY, 5))
    assert past.samples[0].at > MONDAY
