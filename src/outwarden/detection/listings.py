"""Blocklistings that remotes told us of when they refused our mail.

A refusal that names a list is as good as asking the list, and comes for free.  What it says is
listed need not be ours (a relay's address, a stranger's domain), so one receiver's word is only
shown; two receivers that refuse a good part of our mail over the same address are evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from outwarden.detection.assessment import ListingSeen
from outwarden.events import Attempted, Finding

RULE = "listed"
POINTS = 3.0
_MOST_LISTINGS = 1_000
_MOST_RECEIVERS = 50
_GOOD_PART = 0.2
_SOME_PART = 0.05

Answers = Callable[[str | None, datetime], int]
"""How many final answers a receiver, or with None all of them, gave since that time."""


class _Listing:
    __slots__ = ("count", "first", "last", "lines", "receivers")

    def __init__(self, at: datetime) -> None:
        self.first = self.last = at
        self.count = 0
        self.receivers: dict[str, int] = {}
        self.lines: tuple[str, ...] = ()


class Listings:
    """Every (list, address) named so far, at most a thousand."""

    __slots__ = ("_listings",)

    def __init__(self) -> None:
        self._listings: dict[tuple[str, str], _Listing] = {}

    def seen(self, event: Attempted, receiver: str) -> None:
        """Note the listing that this refusal names."""
        key = (event.listing or "", event.listed or "")
        listing = self._listings.get(key)
        if listing is None:
            if len(self._listings) >= _MOST_LISTINGS:
                return
            listing = self._listings[key] = _Listing(event.at)
        listing.count += 1
        listing.first = min(listing.first, event.at)
        listing.last = max(listing.last, event.at)
        if receiver in listing.receivers or len(listing.receivers) < _MOST_RECEIVERS:
            listing.receivers[receiver] = listing.receivers.get(receiver, 0) + 1
        if len(listing.lines) < 3 and event.line:
            listing.lines += (event.line,)

    def table(self) -> tuple[ListingSeen, ...]:
        """Return what was seen, most often named first."""
        rows = [
            ListingSeen(list=name, address=address, first=one.first, last=one.last, count=one.count)
            for (name, address), one in self._listings.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.list, row.address)))

    def findings(self, answers: Answers) -> list[Finding]:
        """Return one finding per address that several receivers refuse as listed.

        A receiver counts when it refused a fifth or more of our mail for this reason since the
        listing was first seen, and at least two recipients: a single refusal among many
        deliveries shows that the address is *not* refused there.  Those receivers must together
        be some part of where our mail goes, since among hundreds of tiny ones two will agree by chance.
        """
        by_address: dict[str, list[tuple[str, _Listing]]] = {}
        for (name, address), listing in self._listings.items():
            if address:
                by_address.setdefault(address, []).append((name, listing))
        return [
            finding
            for address, listings in sorted(by_address.items())
            if (finding := _judge(address, listings, answers)) is not None
        ]


def _judge(address: str, listings: list[tuple[str, _Listing]], answers: Answers) -> Finding | None:
    first = min(listing.first for _, listing in listings)
    refused: dict[str, int] = {}
    for _, listing in listings:
        for receiver, count in listing.receivers.items():
            refused[receiver] = refused.get(receiver, 0) + count
    convinced = sorted(
        receiver for receiver, count in refused.items() if count >= 2 and count >= _GOOD_PART * answers(receiver, first)
    )
    if len(convinced) < 2 or sum(answers(one, first) for one in convinced) < _SOME_PART * answers(None, first):
        return None
    worst = max(listings, key=lambda one: (one[1].count, one[0]))[1]
    names = ", ".join(sorted(name for name, _ in listings)[:4])
    return Finding(
        rule=RULE,
        points=POINTS,
        text=f"{address} is refused as listed ({names}) by {len(convinced)} receivers, {convinced[0]} among them",
        at=first,
        evidence=worst.lines,
    )
