"""The accounts of this machine as they are judged: what is handed in, what became of it, and what is not saved yet.

Everything is heard in one thread, in one order.  A message that was judged at the gate is not judged again when the log
tells of it.  ``checkpoint`` gives all that has changed since it was last asked; it goes into the store as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec.structs import replace

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge
from outwarden.detection.live.scene import moment
from outwarden.detection.replay.tape import is_ours
from outwarden.events import (
    AccountKind,
    Action,
    Attempted,
    ComplaintReceived,
    Decision,
    Event,
    Finding,
    RefusalClass,
    Standing,
    Submitted,
)
from outwarden.sources.network_table import Whereabouts
from outwarden.store.ingest import Checkpoint

MOST_UNSAVED = 100_000
_MOST_REMEMBERED = 200_000
_SHARED_SAVED_EVERY = 60.0
"""Seconds.  What accounts share is megabytes at a large site; after a crash it lacks at most so much of what was
shared, while the records of the accounts lack nothing."""


class Accounts:
    """The judge, the server's own past, the filter's record of its mistakes, and what of them is not saved."""

    def __init__(self, judge: Judge, limits: Limits, server: ServerRecord, watch: FilterWatch, host: str = "") -> None:
        self.judge, self.limits, self.server, self.watch = judge, limits, server, watch
        self.host = host
        """What the log calls this machine, so that the gate and the log speak of the same one."""
        self.past_is_read = False
        """Whether the history that was there at the very first start has been heard to its end."""
        self.find_network: Callable[[str], Whereabouts] | None = None
        """In which AS and country an address is, where the site has a table of that."""
        self.waiting_if_held: dict[str, int] = {}
        """Recipients of mail that would be held and went: they are let go in the judge's eyes as if they had been."""
        self._unsaved: list[Event] = []
        # What was judged at the gate, by queue ID and account (an ID may come again within the hour), until the log
        # tells of it: whether the gate's own event goes into the store, or there was no room for it.
        self._judged: dict[tuple[str, str], bool] = {}
        self._places: dict[str, bytes] = {}
        self._shared_saved_at = float("-inf")

    @property
    def unsaved(self) -> int:
        """How many events wait to be written."""
        return len(self._unsaved)

    # -- what is handed in

    def over_limit(self, event: Submitted) -> Finding | None:
        """Say which limit of the policy the message is over; it counts towards all of them where it is over none."""
        return self.limits.reached(event, self.judge.new_recipients(event), event.at.timestamp())

    def placed(self, event: Submitted) -> Submitted:
        """Return the event with the AS and country of its client, as far as they are known."""
        if self.find_network is None or event.client_address is None:
            return event
        where = self.find_network(event.client_address)
        return replace(event, network=where.as_name, country=where.country)

    def judge_at_the_gate(self, event: Submitted) -> Decision:
        """Judge a message that is just handed in."""
        decision = self.judge.submit(event)
        self.watch.decided(decision, event.queue_id, event.at)
        return decision

    def taken(self, event: Submitted) -> None:
        """Note that the mail server takes a message that was judged at the gate; its log will tell of it too."""
        stored = len(self._unsaved) < MOST_UNSAVED
        if event.queue_id:
            self._remember((event.queue_id, event.account), stored)
        if stored:
            self._unsaved.append(event)

    def found_on_hold(self, event: Submitted, *, known: bool) -> None:
        """Note a message that was held before the start; the log tells of it when it leaves.  ``known``: to the store.

        It is held already, so nothing follows from what the judge thinks of it.
        """
        if not known:
            self.judge.submit(event)
            self._unsaved.append(event)
        self._remember((event.queue_id, event.account), True)

    def kind_of(self, account: str) -> AccountKind | None:
        """Return what an account is known as, None where it is not known."""
        record = self.judge.records.get(account)
        return None if record is None else record.kind

    # -- what the log tells

    def hear(self, event: Event) -> Decision | None:
        """Hear an event of the log; return a decision where it asks for something to be done."""
        if type(event) is Submitted:
            return self._submitted(event)
        if type(event) is Attempted:
            return self._attempted(event)
        self._unsaved.append(event)
        if type(event) is ComplaintReceived:
            self.watch.complained(event)
            return self.judge.complained(event)
        return None

    def heard_all(self, log: str, place: bytes | None) -> None:
        """Note how far a log has been heard."""
        if place is not None:
            self._places[log] = place

    def _submitted(self, event: Submitted) -> Decision | None:
        self.host = event.host or self.host
        judged = self._judged.pop((event.queue_id, event.account), None)
        if judged is not None:
            if not judged:
                self._unsaved.append(event)
            return None
        if not is_ours(event):
            return None
        event = self.placed(event)
        self._unsaved.append(event)
        decision = self.judge.submit(event)
        if decision.action in (Action.HOLD, Action.DEFER):
            # The log tells of what the mail server has taken, and nobody holds.
            self.went_though_held(event)
        return _not_accepted(decision)

    def _attempted(self, event: Attempted) -> Decision | None:
        if event.kind not in (AccountKind.LOGIN, AccountKind.LOCAL) and not self._knows(event.account):
            # Mail that came in from outside and went to a mailbox of ours.
            return None
        self._unsaved.append(event)
        self.server.count(event)
        if event.refusal_class is RefusalClass.UNKNOWN_RECIPIENT:
            self.limits.unknown(event.account, event.at.timestamp(), 1)
        self.watch.attempted(event)
        decision = self.judge.attempted(event)
        return None if decision is None else _not_accepted(decision)

    def _knows(self, account: str) -> bool:
        return bool(account) and self.judge.records.get(account) is not None

    def _remember(self, message: tuple[str, str], stored: bool) -> None:
        self._judged[message] = stored
        if len(self._judged) > _MOST_REMEMBERED:
            del self._judged[next(iter(self._judged))]

    # -- mail that would be held, and is not

    def went_though_held(self, event: Submitted) -> None:
        """Note that a message left which the judge would have held."""
        waiting = self.waiting_if_held
        waiting[event.account] = waiting.get(event.account, 0) + event.recipients

    def let_go(self, now: float) -> list[Decision]:
        """Once a minute: let the judge release what it would have held; return the blocks that follow from it."""
        blocks = []
        for account, waiting in list(self.waiting_if_held.items()):
            release = self.judge.release(account, now, waiting)
            if release.decision is not None:
                blocks.append(release.decision)
            left = waiting - release.recipients
            standing = self.judge.standing(account)
            if left > 0 and standing is Standing.HELD:
                self.waiting_if_held[account] = left
                continue
            del self.waiting_if_held[account]
            if standing is not Standing.BLOCKED:
                self.watch.released(account, (), "probe", moment(now))
        return blocks

    # -- saving

    def checkpoint(self, now: datetime, *, whole: bool = False) -> tuple[Checkpoint, Iterator[tuple[str, bytes]]]:
        """Return what has changed since this was last asked; ``whole``: and what is saved more rarely.

        The records beside it belong to it: each is as it was at this moment, and all are taken before the next.
        """
        events, self._unsaved = self._unsaved, []
        places, self._places = self._places, {}
        records = self.judge.records.changed()
        unreadable = [(one.account, one.record, one.reason) for one in self.judge.records.unreadable()]
        states: dict[str, bytes] = {}
        shared = None
        if whole or now.timestamp() - self._shared_saved_at >= _SHARED_SAVED_EVERY:
            self._shared_saved_at = now.timestamp()
            shared = self.judge.shared_state()
            states = {
                "server-record": self.server.encode(),
                "filter-watch": self.watch.saved(),
                "limits": self.limits.saved(),
                "host": self.host.encode(),
                "past": b"read" if self.past_is_read else b"",
            }
        checkpoint = Checkpoint(
            at=now,
            events=events,
            unreadable=unreadable,
            shared_state=shared,
            positions=places,
            states=states,
        )
        return checkpoint, records


def _not_accepted(decision: Decision) -> Decision | None:
    return None if decision.action is Action.ACCEPT else decision
