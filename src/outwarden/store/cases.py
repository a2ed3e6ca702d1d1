"""Cases in the store: each as it stands, with its timeline, what it asks for, and the unresolved tray.

``Cases`` is the shelf of ``cases/desk.py``.  Everything that one happening leads to is written in one transaction, with
its row in the audit log; a happening that was taken in is known by its id; and a case that somebody else has changed
meanwhile is changed by nobody who has not seen that.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from outwarden.cases.case import Case, Mark
from outwarden.cases.going_on import Turn
from outwarden.cases.happening import Answered, Assigned, Called, Evidence, Happening, Noted, Said, TimeCame, Told
from outwarden.cases.response_requests import Answer, ResponseRequest
from outwarden.cases.timeline import Entry
from outwarden.cases.troubles import OF_THE_SITE, Trouble
from outwarden.store.audit import OURSELVES, Audit
from outwarden.store.database import Database, microseconds

_encode = msgspec.json.encode
_CASES = msgspec.json.Decoder(Case)
_ENTRIES = msgspec.json.Decoder(Entry)
_REQUESTS = msgspec.json.Decoder(ResponseRequest)
_EVIDENCE = msgspec.json.Decoder(Evidence)


class CaseChangedMeanwhile(Exception):
    """Somebody else changed the case since it was looked at; one line says so."""


class Unresolved(msgspec.Struct, frozen=True):
    """Evidence that belongs to no case, and why."""

    evidence: Evidence
    why: str


class Cases:
    """The cases in the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    # -- the shelf: what the desk asks for; all of it inside ``writing()``

    def heard(self, happening: str) -> bool:
        """Return whether a happening was taken in before."""
        return bool(self._database.rows("SELECT 1 FROM case_happening WHERE id = ?", happening))

    def case(self, number: str) -> Case | None:
        """Return a case, None where there is none of that id."""
        return next(iter(self._found("id = ?", number)), None)

    def open_case(self, subscriber: str, trouble: Trouble) -> Case | None:
        """Return the subscriber's case of a kind that is not closed."""
        return next(
            iter(self._found("subscriber = ? AND trouble = ? AND state <> 'closed'", subscriber, trouble)), None
        )

    def last_closed(self, subscriber: str, trouble: Trouble) -> Case | None:
        """Return the subscriber's case of a kind that was closed last."""
        newest = "subscriber = ? AND trouble = ? AND state = 'closed' ORDER BY changed_at DESC LIMIT 1"
        return next(iter(self._found(newest, subscriber, trouble)), None)

    def offences(self, subscriber: str, since: datetime) -> int:
        """Return how many cases of an offence, not mistaken ones, were opened since."""
        no_offence = ", ".join(sorted(f"'{trouble.value}'" for trouble in OF_THE_SITE))
        ((count,),) = self._database.rows(
            "SELECT count(*) FROM desk_case WHERE subscriber = ? AND opened_at >= ? AND NOT mistaken "  # noqa: S608
            f"AND trouble NOT IN ({no_offence})",
            subscriber, microseconds(since),
        )  # fmt: skip
        return int(count)

    def due(self, now: datetime) -> list[Case]:
        """Return the cases for which the clock is due, the longest due first."""
        return self._found("next_due_at <= ? ORDER BY next_due_at, id", microseconds(now))

    def put(self, turn: Turn, happening: Happening) -> None:
        """Write down what became of a case; only inside ``writing()``.  Raises ``CaseChangedMeanwhile``."""
        case = turn.case
        before = self.case(case.id)
        if (before.version if before else 0) != case.version - 1:
            raise CaseChangedMeanwhile(f"{case.id} was changed by somebody else meanwhile; look at it again")
        self._write(case)
        self._database.change(
            "INSERT INTO case_happening (id, desk_case, at) VALUES (?, ?, ?)",
            happening.id, case.id, microseconds(happening.at),
        )  # fmt: skip
        for entry in turn.entries:
            self._database.change(
                "INSERT INTO case_entry (desk_case, at, document) VALUES (?, ?, ?)",
                case.id, microseconds(entry.at), _encode(entry).decode(),
            )  # fmt: skip
        for request in turn.requests:
            self._database.change(
                "INSERT INTO case_request (id, desk_case, asked_at, waits, document) VALUES (?, ?, ?, 1, ?)",
                request.id, case.id, microseconds(request.asked_at), _encode(request).decode(),
            )  # fmt: skip
        if isinstance(happening, Answered):
            waits = happening.answer is Answer.WAITING
            self._database.change("UPDATE case_request SET waits = ? WHERE id = ?", int(waits), happening.request)
        if isinstance(happening, Evidence):
            self._database.change("DELETE FROM case_unresolved WHERE id = ?", happening.id)
        self._record(before, case, happening)

    def put_aside(self, evidence: Evidence, why: str) -> None:
        """Put evidence into the unresolved tray, once; only inside ``writing()``."""
        self._database.change(
            "INSERT INTO case_unresolved (id, at, why, document) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            evidence.id, microseconds(evidence.at), why, _encode(evidence).decode(),
        )  # fmt: skip

    # -- what people and the service ask

    def open_cases(self) -> list[Case]:
        """Return the cases that are not closed, the newest change first."""
        return self._found("state <> 'closed' ORDER BY changed_at DESC, id")

    def open_of(self, subscriber: str) -> list[Case]:
        """Return the subscriber's cases that are not closed, oldest first."""
        return self._found("subscriber = ? AND state <> 'closed' ORDER BY opened_at, id", subscriber)

    def all_cases(self, subscriber: str | None = None) -> list[Case]:
        """Return every case, or every case of a subscriber, the newest change first."""
        if subscriber is None:
            return self._found("TRUE ORDER BY changed_at DESC, id")
        return self._found("subscriber = ? ORDER BY changed_at DESC, id", subscriber)

    def timeline(self, case: str) -> list[Entry]:
        """Return the entries of a case as they were written."""
        rows = self._database.rows("SELECT document FROM case_entry WHERE desk_case = ? ORDER BY number", case)
        return [_ENTRIES.decode(document) for (document,) in rows]

    def requests_waiting(self) -> list[ResponseRequest]:
        """Return what is asked for and unanswered, the oldest first."""
        rows = self._database.rows("SELECT document FROM case_request WHERE waits ORDER BY asked_at, id")
        return [_REQUESTS.decode(document) for (document,) in rows]

    def unresolved(self) -> list[Unresolved]:
        """Return the tray, the oldest first."""
        rows = self._database.rows("SELECT document, why FROM case_unresolved ORDER BY at, id")
        return [Unresolved(_EVIDENCE.decode(document), why) for document, why in rows]

    # -- within

    def _write(self, case: Case) -> None:
        due = None if case.next_due_at is None else microseconds(case.next_due_at)
        self._database.change(
            "INSERT INTO desk_case (id, subscriber, trouble, state, mistaken, opened_at, changed_at, next_due_at, "
            "assigned_to, version, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET state = excluded.state, mistaken = excluded.mistaken, "
            "changed_at = excluded.changed_at, next_due_at = excluded.next_due_at, "
            "assigned_to = excluded.assigned_to, version = excluded.version, document = excluded.document",
            case.id, case.subscriber, case.trouble.value, case.state.value, int(Mark.MISTAKEN in case.marks),
            microseconds(case.opened_at), microseconds(case.changed_at), due, case.assigned_to, case.version,
            _encode(case).decode(),
        )  # fmt: skip

    def _record(self, before: Case | None, case: Case, happening: Happening) -> None:
        """Write the audit row; evidence that only feeds a case is in its timeline, which is enough."""
        was = f"{before.place} ({before.state.value})" if before else ""
        stands = f"{case.place} ({case.state.value})"
        actor = getattr(happening, "actor", "")
        if not actor and was == stands:
            return
        # The words of a note are in the case and can be erased there; the log is for ever.
        reason = happening.text if isinstance(happening, Said | Called) else ""
        deed = happening.word if isinstance(happening, Said | Called) else _DEEDS[type(happening)]
        if before is not None and before.assigned_to != case.assigned_to:
            was, stands = before.assigned_to, case.assigned_to
        self._audit.record(
            actor=actor or OURSELVES, action=f"case {deed}", object=case.id, at=case.changed_at,
            before=was, after=stands, reason=reason,
        )  # fmt: skip

    def _found(self, condition: str, *values: str | int) -> list[Case]:
        rows = self._database.rows(f"SELECT document FROM desk_case WHERE {condition}", *values)  # noqa: S608
        return [_CASES.decode(document) for (document,) in rows]


_DEEDS: dict[type[Happening], str] = {
    Evidence: "evidence",
    Told: "news",
    Answered: "answer",
    TimeCame: "time",
    Noted: "note",
    Assigned: "assign",
}
