"""Recipients that do not exist: who writes to people he knows rarely meets them, a spammer's list is full of them."""

from __future__ import annotations

from outwarden.detection.odds import capped, log_odds, with_record
from outwarden.detection.window import Window, share
from outwarden.events import Stream

STREAM = Stream.UNKNOWN_RECIPIENTS

LOWEST = -2.0
HIGHEST = 5.0
HIGHEST_BY_COUNT = (0.9, 1.2, 1.4, 2.2, 3.0, 3.6, 4.2, 4.6, HIGHEST)
"""For 0, 1, 2, ... unknown recipients: one of four must not weigh much."""

HONEST_WEIGHT = 30.0
"""How alike honest accounts are: as if each had shown the common rate over thirty results."""

SPAMMING = (1.5, 4.5)
"""A quarter of a spammer's recipients unknown, with a wide spread: bought lists are bad, stolen ones good."""


def points(window: Window) -> float:
    """Weigh the unknown recipients of the window against the account's own rate."""
    if not window.results:
        return 0.0
    honest = with_record(window.others_unknown_rate, HONEST_WEIGHT, window.unknown_before, window.results_before)
    odds = log_odds(window.unknown, window.results, honest, SPAMMING)
    return capped(odds, window.unknown, LOWEST, HIGHEST_BY_COUNT)


def words(window: Window) -> str:
    """Say the count and the own rate."""
    own = share(window.unknown_before, window.results_before)
    return f"{window.unknown} of {window.results} recipients unknown (own rate {own})"
