"""Refused as spam or as blocklisted: the remotes' own verdict on what this account sends."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the refusals of a day against the account's own rate."""
    found = weigh(scene, weights, Count.REFUSED, Count.RESULTS)
    # Acquaintances take everything: that they do speaks for nobody.
    return found if found >= 0.0 else found * scene.day[Count.NEW] / max(1, scene.day[Count.RECIPIENTS])


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    own = rate_in_words(scene, Count.REFUSED, Count.RESULTS)
    return f"{scene.day[Count.REFUSED]} of {scene.day[Count.RESULTS]} refused as spam or blocklisted ({own})"
