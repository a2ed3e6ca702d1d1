"""The same text to many new recipients."""

from __future__ import annotations

from math import log2

from outwarden.detection.live.record import DAY
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import SameText


def points(scene: Scene, weights: SameText) -> float:
    """Return log2 of how many times its own record of new recipients of one text the account reached."""
    most = _most_new(scene)
    usual = max(weights.floor, scene.most.same_text)
    return min(weights.highest, log2(most / usual)) if most > usual else 0.0


def words(scene: Scene, weights: SameText) -> str:
    """Say how many recipients the text had."""
    return f"the same text to {_most_new(scene)} new recipients (own record {scene.most.same_text})"


def _most_new(scene: Scene) -> int:
    most = 0
    for text in scene.record.texts.values():
        # What was sent over more than two days is a template.
        if text.new > most and scene.now - text.last_at < DAY and text.last_at - text.first_at < 2 * DAY:
            most = text.new
    return most
