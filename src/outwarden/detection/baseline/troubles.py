"""Hours that stand above what is usual for them, joined to troubles: one for each, however many hours it lasts.

Found are both: a share of bad results far beyond the usual, and more of them in number, because by
night retries to dead hosts are a large share of very little.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from outwarden.detection.baseline.shares import BLOCK, SharePast, Usual
from outwarden.detection.baseline.tails import beta_binomial_tail
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours
from outwarden.detection.odds import log_odds

BOUNCE_RATE = "bounce-rate"
DEFERRAL_RATE = "deferral-rate"

LOWEST, HIGHEST = 1.0, 3.0
_ENOUGH_BAD = 10
_TIMES_ITS_RHYTHM = 1.6
_TIMES_ITS_PAST = 2.5
_TIMES_ITS_MOST = 1.2
_MORE_IN_NUMBER = 1.3
_POINTS_FOR_DOUBLING = 1.5
_SAME_TROUBLE = 6
"""Hours of peace after which it is another trouble."""
_MOST_TROUBLES = 3


class Rate(NamedTuple):
    """A kind of bad result, and what hours in trouble look like."""

    rule: str
    said: str
    counts: int
    """The column of the flow that counts the bad results."""
    prior: float
    """The share that is usual somewhere, where nothing is known."""
    least: float
    """A usual share counts as no smaller."""
    troubled: tuple[float, float]
    """Beta (bad, good) of an hour in trouble."""


BOUNCES = Rate(BOUNCE_RATE, "bounced", Flow.BOUNCED, 0.04, 0.02, (1.5, 4.5))
DEFERRALS = Rate(DEFERRAL_RATE, "deferred", Flow.DEFERRED, 0.10, 0.05, (2.0, 2.0))
RATES = (BOUNCES, DEFERRALS)


class Trouble(NamedTuple):
    """A stretch of hours in trouble: which, how bad, and how many would have been usual.

    ``bad`` and ``total`` are those of ``hours``, ``points`` of the worst of them.  ``lasting`` says that no hour of
    peace has been seen since.
    """

    rate: Rate
    hours: tuple[int, ...]
    bad: int
    total: int
    usual: float
    points: float
    lasting: bool

    @property
    def excess(self) -> float:
        """How many more were bad than is usual."""
        return self.bad - self.usual * self.total


class _Accused(NamedTuple):
    hour: int
    bad: int
    total: int
    usual: float
    points: float


Row = tuple[int, int, int]
"""Hour, bad, all."""


def rows_of(rate: Rate, hours: Hours) -> list[Row]:
    """Return the hours of a flow as (hour, bad, all): of final answers for bounces, of attempts for deferrals."""
    delivered, bounced = hours.column(Flow.DELIVERED), hours.column(Flow.BOUNCED)
    answers = [one + other for one, other in zip(delivered, bounced, strict=True)]
    if rate.counts == Flow.BOUNCED:
        return list(zip(hours.column(0), bounced, answers, strict=True))
    deferred = hours.column(Flow.DEFERRED)
    return [(hour, bad, bad + total) for hour, bad, total in zip(hours.column(0), deferred, answers, strict=True)]


def troubles(rate: Rate, rows: Sequence[Row], rarity: float, since: int = 0) -> list[Trouble]:
    """Return the troubles of a series that begin at ``since`` or later or last until then, worst first, at most three.

    ``rarity`` is how improbable an honest hour must make it; the more series are watched, the less.
    """
    if not any(hour >= since and _worth_a_look(rate, bad, total) for hour, bad, total in rows):
        return []
    past = SharePast(rate.prior, rate.least)
    accused: list[_Accused] = []
    for hour, bad, total in rows:
        if past.known and _worth_a_look(rate, bad, total):
            points, usual = _judge(rate, past, hour, bad, total, rarity)
            if points:
                accused.append(_Accused(hour, bad, total, usual, points))
        past.add(hour, bad, total)
    last = rows[-1][0]
    found = [_joined(rate, group, last) for group in _groups(accused) if group[-1].hour >= since]
    return sorted(found, key=lambda one: (-one.points, -one.excess, one.hours))[:_MOST_TROUBLES]


def _worth_a_look(rate: Rate, bad: int, total: int) -> bool:
    return bad >= _ENOUGH_BAD and total >= BLOCK and bad >= _TIMES_ITS_RHYTHM * rate.least * total


def _judge(rate: Rate, past: SharePast, hour: int, bad: int, total: int, rarity: float) -> tuple[float, float]:
    """Return the points of an hour, 0 where it is no trouble, and its usual share."""
    usual = past.usual(hour)
    share, usually = bad / total, max(usual.share, rate.least)
    times = _TIMES_ITS_RHYTHM if usual.rhythm else _TIMES_ITS_PAST
    beyond = share >= max(times * usually, _TIMES_ITS_MOST * usual.most) and _more(bad, usual)
    if not beyond or past.precedent(hour, bad, total, _TIMES_ITS_RHYTHM):
        return 0.0, usual.share
    if beta_binomial_tail(bad, total, past.honest(usually, usual.weight)) > rarity:
        return 0.0, usual.share
    # It is strange here; how much it weighs is told by what is strange anywhere.
    anywhere = max(usually, rate.prior)
    odds = log_odds(bad, total, past.honest(anywhere, usual.weight), rate.troubled)
    points = min(HIGHEST, odds, _POINTS_FOR_DOUBLING * log2(share / anywhere))
    return max(LOWEST, round(points, 1)), usual.share


def _more(bad: int, usual: Usual) -> bool:
    return bad > (_MORE_IN_NUMBER * usual.bad if usual.rhythm else usual.bad)


def _groups(accused: Sequence[_Accused]) -> list[list[_Accused]]:
    groups: list[list[_Accused]] = []
    for one in accused:
        if groups and one.hour - groups[-1][-1].hour <= _SAME_TROUBLE:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _joined(rate: Rate, group: Sequence[_Accused], last: int) -> Trouble:
    total = sum(one.total for one in group)
    return Trouble(
        rate,
        tuple(one.hour for one in group),
        sum(one.bad for one in group),
        total,
        sum(one.usual * one.total for one in group) / total,
        max(one.points for one in group),
        group[-1].hour == last,
    )
