"""The usual share of bad results at this hour, as a Beta distribution of honest hours; robust against mad ones.

The centre is a median of blocks, each of twenty results or more, so one mad hour, however large, is one block.
It is taken from the hours that are most like this one, drawn towards what less alike hours say where they are few.
How far honest hours stray is learnt from how far this server's hours strayed from their own centres.

Not seen here: what is always bad is usual.  What happens at the same hour of two weeks running is taken for a rhythm.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import sqrt
from statistics import median_low
from typing import NamedTuple

from outwarden.detection.baseline.seasons import PAST_HOURS, Seasons

BLOCK = 20
"""Results in a block at least; an hour with fewer is not judged."""

_WEIGHT = 20.0
"""Results that a less alike past counts for, beside a more alike one."""
_BLOCKS_OF_ALL = 3
_BLOCKS_OF_DAYS = 3
_BLOCKS_OF_WEEKS = 2
_MAD_TO_SIGMA = 1.4826
_NORMAL_95 = 1.645
_STRAYS_THAT_SHOW = 8
_STRAYS_WITH_A_TAIL = 40
_FIRST_CONCENTRATION = 60.0
_CONCENTRATION = (8.0, 2_000.0)

Counts = tuple[int, int]
"""Bad, and all, of an hour."""


class Usual(NamedTuple):
    """The usual share of an hour, how many results that rests on, and how many are usually bad in such an hour.

    ``rhythm`` says whether like hours were known; where not, ``bad`` is the second largest hour of all.
    """

    share: float
    weight: float
    bad: int
    rhythm: bool


class SharePast:
    """The hours of one series, in order.  Ask first, then add: no hour is its own past."""

    def __init__(self, prior: float, least: float) -> None:
        """``prior`` is the share where nothing is known; no usual share counts as smaller than ``least``."""
        self._prior = prior
        self._least = least
        self._seasons: Seasons[Counts] = Seasons()
        self._blocks: list[float] = []
        self._in_order: deque[tuple[int, float]] = deque()
        self._open = (0, 0)
        self._most = (0, 0)
        self._strays: deque[tuple[float, int]] = deque(maxlen=PAST_HOURS)

    @property
    def known(self) -> bool:
        """Whether there is past enough to compare anything with."""
        return len(self._blocks) >= _BLOCKS_OF_ALL

    def add(self, hour: int, bad: int, total: int) -> None:
        """Let an hour become past."""
        if total >= BLOCK and self.known:
            usual = max(self._usual(hour, hour).share, self._least)
            self._strays.append(((bad / total - usual) / sqrt(usual * (1.0 - usual)), total))
        self._seasons.add(hour, (bad, total))
        most, second = self._most
        self._most = (bad, most) if bad > most else (most, max(bad, second))
        self._open = (self._open[0] + bad, self._open[1] + total)
        if self._open[1] >= BLOCK:
            share = self._open[0] / self._open[1]
            insort(self._blocks, share)
            self._in_order.append((hour, share))
            self._open = (0, 0)
        while self._in_order and self._in_order[0][0] < hour - PAST_HOURS:
            del self._blocks[bisect_left(self._blocks, self._in_order.popleft()[1])]

    def usual(self, hour: int) -> Usual:
        """Return what is usual at an hour; beside a usual peak, what is usual in the peak."""
        own = self._usual(hour, hour)
        if not own.rhythm:
            return own
        beside = (self._usual(hour - 1, hour), self._usual(hour + 1, hour))
        return max((own, *(one for one in beside if one.rhythm)), key=lambda one: one.share)

    def precedent(self, hour: int, bad: int, total: int, within: float) -> bool:
        """Say whether yesterday or last week had as much at that time, where more than that is not known.

        ``within`` is how many times as much is still the same.
        """
        alike = [self._seasons.alike(one, hour) for one in (hour - 1, hour, hour + 1)]
        before: list[Counts] = []
        if len(_blocks(alike[1].clock)) < _BLOCKS_OF_DAYS:
            before += [counts for one in alike for counts in one.clock]
        if len(_blocks(alike[1].week)) < _BLOCKS_OF_WEEKS:
            before += [counts for one in alike for counts in one.week]
        return any(
            was_bad * within >= bad and was_bad * total * within >= bad * was_total for was_bad, was_total in before
        )

    def honest(self, share: float, weight: float) -> tuple[float, float]:
        """Return the Beta (bad, good) of honest hours around a usual share that rests on so many results."""
        concentration = min(self._concentration(), weight + _WEIGHT)
        return share * concentration, (1.0 - share) * concentration

    def _usual(self, hour: int, now: int) -> Usual:
        if not self._blocks:
            return Usual(self._prior, 0.0, 0, False)
        weight = float(BLOCK * len(self._blocks))
        share = _drawn(median_low(self._blocks), weight, self._prior)
        bad, rhythm = self._most[1], False
        alike = self._seasons.alike(hour, now)
        for rows, least in (
            (alike.clock, _BLOCKS_OF_DAYS),
            (alike.days, _BLOCKS_OF_DAYS),
            (alike.week, _BLOCKS_OF_WEEKS),
        ):
            blocks = _blocks(rows)
            if len(blocks) >= least:
                weight = float(sum(total for _, total in rows))
                share = _drawn(median_low(blocks), weight, share)
                bad, rhythm = median_low([one for one, _ in rows]), True
        return Usual(share, weight, bad, rhythm)

    def _concentration(self) -> float:
        """Return how close honest hours keep to the usual: the a + b of their Beta.

        What binomial chance explains is taken out; what is left is the share's own variation.
        """
        count = len(self._strays)
        if count < _STRAYS_THAT_SHOW:
            return _FIRST_CONCENTRATION
        strays = sorted(stray for stray, _ in self._strays)
        middle = median_low(strays)
        sigma = _MAD_TO_SIGMA * median_low([abs(stray - middle) for stray in strays])
        if count >= _STRAYS_WITH_A_TAIL:
            sigma = max(sigma, strays[count * 95 // 100] / _NORMAL_95)
        by_chance = 1.0 / median_low([total for _, total in self._strays])
        variation = (sigma * sigma - by_chance) / (1.0 - by_chance)
        lowest, highest = _CONCENTRATION
        highest = min(highest, _WEIGHT * count)
        return highest if variation * (highest + 1.0) <= 1.0 else max(lowest, 1.0 / variation - 1.0)


def _drawn(share: float, weight: float, towards: float) -> float:
    return (share * weight + towards * _WEIGHT) / (weight + _WEIGHT)


def _blocks(rows: Sequence[Counts]) -> list[float]:
    """Return the shares of the rows, small ones put together in their order."""
    shares: list[float] = []
    bad = total = 0
    for one_bad, one_total in rows:
        bad, total = bad + one_bad, total + one_total
        if total >= BLOCK:
            shares.append(bad / total)
            bad = total = 0
    return shares
