"""The ledger: for one account and one stretch of time, the points of every stream and what follows.

A point is about one ln of a likelihood ratio: how much more often a spamming account shows this
than an honest one, measured against the account's own record.  Streams are independent enough to be
added; inside a stream evidence is correlated, which is why each has a cap.
"""

from __future__ import annotations

from datetime import datetime

from outwarden.detection.account_history import AccountHistory
from outwarden.detection.streams import (
    bounces_returned,
    networks,
    refused,
    same_message,
    unknown_recipients,
    volume,
)
from outwarden.detection.window import Window
from outwarden.events import Finding, Standing, Stream

WATCHED_AT = 3.0
HELD_AT = 5.0
BLOCKED_AT = 9.0
INDEPENDENT_FROM = 1.5
INDEPENDENT_STREAMS = 2
STRONG_FROM = 2.5
"""A single proof from here on is enough to hold; below it takes two."""

STREAMS = (volume, unknown_recipients, refused, networks, same_message, bounces_returned)

# How much somebody sends is no proof of what he sends, and newsletters are all alike.
_NO_PROOF = frozenset({Stream.VOLUME, Stream.SAME_MESSAGE})


def at_most(of_volume: float, unknown: int, refusals: int, returned: int, same: int, new_networks: int) -> float:
    """Return what no window with these counts can exceed; cheap, so that most windows need no more."""
    return (
        of_volume
        + unknown_recipients.HIGHEST_BY_COUNT[min(unknown, len(unknown_recipients.HIGHEST_BY_COUNT) - 1)]
        + refused.HIGHEST_BY_COUNT[min(refusals, len(refused.HIGHEST_BY_COUNT) - 1)]
        + networks.BY_EXCESS[min(new_networks, len(networks.BY_EXCESS) - 1)]
        + (same_message.HIGHEST if same > same_message.FLOOR else 0.0)
        + (bounces_returned.HIGHEST if returned > 0 else 0.0)
    )


def total(window: Window) -> float:
    """Return the sum of all streams."""
    return (
        volume.points(window)
        + unknown_recipients.points(window)
        + refused.points(window)
        + networks.points(window)
        + same_message.points(window)
        + bounces_returned.points(window)
    )


def standing(points: dict[Stream, float]) -> Standing:
    """Return what the points of all streams come to."""
    whole = sum(points.values())
    proofs = [of for stream, of in points.items() if of >= INDEPENDENT_FROM and stream not in _NO_PROOF]
    several = len(proofs) >= INDEPENDENT_STREAMS
    if whole >= BLOCKED_AT and several:
        return Standing.BLOCKED
    if whole >= HELD_AT and (several or max(proofs, default=0.0) >= STRONG_FROM):
        return Standing.HELD
    return Standing.WATCHED if whole >= WATCHED_AT else Standing.NORMAL


def points_by_stream(window: Window) -> dict[Stream, float]:
    """Return the points of every stream, rounded as they are shown, so that the sum is right."""
    return {stream.STREAM: round(stream.points(window), 1) for stream in STREAMS}


def entries(window: Window, points: dict[Stream, float], account: AccountHistory, at: datetime) -> tuple[Finding, ...]:
    """Return the ledger in words, heaviest entry first."""
    found = [
        Finding(
            rule=stream.STREAM.value,
            points=points[stream.STREAM],
            text=stream.words(window),
            at=at,
            evidence=_proof(stream.STREAM, account, window),
        )
        for stream in STREAMS
        if points[stream.STREAM]
    ]
    return tuple(sorted(found, key=lambda one: (-one.points, one.rule)))


def _proof(stream: Stream, account: AccountHistory, window: Window) -> tuple[str, ...]:
    if stream is Stream.NETWORK:
        uses = [use for use in account.networks.values() if window.first_hour <= use.first_hour <= window.last_hour]
        return tuple(use.line for use in uses if use.line)[:3]
    lines = account.lines.get(stream)
    return lines.within(window.first_hour, window.last_hour) if lines else ()
