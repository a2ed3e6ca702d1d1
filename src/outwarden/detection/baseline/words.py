"""A trouble as a finding: what is usual, what was seen, since when, which destinations, and who is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from outwarden.detection.baseline.troubles import HIGHEST, Trouble
from outwarden.detection.hours import start_of
from outwarden.events import Finding

BEHIND_IT = 0.1
"""Whoever has so large a share of what is beyond the usual is named."""
MOST_NAMED = 3

Share = tuple[str, float]
"""A name, and its share of what is beyond the usual."""


def trouble_finding(
    where: str,
    trouble: Trouble,
    destinations: Iterable[Share] = (),
    accounts: Iterable[Share] = (),
    evidence: tuple[str, ...] = (),
    highest: float = HIGHEST,
) -> Finding:
    """Return the trouble in words; ``where`` begins the text: "all destinations", or a domain."""
    share, usual = 100 * trouble.bad / trouble.total, 100 * trouble.usual
    text = f"{where}: {share:.0f} % of {trouble.total} {trouble.rate.said} {_when(trouble)} (usually {usual:.1f} %)"
    to, by = largest(destinations), largest(accounts)
    if to:
        text += "; most at " + named(to)
    if by:
        text += "; behind it " + named(by)
    return Finding(trouble.rate.rule, min(trouble.points, highest), text, start_of(trouble.hours[0]), evidence)


def shares_of(excess: dict[str, float]) -> list[Share]:
    """Return each name's share of all that is beyond the usual."""
    whole = sum(more for more in excess.values() if more > 0)
    return [(name, more / whole) for name, more in excess.items() if more > 0]


def largest(shares: Iterable[Share]) -> list[Share]:
    """Return the up to three names with a tenth or more."""
    return sorted((one for one in shares if one[1] >= BEHIND_IT), key=lambda one: (-one[1], one[0]))[:MOST_NAMED]


def named(shares: Sequence[Share]) -> str:
    """Return names with their shares."""
    return ", ".join(f"{name} ({share:.0%})" for name, share in shares)


def clock(at: datetime) -> str:
    """Return a time to the minute, UTC."""
    return f"{at:%Y-%m-%dT%H:%MZ}"


def span(of: timedelta) -> str:
    """Return a length of time in its largest unit."""
    minutes = int(of.total_seconds()) // 60
    for unit, length in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {unit}"
    return f"{minutes} minutes"


def _when(trouble: Trouble) -> str:
    first, last = trouble.hours[0], trouble.hours[-1]
    if trouble.lasting and last > first:
        return f"since {clock(start_of(first))}"
    if last > first:
        return f"from {clock(start_of(first))} to {clock(start_of(last + 1))}"
    return f"in the hour from {clock(start_of(first))}"
