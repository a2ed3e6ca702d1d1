"""Hold and probe: let a few recipients of held mail out, read the answers, and let out twice as many.

A hold begins on points, on quantity, or because a bulk sender's mail comes from elsewhere.  It ends when the probes
came to nothing, or by a person.  Mail that nobody dares to release stays held: it is never lost.
"""

from __future__ import annotations

from outwarden.detection.live.bounds import Bounds
from outwarden.detection.live.counts import Count
from outwarden.detection.live.declared_networks import is_declared
from outwarden.detection.live.known_recipients import Unmet
from outwarden.detection.live.ledger import Ledger
from outwarden.detection.live.observing import Traits
from outwarden.detection.live.policy import Policy
from outwarden.detection.live.record import DAY, AccountRecord, Hold, Most
from outwarden.detection.live.scene import Scene
from outwarden.events import LinkKind, Standing, Submitted

_HARD_FROM = 1.5
_MUCH_HARD = 5.0
_SOFT_BELOW = 1.0
_BLIND_FROM = 2.6
"""A few unknown recipients alone are no reason to stop probing: an old list has them. From elsewhere they are."""
_BLIND_FROM_ELSEWHERE = 2.0
_STEP_SECONDS = 55
"""A little less than the minute in which the caller asks again."""
_BAD_SHARE = 0.12
"""Unknown and refused among the answers to probes: a conference has 7 %, a bought list 15 % and more."""
_REFUSED_SHARE = 0.03
"""Refused among them: honest mail has 1 %, spam 5 % and more."""
_ANSWERED_SHARE = 0.6
_SPOTLESS_AFTER = 200
_SPOTLESS_REFUSED = 0.008
_SPOTLESS_UNKNOWN = 0.03
_SPOTLESS_TIMES = 10
_OWN_JUDGEMENT_FOR = 20 * 3600
"""A hold that lasts longer is a person's business."""
_CLEARED_FOR = DAY / 2
_ALLOWED_TIMES = 4
_MOST_FRESH_TARGETS = 2


def goes_on(scene: Scene, traits: Traits, event: Submitted, policy: Policy, bounds: Bounds) -> bool:
    """Say whether a message leaves even during a hold: mail to acquaintances from a known network, as declared."""
    if not traits.ordinary or _undeclared(event, bounds):
        return False
    unmet = scene.record.unmet
    strangers = len(traits.new) + sum(number in unmet for number in traits.recipients)
    if 2 * strangers >= len(traits.recipients) > 0:
        return False
    # Strangers are not fewer among acquaintances.
    return not strangers or bounds.declared is not None or not _too_many(scene, policy, bounds)


def why_hold(
    scene: Scene, ledger: Ledger, traits: Traits, event: Submitted, policy: Policy, bounds: Bounds
) -> str | None:
    """Say in words why this message begins a hold, None where it does not."""
    if _undeclared(event, bounds):
        return "a network or link that is not declared for this bulk sender"
    if ledger.total >= bounds.hold and not cleared(scene, ledger):
        return f"{ledger.total:.1f} points"
    if bounds.declared is not None:
        return None
    if _too_many(scene, policy, bounds):
        new, whole = scene.hour[Count.NEW], scene.hour[Count.RECIPIENTS]
        return f"{new} new of {whole} recipients in an hour, more than go out unseen"
    if _bulk_from_elsewhere(scene, traits, policy):
        return "a bulk sender's mail from a network that is new to it"
    return None


def cleared(scene: Scene, ledger: Ledger) -> bool:
    """Say whether a hold of today came to nothing, and no hard evidence has come since."""
    return scene.now < scene.record.cleared_until and ledger.hard < _HARD_FROM


def begin(record: AccountRecord, ledger: Ledger, policy: Policy, bounds: Bounds, now: float, why: str) -> Hold:
    """Hold the account's mail from now on; ``why`` is said with each message that is held."""
    first = policy.probing.first
    if ledger.hard < _SOFT_BELOW:
        first *= 2 if ledger.total >= bounds.hold else 4
    record.standing, record.standing_at = Standing.HELD, now
    hold = record.hold = Hold(now, first, why=why)
    return hold


def take_up(record: AccountRecord, policy: Policy, since: float, why: str) -> None:
    """Hold the account's mail because it was held already; the probes begin as small as they ever do."""
    record.standing, record.standing_at = Standing.HELD, since
    record.hold = Hold(since, policy.probing.first, why=why)


def may_go(scene: Scene, ledger: Ledger, policy: Policy, bounds: Bounds, waiting: int, smallest: int = 1) -> int:
    """Return how many of the recipients that wait may leave now, and note that they do.

    Where that is fewer than ``smallest`` nothing leaves, and nothing is noted.
    """
    record, now = scene.record, scene.now
    hold = record.hold
    if hold is None:
        return waiting
    if now - hold.since > _OWN_JUDGEMENT_FOR:
        # Evidence leaves the ledger after a day; held mail does not become better by that.
        return 0
    if _came_to_nothing(scene, hold, ledger, policy, waiting):
        _end(record)
        record.cleared_until = now + _CLEARED_FOR
        record.released_today += waiting
        return waiting
    count = _next_probe(scene, hold, ledger, policy, waiting)
    if count < max(1, smallest):
        return 0
    hold.step *= 2
    hold.released += count
    record.released_today += count
    hold.probed_at = now
    if count == waiting and ledger.total < bounds.hold:
        _end(record)
    return count


def _next_probe(scene: Scene, hold: Hold, ledger: Ledger, policy: Policy, waiting: int) -> int:
    probing, record = policy.probing, scene.record
    if hold.probed_at and scene.now - hold.probed_at < _STEP_SECONDS:
        return 0
    if hold.bad > 2 and hold.bad > _BAD_SHARE * hold.answers:
        return 0
    blind_from = _BLIND_FROM_ELSEWHERE if scene.elsewhere.messages else _BLIND_FROM
    if (ledger.total >= probing.below and ledger.hard >= blind_from) or ledger.hard >= _MUCH_HARD:
        # The desk would say no; a few answers more may give the second proof that a block needs.
        budget = probing.blind if waiting >= policy.quantity.floor and ledger.proofs < 2 else 0
    else:
        budget = max(probing.trust_floor, int(probing.trust_times_record * scene.most.new_day))
        if ledger.hard < _HARD_FROM and _good_answers(hold):
            budget *= probing.clean_times
    return min(hold.step, budget - record.released_today, waiting)


def _came_to_nothing(scene: Scene, hold: Hold, ledger: Ledger, policy: Policy, waiting: int) -> bool:
    """Say whether the probes were good and nothing but quantity speaks against the account."""
    probing = policy.probing
    return (
        # A big BCC never goes out whole on a few good probes.
        hold.answers >= max(probing.clean_answers, waiting)
        and ledger.hard <= _HARD_FROM
        and _good_answers(hold)
        and hold.bad <= _BAD_SHARE * hold.answers
        and scene.day[Count.FRESH_TARGETS] <= _MOST_FRESH_TARGETS
        and not scene.elsewhere.messages
        and scene.day[Count.NEW] < _trusted(scene, policy)
    )


def _trusted(scene: Scene, policy: Policy) -> int:
    """Return how many new recipients a day may go to where nothing but quantity speaks against the account.

    A list that hundreds of answers show to be spotless is one that people asked to be on.
    """
    trusted = policy.probing.clean_times * policy.probing.trust_floor
    day = scene.day
    results = day[Count.RESULTS]
    spotless = (
        results >= _SPOTLESS_AFTER
        and day[Count.REFUSED] <= _SPOTLESS_REFUSED * results
        and day[Count.UNKNOWN] <= _SPOTLESS_UNKNOWN * results
    )
    return _SPOTLESS_TIMES * trusted if spotless else trusted


def _good_answers(hold: Hold) -> bool:
    return hold.answers >= _ANSWERED_SHARE * hold.released and hold.refused <= _REFUSED_SHARE * hold.answers


def _end(record: AccountRecord) -> None:
    # A hold that came to nothing does not end probation.
    record.standing = Standing.PROBATION if record.given_back_at else Standing.NORMAL
    record.hold = None
    if not record.given_back_at:
        record.unmet = Unmet()
    record.allowed = max(record.allowed, _ALLOWED_TIMES * record.hour.sums[Count.RECIPIENTS])


def _too_many(scene: Scene, policy: Policy, bounds: Bounds) -> bool:
    floor, times, allowed = policy.quantity.floor, policy.quantity.times_record, scene.record.allowed
    most: Most = scene.most
    return (
        scene.day[Count.NEW] > bounds.share * max(_trusted(scene, policy), times * most.new_day)
        or scene.hour[Count.NEW] > bounds.share * max(floor, allowed, times * most.new_hour)
        or scene.hour[Count.RECIPIENTS] > bounds.share * max(2 * floor, allowed, times * most.recipients_hour)
    )  # fmt: skip


def _bulk_from_elsewhere(scene: Scene, traits: Traits, policy: Policy) -> bool:
    return (
        traits.new_network
        and (traits.to_strangers or traits.fresh_link)
        and scene.most.recipients_hour >= policy.quantity.bulk_from
    )


def _undeclared(event: Submitted, bounds: Bounds) -> bool:
    """Say whether a declared bulk sender's message comes from elsewhere, or links elsewhere, than declared."""
    declared = bounds.declared
    if declared is None:
        return False
    if declared.networks and is_declared(declared.networks, event.client_address, event.network) is False:
        return True
    return bool(declared.link_domains) and any(
        link.kind is not LinkKind.DOMAIN or link.target not in declared.link_domains for link in event.links
    )
