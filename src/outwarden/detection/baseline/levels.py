"""Does a series of numbers stand above its own past?  No fixed limit: every limit is the series' own.

Median and median absolute deviation, because one mad sample must not move the limit (Iglewicz and Hoaglin, "How to
Detect and Handle Outliers", 1993: modified z-scores above 3.5).  A series of two days or more is judged day by day
against all days before, hour against like hours; a shorter one by its newer half against its older.

Not done: a series that begins at night and covers no whole day takes the morning for growth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from statistics import median, median_low, quantiles

import msgspec

from outwarden.detection.baseline.seasons import PAST_HOURS, YESTERDAY, Alike, Seasons, week_hour
from outwarden.detection.hours import hour_of

SHORTEST_PAST = 4
"""How many samples the past must have at least."""

_DEVIATIONS = 3.5
_MAD_TO_SIGMA = 1.4826
_NEARLY_ALL = 1.2
_RUN = 3
_DENSE = timedelta(minutes=20)
_TWO_DAYS = timedelta(days=2)
_LIKE_DAYS = 3
_LIKE_WEEKS = 2

Sample = tuple[datetime, float]


class Growth(msgspec.Struct, frozen=True):
    """A stretch in which a series stood above its own past: usual value, limit, peak, and when."""

    usual: float
    limit: float
    peak: float
    since: datetime
    until: datetime
    lasting: bool


class LevelPast:
    """What was, and so what is usual at an hour and what would be too much.

    ``floor`` is the least rise that counts.  ``hourly`` says that the past has one value for each hour: only then can
    a rhythm be in it.
    """

    def __init__(self, past: Sequence[tuple[int, float]], floor: float, hourly: bool) -> None:
        values = [value for _, value in past]
        self._floor = floor
        self._median = median(values)
        self._seasons: Seasons[float] = Seasons()
        self._now = past[-1][0] + YESTERDAY
        self._by_slot: dict[int, float] = {}
        for hour, value in past if hourly else ():
            self._seasons.add(hour, value)
        strays = [self._stray(value, self._usual(hour)) for hour, value in past]
        middle = median(strays)
        self._deviation = _DEVIATIONS * _MAD_TO_SIGMA * median(abs(stray - middle) for stray in strays)
        self._nearly_all = max(0.0, quantiles(strays, n=20)[-1])

    def limit(self, hour: int) -> tuple[float, float]:
        """Return what is usual at an hour, and what is too much; beside a usual peak, those of the peak."""
        usual = max(self._usual(one) for one in (hour - 1, hour, hour + 1))
        scale = usual + self._floor
        rise = max(self._deviation * scale, self._floor, usual)
        return usual, max(usual + rise, _NEARLY_ALL * (usual + self._nearly_all * scale))

    def _usual(self, hour: int) -> float:
        slot = week_hour(hour)
        known = self._by_slot.get(slot)
        if known is None:
            known = self._by_slot[slot] = self._middle(self._seasons.alike(hour, self._now))
        return known

    def _middle(self, alike: Alike[float]) -> float:
        if len(alike.week) >= _LIKE_WEEKS:
            return median_low(alike.week)
        if len(alike.days) >= _LIKE_DAYS:
            return median_low(alike.days)
        return median_low(alike.clock) if len(alike.clock) >= _LIKE_DAYS else self._median

    def _stray(self, value: float, usual: float) -> float:
        scale = usual + self._floor
        return (value - usual) / scale if scale else 0.0


def grown(series: Sequence[Sample], floor: float = 20.0) -> Growth | None:
    """Return the highest stretch of a series above its own past, or None; samples come in the order of time.

    A value is above it that exceeds the usual by 3.5 deviations, by ``floor``, and by as much again, and nearly
    all that the past strayed (its 95th percentile) by a fifth.  Samples less than twenty minutes apart
    must be three in a row.
    """
    limits = [limit for past, judged in _parts(series) for limit in _limits(past, judged, floor)]
    return max(_stretches(series, limits), key=lambda one: one.peak / one.limit, default=None)


def growing(series: Sequence[Sample], floor: float = 20.0) -> Growth | None:
    """Return the stretch that lasts to the end of the series, or None."""
    limits: list[tuple[float, float]] = []
    for past, judged in reversed(list(_parts(series))):
        of_part = _limits(past, judged, floor)
        limits = [*of_part, *limits]
        if any(value < limit for (_, value), (_, limit) in zip(judged, of_part, strict=True)):
            break
    return next((one for one in _stretches(series, limits) if one.lasting), None)


def _parts(series: Sequence[Sample]) -> Iterator[tuple[Sequence[Sample], Sequence[Sample]]]:
    """Yield each part that can be judged, and its past, in order and without a gap."""
    half = len(series) // 2
    if half < SHORTEST_PAST:
        return
    if series[-1][0] - series[0][0] < _TWO_DAYS:
        yield series[:half], series[half:]
        return
    start = 0
    for _, day in groupby(series, key=lambda sample: sample[0].date()):
        samples = list(day)
        past = series[:start]
        if len(past) >= SHORTEST_PAST and samples[0][0] - series[0][0] >= _TWO_DAYS / 2:
            yield past, samples
        start += len(samples)


def _limits(past: Sequence[Sample], judged: Sequence[Sample], floor: float) -> list[tuple[float, float]]:
    """Return usual value and limit for each judged sample."""
    values = [(hour_of(at), value) for at, value in past]
    # One value for each hour: a mad sample is no hour, and an hour looked at often is not many.
    by_hour = [(hour, median(value for _, value in same)) for hour, same in groupby(values, key=lambda one: one[0])]
    by_hour = [one for one in by_hour if one[0] >= hour_of(judged[0][0]) - PAST_HOURS]
    hourly = judged[0][0] - past[0][0] >= _TWO_DAYS / 2 and len(by_hour) >= SHORTEST_PAST
    usual = LevelPast(by_hour if hourly else values, floor, hourly)
    limits = {hour: usual.limit(hour) for hour in {hour_of(at) for at, _ in judged}}
    return [limits[hour_of(at)] for at, _ in judged]


def _stretches(series: Sequence[Sample], limits: Sequence[tuple[float, float]]) -> Iterator[Growth]:
    """Yield the stretches above the limits, which are those of the last samples."""
    needed, start = _needed(series), len(series) - len(limits)
    for above, group in groupby(zip(series[start:], limits, strict=True), key=lambda one: one[0][1] >= one[1][1]):
        stretch = list(group)
        if above and len(stretch) >= needed:
            # Of dense samples the third largest: one mad sample is not the peak of a stretch.
            (_, peak), (usual, limit) = sorted(stretch, key=lambda one: one[0][1])[-needed]
            yield Growth(usual, limit, peak, stretch[0][0][0], stretch[-1][0][0], start + len(stretch) == len(series))
        start += len(stretch)


def _needed(series: Sequence[Sample]) -> int:
    """Return how many samples make a stretch: three, or one where each stands for a good part of an hour."""
    gaps = [later - at for (at, _), (later, _) in pairwise(series)]
    return _RUN if not gaps or median_low(gaps) < _DENSE else 1
