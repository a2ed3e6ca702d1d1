"""Events become a tape: each message with its recipients and the first final answer for each of them.

Joined by host and queue ID.  Events may come in any order of their stamps, and in halves: an attempt waits for its
submission, a submission for its attempts.  A queue ID that comes back later is another message.  Where a content
filter gave a message back under another queue ID, the attempts carry that one: they are joined to the oldest message
without any answer that the same account handed in with the same sender to as many recipients, within the hour before.

Memory: messages that wait for answers are bounded in number and age, and so are attempts that wait for a message;
what is over either is closed as it stands, and counted.  The tape itself grows with the messages.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace

from outwarden.detection.client_networks import network_of
from outwarden.detection.replay.tape import MOST_RECIPIENTS, Answer, Joined, Message, Tape, is_ours
from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    ComplaintReceived,
    Event,
    Outcome,
    Submitted,
)

MOST_IN_FLIGHT = 200_000
MOST_ALONE = 50_000
IN_FLIGHT_SECONDS = 7 * 86_400
"""Longer than servers keep a message in their queues, which is five days mostly."""
ALONE_SECONDS = 600
"""So long an attempt waits for its submission: readers hold back for a minute what a filter may have touched."""
FILTER_SECONDS = 3600
FINISHED_SECONDS = 86_400
_SWEPT_EVERY = 10_000
EARLIEST_YEAR, LATEST_YEAR = 1970, 9900
"""Events of any other year are left out: no sum of times can then leave the calendar."""
_MOST_COMPARED = 1_000
_COMES_BACK = timedelta(hours=1)
"""A queue ID is not given again sooner."""
_SLACK = timedelta(seconds=2)
"""Stamps of two programs of one server may lie the wrong way round by this much."""

_Key = tuple[str, str]
_Sender = tuple[str, AccountKind, str]


class _Attempts:
    """What is known of the recipients under one queue ID: the first final answer, or None so far."""

    __slots__ = ("account", "answers", "expired", "first_at", "kind", "last_at", "sender")

    def __init__(self, event: Attempted) -> None:
        self.account, self.kind, self.sender = event.account, event.kind, event.sender
        self.first_at = self.last_at = event.at
        self.answers: dict[str, Attempted | None] = {}
        self.expired: Attempted | None = None

    def add(self, event: Attempted) -> None:
        self.first_at = min(self.first_at, event.at)
        self.last_at = max(self.last_at, event.at)
        if not event.recipient:
            self.expired = event
            return
        known = self.answers.get(event.recipient)
        if len(self.answers) >= MOST_RECIPIENTS and event.recipient not in self.answers:
            return
        if event.outcome is Outcome.DEFERRED:
            self.answers.setdefault(event.recipient, None)
        elif known is None or event.at < known.at:
            self.answers[event.recipient] = event


class _InFlight:
    """A message that may still be answered."""

    __slots__ = ("attempts", "closed", "complaints", "submitted")

    def __init__(self, submitted: Submitted) -> None:
        self.submitted = submitted
        self.attempts: _Attempts | None = None
        self.complaints: list[datetime] = []
        self.closed = False

    @property
    def waits(self) -> bool:
        """Whether nothing is known of it yet, and may still come."""
        return self.attempts is None and not self.closed

    def may_have(self, event: Attempted) -> bool:
        """Say whether an attempt under its queue ID is one of its own, and not of another that has the ID by now."""
        if event.at < self.submitted.at - _SLACK:
            return False
        attempts = self.attempts
        if attempts is None or event.at <= attempts.last_at + _COMES_BACK:
            return True
        return event.recipient in attempts.answers or not self.finished

    @property
    def finished(self) -> bool:
        """Whether every recipient that was counted has its final answer."""
        attempts = self.attempts
        return attempts is not None and (
            attempts.expired is not None
            or (len(attempts.answers) >= self.submitted.recipients and None not in attempts.answers.values())
        )


class Joining:
    """Takes events one after another; ``tape`` ends it."""

    def __init__(self, most_in_flight: int = MOST_IN_FLIGHT, most_alone: int = MOST_ALONE) -> None:
        self.joined = Joined()
        self._most_in_flight, self._most_alone = most_in_flight, most_alone
        self._in_flight: dict[_Key, _InFlight] = {}
        self._alone: dict[_Key, _Attempts] = {}
        self._by_sender: dict[_Sender, deque[_InFlight]] = {}
        self._strangers: dict[_Key, datetime] = {}
        self._newest: dict[str, _InFlight] = {}
        self._messages: list[Message] = []
        self._names: dict[str, str] = {}
        self._now: datetime | None = None
        self._stamps: tuple[datetime, ...] = ()
        self._handed_in = 0

    def record(self, event: Event) -> None:
        """Take one event."""
        if not EARLIEST_YEAR <= event.at.year <= LATEST_YEAR:
            self.joined.out_of_time += 1
            return
        self.joined.events += 1
        if type(event) is Attempted:
            self._attempted(event)
        elif type(event) is Submitted:
            self._submitted(event)
        elif type(event) is BounceReturned:
            self._bounce_returned(event)
        elif type(event) is ComplaintReceived:
            self._complained(event)
        # The middle of three stamps: one line with a date of its own cannot make all that waits seem old.
        self._stamps = (*self._stamps[-2:], event.at)
        self._now = sorted(self._stamps)[len(self._stamps) // 2]

    def tape(self) -> Tape:
        """Close what is open, and return all messages in the order in which they were handed in."""
        self._settle_alone(everything=True)
        for message in self._in_flight.values():
            self._close(message)
        self._in_flight.clear()
        self._messages.sort(key=lambda one: (one.submitted.at, one.submitted.host, one.submitted.queue_id))
        return Tape(tuple(self._messages), self.joined)

    # -- the four kinds of events

    def _submitted(self, event: Submitted) -> None:
        key = (event.host, event.queue_id)
        if not is_ours(event):
            self.joined.strangers += 1
            self._strangers[key] = event.at
            if len(self._strangers) > self._most_in_flight:
                del self._strangers[next(iter(self._strangers))]
            self._alone.pop(key, None)
            return
        self._strangers.pop(key, None)
        slim = replace(event, line="")
        before = self._in_flight.get(key)
        if before is not None and before.submitted == slim:
            # The same line read twice is one event.
            return
        self._make_room()
        self._handed_in += 1
        if self._handed_in % _SWEPT_EVERY == 0:
            self._close_finished()
            before = self._in_flight.get(key)
        message = _InFlight(slim)
        if before is not None and self._in_flight.pop(key, None) is not None:
            message.attempts = _taken_from(before.attempts, event.at)
            if message.attempts is before.attempts:
                before.attempts = None
            self._close(before)
        self._in_flight[key] = message
        if (waiting := self._alone.get(key)) is not None and waiting.last_at >= event.at - _SLACK:
            del self._alone[key]
            message.attempts = _taken_from(waiting, event.at)
        self._by_sender.setdefault((event.account, event.kind, event.sender), deque()).append(message)
        newest = self._newest.get(event.account)
        if newest is None or newest.submitted.at <= event.at:
            self._newest[event.account] = message

    def _attempted(self, event: Attempted) -> None:
        key = (event.host, event.queue_id)
        slim = replace(event, line="", reply="", relay=None)
        message = self._in_flight.get(key)
        if message is not None and message.may_have(event):
            if message.attempts is None:
                message.attempts = _Attempts(slim)
            message.attempts.add(slim)
            return
        if key in self._strangers and event.kind is not AccountKind.LOGIN:
            return
        attempts = self._alone.get(key)
        if attempts is None:
            if len(self._alone) % 1000 == 999 or len(self._alone) >= self._most_alone:
                self._settle_alone()
            attempts = self._alone[key] = _Attempts(slim)
        attempts.add(slim)

    def _bounce_returned(self, event: BounceReturned) -> None:
        """Take the notification for the answer where the message has one recipient and the answer is missing."""
        message = self._in_flight.get((event.host, event.queue_id))
        if message is None or message.submitted.recipients != 1 or message.attempts is not None:
            return
        to = message.submitted.recipient_addresses
        message.attempts = _Attempts(bounced := _bounce(event, to[0] if len(to) == 1 else ""))
        message.attempts.add(bounced)

    def _complained(self, event: ComplaintReceived) -> None:
        message = self._in_flight.get((event.host, event.queue_id)) if event.queue_id else None
        if message is None:
            # Reports of feedback loops often tell no more than whose mail it was: then it was the newest.
            message = self._newest.get(event.account)
        if message is None or event.at < message.submitted.at:
            self.joined.complaints_alone += 1
            return
        insort(message.complaints, event.at)

    # -- what waits

    def _make_room(self) -> None:
        """Close the oldest messages in flight where there are too many, or where they are too old."""
        while self._in_flight:
            key, oldest = next(iter(self._in_flight.items()))
            too_old = self._now is not None and (self._now - oldest.submitted.at).total_seconds() > IN_FLIGHT_SECONDS
            if not too_old and len(self._in_flight) < self._most_in_flight:
                return
            self._settle_alone()
            del self._in_flight[key]
            if not oldest.finished:
                self.joined.closed_early += 1
            self._close(oldest)

    def _close_finished(self) -> None:
        """Close what has all its answers and is a day old: few complaints come later."""
        over = [
            key
            for key, message in self._in_flight.items()
            if self._now is not None
            and message.finished
            and (self._now - message.submitted.at).total_seconds() > FINISHED_SECONDS
        ]
        for key in over:
            self._close(self._in_flight.pop(key))

    def _settle_alone(self, everything: bool = False) -> None:
        """Join by sender the attempts whose submission does not come any more, oldest first."""
        ready = [
            key
            for key, attempts in self._alone.items()
            if everything or self._now is None or (self._now - attempts.first_at).total_seconds() > ALONE_SECONDS
        ]
        if not ready and len(self._alone) >= self._most_alone:
            ready = list(self._alone)[: len(self._alone) // 10 + 1]
        for key in sorted(ready, key=lambda one: (self._alone[one].first_at, one)):
            attempts = self._alone.pop(key)
            message = self._unanswered(attempts)
            if message is None:
                if attempts.kind is AccountKind.LOGIN or attempts.kind is AccountKind.LOCAL:
                    self.joined.attempts_alone += max(len(attempts.answers), 1)
            else:
                self.joined.by_sender += 1
                message.attempts = attempts

    def _unanswered(self, attempts: _Attempts) -> _InFlight | None:
        """Return the message that attempts under an unknown queue ID most likely belong to."""
        waiting = self._by_sender.get((attempts.account, attempts.kind, attempts.sender))
        if waiting is None:
            return None
        while waiting and not waiting[0].waits:
            waiting.popleft()
        for message in islice(waiting, _MOST_COMPARED):
            since = (attempts.first_at - message.submitted.at).total_seconds()
            if since < 0:
                break
            if since <= FILTER_SECONDS and message.waits and message.submitted.recipients == len(attempts.answers):
                return message
        return None

    # -- what is over

    def _close(self, message: _InFlight) -> None:
        closed = self._on_tape(message)
        self.joined.messages += 1
        self.joined.recipients += closed.recipients
        self.joined.unanswered += closed.unnamed + closed.answers.count(None)
        self._messages.append(closed)
        submitted = message.submitted
        if self._newest.get(submitted.account) is message:
            del self._newest[submitted.account]
        message.closed = True
        sender = (submitted.account, submitted.kind, submitted.sender)
        row = self._by_sender.get(sender)
        while row and not row[0].waits:
            row.popleft()
        if row is not None and not row:
            del self._by_sender[sender]

    def _on_tape(self, message: _InFlight) -> Message:
        """Return the message as it goes on the tape; names that many messages share are kept once."""
        submitted, attempts = message.submitted, message.attempts
        found = {} if attempts is None else attempts.answers
        addresses = submitted.recipient_addresses[:MOST_RECIPIENTS]
        if addresses:
            found = _by_named(addresses, found, self.joined)
        else:
            addresses = tuple(found)[:MOST_RECIPIENTS]
        expired = None if attempts is None else attempts.expired
        client = submitted.client_address
        return Message(
            submitted=replace(
                submitted,
                host=self._once(submitted.host),
                account=self._once(submitted.account),
                sender=self._once(submitted.sender),
                client_address=None if client is None else self._once(client),
                network=self._once(network_of(client)) if submitted.network is None and client else submitted.network,
                recipient_addresses=tuple([self._once(address) for address in addresses]),
                recipients=min(max(submitted.recipients, len(addresses)), MOST_RECIPIENTS),
                message_id=None,
            ),
            answers=tuple([_answer(found.get(address) or expired, submitted.at) for address in addresses]),
            unnamed=max(min(submitted.recipients, MOST_RECIPIENTS) - len(addresses), 0),
            complaints=tuple([(at - submitted.at).total_seconds() for at in message.complaints]),
        )

    def _once(self, name: str) -> str:
        return self._names.setdefault(name, name)


def _bounce(event: BounceReturned, recipient: str) -> Attempted:
    return Attempted(
        event.at, event.host, event.queue_id, event.account, event.kind, recipient or "unknown", Outcome.BOUNCED
    )


def _taken_from(attempts: _Attempts | None, at: datetime) -> _Attempts | None:
    """Take away, for a message that was handed in at ``at``, what is no earlier than it."""
    at -= _SLACK
    if attempts is None or attempts.last_at < at:
        return None
    if attempts.first_at >= at:
        return attempts
    later = [one for one in (*attempts.answers.values(), attempts.expired) if one is not None and one.at >= at]
    if not later:
        return None
    taken = _Attempts(later[0])
    for event in later:
        taken.add(event)
        attempts.answers.pop(event.recipient, None)
    if attempts.expired in later:
        attempts.expired = None
    return taken


def _by_named(
    addresses: tuple[str, ...], found: dict[str, Attempted | None], joined: Joined
) -> dict[str, Attempted | None]:
    """Return the answers under the addresses that the message itself names; aliases lead elsewhere."""
    by_lower = {address.lower(): address for address in addresses}
    named: dict[str, Attempted | None] = {}
    for recipient, event in found.items():
        address = by_lower.get(recipient.lower())
        if address is None and event is not None and event.original_recipient is not None:
            address = by_lower.get(event.original_recipient.lower())
        if address is None:
            joined.attempts_elsewhere += 1
        elif event is not None:
            before = named.get(address)
            if before is None or event.at < before.at:
                named[address] = event
    return named


def _answer(event: Attempted | None, submitted_at: datetime) -> Answer | None:
    if event is None:
        return None
    return Answer(
        after_seconds=max((event.at - submitted_at).total_seconds(), 0.0),
        outcome=event.outcome,
        refusal_class=event.refusal_class,
        status=event.status,
        listing=event.listing,
        outbound=event.outbound,
    )
