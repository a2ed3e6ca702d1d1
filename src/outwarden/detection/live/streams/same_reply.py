"""The same text as a "reply" in several threads: phishing of the victim's own acquaintances."""

from __future__ import annotations

from outwarden.detection.live.record import DAY
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import SameReply


def points(scene: Scene, weights: SameReply) -> float:
    """Return the points of the text that was a reply most often."""
    return weights.by_count[min(_most_replies(scene), len(weights.by_count) - 1)]


def words(scene: Scene, weights: SameReply) -> str:
    """Say in how many threads."""
    return f"the same text as a reply in {_most_replies(scene)} threads"


def _most_replies(scene: Scene) -> int:
    most = 0
    for text in scene.record.texts.values():
        # What was sent over more than two days is a template of the help desk.
        if text.replies > most and scene.now - text.last_at < DAY and text.last_at - text.first_at < 2 * DAY:
            most = text.replies
    return most
