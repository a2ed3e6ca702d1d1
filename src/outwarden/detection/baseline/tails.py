"""How rare is a count, if the hour were an honest one?

A share of few is told by no z-score: three of twenty are nothing beside a usual four in a hundred.  The number of
bad results of so many is beta-binomial, because the share itself varies from hour to hour.
"""

from __future__ import annotations

from math import exp, lgamma

_MOST_WEIGHED = 2_000
"""More results than this prove no more: the share's own variation is all that is left."""
_NEGLIGIBLE = 1e-6


def beta_binomial_tail(bad: int, total: int, honest: tuple[float, float]) -> float:
    """Return how probable ``bad`` or more of ``total`` are where the share is drawn from Beta (bad, good)."""
    if bad <= 0:
        return 1.0
    if total > _MOST_WEIGHED:
        bad, total = bad * _MOST_WEIGHED // total, _MOST_WEIGHED
    a, b = honest
    if bad * (a + b) <= total * a:
        # At or below the mean, where the sum would be long and nobody asks how much.
        return 1.0
    term = exp(
        lgamma(total + 1) - lgamma(bad + 1) - lgamma(total - bad + 1)
        + lgamma(a + bad) + lgamma(b + total - bad) - lgamma(a + b + total)
        + lgamma(a + b) - lgamma(a) - lgamma(b)
    )  # fmt: skip
    whole = 0.0
    for count in range(bad, total + 1):
        whole += term
        if term < whole * _NEGLIGIBLE or count == total:
            break
        term *= (total - count) / (count + 1) * (a + count) / (b + total - count - 1)
    return min(whole, 1.0)
