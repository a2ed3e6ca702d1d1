"""Which past hours are like this one: the same hour of the week, of a like day, or of any day.

Monday's 9 o'clock is best compared with other Mondays' 9 o'clock; while there are hardly any, with that of other
working days, then of all days.  Hours are hours since 1970 in UTC: what follows the local clock moves by
one hour twice a year, and a mailing begins sooner one day and later another, so the
hour before and the hour after may be asked for too.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, TypeVar

PAST_HOURS = 31 * 24
"""What is older is forgotten."""

YESTERDAY = 20
"""Hours that are nearer than this many belong to the same trouble, or to the same mailing."""

_WEEK = 7 * 24
_MONDAY = 3 * 24
_SATURDAY = 5 * 24
_OF_DAYS = 1_000
_OF_CLOCK = 2_000

Value = TypeVar("Value")


class Alike(NamedTuple, Generic[Value]):
    """What was seen in like hours, oldest first: from the vaguest likeness to the closest."""

    clock: list[Value]
    """The same hour of any day."""
    days: list[Value]
    """The same hour of a working day, or of a day at the weekend."""
    week: list[Value]
    """The same hour of the same day of the week."""


class Seasons(Generic[Value]):
    """One value for each hour, found again by the hours that are like it; at most 2,700 values."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, deque[tuple[int, Value]]] = {}

    def add(self, hour: int, value: Value) -> None:
        """Keep the value of an hour; hours come in order."""
        for place, most in ((week_hour(hour), 5), (_like_days(hour), 23), (_OF_CLOCK + hour % 24, 31)):
            kept = self._kept.get(place)
            if kept is None:
                kept = self._kept[place] = deque(maxlen=most)
            kept.append((hour, value))

    def alike(self, hour: int, now: int) -> Alike[Value]:
        """Return what was seen in hours like ``hour``, of the month before ``now`` without its last twenty hours."""
        return Alike(
            self._of(_OF_CLOCK + hour % 24, now), self._of(_like_days(hour), now), self._of(week_hour(hour), now)
        )

    def _of(self, place: int, now: int) -> list[Value]:
        kept = self._kept.get(place, ())
        return [value for hour, value in kept if now - PAST_HOURS <= hour <= now - YESTERDAY]


def week_hour(hour: int) -> int:
    """Return the hour of the week, 0 to 167, from Monday's midnight: 1970 began on a Thursday."""
    return (hour + _MONDAY) % _WEEK


def _like_days(hour: int) -> int:
    return _OF_DAYS + hour % 24 + (24 if week_hour(hour) >= _SATURDAY else 0)
