"""Does a count stand above its own past, or is it the chance of an ordinary day?"""

from __future__ import annotations

from math import exp, lgamma, log1p
from typing import NamedTuple

_PAST_WEIGHS = 7.0
"""The past weighs at most so many times what is compared with it, so that what changed long ago is forgotten."""
_LIVELIEST = 8.0
"""At most this is the shape of the rate's Gamma: from one pair of days to the next it varies by a third by itself."""
_NEGLIGIBLE = 1e-6


class Counted(NamedTuple):
    """How many there were, and of how much: days, or messages."""

    number: int
    exposure: float


def chance_of(recent: Counted, past: Counted) -> float:
    """Return how probable ``recent.number`` or more are where nothing has changed since the past.

    Counts are Poisson with a rate that is known from the past alone, and that varies by itself, so they are negative
    binomial: the rate is drawn from Gamma(past count + 1/2, past exposure), or a broader one of the same mean.
    """
    if recent.number <= 0 or recent.exposure <= 0 or past.exposure <= 0:
        return 1.0
    weight = min(1.0, _PAST_WEIGHS * recent.exposure / past.exposure)
    size = past.number * weight + 0.5
    mean = size * recent.exposure / (past.exposure * weight)
    size = min(size, _LIVELIEST)
    ratio = mean / size
    if recent.number <= mean:
        # At or below the mean, where nobody asks how much.
        return 1.0
    q = ratio / (1.0 + ratio)
    count = recent.number
    term = exp(lgamma(size + count) - lgamma(size) - lgamma(count + 1) - size * log1p(ratio)) * q**count
    whole = 0.0
    while term > whole * _NEGLIGIBLE:
        whole += term
        term *= (size + count) / (count + 1) * q
        count += 1
    return min(whole, 1.0)
