"""Turns are spread over the interval, kept over a restart, and wobble a little."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from outwarden.service.scheduler import JITTER, Schedule

NOW = datetime(2026, 11, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = [f"192.0.2.{number}" for number in range(60)]


def turns(schedule: Schedule, until: datetime) -> list[tuple[datetime, str]]:
    found = []
    while (at := schedule.next_at()) is not None and at < until:
        name = schedule.take_due(at)
        assert name is not None
        found.append((at, name))
    return found


def test_the_first_round_is_spread_over_the_interval() -> None:
    found = turns(Schedule(NAMES, HOUR, {}, NOW, Random(1)), NOW + HOUR - timedelta(minutes=7))
    assert [name for _, name in found] == NAMES[: len(found)]
    assert {later - at for (at, _), (later, _) in itertools.pairwise(found)} == {timedelta(minutes=1)}


@pytest.mark.parametrize("seed", range(5))
def test_each_has_one_turn_an_interval_and_no_minute_is_crowded(seed: int) -> None:
    found = turns(Schedule(NAMES, HOUR, {}, NOW, Random(seed)), NOW + 24 * HOUR)
    assert abs(len(found) - 24 * 60) < 24 * 60 * JITTER
    for name in NAMES:
        mine = [at for at, each in found if each == name]
        assert all(abs(later - at - HOUR) <= 2 * JITTER * HOUR for at, later in itertools.pairwise(mine))
    minutes = [int((at - NOW) / timedelta(minutes=1)) for at, _ in found]
    assert max(minutes.count(minute) for minute in set(minutes)) <= 10


def test_a_restart_keeps_the_turns() -> None:
    asked = {"a": NOW - timedelta(minutes=20), "b": NOW - timedelta(minutes=50), "c": NOW - 9 * HOUR}
    schedule = Schedule(["a", "b", "c"], HOUR, asked, NOW, Random(1))
    assert turns(schedule, NOW + timedelta(minutes=41)) == [
        (NOW + timedelta(minutes=10), "b"),
        (NOW + timedelta(minutes=40), "a"),
        (NOW + timedelta(minutes=40), "c"),
    ]


def test_nobody_is_asked_before_the_turn() -> None:
    schedule = Schedule(["a"], HOUR, {"a": NOW}, NOW, Random(1))
    assert schedule.take_due(NOW + timedelta(minutes=59)) is None
    assert schedule.take_due(NOW + HOUR) == "a"


def test_what_was_missed_is_not_made_up_for() -> None:
    schedule = Schedule(["a"], HOUR, {}, NOW, Random(1))
    assert schedule.take_due(NOW + 30 * HOUR) == "a"
    following = schedule.next_at()
    assert following is not None
    assert following > NOW + 30 * HOUR + timedelta(minutes=50)


def test_a_clock_that_was_ahead_holds_up_nobody() -> None:
    assert Schedule(["a"], HOUR, {"a": NOW + 900 * HOUR}, NOW, Random(1)).take_due(NOW) == "a"


def test_without_names_there_is_no_turn() -> None:
    schedule = Schedule([], HOUR, {}, NOW, Random(1))
    assert (schedule.take_due(NOW), schedule.next_at()) == (None, None)
