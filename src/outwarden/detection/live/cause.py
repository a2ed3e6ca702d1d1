"""What has probably happened to an account, with the reasons.

Response and notice differ by it: a new password does not clean an infected computer, and neither closes a hole
in a web site.
"""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.own_rate import counted
from outwarden.detection.live.scene import Scene
from outwarden.events import AccountCause, AccountKind

_BULK_RECIPIENTS = 300
_HARD_FROM = 1.0
_MUCH = 1.5
_SOME = 0.8
_MOSTLY = 0.5
_ENOUGH_OWN = 10


def cause_of(scene: Scene, points: dict[str, float], hard: float) -> tuple[AccountCause | None, tuple[str, ...]]:
    """Return the likely cause and why, from the points by stream; None where ``hard`` evidence is too little."""
    if hard < _HARD_FROM:
        return None, ("nothing but quantity speaks against it: nothing may have happened",)
    if scene.record.kind is not AccountKind.LOGIN:
        return _of_program(scene, points)
    if scene.most.recipients_hour >= _BULK_RECIPIENTS:
        return _of_bulk_sender(scene, points)
    elsewhere = _elsewhere(scene)
    phishing = _phishing(scene, points)
    if phishing:
        return AccountCause.LATERAL_PHISHING, (*phishing, *elsewhere)
    if elsewhere:
        return AccountCause.STOLEN_PASSWORD, elsewhere
    if points.get("same-text", 0.0) >= _SOME and points.get("many-links", 0.0) < _MUCH and not _filtered(points):
        return AccountCause.BULK_MAILER, (
            "one text to many, from the account's own network",
            "neither many different links nor the content filter speak of malware",
        )
    return AccountCause.INFECTED_MACHINE, ("all of it from networks the account always used",)


def _of_program(scene: Scene, points: dict[str, float]) -> tuple[AccountCause, tuple[str, ...]]:
    own = scene.own
    foreign = own[Count.FOREIGN] >= _MOSTLY * own[Count.MESSAGES] and own[Count.MESSAGES] >= _ENOUGH_OWN
    if foreign and points.get("strangers", 0.0) < _MUCH:
        return AccountCause.FORWARDER, (
            "it always sends mail with the From of somebody else, to the same recipients",
            "what is refused came in from outside",
        )
    reasons = ["handed in by a program on this machine, without a login"]
    if points.get("foreign-from", 0.0) > 0.0:
        reasons.append("the From is somebody else's, which it never was before")
    if points.get("strangers", 0.0) >= _MUCH:
        reasons.append("to strangers, faster than before")
    return AccountCause.HIJACKED_SITE, tuple(reasons)


def _of_bulk_sender(scene: Scene, points: dict[str, float]) -> tuple[AccountCause, tuple[str, ...]]:
    usual = f"it is a bulk sender (record {scene.most.recipients_hour} recipients in an hour)"
    elsewhere = _elsewhere(scene)
    if elsewhere or points.get("many-links", 0.0) > 0.0 or points.get("fresh-links", 0.0) >= _MUCH:
        links = ("its links were never used before",) if points.get("fresh-links", 0.0) > 0.0 else ()
        return AccountCause.HIJACKED_BULK_SENDER, (usual, *elsewhere, *links)
    return AccountCause.BULK_MAILER, (usual, "from its usual network, with its usual links")


def _phishing(scene: Scene, points: dict[str, float]) -> tuple[str, ...]:
    if points.get("same-reply", 0.0) >= _SOME:
        return ("one text as a reply in several threads of the account's own acquaintances",)
    from_there = scene.elsewhere
    if from_there.fresh_linked >= 2 and from_there.to_strangers < _MOSTLY * from_there.messages:
        return ("fresh links from a new network to the account's own acquaintances",)
    return ()


def _elsewhere(scene: Scene) -> tuple[str, ...]:
    count = scene.day[Count.NETWORKS]
    if not count:
        return ()
    said = f"used from {counted(count, 'network', 'networks')} new to it within a day"
    return (said, "one of them on a list of exploited hosts") if scene.day[Count.LISTED_CLIENTS] else (said,)


def _filtered(points: dict[str, float]) -> bool:
    return points.get("content-verdict", 0.0) >= _MUCH
