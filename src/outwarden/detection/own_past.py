"""Does a series of numbers stand above its own past?  No fixed limit: every limit is the series' own.

Median and median absolute deviation, because one mad sample must not move the limit (Iglewicz and
Hoaglin, "How to Detect and Handle Outliers", 1993: modified z-scores above 3.5).

Not done: a rhythm of the day is known only from a series that covers one; a shorter one that begins at
night takes the morning for growth.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from statistics import median, quantiles

import msgspec

SHORTEST_PAST = 4
"""How many samples the past must have at least."""

_DEVIATIONS = 3.5
_MAD_TO_SIGMA = 1.4826
_RUN = 3


class Growth(msgspec.Struct, frozen=True):
    """A stretch in which a series stood above its own past: usual value, limit, peak, and when."""

    usual: float
    limit: float
    peak: float
    since: datetime
    until: datetime
    lasting: bool


def grown(series: Sequence[tuple[datetime, float]], floor: float = 20.0) -> Growth | None:
    """Return the highest stretch of at least three samples above the series' own past, or None.

    The past is the older half, at least four samples; what rose in it is past too.  A stretch that begins
    after it counts when it exceeds the past's median by 3.5 deviations, by ``floor`` and by as much again,
    and nearly all that the past showed (its 95th percentile) by a fifth.
    """
    half = len(series) // 2
    values = [value for _, value in series]
    if half < SHORTEST_PAST:
        return None
    past = values[:half]
    usual = median(past)
    deviation = _MAD_TO_SIGMA * median(abs(value - usual) for value in past)
    limit = max(usual + max(_DEVIATIONS * deviation, floor, usual), 1.2 * quantiles(past, n=20)[-1])
    stretches = [_stretch(series, start, end, usual, limit) for start, end in _runs(values, limit) if start >= half]
    return max(stretches, key=lambda stretch: stretch.peak, default=None)


def _runs(values: Sequence[float], limit: float) -> list[tuple[int, int]]:
    """Return the stretches (from, before) of at least three values that reach the limit."""
    runs, start = [], 0
    for above, group in groupby(values, key=lambda value: value >= limit):
        length = len(list(group))
        if above and length >= _RUN:
            runs.append((start, start + length))
        start += length
    return runs


def _stretch(series: Sequence[tuple[datetime, float]], start: int, end: int, usual: float, limit: float) -> Growth:
    # The third largest: one mad sample is not the peak of a stretch.
    peak = sorted(value for _, value in series[start:end])[-_RUN]
    return Growth(usual, limit, peak, series[start][0], series[end - 1][0], end == len(series))
