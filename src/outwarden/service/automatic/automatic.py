"""What begins and ends about an account, by itself or by a person: written down, and in force from that moment on.

Each function is run where the store is written, and may be repeated: what it wrote the first time it finds the second.
It writes in one transaction and puts that into the book afterwards, so the book says nothing that is not on the disk.
None of them tells the judge: they return what became of it, and whoever called tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from outwarden.events import Action, Decision
from outwarden.service.acting import NothingFound
from outwarden.service.automatic import calls
from outwarden.service.automatic.book import HELD_BEFORE, OF, Book
from outwarden.service.automatic.in_force import number_of, reference
from outwarden.service.settings import ActingSettings
from outwarden.store.responses import OF_ACCOUNTS, OVER, WAITING, Response, ResponseKind, ResponseState
from outwarden.store.store import Store

BY_ITSELF = "outwarden run"
OBSERVED_FOR = timedelta(hours=24)

_HOUR = timedelta(hours=1)
_LONGEST_REASON = 1_000
_OVER = "its time was over"
_KIND = {
    Action.HOLD: ResponseKind.HOLD_ACCOUNT,
    Action.DEFER: ResponseKind.HOLD_ACCOUNT,
    Action.BLOCK: ResponseKind.BLOCK_ACCOUNT,
}
_ASKABLE = (*WAITING, ResponseState.OBSERVED)


class Begun(NamedTuple):
    """What a decision led to; ``in_force``: the account is held or blocked now, by this or by what stood before."""

    response: Response
    in_force: bool
    capped: bool


class Over(NamedTuple):
    """What stands no more, and how it stood: ``done`` was in force."""

    response: Response
    was: ResponseState

    @property
    def account(self) -> str:
        """Whom it was about."""
        return self.response.subject

    @property
    def kind(self) -> ResponseKind:
        """What it was."""
        return self.response.kind


# -- by itself


def already_begun(book: Book, settings: ActingSettings, decision: Decision, now: datetime) -> Begun | None:
    """Return what ``begin`` would return without writing anything; None where it has something to write.

    An *accept* is nothing to begin: raises ``KeyError``.
    """
    kind = _KIND[decision.action]
    block = book.standing(ResponseKind.BLOCK_ACCOUNT, decision.account)
    if block is not None and block.state is ResponseState.DONE:
        return _begun(book, block)
    own = book.standing(kind, decision.account)
    if own is None or _is_over(own, now):
        return None
    if own.state is ResponseState.OBSERVED and _mode(settings, kind) != "observe":
        return None
    return _begun(book, own)


def begin(store: Store, book: Book, settings: ActingSettings, decision: Decision, now: datetime) -> Begun:
    """Write down what a decision leads to, as the settings want it.  Raises ``StoreUnusable``.

    A block that is only observed, asked about or capped leaves a hold as it is, and begins one where holds are *act*:
    whose mail is bad enough for a block is not let out unseen meanwhile.
    """
    found = already_begun(book, settings, decision, now)
    if found is not None:
        return found
    kind = _KIND[decision.action]
    with _entry(store, book, now) as entry:
        state = entry.reach(settings, kind)
        if state is not ResponseState.DONE and kind is ResponseKind.BLOCK_ACCOUNT:
            entry.hold_instead(settings, decision)
        response = entry.begin(settings, kind, decision, state)
    return _begun(book, response)


def expire(store: Store, book: Book, now: datetime) -> tuple[Over, ...]:
    """End what has lasted its time: blocks, and what was observed.  Raises ``StoreUnusable``.

    A person is called about a block that was in force, as what it held stays on hold.
    """
    old = [each for each in book.all_standing() if _is_over(each, now)]
    if not old:
        return ()
    with _entry(store, book, now) as entry:
        for each in old:
            if each.state is ResponseState.DONE:
                store.alarms.call(calls.about_end(each), calls.ended_line(each), calls.ended_body(each), now)
        return tuple(entry.over(each, _OVER) for each in old)


# -- by a person, or by the judge


def confirm(
    store: Store, book: Book, settings: ActingSettings, what: str, by: str, now: datetime, why: str = ""
) -> Response:
    """Do what waits or was observed: by its reference, or the heaviest about an account; a block in force is renewed.

    ``why`` is for the journal.  Raises ``NothingFound`` where there is nothing of the kind, and ``StoreUnusable``.
    """
    named = _named(book, what)
    open_ones = [each for each in named if each.state in (*_ASKABLE, ResponseState.DONE)]
    if not open_ones:
        raise NothingFound(f"{what}: nothing waits to be confirmed")
    chosen = open_ones[-1]
    if chosen.state is ResponseState.DONE and chosen.kind is ResponseKind.HOLD_ACCOUNT:
        return chosen
    with _entry(store, book, now) as entry:
        return entry.do(settings, chosen, _remark(f"confirmed by {by}", why))


def refuse(store: Store, book: Book, what: str, by: str, now: datetime, why: str = "") -> tuple[Over, ...]:
    """Do not do what waits or was observed, and end the hold that stood meanwhile; its mail leaves.

    ``why`` is for the journal.  Raises ``NothingFound`` where there is nothing of the kind, and ``StoreUnusable``.
    """
    chosen = [each for each in _named(book, what) if each.state in _ASKABLE]
    if not chosen:
        raise NothingFound(f"{what}: nothing waits to be refused")
    with _entry(store, book, now) as entry:
        over = [entry.over(each, _remark(f"refused by {by}", why), ResponseState.DECLINED) for each in chosen]
        hold = book.standing(ResponseKind.HOLD_ACCOUNT, chosen[0].subject)
        if hold is not None and hold not in chosen:
            over.append(entry.over(hold, f"refused by {by}"))
            entry.let_leave(hold, by)
    return tuple(over)


def block(
    store: Store,
    book: Book,
    settings: ActingSettings,
    account: str,
    by: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Response:
    """Block an account because a person or a case says so: no cap; ``why`` is for the journal.

    One that is blocked already is so for longer; without ``until`` for as long as the settings say.  Raises
    ``StoreUnusable``.
    """
    standing = book.standing(ResponseKind.BLOCK_ACCOUNT, account)
    with _entry(store, book, now) as entry:
        if standing is not None and standing.state is not ResponseState.DONE:
            entry.over(standing, f"blocked by {by}")
            standing = None
        if standing is not None:
            return entry.do(settings, standing, f"renewed by {by}", until)
        return entry.by_hand(settings, ResponseKind.BLOCK_ACCOUNT, account, by, why, until)


def hold(
    store: Store,
    book: Book,
    settings: ActingSettings,
    account: str,
    by: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Response:
    """Hold an account because a case says so; what is held or blocked already stays so.  Raises ``StoreUnusable``."""
    for each in book.about(account):
        if each.state is ResponseState.DONE:
            return each
    standing = book.standing(ResponseKind.HOLD_ACCOUNT, account)
    with _entry(store, book, now) as entry:
        if standing is not None:
            entry.over(standing, f"held by {by}")
        return entry.by_hand(settings, ResponseKind.HOLD_ACCOUNT, account, by, why, until)


def end(
    store: Store, book: Book, account: str, by: str, why: str, now: datetime, wrongly: bool = False
) -> tuple[Over, ...]:
    """End everything that stands about an account; nothing is no error.  Raises ``StoreUnusable``.

    The held mail of a hold leaves.  That of a block stays on hold, for a person to look at, unless it was blocked
    ``wrongly``.
    """
    standing = book.about(account)
    if not standing:
        return ()
    remark = f"{by}: {why}" + ("; it was wrong" if wrongly else "")
    with _entry(store, book, now) as entry:
        over = tuple(entry.over(each, remark) for each in standing)
        # A block ends the hold before it, so at most one of them is in force.
        for each in standing:
            if each.state is ResponseState.DONE and (wrongly or each.kind is ResponseKind.HOLD_ACCOUNT):
                entry.let_leave(each, by)
    return over


# -- within


class _Entry:
    """What is written in one transaction."""

    def __init__(self, store: Store, book: Book, now: datetime) -> None:
        self._store, self._book, self._now = store, book, now
        self.written: list[Response] = []

    def reach(self, settings: ActingSettings, kind: ResponseKind) -> ResponseState:
        """Return how far a response of a kind may come by itself now."""
        mode = _mode(settings, kind)
        if mode != "act":
            return ResponseState.OBSERVED if mode == "observe" else ResponseState.ASKED
        most = settings.holds_per_hour if kind is ResponseKind.HOLD_ACCOUNT else settings.blocks_per_hour
        done = self._store.responses.begun_as_done(kind, BY_ITSELF, self._now - _HOUR)
        return ResponseState.DONE if done < most else ResponseState.CAPPED

    def hold_instead(self, settings: ActingSettings, decision: Decision) -> None:
        """Hold the account where that may be done by itself, and is not yet."""
        standing = self._standing(ResponseKind.HOLD_ACCOUNT, decision.account)
        stands = standing is not None and standing.state is not ResponseState.OBSERVED
        if not stands and self.reach(settings, ResponseKind.HOLD_ACCOUNT) is ResponseState.DONE:
            self.begin(settings, ResponseKind.HOLD_ACCOUNT, decision, ResponseState.DONE)

    def begin(self, settings: ActingSettings, kind: ResponseKind, decision: Decision, state: ResponseState) -> Response:
        """Write a response that follows from a decision, and call a person where one is needed."""
        evidence = msgspec.json.encode(decision).decode()
        response = self._new(
            kind, decision.account, _reason(decision), BY_ITSELF, state, self._expiry(settings, kind, state), evidence
        )
        if state in WAITING:
            self._store.alarms.call(calls.about(response), calls.line(response), calls.body(response), self._now)
        return response

    def by_hand(
        self, settings: ActingSettings, kind: ResponseKind, account: str, by: str, why: str, until: datetime | None
    ) -> Response:
        """Write a block or hold that a person wants, or a case."""
        state = ResponseState.DONE
        return self._new(kind, account, why, by, state, until or self._expiry(settings, kind, state), "")

    def do(self, settings: ActingSettings, response: Response, remark: str, until: datetime | None = None) -> Response:
        """Write that it is in force from now on; the rest about the account ends with it."""
        expires_at = until or self._expiry(settings, response.kind, ResponseState.DONE)
        done = self._store.responses.go_on(response, ResponseState.DONE, expires_at, self._now, remark)
        self.written.append(done)
        if response.state is not ResponseState.DONE:
            self._became(done)
        return done

    def over(self, response: Response, remark: str, state: ResponseState = ResponseState.UNDONE) -> Over:
        """Write that it stands no more."""
        ended = self._store.responses.go_on(response, state, response.expires_at, self._now, remark)
        self.written.append(ended)
        return Over(ended, response.state)

    def let_leave(self, ended: Response, by: str) -> None:
        """Write that the held mail of what has ended is to leave."""
        if ended.state is not ResponseState.DONE:
            return
        reason = f"{reference(ended.id)} has ended: what it held leaves"
        self._in_the_queue(ResponseKind.QUEUE_RELEASE, ended, reason, by)

    def _new(
        self,
        kind: ResponseKind,
        account: str,
        reason: str,
        by: str,
        state: ResponseState,
        expires_at: datetime | None,
        evidence: str,
    ) -> Response:
        undo = {HELD_BEFORE: self._held_before(account)}
        before = self._standing(kind, account)
        response = self._write(kind, account, reason, by, undo, state, expires_at, evidence)
        if before is not None:
            self.over(before, f"now {reference(response.id)}")
        self._became(response)
        return response

    def _became(self, response: Response) -> None:
        """End what it takes the place of; what is queued of an account that is blocked is to be held."""
        hold = self._standing(ResponseKind.HOLD_ACCOUNT, response.subject)
        if hold is not None and response.kind is ResponseKind.BLOCK_ACCOUNT:
            # What would be done, or waits, does not end what is done.
            if response.state is ResponseState.DONE or hold.state is ResponseState.OBSERVED:
                self.over(hold, f"became {reference(response.id)}")
        leaving = self._book.to_release(response.subject)
        if leaving is not None and response.state is ResponseState.DONE:
            self.over(leaving, f"kept on hold by {reference(response.id)}")
        if response.kind is ResponseKind.BLOCK_ACCOUNT and response.state is ResponseState.DONE:
            reason = f"{reference(response.id)}: what waits of a blocked account"
            self._in_the_queue(ResponseKind.QUEUE_HOLD, response, reason, BY_ITSELF)

    def _in_the_queue(self, kind: ResponseKind, of: Response, reason: str, by: str) -> None:
        """Write down what follows in the queue; ``HeldMail`` does it."""
        undo = {OF: [str(of.id)], HELD_BEFORE: list(of.undo.get(HELD_BEFORE, ()))}
        self._write(kind, of.subject, reason, by, undo, ResponseState.INTENDED, None, "")

    def _held_before(self, account: str) -> list[str]:
        """Return what others hold; where we hold or held already, what they held before that."""
        ours = [each for each in self._book.about(account) if each.state is ResponseState.DONE]
        leaving = self._book.to_release(account)
        before = ours[-1] if ours else leaving
        return list(self._book.held_already(account) if before is None else before.undo.get(HELD_BEFORE, ()))

    def _standing(self, kind: ResponseKind, account: str) -> Response | None:
        """Return what stands of a kind about an account, with what is written here."""
        before = self._book.standing(kind, account)
        known = {} if before is None else {before.id: before}
        name = account.lower()
        known |= {each.id: each for each in self.written if each.kind is kind and each.subject.lower() == name}
        return next((each for each in reversed(known.values()) if each.state not in OVER), None)

    def _expiry(self, settings: ActingSettings, kind: ResponseKind, state: ResponseState) -> datetime | None:
        if state is ResponseState.OBSERVED:
            return self._now + OBSERVED_FOR
        if state is ResponseState.DONE and kind is ResponseKind.BLOCK_ACCOUNT:
            return self._now + timedelta(hours=settings.block_hours)
        return None

    def _write(
        self,
        kind: ResponseKind,
        subject: str,
        reason: str,
        by: str,
        undo: dict[str, list[str]],
        state: ResponseState,
        expires_at: datetime | None,
        evidence: str,
    ) -> Response:
        response = self._store.responses.begin(
            kind, subject, reason[:_LONGEST_REASON], by, undo, state, expires_at, self._now, evidence
        )
        self.written.append(response)
        return response


@contextmanager
def _entry(store: Store, book: Book, now: datetime) -> Iterator[_Entry]:
    entry = _Entry(store, book, now)
    with store.writing():
        yield entry
    for response in entry.written:
        book.put(response)


def _begun(book: Book, response: Response) -> Begun:
    in_force = book.in_force(response.subject) is not None
    return Begun(response, in_force, response.state is ResponseState.CAPPED)


def _mode(settings: ActingSettings, kind: ResponseKind) -> str:
    return settings.hold if kind is ResponseKind.HOLD_ACCOUNT else settings.block


def _is_over(response: Response, now: datetime) -> bool:
    return response.expires_at is not None and response.expires_at <= now


def _remark(what: str, why: str) -> str:
    return f"{what}: {why}" if why else what


def _named(book: Book, what: str) -> Sequence[Response]:
    """Return what stands under a reference, or about an account, the heaviest last."""
    number = number_of(what)
    if number is None:
        return book.about(what)
    named = book.by_number(number)
    return [named] if named is not None and named.kind in OF_ACCOUNTS else []


def _reason(decision: Decision) -> str:
    cause = "" if decision.cause is None else f", {decision.cause.value}"
    heaviest = "; ".join(f"{finding.rule} {finding.points:+.1f}: {finding.text}" for finding in decision.findings[:3])
    return f"{decision.points:.1f} points{cause}: {heaviest}"
