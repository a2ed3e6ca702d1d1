"""Many different links that nobody here has used before: each recipient gets a page of his own."""

from __future__ import annotations

from math import log2

from outwarden.detection.live.counts import Count
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import ManyLinks


def points(scene: Scene, weights: ManyLinks) -> float:
    """Weigh the different fresh links of a day against the most of any day before."""
    ratio = scene.day[Count.FRESH_TARGETS] / max(weights.floor, scene.most.fresh_targets_day)
    return min(weights.highest, weights.per_doubling * log2(ratio)) if ratio > 1.0 else 0.0


def words(scene: Scene, weights: ManyLinks) -> str:
    """Say how many there were."""
    most = scene.most.fresh_targets_day
    return f"{scene.day[Count.FRESH_TARGETS]} different links never used before in a day (own record {most})"
