"""A flow's hours as plain numbers, to be written down, read back and added up."""

from __future__ import annotations

from array import array
from itertools import chain, pairwise

from outwarden.detection.baseline.seasons import PAST_HOURS
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours

WIDTH = 4
"""Hour, delivered, deferred, bounced: what ``Flow`` begins with."""

_MOST = 2**32 - 1


def newest(hours: Hours) -> int:
    """Return the newest hour, 0 where there is none."""
    return hours.rows[-hours.width] if hours.rows else 0


def rows_in(hours: Hours, now: int) -> list[int]:
    """Return the rows of the month before ``now``, one after another: hour, delivered, deferred, bounced."""
    columns = (hours.column(column) for column in (0, Flow.DELIVERED, Flow.DEFERRED, Flow.BOUNCED))
    kept = (row for row in zip(*columns, strict=True) if row[0] > now - PAST_HOURS)
    return list(chain.from_iterable(kept))


def hours_of(rows: list[int]) -> Hours:
    """Return the hours that ``rows_in`` wrote.  Raises ``ValueError`` or ``OverflowError`` where none could have."""
    if len(rows) % WIDTH or len(rows) > PAST_HOURS * WIDTH:
        raise ValueError(f"{len(rows)} numbers are no rows")
    if any(later <= hour for hour, later in pairwise(rows[::WIDTH])):
        raise ValueError("hours out of order")
    hours = Hours(WIDTH)
    hours.rows = array("I", rows)
    return hours


def summed(one: Hours, other: Hours) -> Hours:
    """Return two flows as one, no more than a month of it."""
    now = max(newest(one), newest(other))
    sums: dict[int, tuple[int, ...]] = {}
    for hours in (one, other):
        rows = rows_in(hours, now)
        for start in range(0, len(rows), WIDTH):
            hour, *counts = rows[start : start + WIDTH]
            before = sums.get(hour, (0,) * len(counts))
            sums[hour] = tuple(min(_MOST, mine + theirs) for mine, theirs in zip(before, counts, strict=True))
    return hours_of([number for hour in sorted(sums) for number in (hour, *sums[hour])])
