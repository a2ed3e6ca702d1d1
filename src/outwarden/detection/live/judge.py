"""The judge: hears what happens in the order it happens, and says what to do with each message.

The state is one record for each account, and what accounts share.  The same events in the same order
give the same decisions, also when the state was saved and restored between any two of them.  What is late, doubled
or out of order is put where it belongs or counts for nothing (``feedback.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from outwarden.detection.live import holding
from outwarden.detection.live.block import block_of
from outwarden.detection.live.bounds import Bounds, bounds_of
from outwarden.detection.live.cause import cause_of
from outwarden.detection.live.counts import Count
from outwarden.detection.live.encoding import UNREADABLE, RecordError, writable
from outwarden.detection.live.feedback import Heard, answer_of
from outwarden.detection.live.known_recipients import number_of
from outwarden.detection.live.learning import HARD_FROM, forget_theft, note_today, suspect, trust, turn
from outwarden.detection.live.ledger import Ledger, Scales, in_order
from outwarden.detection.live.observing import Traits, observe
from outwarden.detection.live.policy import Policy
from outwarden.detection.live.record import DAY, MOST_OFFENCES, AccountRecord, Hold, SharedWithOthers
from outwarden.detection.live.records import Records
from outwarden.detection.live.refused_elsewhere import RefusedElsewhere
from outwarden.detection.live.scene import Scene, moment, scene_of
from outwarden.detection.live.site import Site
from outwarden.detection.live.streams import campaign
from outwarden.detection.live.weights import Weights, shipped_weights
from outwarden.events import (
    AccountKind,
    Action,
    Attempted,
    ComplaintReceived,
    Decision,
    Finding,
    Outcome,
    Standing,
    Submitted,
)


class Release(NamedTuple):
    """How many held recipients may leave now, oldest first; and a decision where the account is blocked instead."""

    recipients: int
    decision: Decision | None = None


class _SharedState(msgspec.Struct):
    learns_until: float
    site: Site
    heard: Heard
    refused_elsewhere: RefusedElsewhere


class Judge:
    """Judges the accounts of one site by its policy."""

    def __init__(self, policy: Policy | None = None, weights: Weights | None = None) -> None:
        self.policy = policy or Policy()
        self.records = Records()
        self._weights = weights or shipped_weights()
        self._scales = Scales(self._weights, self.policy.streams.off)
        self._site = Site()
        self._heard = Heard()
        self._refused_elsewhere = RefusedElsewhere()
        self._learns_until = float("-inf")

    def learn_until(self, now: float) -> None:
        """Until then accept everything and learn from it, as from a history known to be clean (POSIX seconds)."""
        self._learns_until = now

    # -- what is handed in

    def submit(self, event: Submitted) -> Decision:
        """Decide about a message, at the time and with the content of the event."""
        now = event.at.timestamp()
        record = self.records.get_or_new(event.account, event.kind, now)
        learning = self._turn(record, now)
        if record.blocked_by is not None:
            return record.blocked_by.refusal(record.account, event.at)
        traits = observe(record, self._site, event, now)
        note_today(record)
        if learning:
            return Decision(record.account, Action.ACCEPT, event.at)
        bounds = bounds_of(record, self.policy, now)
        scene = scene_of(record, now, self._refused_elsewhere.rate)
        ledger = self._beside_others(scene, self._scales.weigh(scene, bounds.declared is not None), traits, bounds)
        suspect(record, ledger.hard, scene.now)
        evidence = (writable(event.queue_id)[:_LONGEST_QUEUE_ID],)
        if _blocks(ledger, bounds):
            _remember_unmet(record, traits)
            return self._block(scene, ledger, evidence)
        if holding.goes_on(scene, traits, event, self.policy, bounds):
            return Decision(record.account, Action.ACCEPT, event.at, ledger.total)
        hold = record.hold
        if hold is None:
            why = holding.why_hold(scene, ledger, traits, event, self.policy, bounds)
            if why is None:
                return Decision(record.account, Action.ACCEPT, event.at, ledger.total)
            hold = self._begin_hold(scene, ledger, bounds, why)
        _remember_unmet(record, traits)
        return self._held(scene, ledger, bounds, hold, evidence)

    def new_recipients(self, event: Submitted) -> int:
        """Return to how many of its recipients the account has not written before; asked before ``submit``."""
        record = self.records.get(event.account)
        recipients = set(map(number_of, event.recipient_addresses))
        return len(recipients) if record is None else sum(one not in record.recipients for one in recipients)

    # -- what comes back

    def attempted(self, event: Attempted) -> Decision | None:
        """Hear an answer of a remote; return a decision where it blocks the account.

        An answer heard before counts for nothing.  Of messages that only a log tells of, the answers alone name the
        recipients: whoever got one is an acquaintance from then on.
        """
        if event.outcome is Outcome.DELIVERED and event.recipient:
            self._met(event.account, event.original_recipient or event.recipient, event.at.timestamp())
        answer = answer_of(event)
        if answer is None or not self._heard.first(f"{event.host} {event.queue_id} {event.recipient}"):
            return None
        return self.answered(event.account, event.at.timestamp(), *answer)

    def answered(
        self, account: str, now: float, accepted: int = 0, unknown: int = 0, refused: int = 0
    ) -> Decision | None:
        """Hear how many recipients were accepted, unknown or refused; return a decision where it blocks the account."""
        record = self.records.get(account)
        if record is None or record.standing is Standing.BLOCKED:
            return None
        learning = self._turn(record, now)
        self._refused_elsewhere.hear(record, now, accepted + unknown + refused, refused)
        day = record.day
        day.add(now, Count.RESULTS, accepted + unknown + refused)
        if unknown:
            day.add(now, Count.UNKNOWN, unknown)
        if refused:
            day.add(now, Count.REFUSED, refused)
        hold = record.hold
        if hold is not None:
            hold.hear(accepted, unknown, refused)
        return None if learning or not unknown + refused else self._reconsider(record, now)

    def complained(self, event: ComplaintReceived) -> Decision | None:
        """Hear a complaint; return a decision where it blocks the account."""
        now = event.at.timestamp()
        # Without a queue ID the report itself is what may come twice.
        of = event.queue_id or f"{event.at.isoformat()} {event.account}"
        if not self._heard.first(f"complaint {of} {event.recipient}"):
            return None
        record = self.records.get(event.account)
        if record is None or record.standing is Standing.BLOCKED:
            return None
        learning = self._turn(record, now)
        record.day.add(now, Count.COMPLAINTS, 1)
        return None if learning else self._reconsider(record, now)

    # -- held mail

    def release(self, account: str, now: float, waiting: int, smallest: int = 1) -> Release:
        """Say how many of the ``waiting`` recipients of held mail may leave; to be asked once a minute.

        Whoever can only let whole messages go says how many recipients the ``smallest`` of them has: fewer may not go.
        """
        record = self.records.get(account)
        if record is None:
            return Release(waiting)
        self._turn(record, now)
        if record.standing is Standing.BLOCKED:
            return Release(0)
        bounds = bounds_of(record, self.policy, now)
        scene = scene_of(record, now, self._refused_elsewhere.rate)
        ledger = self._scales.weigh(scene, bounds.declared is not None)
        if _blocks(ledger, bounds):
            return Release(0, self._block(scene, ledger))
        return Release(holding.may_go(scene, ledger, self.policy, bounds, max(0, waiting), smallest))

    # -- what people say

    def passed(self, account: str, now: float) -> None:
        """Hear that a person released all held mail of an account: what it did is usual from now on."""
        record = self.records.get(account)
        if record is not None and record.standing is not Standing.BLOCKED:
            self._trust(record, now)
            record.standing, record.standing_at = Standing.NORMAL, now
            record.given_back_at = 0.0

    def held(self, account: str, since: float, why: str) -> None:
        """Hear that an account's mail is held, where its record is from before that; ``since`` then (POSIX seconds).

        What came of probes since is not known: they begin anew.
        """
        record = self.records.get_or_new(account, AccountKind.LOGIN, since)
        if record.standing not in (Standing.HELD, Standing.BLOCKED):
            holding.take_up(record, self.policy, since, why)

    def blocked(self, account: str, now: float) -> None:
        """Hear that a person blocked an account: what its messages carried is held against others that carry it."""
        record = self.records.get(account)
        if record is not None and record.standing is not Standing.BLOCKED:
            self._turn(record, now)
            scene = scene_of(record, now, self._refused_elsewhere.rate)
            self._block(scene, self._scales.weigh(scene))

    def unblocked(self, account: str, now: float, wrongly_blocked: bool = False) -> None:
        """Hear that a person gave an account back; a block that was wrong is no offence."""
        record = self.records.get(account)
        if record is None:
            return
        if wrongly_blocked:
            del record.offences[-1:]
            self._trust(record, now)
        else:
            self._turn(record, now)
            forget_theft(record, now)
            self._site.absolve(record)
        record.standing, record.standing_at, record.given_back_at = Standing.PROBATION, now, now

    def standing(self, account: str) -> Standing:
        """Return how an account stands."""
        record = self.records.get(account)
        return Standing.NORMAL if record is None else record.standing

    def view(self, account: str, now: float) -> Decision | None:
        """Return the whole ledger of an account as it is now, None where it is not known; nothing is decided."""
        record = self.records.get(account)
        if record is None:
            return None
        if record.blocked_by is not None:
            return record.blocked_by.refusal(record.account, moment(now))
        self._turn(record, now)
        bounds = bounds_of(record, self.policy, now)
        scene = scene_of(record, now, self._refused_elsewhere.rate)
        action = self.policy.hold_as if record.hold is not None else Action.ACCEPT
        return self._decision(action, scene, self._scales.weigh(scene, bounds.declared is not None), ())

    # -- saving

    def shared_state(self) -> bytes:
        """Return as bytes all that is not the record of one account; it belongs to the records of the same moment."""
        return msgspec.msgpack.encode(
            _SharedState(self._learns_until, self._site, self._heard, self._refused_elsewhere)
        )

    @classmethod
    def resume(
        cls,
        records: Iterable[tuple[str, bytes]],
        shared_state: bytes | None,
        policy: Policy | None = None,
        weights: Weights | None = None,
    ) -> Judge:
        """Return a judge that goes on from saved records and what was shared then.

        Raises ``RecordError`` where the latter cannot be read; a record that cannot be begins anew.
        """
        judge = cls(policy, weights)
        judge.records = Records(records)
        if shared_state is not None:
            try:
                state = msgspec.msgpack.decode(shared_state, type=_SharedState)
            except UNREADABLE as error:
                raise RecordError(f"a state that cannot be read: {error}") from error
            judge._learns_until, judge._site, judge._heard = state.learns_until, state.site, state.heard
            judge._refused_elsewhere = state.refused_elsewhere
        return judge

    def save(self) -> bytes:
        """Return the whole state as bytes."""
        return msgspec.msgpack.encode((self.shared_state(), list(self.records.all())))

    @classmethod
    def restore(cls, saved: bytes, policy: Policy | None = None, weights: Weights | None = None) -> Judge:
        """Return a judge that goes on where the saved one was.  Raises ``RecordError``."""
        try:
            shared_state, records = msgspec.msgpack.decode(saved, type=tuple[bytes, list[tuple[str, bytes]]])
        except UNREADABLE as error:
            raise RecordError(f"a state that cannot be read: {error}") from error
        return cls.resume(records, shared_state, policy, weights)

    # -- within

    def _met(self, account: str, recipient: str, now: float) -> None:
        record = self.records.get(account)
        if record is not None and record.day.reaches(now):
            record.recipients.meet(number_of(recipient))

    def _turn(self, record: AccountRecord, now: float) -> bool:
        turn(record, now, self._learns_until)
        return now < self._learns_until

    def _beside_others(self, scene: Scene, ledger: Ledger, traits: Traits, bounds: Bounds) -> Ledger:
        """Look at the message beside those of other accounts that share something with it."""
        record, weights = scene.record, self._weights.campaign
        # Suspicion must not spread from hand to hand: what others did makes nobody suspicious to third ones.
        by_others = campaign.points(scene, weights)
        if ledger.total - by_others >= weights.suspicious_from and ledger.hard - by_others >= HARD_FROM:
            for _, shared in traits.shared:
                shared.suspect(record.account)
        found = [(shared.suspicious_beside(record.account), what, shared.blocked) for what, shared in traits.shared]
        found = [one for one in found if one[0]]
        if not found:
            return ledger
        blocked = any(one[2] for one in found)
        points = weights.blocked if blocked else weights.several if len(found) > 1 else weights.one
        before = record.shared
        if before is None or before.points <= points or scene.now - before.at >= DAY:
            others, what, _ = max(found)
            record.shared = SharedWithOthers(points, scene.now, what, others)
        return self._scales.weigh(scene, bounds.declared is not None)

    def _reconsider(self, record: AccountRecord, now: float) -> Decision | None:
        bounds = bounds_of(record, self.policy, now)
        scene = scene_of(record, now, self._refused_elsewhere.rate)
        ledger = self._scales.weigh(scene, bounds.declared is not None)
        suspect(record, ledger.hard, scene.now)
        if _blocks(ledger, bounds):
            return self._block(scene, ledger)
        held = record.standing is Standing.HELD
        if not held and ledger.total >= bounds.hold and not holding.cleared(scene, ledger):
            self._begin_hold(scene, ledger, bounds, f"{ledger.total:.1f} points")
        return None

    def _begin_hold(self, scene: Scene, ledger: Ledger, bounds: Bounds, why: str) -> Hold:
        heaviest = [f"{one.rule} {one.points:+.1f}: {one.text}" for one in self._scales.entries(ledger, scene)[:3]]
        return holding.begin(scene.record, ledger, self.policy, bounds, scene.now, "; ".join((why, *heaviest)))

    def _held(self, scene: Scene, ledger: Ledger, bounds: Bounds, hold: Hold, evidence: tuple[str, ...]) -> Decision:
        decision = self._decision(self.policy.hold_as, scene, ledger, evidence)
        if ledger.total >= bounds.hold:
            return decision
        # Quantity and declarations hold whatever the points, and points of yesterday are not in the ledger any more.
        text = f"held since {moment(hold.since):%Y-%m-%d %H:%M} UTC: {hold.why}"
        why = Finding(rule="hold", points=0.0, text=text, at=decision.at, evidence=evidence)
        return msgspec.structs.replace(decision, findings=in_order((*decision.findings, why)))

    def _block(self, scene: Scene, ledger: Ledger, evidence: tuple[str, ...] = ()) -> Decision:
        record = scene.record
        decision = self._decision(Action.BLOCK, scene, ledger, evidence)
        record.standing, record.standing_at = Standing.BLOCKED, scene.now
        record.blocked_by = block_of(decision, evidence)
        record.hold = None
        record.offences = [*record.offences, scene.now][-MOST_OFFENCES:]
        self._site.blame(record)
        return decision

    def _decision(self, action: Action, scene: Scene, ledger: Ledger, evidence: tuple[str, ...]) -> Decision:
        cause, because = cause_of(scene, self._scales.points_of(ledger), ledger.hard)
        findings = self._scales.entries(ledger, scene, evidence)
        return Decision(scene.record.account, action, scene.at, ledger.total, findings, cause, because)

    def _trust(self, record: AccountRecord, now: float) -> None:
        self._turn(record, now)
        self._site.absolve(record)
        trust(record, now)


_LONGEST_QUEUE_ID = 64
_QUANTITY_AT_MOST = 6.0
"""So much do quantity and strangers add at most to what an account is blocked for."""


def _remember_unmet(record: AccountRecord, traits: Traits) -> None:
    for number in traits.new:
        record.unmet.add(number)


def _blocks(ledger: Ledger, bounds: Bounds) -> bool:
    beyond = max(0.0, ledger.quantity - _QUANTITY_AT_MOST)
    return ledger.total - beyond >= bounds.block and ledger.proofs >= 2
