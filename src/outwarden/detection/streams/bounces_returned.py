"""Bounces that our own server returned to the sender, where the log does not show why.

Each bounce that follows a refusal seen here is already weighed with that refusal.  What is left
over comes from attempts that another log has (a smarthost, another host, a log that begins late).
"""

from __future__ import annotations

from outwarden.detection.odds import capped, log_odds
from outwarden.detection.window import Window
from outwarden.events import Stream

STREAM = Stream.BOUNCES_RETURNED

LOWEST = 0.0
HIGHEST = 2.0
HIGHEST_BY_COUNT = (0.0, 0.5, 0.7, 1.0, 1.3, 1.6, HIGHEST)
"""For 0, 1, 2, ... unexplained bounces."""

HONEST = (1.2, 28.8)
SPAMMING = (1.5, 4.5)


def points(window: Window) -> float:
    """Weigh the unexplained bounces against the messages handed in."""
    unexplained = min(window.returned - window.bounced, window.messages)
    if unexplained <= 0:
        return 0.0
    odds = log_odds(unexplained, window.messages, HONEST, SPAMMING)
    return capped(odds, unexplained, LOWEST, HIGHEST_BY_COUNT)


def words(window: Window) -> str:
    """Say how many messages came back."""
    return f"{window.returned} bounces returned for {window.messages} messages, {window.bounced} of them seen refused"
