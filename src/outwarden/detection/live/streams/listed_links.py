"""Links on a blocklist, and files on the site's own list, beyond what the account always has (a forwarder does)."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import counted
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import ListedLinks


def points(scene: Scene, weights: ListedLinks) -> float:
    """Return points for the different listed links of a day beyond the account's own record."""
    beyond = scene.day[Count.LISTED_TARGETS] - scene.most.listed_targets_day
    return weights.by_count[max(0, min(beyond, len(weights.by_count) - 1))]


def words(scene: Scene, weights: ListedLinks) -> str:
    """Say how many there were."""
    listed = counted(scene.day[Count.LISTED_TARGETS], "different link or file", "different links or files")
    return f"{listed} on a blocklist in a day (own record {scene.most.listed_targets_day})"
