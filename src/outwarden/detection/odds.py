"""How much more often a spamming account shows a share of bad results than an honest one.

Both kinds of account differ among themselves, so each is described by a Beta distribution of
rates and a count is weighed as beta-binomial: a few bad results of many say nothing, and no count
however large says more than the spread of honest accounts allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import lgamma

_OWN_RECORD_AT_MOST = 60.0


def log_odds(bad: int, total: int, honest: tuple[float, float], guilty: tuple[float, float]) -> float:
    """Return ln(P(bad of total | guilty) / P(bad of total | honest)); each kind as Beta (bad, good).

    A share no higher than that of the honest never speaks against anyone, even where so low a
    share is odd for the honest too.
    """
    good = total - bad
    odds = _gain_of_guilty(bad, good, *guilty) - _gain(bad, good, *honest)
    return min(0.0, odds) if bad * (honest[0] + honest[1]) <= total * honest[0] else odds


def _gain(bad: int, good: int, prior_bad: float, prior_good: float) -> float:
    prior = prior_bad + prior_good
    return (
        lgamma(prior_bad + bad) - lgamma(prior_bad)
        + lgamma(prior_good + good) - lgamma(prior_good)
        - lgamma(prior + bad + good) + lgamma(prior)
    )  # fmt: skip


# The guilty are the same few kinds whoever is looked at, and most counts are small.
_gain_of_guilty = lru_cache(maxsize=4096)(_gain)


def with_record(rate: float, weight: float, bad_before: int, total_before: int) -> tuple[float, float]:
    """Return the Beta of an honest account: the rate of others, sharpened by its own record.

    Its own record weighs at most as much as sixty results, because people change.
    """
    own = min(1.0, _OWN_RECORD_AT_MOST / total_before) if total_before else 0.0
    return rate * weight + own * bad_before, (1.0 - rate) * weight + own * (total_before - bad_before)


def capped(points: float, bad: int, lowest: float, highest_by_count: Sequence[float]) -> float:
    """Hold points between the caps of a stream: the lowest, and the highest for this many bad results.

    A few bad results stay under caps of their own, because one message to an old list, or one bad
    link in a signature, brings several at once, and many accounts are looked at many times.
    """
    return max(lowest, min(points, highest_by_count[min(bad, len(highest_by_count) - 1)]))
