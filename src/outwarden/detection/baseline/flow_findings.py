"""The findings of mail's flow: the whole server's first, then what only one destination shows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from outwarden.detection.baseline.troubles import HIGHEST, RATES, Rate, Trouble, rows_of, troubles
from outwarden.detection.baseline.words import Share, largest, shares_of, trouble_finding
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours
from outwarden.events import Finding

EVERYWHERE = "all destinations"

_RARITY = 2e-4
"""How improbable an honest hour of the server must be: some months of hours hold one by chance."""
_RARITY_OF_ONE = 2e-5
"""The same for one of many destinations."""
_HIGHEST_OF_ONE = 1.5
_MOST_ALONE = 3
_NEARLY_ALL = 0.75


class Behind(NamedTuple):
    """Who is behind a trouble, with shares of what is beyond the usual, and lines that show it."""

    accounts: list[Share]
    lines: tuple[str, ...] = ()


NOBODY = Behind([])

Troubles = Mapping[str, list[Trouble]]
"""Of each destination that has any."""


def destination_troubles(destinations: Mapping[str, Hours], since: int = 0) -> dict[str, list[Trouble]]:
    """Return the troubles that end at hour ``since`` or later, of each destination that has any."""
    found = {
        domain: [one for rate in RATES for one in troubles(rate, rows_of(rate, hours), _RARITY_OF_ONE, since)]
        for domain, hours in destinations.items()
    }
    return {domain: of_one for domain, of_one in found.items() if of_one}


def flow_findings(
    whole: Hours,
    destinations: Mapping[str, Hours],
    of_destinations: Troubles,
    behind: Callable[[Trouble], Behind],
    behind_one: Callable[[str, Trouble], Behind],
    since: int = 0,
) -> list[Finding]:
    """Return the server's troubles, and the worst three that a destination has alone.

    What the server as a whole shows is not said of each destination again: they are named in it.
    """
    everywhere = [one for rate in RATES for one in troubles(rate, rows_of(rate, whole), _RARITY, since)]
    found = []
    for trouble in everywhere:
        accounts, lines = behind(trouble)
        where = _where(trouble, destinations)
        highest = _HIGHEST_OF_ONE if _a_receivers(trouble, where) else HIGHEST
        found.append(trouble_finding(EVERYWHERE, trouble, where, accounts, lines, highest))
    alone = [
        (trouble, domain)
        for domain, of_one in of_destinations.items()
        for trouble in of_one
        if not any(_same(trouble, one) for one in everywhere)
    ]
    alone.sort(key=lambda one: (-one[0].points, -one[0].excess, one[1]))
    for trouble, domain in alone[:_MOST_ALONE]:
        accounts, lines = behind_one(domain, trouble)
        found.append(trouble_finding(domain, trouble, accounts=accounts, evidence=lines, highest=_HIGHEST_OF_ONE))
    return found


def _a_receivers(trouble: Trouble, where: list[Share]) -> bool:
    """Say whether it is one receiver that puts off: it may be down, and that is no spam."""
    return trouble.rate.counts == Flow.DEFERRED and bool(where) and where[0][1] >= _NEARLY_ALL


def _same(one: Trouble, other: Trouble) -> bool:
    return one.rate is other.rate and one.hours[0] <= other.hours[-1] and other.hours[0] <= one.hours[-1]


def _where(trouble: Trouble, destinations: Mapping[str, Hours]) -> list[Share]:
    excess = {}
    for domain, hours in destinations.items():
        bad, total = _sums(trouble.rate, hours, trouble.hours)
        excess[domain] = bad - trouble.usual * total
    return largest(shares_of(excess))


def _sums(rate: Rate, hours: Hours, wanted: tuple[int, ...]) -> tuple[int, int]:
    """Return how many were bad, and all, of some hours."""
    known, rows, width = hours.column(0), hours.rows, hours.width
    bad = total = 0
    for hour in wanted:
        row = bisect_left(known, hour)
        if row < len(known) and known[row] == hour:
            base = row * width
            bounced, deferred = rows[base + Flow.BOUNCED], rows[base + Flow.DEFERRED]
            answers = rows[base + Flow.DELIVERED] + bounced
            bad += deferred if rate.counts == Flow.DEFERRED else bounced
            total += answers + (deferred if rate.counts == Flow.DEFERRED else 0)
    return bad, total
