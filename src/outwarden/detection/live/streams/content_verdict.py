"""The verdict of the site's own content filter, against how often it is wrong about this account."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the filter's verdicts of a day against its own rate for this account."""
    return weigh(scene, weights, Count.SPAM, Count.FILTERED)


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    own = rate_in_words(scene, Count.SPAM, Count.FILTERED)
    return f"{scene.day[Count.SPAM]} of {scene.day[Count.FILTERED]} messages called spam by the content filter ({own})"
