"""Refused as spam, as malware or as blocklisted: the remotes' own verdict on this account's mail.

When our address is listed, everybody's mail is refused.  So the honest rate is that of all other
accounts *in the same hours*: only an account that is refused more than they are gets points.
"""

from __future__ import annotations

from outwarden.detection.odds import capped, log_odds, with_record
from outwarden.detection.window import Window
from outwarden.events import Stream

STREAM = Stream.REFUSED

LOWEST = -1.0
HIGHEST = 3.0
HIGHEST_BY_COUNT = (0.5, 1.0, 1.4, 1.8, 2.2, 2.6, HIGHEST)
"""For 0, 1, 2, ... refusals."""

HONEST_WEIGHT = 30.0
SPAMMING = (1.0, 5.0)
"""One in six of a spammer's messages refused for what it is, with a wide spread: filters differ."""


def points(window: Window) -> float:
    """Weigh the refusals of the window against the account's own rate and that of others meanwhile."""
    if not window.results:
        return 0.0
    honest = with_record(window.others_refused_rate, HONEST_WEIGHT, window.refused_before, window.results_before)
    odds = log_odds(window.refused, window.results, honest, SPAMMING)
    return capped(odds, window.refused, LOWEST, HIGHEST_BY_COUNT)


def words(window: Window) -> str:
    """Say the count and the rate of all others at that time."""
    others = 100 * window.others_refused_rate
    return f"{window.refused} of {window.results} refused as spam or blocklisted (all others meanwhile {others:.1f} %)"
