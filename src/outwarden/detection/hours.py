"""Counts by the hour, sparse: one row of small integers for each hour in which something happened.

Rows lie one after another in a single array, the first column being the hour since 1970, so
that an hour costs some 40 bytes and no object.  Rows stay in order of time even where the log
does not (two hosts' logs read one after the other).  No more than 31 days of rows are kept.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from functools import lru_cache

_MOST_ROWS = 31 * 24
_LATEST_HOUR = 70_000_000
"""In the year 9955: an hour later is still a date."""


class Hours:
    """Rows of ``width`` columns.  ``turn`` moves to an hour; then ``rows[base + column]`` is its count."""

    __slots__ = ("base", "hour", "rows", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows = array("I")
        self.hour = -1
        self.base = 0

    def turn(self, hour: int) -> None:
        """Make ``hour`` the current row, adding it where it is new."""
        rows, width = self.rows, self.width
        base = len(rows)
        while base and rows[base - width] > hour:
            base -= width
        if base and rows[base - width] == hour:
            base -= width
        else:
            rows[base:base] = array("I", [hour] + [0] * (width - 1))
            if len(rows) > _MOST_ROWS * width:
                # Forget the oldest day at once, so that this is rare.
                forgotten = 24 * width
                del rows[:forgotten]
                if base < forgotten:
                    # The hour itself is older than all we keep: count it with the oldest one kept.
                    base = forgotten
                base -= forgotten
        self.hour, self.base = hour, base

    def column(self, column: int) -> list[int]:
        """Return one column, oldest hour first."""
        return self.rows[column :: self.width].tolist()


def hour_of(at: datetime) -> int:
    """Return the hour since 1970 that a UTC time lies in; 0 for anything before, the year 9955 for anything after."""
    return min(max(0, int(at.timestamp()) // 3600), _LATEST_HOUR)


@lru_cache(maxsize=2048)
def start_of(hour: int) -> datetime:
    """Return when that hour began."""
    return datetime.fromtimestamp(hour * 3600, UTC)
