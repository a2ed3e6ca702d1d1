"""Plays a tape to a judge, and does what it decides.

Held mail waits; once a minute of recorded time while an account has held mail, the judge is asked how many recipients
may go.  What remotes answered is told only for recipients that really left, as long after they left as it was on the
tape.  Mail of a blocked account is refused, and what it had waiting is kept aside; nobody else hears of either.

A desk, where there is one, looks at the held mail of an account some minutes after the first of it: it blocks accounts
that are named as stolen and releases all others.  Where stolen accounts are named, a wrong block is seen: the
account is given back after eight hours.

Not done: deferred mail does not come back, and nobody reacts to being held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple, Protocol

from outwarden.detection.replay.outcome import Fates, Outcome, What, honest_cost, in_order
from outwarden.detection.replay.story import Story
from outwarden.detection.replay.tape import Answer, Message, Tape
from outwarden.events import Action, Attempted, ComplaintReceived, Decision, Submitted

DAY = 86_400
LONGEST_LEARNING_DAYS = 21.0
GIVEN_BACK_SECONDS = 8 * 3600
TICK = 60
_ASKED_OFTEN = 2 * DAY
"""After so long without anything new the judge is asked once an hour, because evidence is older than it weighs."""
_ASKED_AT_ALL = 60 * DAY
_LATEST = datetime(9990, 1, 1, tzinfo=UTC).timestamp()

Watch = Callable[[int, int], None]
"""Told how many messages of how many were played."""


class Release(Protocol):
    """What a judge says of held mail: how many recipients may go, and a decision where it blocks instead."""

    @property
    def recipients(self) -> int:
        """How many, oldest first."""

    @property
    def decision(self) -> Decision | None:
        """The block, if it is one."""


class Judge(Protocol):
    """What is played to; ``outwarden.detection.live.Judge`` is one."""

    def learn_until(self, now: float) -> None:
        """Accept everything and learn from it until then."""

    def submit(self, event: Submitted) -> Decision:
        """Decide about a message."""

    def attempted(self, event: Attempted) -> Decision | None:
        """Hear what a remote answered."""

    def complained(self, event: ComplaintReceived) -> Decision | None:
        """Hear a complaint."""

    def release(self, account: str, now: float, waiting: int) -> Release:
        """Say how many held recipients may go."""

    def passed(self, account: str, now: float) -> None:
        """Hear that a person released all held mail."""

    def unblocked(self, account: str, now: float, wrongly_blocked: bool = False) -> None:
        """Hear that a person gave the account back."""


class Plan(NamedTuple):
    """How a tape is played.

    ``stolen`` names accounts that really were stolen, with since when (POSIX seconds) where that is known.
    ``learn_days`` is how long everything is accepted at first: without it a third of the tape, at most 21 days.
    ``desk_minutes`` is how long held mail waits for somebody to look; None: nobody looks.
    """

    stolen: Mapping[str, float | None] = {}
    learn_days: float | None = None
    desk_minutes: float | None = None


def learned_until(tape: Tape, learn_days: float | None) -> float:
    """Return when the learning period ends."""
    begin, end = tape.from_at.timestamp(), tape.to_at.timestamp()
    if learn_days is None:
        return begin + min((end - begin) / 3, LONGEST_LEARNING_DAYS * DAY)
    return begin + learn_days * DAY


def play(tape: Tape, judge: Judge, plan: Plan, policy: str, watch: Watch | None = None) -> Outcome:
    """Return what a judge would have done.  The judge must be a fresh one: it learns from what is played."""
    return _Player(tape, judge, plan).run(policy, watch)


class _Held:
    """A message that waits: which of its recipients left already."""

    __slots__ = ("gone", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.gone = 0


class _Desk:
    """The held mail of one account, and what is planned for it."""

    __slots__ = ("asked", "blocked", "changed_at", "held", "review", "waiting")

    def __init__(self) -> None:
        self.held: list[_Held] = []
        self.waiting = 0
        self.blocked = False
        self.asked = False
        self.review = False
        self.changed_at = 0.0


class _Player:
    def __init__(self, tape: Tape, judge: Judge, plan: Plan) -> None:
        self._tape, self._judge, self._plan = tape, judge, plan
        self._scored_from = learned_until(tape, plan.learn_days)
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = count()
        self._desks: dict[str, _Desk] = {}
        self._stories: dict[str, Story] = {}
        self._reviews = 0

    def run(self, policy: str, watch: Watch | None) -> Outcome:
        self._judge.learn_until(self._scored_from)
        messages = self._tape.messages
        for place, message in enumerate(messages):
            now = message.submitted.at.timestamp()
            self._work_off(now)
            if watch is not None and place % 256 == 0:
                watch(place, len(messages))
            self._hand_in(message, now)
        # What is in the air comes down; what nobody lets go is held for ever.
        self._work_off(_LATEST)
        for account, desk in self._desks.items():
            for one in desk.held:
                self._stories[account].still_waits(one.message, one.gone)
        return self._outcome(policy)

    def _outcome(self, policy: str) -> Outcome:
        accounts = [story.told() for story in self._stories.values()]
        truth_known = bool(self._plan.stolen)
        honest, honest_accounts = honest_cost(accounts, truth_known)
        whole = [(one.messages, one.recipients) for one in accounts]
        return Outcome(
            policy=policy,
            learned_until=datetime.fromtimestamp(self._scored_from, UTC),
            days=max(self._tape.to_at.timestamp() - self._scored_from, 0.0) / DAY,
            accounts=in_order(one for one in accounts if one.stopped or one.stolen),
            honest=honest,
            honest_accounts=honest_accounts,
            messages=_sum_of(messages for messages, _ in whole),
            recipients=_sum_of(recipients for _, recipients in whole),
            reviews=self._reviews,
            truth_known=truth_known,
        )

    # -- the agenda

    def _at(self, time: float, what: Callable[[float], None]) -> None:
        if time < _LATEST:
            heappush(self._agenda, (time, next(self._number), what))

    def _work_off(self, until: float) -> None:
        agenda = self._agenda
        while agenda and agenda[0][0] <= until:
            time, _, what = heappop(agenda)
            what(time)

    # -- a message

    def _story(self, message: Message) -> Story:
        account = message.submitted.account
        story = self._stories.get(account)
        if story is None:
            stolen = account in self._plan.stolen
            story = Story(account, message.submitted.kind, self._scored_from, stolen, self._plan.stolen.get(account))
            self._stories[account] = story
            self._desks[account] = _Desk()
        return story

    def _hand_in(self, message: Message, now: float) -> None:
        account = message.submitted.account
        story, desk = self._story(message), self._desks[account]
        story.handed_in(message, now)
        if desk.blocked:
            story.refuse(message, now)
            return
        decision = self._judge.submit(message.submitted)
        story.judged(decision, now)
        if decision.action is Action.BLOCK:
            story.refuse(message, now)
            self._block(account, now, decision)
        elif decision.action is Action.HOLD:
            self._hold(account, message, now, decision)
        elif decision.action is Action.DEFER:
            story.defer(message, now)
        else:
            story.accept(message, now)
            self._send(message, 0, message.recipients, now)

    def _send(self, message: Message, first: int, last: int, now: float) -> None:
        """Let recipients go, and hear of them when they answer."""
        for place in range(first, min(last, len(message.answers))):
            answer = message.answers[place]
            if answer is not None:
                self._at(now + answer.after_seconds, partial(self._answered, message, place, answer))
        if first == 0 < last:
            for after in message.complaints:
                self._at(now + after, partial(self._complained, message))

    # -- holding

    def _hold(self, account: str, message: Message, now: float, decision: Decision) -> None:
        desk, story = self._desks[account], self._stories[account]
        story.hold(message, now)
        if not desk.held:
            story.turn(What.HELD, now, decision)
        desk.held.append(_Held(message))
        desk.waiting += message.recipients
        desk.changed_at = now
        if self._plan.desk_minutes is not None and not desk.review:
            desk.review = True
            self._at(now + 60 * self._plan.desk_minutes, lambda time: self._look(account, time))
        if not desk.asked:
            desk.asked = True
            self._at(now + TICK, lambda time: self._ask(account, time))

    def _ask(self, account: str, now: float) -> None:
        """Ask the judge how many may go, and again in a minute."""
        desk = self._desks[account]
        desk.asked = False
        if desk.blocked or not desk.held:
            return
        release = self._judge.release(account, now, desk.waiting)
        if release.decision is not None and release.decision.action is Action.BLOCK:
            self._block(account, now, release.decision)
            return
        if release.recipients > 0 or not desk.waiting:
            desk.changed_at = now
            self._let_go(account, release.recipients, now)
            if not desk.held:
                self._stories[account].turn(What.LET_GO, now)
                return
        idle = now - desk.changed_at
        if idle < _ASKED_AT_ALL:
            desk.asked = True
            self._at(now + (TICK if idle < _ASKED_OFTEN else 3600), lambda time: self._ask(account, time))

    def _let_go(self, account: str, recipients: int, now: float) -> None:
        """Let held recipients go, oldest first; a message may leave in parts."""
        desk, story = self._desks[account], self._stories[account]
        done = 0
        for one in desk.held:
            total = one.message.recipients
            if recipients <= 0 < total - one.gone:
                break
            going = min(recipients, total - one.gone)
            self._send(one.message, one.gone, one.gone + going, now)
            story.leave(one.message, going)
            one.gone += going
            recipients -= going
            desk.waiting -= going
            if one.gone < total:
                break
            story.left_late(one.message, now)
            done += 1
        del desk.held[:done]

    def _look(self, account: str, now: float) -> None:
        """Be the desk: block what is stolen, release what is not."""
        desk = self._desks[account]
        desk.review = False
        if desk.blocked or not desk.held:
            return
        story = self._stories[account]
        self._reviews += now >= self._scored_from
        if story.is_stolen(now):
            self._block(account, now, None)
        else:
            self._judge.passed(account, now)
            self._let_go(account, desk.waiting, now)
            story.turn(What.PASSED, now, by_desk=True)

    # -- blocking

    def _block(self, account: str, now: float, decision: Decision | None) -> None:
        """Suspend an account; without a decision the desk does it."""
        desk, story = self._desks[account], self._stories[account]
        if desk.blocked:
            return
        desk.blocked = True
        story.turn(What.BLOCKED, now, decision, by_desk=decision is None)
        for one in desk.held:
            story.drop(one.message, one.gone)
        desk.held.clear()
        desk.waiting = 0
        if self._plan.stolen and not story.is_stolen(now):
            self._at(now + GIVEN_BACK_SECONDS, lambda time: self._give_back(account, time))

    def _give_back(self, account: str, now: float) -> None:
        desk, story = self._desks[account], self._stories[account]
        if story.is_stolen(now):
            return
        desk.blocked = False
        self._judge.unblocked(account, now, wrongly_blocked=True)
        story.turn(What.GIVEN_BACK, now, by_desk=True)

    # -- what comes back

    def _hear(self, account: str, decision: Decision | None, now: float) -> None:
        """Do what the judge decided on hearing an answer or a complaint."""
        if decision is not None and decision.action is Action.BLOCK:
            self._block(account, now, decision)

    def _answered(self, message: Message, place: int, answer: Answer, now: float) -> None:
        """Tell the judge what a remote answered."""
        submitted = message.submitted
        event = Attempted(
            at=_moment(now),
            host=submitted.host,
            queue_id=submitted.queue_id,
            account=submitted.account,
            kind=submitted.kind,
            recipient=submitted.recipient_addresses[place],
            outcome=answer.outcome,
            refusal_class=answer.refusal_class,
            status=answer.status,
            sender=submitted.sender,
            listing=answer.listing,
            outbound=answer.outbound,
        )
        self._hear(submitted.account, self._judge.attempted(event), now)

    def _complained(self, message: Message, now: float) -> None:
        """Tell the judge that a recipient complained."""
        submitted = message.submitted
        event = ComplaintReceived(_moment(now), submitted.host, submitted.account, submitted.kind, submitted.queue_id)
        self._hear(submitted.account, self._judge.complained(event), now)


def _sum_of(every: Iterable[Fates]) -> Fates:
    whole = Fates()
    for one in every:
        for name in one.__struct_fields__:
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
    return whole


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
