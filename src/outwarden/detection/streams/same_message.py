"""Runs of messages of the same size and subject to people not written to before.

Monitoring storms and newsletters do this as well, the first to the same few mailboxes, the second
with clean results; so it weighs little and never blocks anyone.
"""

from __future__ import annotations

from math import log2

from outwarden.detection.window import Window
from outwarden.events import Stream

STREAM = Stream.SAME_MESSAGE

HIGHEST = 2.0
FLOOR = 10


def points(window: Window) -> float:
    """Return log2 of how many times its own record of alike messages the account reached."""
    floor = max(FLOOR, window.record_same)
    if window.same <= floor or window.new * 2 < window.same:
        return 0.0
    return min(HIGHEST, log2(window.same / floor))


def words(window: Window) -> str:
    """Say how many alike messages there were."""
    return f"{window.same} messages of the same size to new recipients (own record {window.record_same} an hour)"
