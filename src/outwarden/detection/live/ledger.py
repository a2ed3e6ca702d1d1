"""The open ledger of an account: the points of every stream at a moment, what they come to, and the words.

A point is about one ln of a likelihood ratio.  Streams are independent enough to be added; inside a stream
evidence is correlated, which is why each has a cap.  Points are rounded before they are
added, so that the sum of what is shown is what was decided on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, NamedTuple

from outwarden.detection.live.counts import Count
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.streams import (
    campaign,
    complaints,
    content_verdict,
    foreign_from,
    fresh_links,
    listed_links,
    many_links,
    network,
    refused,
    same_reply,
    same_text,
    strangers,
    unknown_recipients,
    volume,
)
from outwarden.detection.live.weights import Weights
from outwarden.events import Finding

# How much somebody sends is no proof of what he sends, newsletters are all alike, and who writes
# to strangers with a link to his own new page may organise a conference.
QUANTITY: tuple[ModuleType, ...] = (volume, strangers, same_text, fresh_links)
PROOF: tuple[ModuleType, ...] = (
    unknown_recipients,
    refused,
    network,
    content_verdict,
    many_links,
    listed_links,
    same_reply,
    campaign,
    complaints,
    foreign_from,
)

OF_INBOUND: tuple[ModuleType, ...] = (fresh_links, refused, content_verdict, many_links, listed_links)
"""What the spam shows that an account only passes on: together they weigh as much as the heaviest of them."""

PROOF_FROM = 1.5
"""From so many points on a stream counts as one proof;"""
TWO_PROOFS_FROM = 3.0
"""many different links of his own as two: nothing honest is known that looks like it."""
LOWEST = -3.0
"""So much the good answers speak for an account at most: a thief may have a clean list."""


class Ledger(NamedTuple):
    """Points by stream (those of the ``Scales``, in their order) and their sum.

    ``hard`` is the sum of what is proof, ``quantity`` of what is not; ``proofs`` is how many streams prove enough.
    """

    points: tuple[float, ...]
    total: float
    hard: float
    quantity: float
    proofs: int


class _Stream(NamedTuple):
    name: str
    points: Callable[[Scene, Any], float]
    words: Callable[[Scene, Any], str]
    weights: Any
    hard: bool
    of_inbound: bool
    two_proofs_from: float


def name_of(stream: ModuleType) -> str:
    """Return the name of a stream as it is shown and switched off."""
    return stream.__name__.rpartition(".")[2].replace("_", "-")


STREAM_NAMES = tuple(name_of(stream) for stream in (*QUANTITY, *PROOF))


class Scales:
    """All streams with their weights, without those that a site has switched off."""

    def __init__(self, weights: Weights, off: frozenset[str] = frozenset()) -> None:
        self._streams = tuple(
            _Stream(
                name_of(module),
                module.points,
                module.words,
                getattr(weights, name_of(module).replace("-", "_")),
                module in PROOF,
                module in OF_INBOUND,
                TWO_PROOFS_FROM if module is many_links else float("inf"),
            )
            for module in (*QUANTITY, *PROOF)
            if name_of(module) not in off
        )
        self._declared = tuple(stream for stream in self._streams if stream.hard)

    def weigh(self, scene: Scene, declared: bool = False) -> Ledger:
        """Weigh all that is known of an account; of a declared bulk sender's mail the quantity says nothing."""
        points = []
        of_inbound = _relays(scene)
        inbound = 0.0
        negative = hard = quantity = 0.0
        proofs = 0
        for stream in self._declared if declared else self._streams:
            one = stream.points(scene, stream.weights)
            if one:
                one = round(one, 1)
            if of_inbound and stream.of_inbound and one > 0.0:
                one, inbound = max(0.0, round(one - inbound, 1)), max(one, inbound)
            points.append(one)
            if one > 0.0:
                if not stream.hard:
                    quantity += one
                    continue
                hard += one
                if one >= PROOF_FROM:
                    proofs += 2 if one >= stream.two_proofs_from else 1
            else:
                negative += one
        if negative < LOWEST:
            points = [one if one > 0.0 else round(one * LOWEST / negative, 1) for one in points]
            negative = sum(one for one in points if one < 0.0)
        return Ledger(tuple(points), round(hard + quantity + negative, 1), hard, quantity, proofs)

    def entries(self, ledger: Ledger, scene: Scene, evidence: tuple[str, ...] = ()) -> tuple[Finding, ...]:
        """Return the ledger in words, heaviest entry first; ``evidence`` is what was looked at last."""
        streams = self._streams if len(ledger.points) == len(self._streams) else self._declared
        found = [
            Finding(
                rule=stream.name, points=one, text=stream.words(scene, stream.weights), at=scene.at, evidence=evidence
            )
            for stream, one in zip(streams, ledger.points, strict=True)
            if one
        ]
        return in_order(found)

    def points_of(self, ledger: Ledger) -> dict[str, float]:
        """Return the points by the names of streams."""
        streams = self._streams if len(ledger.points) == len(self._streams) else self._declared
        return {stream.name: one for stream, one in zip(streams, ledger.points, strict=True)}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings as they are shown: heaviest first."""
    return tuple(sorted(findings, key=lambda one: (-one.points, one.rule)))


def _relays(scene: Scene) -> bool:
    """Say whether the account always passes on mail of others: a forwarder, a mailing list."""
    messages = scene.own[Count.MESSAGES]
    return messages >= 10 and 2 * scene.own[Count.FOREIGN] >= messages
