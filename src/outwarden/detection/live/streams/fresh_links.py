"""Links that nobody here has used before: young domains, stored files, short URLs."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words, weigh, weigh_share
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate


def points(scene: Scene, weights: OwnRate) -> float:
    """Weigh the messages that have such links: those of a day, or those from networks new to the account."""
    found = weigh(scene, weights, Count.FRESH_LINKED, Count.MESSAGES)
    if scene.day[Count.FRESH_TARGETS] < 2:
        # A conference, a CV, a folder for the class: one page of his own is what an honest sender announces.
        found = min(found, weights.highest_by_count[1])
    linked, of = scene.elsewhere.fresh_linked, scene.elsewhere.messages
    return max(found, weigh_share(scene, weights, Count.FRESH_LINKED, Count.MESSAGES, linked, of)) if linked else found


def words(scene: Scene, weights: OwnRate) -> str:
    """Say the count and the own rate."""
    usual = rate_in_words(scene, Count.FRESH_LINKED, Count.MESSAGES)
    linked, of = scene.elsewhere.fresh_linked, scene.elsewhere.messages
    linked_today, of_today = scene.day[Count.FRESH_LINKED], scene.day[Count.MESSAGES]
    if linked * of_today > linked_today * of:
        return f"{linked} of {of} messages from new networks with a link never used before ({usual})"
    return f"{linked_today} of {of_today} messages with a link never used before ({usual})"
