"""Responders for what the service could do before there were cases: the gate, the queue, pauses, and calling a person.

Each finds out what is there before it does anything, so that a request which was carried out already is only found
done; and looks afterwards, which is its checklist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from outwarden.cases.case import Case, CaseState
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseName, ResponseRequest
from outwarden.cases.subscriber import Subject
from outwarden.responses.mail_server import MailServer
from outwarden.service.acting import CouldNotAct, MalformedSubject, NotAllowed, NothingFound
from outwarden.service.automatic.book import HELD_BEFORE
from outwarden.service.automatic.in_force import InForce, reference
from outwarden.service.desk import calling
from outwarden.service.desk.news import BY_THE_DESK
from outwarden.service.desk.responder import CarriedOut, Verified
from outwarden.service.desk.site import DeskSite
from outwarden.service.pausing import Pausing, What, steps_to_pause
from outwarden.service.queue_changes import Messages, QueueChanges, archives_of
from outwarden.store.responses import OF_ACCOUNTS, Response, ResponseKind
from outwarden.store.store import Store

_FOR_EVER = timedelta(days=3650)
_HOUR = timedelta(hours=1)
_NAME = ResponseName
Clock = Callable[[], datetime]


class AccountDeeds(Protocol):
    """Holds, blocks and gives accounts back: written down, the judge told, the mail server's queue looked after."""

    def in_force(self, account: str) -> InForce | None:
        """Return how the account is treated."""

    def hold(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        """Hold what it hands in.  Raises ``StoreUnusable``."""

    def block(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        """Refuse what it hands in.  Raises ``StoreUnusable``."""

    def give_back(self, account: str, by: str, why: str, wrongly: bool, now: datetime) -> None:
        """End all that stands about it.  Raises ``StoreUnusable``."""


class AccountResponder:
    """``hold-account``, ``block-account``, ``unblock-account``."""

    responses = frozenset({_NAME.HOLD_ACCOUNT, _NAME.BLOCK_ACCOUNT, _NAME.UNBLOCK_ACCOUNT})

    def __init__(self, deeds: AccountDeeds, store: Path, site: DeskSite) -> None:
        self._deeds, self._store, self._site = deeds, store, site

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Do it."""
        account, by = _subject(request).name, by_case(request)
        if request.response is _NAME.UNBLOCK_ACCOUNT:
            return self._give_back(account, request, case, now)
        until = request.expires_at or now + _FOR_EVER
        blocks = request.response is _NAME.BLOCK_ACCOUNT
        done = (self._deeds.block if blocks else self._deeds.hold)(account, by, request.reason, until, now)
        stands = self._deeds.in_force(account)
        holds = stands is not None and (stands.kind is ResponseKind.BLOCK_ACCOUNT or not blocks)
        words = f"{stands.kind.value} {stands.reference} is in force" if stands else "nothing is in force"
        if done.expires_at is not None:
            words += f" until {done.expires_at:%Y-%m-%d %H:%M} UTC"
        answer = Answer.DONE if holds else Answer.FAILED
        return CarriedOut(answer, words, (Verified(RESPONSES[request.response].words, holds, words),))

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Give the account back."""
        return self._give_back(_subject(request).name, request, case, now)

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say it."""
        account, stands = _subject(request).name, self._deeds.in_force(_subject(request).name)
        now = f"; now {stands.kind.value} {stands.reference} is in force" if stands else ""
        return (f"{RESPONSES[request.response].words}: {account}{now}",)

    def _give_back(self, account: str, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        other = self._needed_by(account, case)
        if other is not None:
            return CarriedOut(Answer.DONE, f"left as it is: {other.id}, {other.trouble.value}, still needs it stopped")
        wrongly = request.parameters.get("wrongly") == "yes"
        self._deeds.give_back(account, by_case(request), request.reason, wrongly, now)
        free = self._deeds.in_force(account) is None
        words = "it may hand mail in again" if free else "it is still held or blocked"
        return CarriedOut(
            Answer.DONE if free else Answer.FAILED, words, (Verified("give the account back", free, words),)
        )

    def _needed_by(self, account: str, case: Case) -> Case | None:
        """Return another open case for whose sake the account is stopped."""
        stops = {_NAME.HOLD_ACCOUNT, _NAME.BLOCK_ACCOUNT}
        with Store(self._store) as store:
            for other in store.cases.open_of(case.subscriber):
                settled = other.id == case.id or other.state is CaseState.RESOLVED
                asked = [one for one in other.asked if one.subject is not None and one.subject.name == account]
                given_back = [one.answer for one in asked if one.response is _NAME.UNBLOCK_ACCOUNT][-1:] == [
                    Answer.DONE
                ]
                if not settled and not given_back and any(one.response in stops for one in asked):
                    return other
        return None


class QueueResponder:
    """``queue-hold``, ``queue-release``, ``queue-delete``: what an account has waiting."""

    responses = frozenset({_NAME.QUEUE_HOLD, _NAME.QUEUE_RELEASE, _NAME.QUEUE_DELETE})

    def __init__(self, store: Path, server: Callable[[], MailServer], clock: Clock) -> None:
        self._store, self._server, self._clock = store, server, clock

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Do it to what is there, except what others had put on hold."""
        with _in_words(), Store(self._store) as store:
            account, server = _subject(request).name, self._server()
            ids = self._chosen(store, server, request)
            if not ids:
                return CarriedOut(
                    Answer.DONE, "nothing of it waits there", (Verified("its queued mail", True, "none"),)
                )
            changes = QueueChanges(store, server, self._clock, by_case(request), archives_of(self._store))
            deed = {
                _NAME.QUEUE_HOLD: changes.hold, _NAME.QUEUE_RELEASE: changes.release, _NAME.QUEUE_DELETE: changes.delete
            }[request.response]  # fmt: skip
            try:
                changed = deed(Messages(queue_ids=ids), f"{account}: {request.reason}")
            except NothingFound:
                return CarriedOut(Answer.DONE, "it has left the queue meanwhile")
        words = f"messages: {len(changed.queue_ids)} ({reference(changed.response.id)})"
        if changed.archive is not None:
            words += f"; kept as {changed.archive}, SHA-256 {changed.sha256}"
        return CarriedOut(Answer.DONE, words, (Verified(RESPONSES[request.response].words, True, words),))

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Nothing: playbooks ask for the contrary."""
        return CarriedOut(Answer.FAILED, "queue-release takes a hold back; what is deleted is in its archive")

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say how many messages it would be done to."""
        try:
            with _in_words(), Store(self._store, read_only=True) as store:
                count = len(self._chosen(store, self._server(), request))
        except (CouldNotAct, NotAllowed) as fault:
            return (f"{RESPONSES[request.response].words}: {fault}",)
        return (f"{RESPONSES[request.response].words}: {count} messages of {_subject(request).name}",)

    def _chosen(self, store: Store, server: MailServer, request: ResponseRequest) -> tuple[str, ...]:
        account = _subject(request).name
        queued = [each for each in server.queued(account) if each.is_of(account)]
        if request.response is _NAME.QUEUE_HOLD:
            return tuple(each.queue_id for each in queued if not each.on_hold)
        by_others = _held_before(store, account)
        return tuple(each.queue_id for each in queued if each.on_hold and each.queue_id not in by_others)


class PauseResponder:
    """``pause-destination``, ``pause-server``: nothing leaves for a while."""

    responses = frozenset({_NAME.PAUSE_DESTINATION, _NAME.PAUSE_SERVER})

    def __init__(self, store: Path, server: Callable[[], MailServer], clock: Clock) -> None:
        self._store, self._server, self._clock = store, server, clock

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Pause it until the request says."""
        lasting = None if request.expires_at is None else max(request.expires_at - now, timedelta())
        with _in_words(), Store(self._store) as store:
            acted = self._pausing(store, request).pause(self._what(request), request.reason, lasting)
        words = "; ".join((f"paused as {reference(acted.response.id)}", *acted.remarks))
        return CarriedOut(Answer.DONE, words, (Verified(RESPONSES[request.response].words, True, words),))

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Resume it."""
        with _in_words(), Store(self._store) as store:
            self._pausing(store, request).resume([self._what(request)], by_case(request))
        return CarriedOut(Answer.UNDONE, "it leaves again")

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say the commands."""
        try:
            with _in_words(), Store(self._store, read_only=True) as store:
                steps = steps_to_pause(self._server(), store.responses.standing(), self._what(request))
        except (CouldNotAct, NotAllowed) as fault:
            return (f"{RESPONSES[request.response].words}: {fault}",)
        return tuple(step.words() for step in steps)

    def _pausing(self, store: Store, request: ResponseRequest) -> Pausing:
        return Pausing(store, self._server(), self._clock, by_case(request))

    def _what(self, request: ResponseRequest) -> What:
        return What.of(destination=request.subject.name if request.subject else None)


class CallResponder:
    """``call-person``: by the alarms, once for each request."""

    responses = frozenset({_NAME.CALL_PERSON})

    def __init__(self, store: Path, site: DeskSite) -> None:
        self._store, self._site = store, site

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Write the alarm."""
        playbook = self._site.playbooks[case.trouble]
        most = self._site.settings.caps.get(_NAME.CALL_PERSON.value, self._site.settings.most_per_hour)
        with Store(self._store) as store, store.writing():
            if store.case_tries.begun_since(_NAME.CALL_PERSON, now - _HOUR) > most:
                # One call for all that come beyond: hundreds would only hide each other.
                store.alarms.call(
                    f"many cases {now:%Y-%m-%d %H}", calling.many_line(case), calling.many_body(case), now
                )
                return CarriedOut(Answer.DONE, "a person is called, once for many cases")
            body = calling.case_body(case, playbook, request, store.case_tries.of_case(case.id))
            store.alarms.call(f"request {request.id}", calling.case_line(case, playbook), body, now)
        return CarriedOut(Answer.DONE, "a person is called")

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Nobody is called back."""
        return CarriedOut(Answer.FAILED, "a call does not come back")

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say the line."""
        return (calling.case_line(case, self._site.playbooks[case.trouble]),)


def by_case(request: ResponseRequest) -> str:
    """Return who asks, as the journal says it."""
    return f"{BY_THE_DESK}{request.case}"


def _subject(request: ResponseRequest) -> Subject:
    if request.subject is None:
        raise CouldNotAct(f"{request.response.value}: about nobody")
    return request.subject


def _held_before(store: Store, account: str) -> set[str]:
    """Return what others had on hold of an account when it was last held or blocked, which is not ours."""
    found = [each for kind in OF_ACCOUNTS for each in store.responses.about(kind, account)]
    newest = max(found, key=lambda each: each.id, default=None)
    return set() if newest is None else set(newest.undo.get(HELD_BEFORE, ()))


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except MalformedSubject as fault:
        raise NotAllowed(str(fault)) from fault
