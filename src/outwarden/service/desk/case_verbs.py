"""What may be asked of the desk and told to it: list, show, note, assign, step, resolve, reopen.

The service answers with these over its socket, and so does a command where no service runs: both do the same to the
same store.  ``yes`` and ``no`` are words that every case knows in which something waits for a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from outwarden.cases.case import Case
from outwarden.cases.desk import NoSuchCase
from outwarden.cases.going_on import Refused, Turn, waits_for
from outwarden.cases.happening import Assigned, Noted, OfCase, Said, happening_id
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest
from outwarden.cases.timeline import Entry
from outwarden.cases.toml_lines import hint
from outwarden.service.control.status import Waiting
from outwarden.service.desk.errands import named, say_no, say_yes, waiting_in
from outwarden.service.desk.responder import Verified
from outwarden.service.desk.site import DeskSite
from outwarden.store.case_tries import WAITS_FOR_A_PERSON, CaseTry, TryState
from outwarden.store.cases import Unresolved
from outwarden.store.store import Store

YES, NO = "yes", "no"
_CHECKLIST = msgspec.json.Decoder(tuple[Verified, ...])


class TryTold(msgspec.Struct, frozen=True):
    """What became of one thing that a case asked for; ``waits_for_you``: a person may say yes or no."""

    request: str
    what: str
    state: str
    answer: Answer
    tries: int
    words: str
    said_yes: str
    waits_for_you: bool
    next_try: datetime | None
    checklist: tuple[Verified, ...]


class NoticeTold(msgspec.Struct, frozen=True):
    """One notice of a case."""

    at: datetime
    kind: str
    role: str
    channel: str
    address: str
    state: str
    words: str
    bounced: datetime | None


class CaseTold(msgspec.Struct, frozen=True):
    """A case with all that is known of it."""

    case: Case
    timeline: tuple[Entry, ...]
    tries: tuple[TryTold, ...]
    notices: tuple[NoticeTold, ...]
    waits_for: str


class CaseChange(msgspec.Struct, frozen=True):
    """What a word led to; ``dry_run``: what it would lead to."""

    case: Case
    requests: tuple[ResponseRequest, ...] = ()
    entries: tuple[Entry, ...] = ()
    said_yes: tuple[str, ...] = ()
    dry_run: bool = False


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person wants: ``word`` is ``note``, ``assign`` or ``step``; ``text`` the note, the person or the word."""

    case: str
    verb: str
    text: str = ""
    reason: str = ""
    only: str = ""
    dry_run: bool = False


class Person(msgspec.Struct, frozen=True):
    """Who speaks, and what he may do."""

    name: str
    role: Role


class _OnlyTried(Exception):
    """Leaves the transaction, so that nothing of it is written."""


def cases(store: Store, closed_too: bool) -> list[Case]:
    """Return the cases, the newest change first."""
    return store.cases.all_cases() if closed_too else store.cases.open_cases()


def unresolved(store: Store) -> list[Unresolved]:
    """Return the unresolved tray."""
    return store.cases.unresolved()


def one_case(store: Store, site: DeskSite, number: str) -> CaseTold:
    """Return a case with all that is known of it.  Raises ``NoSuchCase``."""
    case = _found(store, number)
    tries = sorted(store.case_tries.of_case(case.id), key=_in_order(case))
    notices = tuple(
        NoticeTold(
            one.begun_at, one.kind, one.role, one.channel, one.address, one.state.value, one.words, one.bounced_at
        )
        for one in store.owner_notices.of_case(case.id)
    )
    return CaseTold(
        case, tuple(store.cases.timeline(case.id)), tuple(map(_told, tries)), notices,
        waits_for(case, site.playbooks[case.trouble]),
    )  # fmt: skip


def change(store: Store, site: DeskSite, wanted: Change, who: Person, now: datetime) -> CaseChange:
    """Tell the desk one thing, in one transaction with its row in the audit log; return what came of it.

    Raises ``NoSuchCase``, ``Refused``, ``CaseChangedMeanwhile`` and ``StoreUnusable``.
    """
    made: list[CaseChange] = []
    try:
        with store.writing():
            case = _found(store, wanted.case)
            made.append(_changed(store, site, case, wanted, who, now))
            if wanted.dry_run:
                raise _OnlyTried
    except _OnlyTried:
        pass
    return made[0]


def _changed(store: Store, site: DeskSite, case: Case, wanted: Change, who: Person, now: datetime) -> CaseChange:
    if wanted.verb == "step" and wanted.text in (YES, NO):
        return _yes_or_no(store, site, case, wanted, who, now)
    turn = site.desk(store).hear(_happening(case, wanted, who, now), now)
    if turn is None:
        return CaseChange(case, dry_run=wanted.dry_run)
    return _of_turns(store, case, [turn], wanted.dry_run)


def _happening(case: Case, wanted: Change, who: Person, now: datetime) -> OfCase:
    # The version makes it another one than the same word said later.
    number = happening_id("person", case.id, case.version, wanted.verb, wanted.text)
    if wanted.verb == "note":
        return Noted(number, now, case.id, who.name, who.role, wanted.text)
    if wanted.verb == "assign":
        return Assigned(number, now, case.id, who.name, who.role, wanted.text)
    return Said(number, now, case.id, who.name, who.role, wanted.text, wanted.reason)


def _yes_or_no(store: Store, site: DeskSite, case: Case, wanted: Change, who: Person, now: datetime) -> CaseChange:
    least = site.policy.may.step
    if not who.role.may(least):
        raise Refused(f"step needs {least.value}, and {who.name} is {who.role.value}")
    only = _response(wanted.only)
    waiting = waiting_in(store, case.id, only)
    if not waiting:
        raise Refused(f"{case.id}: nothing waits for a yes or no" + (f" of {wanted.only}" if wanted.only else ""))
    if wanted.text == NO:
        return _of_turns(store, case, say_no(store, site, case.id, who.name, only, wanted.reason, now), wanted.dry_run)
    said = tuple(named(trial.request) for trial in say_yes(store, case.id, who.name, only, now))
    return CaseChange(case, said_yes=said, dry_run=wanted.dry_run)


def _response(name: str) -> ResponseName | None:
    if not name:
        return None
    known = [each.value for each in ResponseName]
    if name not in known:
        raise Refused(f"no response {name!r}; {hint(name, known)}")
    return ResponseName(name)


def _of_turns(store: Store, case: Case, turns: list[Turn], dry_run: bool) -> CaseChange:
    requests = tuple(one for turn in turns for one in turn.requests)
    entries = tuple(one for turn in turns for one in turn.entries)
    return CaseChange(store.cases.case(case.id) or case, requests, entries, dry_run=dry_run)


def _found(store: Store, number: str) -> Case:
    """Return a case by its number, in capitals or not."""
    found = store.cases.case(number.upper())
    if found is None:
        raise NoSuchCase(f"{number}: there is no such case; outwarden case list --all shows them")
    return found


def waits_for_a_yes(trial: CaseTry) -> Waiting:
    """Return what waits for a person's yes as the status tells it."""
    request = trial.request
    why = "over the hourly cap" if trial.state is TryState.CAPPED else request.reason
    command = f"outwarden case step {request.case} yes --only {request.response.value}"
    return Waiting(f"{request.case}: {named(request)}", why, command, request.asked_at)


def _in_order(case: Case) -> Any:  # noqa: ANN401 (a key for sorted)
    order = {one.request: place for place, one in enumerate(case.asked)}
    return lambda trial: order.get(trial.request.id, len(order))


def _told(trial: CaseTry) -> TryTold:
    waits = trial.state in WAITS_FOR_A_PERSON and trial.answer is Answer.WAITING
    return TryTold(
        trial.request.id, named(trial.request), trial.state.value, trial.answer, trial.tries, trial.words,
        trial.said_yes, waits, trial.next_try_at, _CHECKLIST.decode(trial.checklist),
    )  # fmt: skip
