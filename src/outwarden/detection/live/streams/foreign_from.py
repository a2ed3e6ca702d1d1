"""Header From of somebody else: what scripts and forms in foreign hands write."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the messages of a day with a foreign From against the account's own rate."""
    return weigh(scene, weights, Count.FOREIGN, Count.MESSAGES) if scene.day[Count.FOREIGN] else 0.0


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    own = rate_in_words(scene, Count.FOREIGN, Count.MESSAGES)
    return f"{scene.day[Count.FOREIGN]} of {scene.day[Count.MESSAGES]} messages with the From of somebody else ({own})"
