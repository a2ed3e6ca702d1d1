"""Message after message to people this account never wrote to."""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import rate_in_words
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import Strangers
from outwarden.detection.odds import log_odds


def points(scene: Scene, weights: Strangers) -> float:
    """Weigh the messages to strangers: those of an hour, or those from networks new to the account."""
    honest = _honest(scene, weights)
    odds = log_odds(scene.hour[Count.TO_STRANGERS], scene.hour[Count.MESSAGES], honest, weights.spamming)
    lowest = weights.lowest
    elsewhere = scene.elsewhere
    if elsewhere.messages:
        odds = max(odds, log_odds(elsewhere.to_strangers, elsewhere.messages, honest, weights.spamming))
        # A thief reads the address book: mail to acquaintances from elsewhere speaks for nobody.
        lowest = 0.0
    return max(lowest, min(odds, weights.highest))


def words(scene: Scene, weights: Strangers) -> str:
    """Say how many messages went to strangers."""
    usual = rate_in_words(scene, Count.TO_STRANGERS, Count.MESSAGES)
    elsewhere, hour = scene.elsewhere, scene.hour
    if elsewhere.to_strangers > hour[Count.TO_STRANGERS] or not hour[Count.MESSAGES]:
        return f"{elsewhere.to_strangers} of {elsewhere.messages} messages from new networks to strangers ({usual})"
    return f"{hour[Count.TO_STRANGERS]} of {hour[Count.MESSAGES]} messages in an hour to strangers ({usual})"


def _honest(scene: Scene, weights: Strangers) -> tuple[float, float]:
    bad, good = weights.honest
    messages = scene.own[Count.MESSAGES]
    if not messages:
        return bad, good
    part = min(1.0, weights.own_messages / messages)
    strangers = min(messages, scene.own[Count.TO_STRANGERS])
    return bad + part * strangers, good + part * (messages - strangers)
