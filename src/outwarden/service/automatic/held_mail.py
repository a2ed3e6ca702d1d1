"""Mail of accounts that are held or blocked, in the mail server's own queue: let out by probes, or put on hold.

``look`` is called about once a minute, in the thread that acts on the mail server:

- of a **held** account whole messages leave, oldest first, as many recipients as the judge allows;
- of one whose **hold has ended** all leaves that was held meanwhile, and nothing that somebody else had held before;
- of a **blocked** account everything queued is put on hold, once; what a person releases afterwards stays so;
- where there is **no gate** of ours that refuses its mail, a blocked account is paused in the mail server too.

Each is a response of its own, written down before it is tried and verified afterwards; what was begun by a service that
was killed, and what failed, is done at the next look.  Told to be on hold by our gate and not there yet is what the
gate has just decided: so nothing is called done in its first minute.

Not known: who else puts mail of a held account on hold while it is held; that leaves with the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outwarden.responses.mail_server import MailServer, Queued
from outwarden.responses.steps import CouldNotAct, Step
from outwarden.service.acting import Clock, must_be_root, one_at_a_time
from outwarden.service.automatic import calls
from outwarden.service.automatic.automatic import BY_ITSELF
from outwarden.service.automatic.book import HELD_BEFORE, OF, Book
from outwarden.service.automatic.containing import contain_all
from outwarden.service.automatic.in_force import InForce, reference
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

MayLeave = Callable[[str, int, int], int]
"""Account, recipients that wait, recipients of the smallest message: how many recipients may leave now."""

SETTLED_AFTER = timedelta(minutes=1)
_QUEUE_IDS = "queue_ids"
_SWEEPS = 3
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class HeldMail:
    """The held mail of one mail server.  Opens the store for each look, in whatever thread that is."""

    def __init__(self, store: Path, server: MailServer, book: Book, clock: Clock, gate_open: bool) -> None:
        """``gate_open``: the mail server asks our gate, which refuses what blocked accounts hand in."""
        self._path, self._server, self._book, self._clock = store, server, book, clock
        self._gate_open = gate_open
        self._on_hold: dict[str, Queued] = {}

    @property
    def on_hold(self) -> list[Queued]:
        """What was on hold when this last looked."""
        return list(self._on_hold.values())

    def look(self, may_leave: MayLeave) -> list[str]:
        """Do what is to be done now; returns what there is to say.

        Raises ``NotAllowed``, ``StoreUnusable``, and ``CouldNotAct`` where the mail server does not show its queue;
        what it does not do with single messages is said, and a person is called.
        """
        must_be_root()
        with Store(self._path) as store:
            said = contain_all(store, self._server, self._book, self._gate_open, self._clock)
            with one_at_a_time(self._path):
                return said + self._work(store, may_leave)

    def _work(self, store: Store, may_leave: MayLeave) -> list[str]:
        on_hold = self._server.on_hold(self._on_hold)
        work = _Work(store, self._server, self._book, self._clock, on_hold)
        for response in self._book.unfinished():
            work.go_on(response)
        for held in self._book.held():
            work.probe(held, may_leave)
        work.hold_queued()
        self._book.looked(work.held_by_others())
        self._on_hold = work.on_hold
        return work.said


class _Work:
    """One look at one mail server."""

    def __init__(
        self, store: Store, server: MailServer, book: Book, clock: Clock, on_hold: Mapping[str, Queued]
    ) -> None:
        self._store, self._server, self._book, self._clock = store, server, book, clock
        self.on_hold = dict(on_hold)
        self.said: list[str] = []

    # -- what is not finished

    def go_on(self, response: Response) -> None:
        """Do what was begun, or failed; what is wanted no more is over."""
        if response.kind is ResponseKind.QUEUE_RELEASE:
            if _QUEUE_IDS in response.undo:
                self._probe_again(response)
            else:
                self._release_all(response)
        elif not self._follows(response):
            self._turn(response, ResponseState.UNDONE, "no longer blocked")

    def _probe_again(self, response: Response) -> None:
        if self._follows(response):
            ids = [each for each in response.undo[_QUEUE_IDS] if each in self.on_hold]
            self._release(response, ids, settled=True)
        else:
            # Where the hold has ended all of it leaves; where the account is blocked nothing does.
            self._turn(response, ResponseState.UNDONE, "no longer held")

    def _release_all(self, response: Response) -> None:
        if self._book.in_force(response.subject) is not None:
            self._turn(response, ResponseState.UNDONE, "held or blocked again")
            return
        ids = [message.queue_id for message in self._ours(response)]
        self._release(response, ids, settled=self._is_settled(response))

    def _follows(self, response: Response) -> bool:
        """Return whether what a change of the queue follows from is still in force."""
        stands = self._book.in_force(response.subject)
        return stands is not None and [str(stands.response)] == list(response.undo.get(OF, ()))

    # -- probes

    def probe(self, held: InForce, may_leave: MayLeave) -> None:
        """Let as many recipients of an account leave as may."""
        hold = self._book.by_number(held.response)
        if hold is None:
            return
        waiting = self._ours(hold)
        sizes = [_recipients(message) for message in waiting]
        # Asked also where nothing waits: that is how a hold may end.
        count = may_leave(hold.subject, sum(sizes), min(sizes, default=1))
        going = fitting(waiting, count)
        stands = self._book.in_force(hold.subject)
        if not going or (stands is not None and stands.response != hold.id):
            # Blocked by somebody while the judge was asked.
            return
        ids = [message.queue_id for message in going]
        recipients = sum(map(_recipients, going))
        reason = f"{reference(hold.id)}: recipients that leave as a probe: {recipients}"
        undo = {OF: [str(hold.id)], _QUEUE_IDS: ids}
        self._release(self._intended(ResponseKind.QUEUE_RELEASE, hold.subject, reason, undo), ids, settled=True)

    def _ours(self, response: Response) -> list[Queued]:
        """Return what an account has on hold that others did not put there, oldest first."""
        name, before = response.subject.lower(), set(response.undo.get(HELD_BEFORE, ()))
        found = [each for each in self.on_hold.values() if each.account == name and each.queue_id not in before]
        return sorted(found, key=lambda message: (message.arrived_at or _EVER, message.queue_id))

    def _release(self, response: Response, ids: Sequence[str], settled: bool) -> None:
        said = response.remark if response.state is ResponseState.INTENDED else ""
        if ids:
            try:
                _take(self._server.release(ids, self._may_flush()))
                self.on_hold = self._server.on_hold(self.on_hold)
                left = [each for each in ids if each in self.on_hold]
                if left:
                    raise CouldNotAct(f"the mail server did not release {len(left)} messages, {left[0]} among them")
            except CouldNotAct as fault:
                self._failed(response, str(fault))
                return
            said = f"messages released: {len(ids)}"
        if settled or said != response.remark:
            self._turn(response, ResponseState.DONE if settled else ResponseState.INTENDED, said)

    def _may_flush(self) -> bool:
        """Return whether mail may be delivered at once: a flush goes past a pause of the whole server."""
        return all(each.kind is not ResponseKind.PAUSE_SERVER for each in self._store.responses.standing())

    # -- blocks

    def hold_queued(self) -> None:
        """Put on hold what accounts had queued when they were blocked."""
        unfinished = [each for each in self._book.unfinished() if each.kind is ResponseKind.QUEUE_HOLD]
        deeds = {each.subject.lower(): each for each in unfinished}
        for _ in range(_SWEEPS if deeds else 0):
            # A message on its way from one queue to the next may be missed by one look, but hardly by the second.
            free = self._free(deeds)
            if not free:
                break
            for account, ids in free.items():
                try:
                    _take(self._server.hold(ids))
                except CouldNotAct as fault:
                    deeds[account] = self._failed(deeds[account], str(fault))
        if deeds:
            self._held(deeds)

    def _free(self, accounts: Collection[str]) -> dict[str, list[str]]:
        """Return what accounts have in the queue that is not on hold."""
        free: defaultdict[str, list[str]] = defaultdict(list)
        # One listing for all of them.
        for message in self._server.queued(next(iter(accounts)) if len(accounts) == 1 else None):
            if message.account in accounts and not message.on_hold:
                free[message.account].append(message.queue_id)
        return dict(free)

    def _held(self, deeds: Mapping[str, Response]) -> None:
        """Write down what became of putting on hold what was queued."""
        left = self._free(deeds)
        self.on_hold = self._server.on_hold(self.on_hold)
        for account, response in deeds.items():
            if account in left:
                self._failed(response, f"messages that are not on hold yet: {len(left[account])}")
                continue
            said = f"messages on hold: {len(self._ours(response))}"
            settled = self._is_settled(response)
            if settled or said != response.remark:
                self._turn(response, ResponseState.DONE if settled else ResponseState.INTENDED, said)

    def _is_settled(self, response: Response) -> bool:
        return self._clock() - response.intended_at >= SETTLED_AFTER

    # -- for all of them

    def held_by_others(self) -> dict[str, list[str]]:
        """Return what is on hold of each account and not by us."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for message in self.on_hold.values():
            found[message.account].append(message.queue_id)
        for account, ids in found.items():
            done = [each for each in self._book.about(account) if each.state is ResponseState.DONE]
            ours = done[-1] if done else self._book.to_release(account)
            if ours is not None:
                before = set(ours.undo.get(HELD_BEFORE, ()))
                found[account] = [queue_id for queue_id in ids if queue_id in before]
        return {account: ids for account, ids in found.items() if ids}

    def _intended(self, kind: ResponseKind, account: str, reason: str, undo: Mapping[str, Sequence[str]]) -> Response:
        response = self._store.responses.intend(kind, account, reason, BY_ITSELF, undo, None, self._clock())
        self._book.put(response)
        return response

    def _turn(self, response: Response, state: ResponseState, remark: str) -> Response:
        response = self._store.responses.turn(response, state, self._clock(), remark)
        self._book.put(response)
        if remark:
            self.said.append(f"{response.subject}: {remark} ({response.reason.partition(':')[0]})")
        return response

    def _failed(self, response: Response, fault: str) -> Response:
        if (response.state, response.remark) == (ResponseState.FAILED, fault):
            return response
        now = self._clock()
        with self._store.writing():
            failed = self._store.responses.go_on(response, ResponseState.FAILED, None, now, fault)
            self._store.alarms.call(
                calls.about(response), calls.failed_line(failed, fault), calls.failed_body(failed, fault), now
            )
        self._book.put(failed)
        self.said.append(calls.failed_line(failed, fault))
        return failed


def fitting(messages: Iterable[Queued], recipients: int) -> list[Queued]:
    """Return the messages that leave when so many recipients may: whole ones, in their order, each that fits."""
    chosen = []
    for message in messages:
        size = _recipients(message)
        if size <= recipients:
            recipients -= size
            chosen.append(message)
    return chosen


def _recipients(message: Queued) -> int:
    return max(1, len(message.recipients) + message.more_recipients)


def _take(steps: Iterable[Step]) -> None:
    for step in steps:
        step.take()
