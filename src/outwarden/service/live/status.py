"""The one screen: how the live service stands, put together from everything it has in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from outwarden import __version__
from outwarden.events import Decision, Standing
from outwarden.service.automatic.automatic import BY_ITSELF
from outwarden.service.automatic.book import Book, decision_of
from outwarden.service.automatic.in_force import reference
from outwarden.service.control import status as told
from outwarden.service.control.records import ResponseRecord
from outwarden.service.live.doors import Door
from outwarden.service.live.gate import Gate
from outwarden.service.live.log_thread import LogFacts
from outwarden.service.live.minutes import Minutes
from outwarden.service.settings import GateSettings
from outwarden.store.listings import Listing
from outwarden.store.responses import Response, ResponseKind, ResponseState

_MOST_ACCOUNTS = 200
_DONE_WITHIN = timedelta(hours=24)
_STANDING: Mapping[ResponseKind, told.StandingWord] = {
    ResponseKind.HOLD_ACCOUNT: "held",
    ResponseKind.BLOCK_ACCOUNT: "blocked",
}


def gate_status(gate: Gate, doors: Mapping[str, Door], settings: GateSettings) -> told.GateStatus | None:
    """Return what became of the messages at the gate, None where it is shut."""
    if not doors:
        return None
    of_doors = tuple(
        told.DoorStatus(
            kind,
            getattr(settings, kind),
            door.counts.connections,
            door.counts.messages,
            door.counts.undecided,
            door.counts.turned_away,
        )
        for kind, door in doors.items()
    )
    counts = gate.counts
    took = sorted(counts.took)
    return told.GateStatus(
        of_doors,
        counts.messages,
        counts.strangers,
        counts.accepted,
        counts.held,
        counts.deferred,
        counts.refused,
        counts.refused_early,
        sum(door.undecided for door in of_doors),
        counts.late_lists,
        _share_of(took, 0.5),
        _share_of(took, 0.99),
    )


def log_status(facts: LogFacts, now: datetime) -> told.LogStatus:
    """Return how far a log has been read."""
    behind = None if facts.caught_up or facts.newest_at is None else (now - facts.newest_at).total_seconds()
    return told.LogStatus(
        facts.log,
        facts.caught_up,
        lag_seconds=0.0 if facts.caught_up else behind,
        lines=facts.lines,
        lines_not_understood=facts.lines_not_understood,
        remark=facts.remark,
    )


def queue_status(minutes: Minutes) -> told.QueueStatus | None:
    """Return the newest look at the queue, None where there was none."""
    look = minutes.queue
    if look is None:
        return None
    of_queue = [finding.text for finding in minutes.findings if finding.rule.startswith("queue")]
    return told.QueueStatus(
        look.sample.messages,
        look.sample.at,
        look.sample.oldest_minutes,
        look.assessment.by_queue.get("hold"),
        of_queue[0] if of_queue else "as usual",
    )


def account_statuses(book: Book) -> list[told.AccountStatus]:
    """Return the accounts that are held or blocked, or would be; one line each, the gravest first."""
    gravest: dict[str, Response] = {}
    for response in book.all_standing():
        before = gravest.get(response.subject.lower())
        if before is None or _weight(before) < _weight(response):
            gravest[response.subject.lower()] = response
    ordered = sorted(gravest.values(), key=_weight, reverse=True)
    return [_account_status(response, decision_of(response), book) for response in ordered]


def deeds(book: Book, now: datetime) -> tuple[told.Deed, ...]:
    """Return what was done by itself within a day, newest first."""
    return tuple(
        told.Deed(
            at=each.stands_since,
            what=each.kind.value,
            whom=each.subject,
            why=each.reason,
            reference=reference(each.id),
            undo=f"outwarden account unblock {each.subject}" if each.state is ResponseState.DONE else "",
        )
        for each in book.recent(now - _DONE_WITHIN)
        if each.asked_by == BY_ITSELF and each.state in (ResponseState.DONE, ResponseState.UNDONE)
    )


def waiting(
    asked: Sequence[Response], unfinished: Sequence[Response], pauses: Sequence[ResponseRecord]
) -> tuple[told.Waiting, ...]:
    """Return what waits for a person: what it is asked about, what failed in the queue, what nobody ends."""
    to_confirm = [
        told.Waiting(
            f"{each.kind.value} {each.subject}",
            "over the hourly cap" if each.state is ResponseState.CAPPED else each.reason,
            f"outwarden account confirm {reference(each.id)}",
            each.stands_since,
        )
        for each in asked
    ]
    failed = [
        told.Waiting(f"{each.kind.value} {each.subject}", each.remark, "outwarden queue list", each.stands_since)
        for each in unfinished
        if each.state is ResponseState.FAILED
    ]
    forever = [
        told.Waiting(f"{each.kind} {each.subject}".strip(), "paused until somebody resumes it", "outwarden resume")
        for each in pauses
        if each.until is None
    ]
    return (*to_confirm, *failed, *forever)


def open_listings(listings: Sequence[Listing], major: frozenset[int]) -> tuple[told.OpenListing, ...]:
    """Return the listings of ours that have not ended."""
    return tuple(told.OpenListing(each.list, each.target, each.began_at, each.id in major) for each in listings)


def faults(texts: Mapping[str, str]) -> tuple[told.FaultStatus, ...]:
    """Return what does not work; an empty text is no fault."""
    return tuple(told.FaultStatus(what, text) for what, text in texts.items() if text)


def screen(
    *,
    now: datetime,
    running_since: datetime,
    modes: dict[str, told.Mode],
    gate: told.GateStatus | None,
    logs: tuple[told.LogStatus, ...],
    minutes: Minutes,
    pauses: tuple[ResponseRecord, ...],
    book: Book,
    listings: tuple[told.OpenListing, ...],
    wrong: tuple[told.FaultStatus, ...],
    learning: bool,
) -> told.Status:
    """Return the whole of it."""
    accounts = account_statuses(book)
    server = [finding.text for finding in minutes.findings if finding.points >= _SERVER_EVIDENCE_FROM]
    sending, because = told.verdict(accounts, listings, server, learning=learning)
    return told.Status(
        at=now,
        running_since=running_since,
        version=__version__,
        sending_spam=sending,
        because=because,
        modes=modes,
        gate=gate,
        logs=logs,
        queue=queue_status(minutes),
        pauses=pauses,
        accounts=tuple(accounts[:_MOST_ACCOUNTS]),
        accounts_in_all=len(accounts),
        done_by_itself=deeds(book, now),
        waits_for_me=waiting(book.waiting(), book.unfinished(), pauses),
        listings=listings,
        faults=wrong,
    )


_SERVER_EVIDENCE_FROM = 2.0


def standing_word(standing: Standing) -> told.StandingWord:
    """Return how an account stands, as it is told."""
    return _WORDS[standing]


_WORDS: Mapping[Standing, told.StandingWord] = {
    Standing.NORMAL: "normal",
    Standing.WATCHED: "watched",
    Standing.HELD: "held",
    Standing.BLOCKED: "blocked",
    Standing.PROBATION: "probation",
}


def _account_status(response: Response, decision: Decision | None, book: Book) -> told.AccountStatus:
    heaviest = decision.findings[0].text if decision is not None and decision.findings else response.reason
    stands = book.in_force(response.subject)
    return told.AccountStatus(
        account=response.subject,
        standing=_STANDING[response.kind] if stands is None else _STANDING[stands.kind],
        in_force=stands is not None,
        points=0.0 if decision is None else decision.points,
        cause=None if decision is None or decision.cause is None else decision.cause.value,
        since=response.intended_at,
        reference=reference(response.id if stands is None else stands.response),
        finding=heaviest,
    )


def _weight(response: Response) -> tuple[bool, bool, int]:
    return response.state is ResponseState.DONE, response.kind is ResponseKind.BLOCK_ACCOUNT, response.id


def _share_of(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 3) if ordered else None
