"""Blocks where no gate of ours refuses what the account hands in: the account is paused in the mail server instead.

Nobody sets that: a block that does nothing would be none.  The pause is one like those of people, and ends with the
block.  What waited stays on hold, for a person to look at, unless the account was blocked wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from outwarden.responses.mail_server import MailServer
from outwarden.service.acting import Clock, CouldNotAct, MalformedSubject
from outwarden.service.automatic.automatic import BY_ITSELF
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.in_force import InForce, reference
from outwarden.service.automatic.words import one_line
from outwarden.service.pausing import Pausing, What
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

_SESSIONS_END_WITHIN = timedelta(minutes=1)


def contain(store: Store, server: MailServer, account: str, gate_open: bool, clock: Clock) -> tuple[str, ...]:
    """Pause a blocked account unless the gate refuses its mail; returns what there is to say.

    Raises ``NotAllowed``, ``CouldNotAct``, ``MalformedSubject`` and ``StoreUnusable``.
    """
    if gate_open:
        return ()
    what = What.of(account=account)
    return Pausing(store, server, clock, BY_ITSELF).pause(what, "the account is blocked", None).remarks


def contain_all(store: Store, server: MailServer, book: Book, gate_open: bool, clock: Clock) -> list[str]:
    """Pause every blocked account that is not, and end the pauses of those that are blocked no more.

    A person is called about one that cannot be paused.  Raises ``NotAllowed`` and ``StoreUnusable``.
    """
    paused = {each.subject: each for each in store.responses.standing() if each.kind is ResponseKind.PAUSE_ACCOUNT}
    said = [] if gate_open else _pause(store, server, _unpaused(book, paused), clock)
    blocked = {each.account.lower() for each in book.blocked()}
    for account, pause in paused.items():
        if pause.asked_by == BY_ITSELF and account not in blocked:
            said += _resume(store, server, book, pause, clock)
    return said


def _unpaused(book: Book, paused: Mapping[str, Response]) -> list[InForce]:
    """Return the blocked accounts to be paused, once more those that may have had a session open then."""
    found = []
    for each in book.blocked():
        block, pause = book.by_number(each.response), paused.get(each.account.lower())
        if block is None:
            continue
        settled = pause is not None and pause.stands_since - block.stands_since >= _SESSIONS_END_WITHIN
        by_a_person = pause is not None and pause.asked_by != BY_ITSELF
        stands = pause is not None and pause.state is ResponseState.DONE
        if not (stands and (settled or by_a_person)):
            found.append(each)
    return found


def _pause(store: Store, server: MailServer, blocked: Iterable[InForce], clock: Clock) -> list[str]:
    said = []
    for each in blocked:
        try:
            said += [f"{each.account}: {remark}" for remark in contain(store, server, each.account, False, clock)]
        except (CouldNotAct, MalformedSubject) as fault:
            said.append(_call(store, each, str(fault), clock))
    return said


def _resume(store: Store, server: MailServer, book: Book, pause: Response, clock: Clock) -> list[str]:
    # Blocked wrongly: then its held mail is to leave.
    keep_held = book.to_release(pause.subject) is None
    chosen = [What(pause.kind, pause.subject)]
    try:
        acted = Pausing(store, server, clock, BY_ITSELF).resume(chosen, "no longer blocked", keep_held)
    except CouldNotAct as fault:
        return [f"{pause.subject}: could not be resumed: {fault}"]
    return [f"{each.response.subject}: resumed" for each in acted]


def _call(store: Store, block: InForce, fault: str, clock: Clock) -> str:
    line = f"{one_line(block.account, 100)}: blocked, but not paused in the mail server: {fault}"
    body = (
        f"{line}\n\nNo gate of ours refuses its mail: stop it by hand, for instance by a new password.\n"
        f"It is tried again each minute, as {reference(block.response)}.\n"
    )
    with store.writing():
        store.alarms.call(f"response {block.response} in the mail server", line, body, clock())
    return line
