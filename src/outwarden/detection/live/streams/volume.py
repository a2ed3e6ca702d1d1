"""More new recipients, or more recipients at all, than this account ever had."""

from __future__ import annotations

from math import log2

from outwarden.detection.live.counts import Count
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import Volume


def points(scene: Scene, weights: Volume) -> float:
    """Return log2 of how many times its own record the account reached."""
    ratio = max(_ratios(scene, weights))
    return min(weights.highest, log2(ratio)) if ratio > 1.0 else 0.0


def words(scene: Scene, weights: Volume) -> str:
    """Say the largest of the three quantities beside its own record."""
    new_hour, new_day, all_hour = _ratios(scene, weights)
    if all_hour > max(new_hour, new_day):
        return f"{scene.hour[Count.RECIPIENTS]} recipients in an hour (own record {scene.most.recipients_hour})"
    if new_hour >= new_day:
        return f"{scene.hour[Count.NEW]} new recipients in an hour (own record {scene.most.new_hour})"
    return f"{scene.day[Count.NEW]} new recipients in a day (own record {scene.most.new_day})"


def _ratios(scene: Scene, weights: Volume) -> tuple[float, float, float]:
    most = scene.most
    return (
        scene.hour[Count.NEW] / max(weights.floor_new_hour, most.new_hour),
        scene.day[Count.NEW] / max(weights.floor_new_day, most.new_day),
        scene.hour[Count.RECIPIENTS] / max(weights.floor_recipients_hour, most.recipients_hour),
    )
