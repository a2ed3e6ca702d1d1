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
"""Results that a guess counts for, beside those that were seen."""
_BLOCKS_OF_A_GUESS = 3
"""Blocks that a less alike past counts for, beside the blocks of a more alike one."""
_PEAK = 1.6
_BLOCKS_OF_ALL = 3
_BLOCKS_OF_DAYS = 3
_BLOCKS_OF_WEEKS = 2
_BLOCKS_THAT_STRAY = 5
_HALF_WITHIN = 0.75
_NEARLY_ALL_BELOW = 2.2
"""Standard deviations that half of honest hours stray at most, and nineteen of twenty: shares are skewed."""
_STRAYS_THAT_SHOW = 8
_STRAYS_WITH_A_TAIL = 40
_FIRST_CONCENTRATION = 60.0
_CONCENTRATIONS = (2_000.0, 1_200.0, 700.0, 400.0, 250.0, 150.0, 100.0, 60.0, 40.0, 25.0, 15.0, 8.0)
_STRAYS_FOR_MORE = 8.0
"""So much concentration is believed for each hour that was seen to keep to it."""

Counts = tuple[int, int]
"""Bad, and all, of an hour."""


class Usual(NamedTuple):
    """The usual share of an hour, how many results that rests on, and how many are usually bad in such an hour.

    ``rhythm`` says whether like hours were known; where not, ``bad`` is the second largest hour of all.
    ``most`` is the second largest share of like hours, where there are five: one mad hour is not what happens.
    """

    share: float
    weight: float
    bad: int
    rhythm: bool
    most: float = 0.0


class SharePast:
    """The hours of one series, in order.  Ask first, then add: no hour is its own past."""

    def __init__(self, prior: float, least: float) -> None:
        """``prior`` is the share where nothing is known; no share counts as smaller than ``least``."""
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
            usual = self._usual(hour, hour)
            if usual.rhythm:
                middle, share = max(usual.share, self._least), max(bad / total, self._least)
                self._strays.append(((share - middle) / sqrt(middle * (1.0 - middle)), total))
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
        beside = max(self._usual(hour - 1, hour), self._usual(hour + 1, hour))
        return beside if beside.rhythm and beside.share >= _PEAK * own.share else own

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
        share = (median_low(self._blocks) * weight + self._prior * _WEIGHT) / (weight + _WEIGHT)
        bad, rhythm, most = self._most[1], False, 0.0
        alike = self._seasons.alike(hour, now)
        for rows, least in (
            (alike.clock, _BLOCKS_OF_DAYS),
            (alike.days, _BLOCKS_OF_DAYS),
            (alike.week, _BLOCKS_OF_WEEKS),
        ):
            blocks = _blocks(rows)
            if len(blocks) >= least:
                weight = max(weight, float(sum(total for _, total in rows)))
                share = _refined(share, median_low(blocks), len(blocks))
                bad, rhythm = median_low([one for one, _ in rows]), True
                if len(blocks) >= _BLOCKS_THAT_STRAY:
                    most = max(most, sorted(blocks)[-2])
        return Usual(share, weight, bad, rhythm, most)

    def _concentration(self) -> float:
        """Return how close honest hours keep to the usual: the a + b of their Beta.

        It is the largest with which half of what was seen, and 95 %, strayed no further than it should.
        """
        count = len(self._strays)
        if count < _STRAYS_THAT_SHOW:
            return _FIRST_CONCENTRATION
        for concentration in _CONCENTRATIONS:
            if concentration <= _STRAYS_FOR_MORE * count and self._explained(1.0 / (concentration + 1.0)):
                return concentration
        return _CONCENTRATIONS[-1]

    def _explained(self, variation: float) -> bool:
        """Say whether shares that vary so much, and binomial chance, explain what was seen."""
        strays = sorted(stray / sqrt(variation + (1.0 - variation) / total) for stray, total in self._strays)
        nearly_all = strays[len(strays) * 95 // 100] if len(strays) >= _STRAYS_WITH_A_TAIL else 0.0
        return median_low([abs(stray) for stray in strays]) <= _HALF_WITHIN and nearly_all <= _NEARLY_ALL_BELOW


def _refined(share: float, middle: float, blocks: int) -> float:
    """Return what is usual, by the middle of more alike hours: upwards at once, downwards as far as they are many."""
    return max(middle, (middle * blocks + share * _BLOCKS_OF_A_GUESS) / (blocks + _BLOCKS_OF_A_GUESS))


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
