"""A link, a text or a client address shared with other accounts that are suspicious themselves."""

from __future__ import annotations

from outwarden.detection.live.own_rate import counted
from outwarden.detection.live.record import DAY
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import Campaign


def points(scene: Scene, weights: Campaign) -> float:
    """Return the points found in the last day when a message was looked at beside those of others."""
    shared = scene.record.shared
    return shared.points if shared is not None and scene.now - shared.at < DAY else 0.0


def words(scene: Scene, weights: Campaign) -> str:
    """Say what is shared, and with how many."""
    shared = scene.record.shared
    if shared is None:
        return "nothing shared with others"
    return (
        f"{shared.what} shared with {counted(shared.others, 'other suspicious account', 'other suspicious accounts')}"
    )
