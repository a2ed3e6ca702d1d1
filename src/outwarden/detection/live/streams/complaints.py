"""Complaints of recipients, beyond what so many recipients bring anyway."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import counted
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import Complaints

_TIMES_USUAL = 3


def points(scene: Scene, weights: Complaints) -> float:
    """Return points for each complaint of a day beyond three times the usual."""
    complaints = scene.day[Count.COMPLAINTS]
    if not complaints:
        return 0.0
    recipients = max(scene.day[Count.RECIPIENTS], scene.most.new_day)
    beyond = complaints - _TIMES_USUAL * recipients * weights.usual_per_recipient
    return max(0.0, min(weights.highest, weights.each * beyond))


def words(scene: Scene, weights: Complaints) -> str:
    """Say how many complained."""
    recipients = max(scene.day[Count.RECIPIENTS], scene.most.new_day)
    return f"{counted(scene.day[Count.COMPLAINTS], 'complaint', 'complaints')} in a day ({recipients} recipients)"
