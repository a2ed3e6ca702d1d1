"""A share of an account's messages or answers, weighed against its own rate."""

from __future__ import annotations

from outwarden.detection.live.scene import Scene
from outwarden.detection.live.weights import OwnRate
from outwarden.detection.odds import log_odds, with_record


def weigh(scene: Scene, weights: OwnRate, bad: int, total: int, others: float = 0.0) -> float:
    """Weigh the counter ``bad`` of the last day, of the counter ``total``, against the rate of all days before.

    ``others`` is the rate of everybody else meanwhile, where that is known and above the usual.
    """
    return weigh_share(scene, weights, bad, total, scene.day[bad], scene.day[total], others)


def weigh_share(
    scene: Scene, weights: OwnRate, bad: int, total: int, count: int, of: int, others: float = 0.0
) -> float:
    """Weigh ``count`` of ``of`` against the rate of the counter ``bad`` of ``total`` on all days before."""
    if not of:
        return 0.0
    count = min(count, of)
    own = scene.own
    rate = max(weights.honest_rate, others)
    honest = with_record(rate, weights.honest_weight, int(own[bad]), int(own[total]))
    highest = weights.highest_by_count[min(count, len(weights.highest_by_count) - 1)]
    return max(weights.lowest, min(log_odds(count, of, honest, weights.spamming), highest))


def rate_in_words(scene: Scene, bad: int, total: int) -> str:
    """Say the account's own rate."""
    of = scene.own[total]
    return f"own rate {100 * min(1.0, scene.own[bad] / of):.1f} %" if of >= 1 else "no record yet"


def counted(number: int, one: str, many: str) -> str:
    """Say a number of things."""
    return f"{number} {one if number == 1 else many}"
