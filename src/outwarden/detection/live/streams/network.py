"""Client networks and countries that this account never used: a stolen password is used from elsewhere.

Travellers and telephones change networks too, so the account's own rate of new networks damps the points.
A client address on a list of exploited hosts counts only in a new network: whole mobile networks are listed.
"""

from __future__ import annotations

from math import log

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import counted
from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import Network

_USUAL_DAYS = 20.0


def points(scene: Scene, weights: Network) -> float:
    """Return points for the new networks of the last day."""
    count = scene.day[Count.NETWORKS]
    if not count:
        return 0.0
    found = weights.by_count[min(count, len(weights.by_count) - 1)]
    if scene.day[Count.COUNTRIES]:
        found += weights.abroad
    if scene.day[Count.LISTED_CLIENTS]:
        found += weights.listed_client
    rate = (weights.usual_rate + scene.own[Count.NETWORKS]) / (_USUAL_DAYS + scene.record.days_known(scene.now))
    damped = weights.damping * log(rate * _USUAL_DAYS / weights.usual_rate)
    return max(0.0, min(found - max(0.0, damped), weights.highest))


def words(scene: Scene, weights: Network) -> str:
    """Say how many networks and countries are new."""
    count, countries = scene.day[Count.NETWORKS], scene.day[Count.COUNTRIES]
    text = f"{counted(count, 'new client network', 'new client networks')} in a day"
    if countries:
        text += f" in {counted(countries, 'new country', 'new countries')}"
    if scene.day[Count.LISTED_CLIENTS]:
        text += ", client address on a list of exploited hosts"
    known = sum(use.new_until <= scene.now for use in scene.record.networks.values())
    return f"{text} ({known} known before)"
