"""Recipients that do not exist: who writes to people he knows rarely meets them, a bought list is full of them."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the unknown recipients of a day against the account's own rate."""
    found = weigh(scene, weights, Count.UNKNOWN, Count.RESULTS)
    # Acquaintances exist: that they do speaks for nobody.
    return found if found >= 0.0 else found * scene.day[Count.NEW] / max(1, scene.day[Count.RECIPIENTS])


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    own = rate_in_words(scene, Count.UNKNOWN, Count.RESULTS)
    return f"{scene.day[Count.UNKNOWN]} of {scene.day[Count.RESULTS]} recipients unknown ({own})"
