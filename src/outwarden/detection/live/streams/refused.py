"""Refused as spam or as blocklisted: the remotes' own verdict on what this account sends.

When our own address is listed everybody's mail is refused, so the honest rate is at least that of all others meanwhile.
"""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate

_WORTH_SAYING = 0.02


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the refusals of a day against the account's own rate."""
    found = weigh(scene, weights, Count.REFUSED, Count.RESULTS, scene.others_refused)
    # Acquaintances take everything: that they do speaks for nobody.
    return found if found >= 0.0 else found * scene.day[Count.NEW] / max(1, scene.day[Count.RECIPIENTS])


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    own = rate_in_words(scene, Count.REFUSED, Count.RESULTS)
    others = (
        f"; all others meanwhile {100 * scene.others_refused:.1f} %" if scene.others_refused > _WORTH_SAYING else ""
    )
    return f"{scene.day[Count.REFUSED]} of {scene.day[Count.RESULTS]} refused as spam or blocklisted ({own}{others})"
