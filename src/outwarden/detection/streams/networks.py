"""Client networks that this account never used before: a stolen password is used from everywhere.

Travellers and telephones change networks too.  So what counts is the number above the most that
the account, or nine tenths of the others, ever added in a day, and a record of many networks damps it.
"""

from __future__ import annotations

from outwarden.detection.window import Window, span
from outwarden.events import Stream

STREAM = Stream.NETWORK

HIGHEST = 5.0
HIGHEST_WITHOUT_RECORD = 3.0
BY_EXCESS = (0.0, 0.7, 1.4, 2.4, 3.2, 4.0, 4.5, 4.8, 5.0)
"""Points for 0, 1, 2, ... networks more than usual."""

MANY_NETWORKS = 4
"""From here on the account's record is that of a traveller, and points shrink with it, unless the new are as many."""


def points(window: Window) -> float:
    """Return points for the networks above what is usual."""
    # The first network of an account that we meet in this window is no news.
    fresh = window.new_networks if window.networks_before else window.new_networks - 1
    excess = fresh - max(window.network_record, window.others_networks - 1)
    if excess <= 0:
        return 0.0
    weight = BY_EXCESS[min(excess, len(BY_EXCESS) - 1)]
    if not window.networks_before:
        return min(weight, HIGHEST_WITHOUT_RECORD)
    known = window.networks_before
    return weight * min(1.0, max(MANY_NETWORKS / known, excess / (2 * known)))


def words(window: Window) -> str:
    """Say how many networks are new, and how many were known."""
    networks = "network" if window.new_networks == 1 else "networks"
    known = window.networks_before
    return f"{window.new_networks} new client {networks} in {span(window.hours)} ({known} known before)"
