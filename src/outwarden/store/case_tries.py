"""What becomes of what cases ask for: each request is written down before it is tried, with each try and its answer.

A request whose try was begun and not answered was interrupted: nobody knows how far it came, so it is tried again, and
whoever carries it out does it once.  What cases ask for is ``cases``; this is how far it has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from outwarden.cases.happening import Told
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest
from outwarden.store.database import Database, microseconds, moment, moment_or_none

_REQUESTS = msgspec.json.Decoder(ResponseRequest)
_TOLD = msgspec.json.Decoder(Told)
_COLUMNS = (
    "asked.document, trial.state, trial.tries, trial.tried_at, trial.next_try_at, trial.said_yes, trial.answer, "
    "trial.words, trial.checklist, trial.undo_at"
)
_JOINED = "FROM case_request AS asked LEFT JOIN case_try AS trial ON trial.request = asked.id"


class TryState(StrEnum):
    """How far a request has come.

    *new*: nobody has looked at it.  *due*: it is tried again later, or as a person has said yes.  *begun*: it is being
    tried, or was when the service died.  *observed*: only said.  *asked* and *capped* wait for a person.  *undoing*: it
    is being taken back.
    """

    NEW = "new"
    DUE = "due"
    BEGUN = "begun"
    OBSERVED = "observed"
    ASKED = "asked"
    CAPPED = "capped"
    ANSWERED = "answered"
    UNDOING = "undoing"


WAITS_FOR_A_PERSON = frozenset({TryState.OBSERVED, TryState.ASKED, TryState.CAPPED})
"""A person may say yes or no."""


class CaseTry(msgspec.Struct, frozen=True):
    """A request as it stands.  ``checklist`` is JSON; ``said_yes`` who wanted it; ``undo_at`` when it is taken back."""

    request: ResponseRequest
    state: TryState = TryState.NEW
    tries: int = 0
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    said_yes: str = ""
    answer: Answer = Answer.WAITING
    words: str = ""
    checklist: str = "[]"
    undo_at: datetime | None = None


class AccountTry(NamedTuple):
    """What a case had done about an account: when it was tried last, and what became of it."""

    at: datetime
    case: str
    response: ResponseName
    answer: Answer
    words: str
    said_yes: str


class CaseTries:
    """The tries in the store.  What writes is called inside ``writing()``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime) -> list[CaseTry]:
        """Return what is to be tried now of the case that has waited longest, in the order of their ids."""
        condition = "asked.waits AND (trial.request IS NULL OR trial.next_try_at <= ?)"
        first = self._database.rows(
            f"SELECT asked.desk_case {_JOINED} WHERE {condition} "
            "ORDER BY trial.tried_at IS NOT NULL, asked.asked_at, asked.id LIMIT 1",
            microseconds(now),
        )
        if not first:
            return []
        return self._found(f"{condition} AND asked.desk_case = ? ORDER BY asked.id", microseconds(now), first[0][0])

    def is_something_due(self, now: datetime) -> bool:
        """Return whether anything is to be tried or taken back now."""
        ((found,),) = self._database.rows(
            f"SELECT EXISTS (SELECT 1 {_JOINED} "  # noqa: S608 (our own words)
            "WHERE asked.waits AND (trial.request IS NULL OR trial.next_try_at <= ?1)) "
            "OR EXISTS (SELECT 1 FROM case_try WHERE undo_at <= ?1)",
            microseconds(now),
        )
        return bool(found)

    def to_undo(self, now: datetime) -> CaseTry | None:
        """Return what has lasted its time and is to be taken back, one at a time."""
        oldest = "trial.undo_at <= ? ORDER BY trial.undo_at, asked.id LIMIT 1"
        return next(iter(self._found(oldest, microseconds(now))), None)

    def of_case(self, case: str) -> list[CaseTry]:
        """Return everything that a case ever asked for."""
        return self._found("asked.desk_case = ? ORDER BY asked.asked_at, asked.id", case)

    def waiting_for_a_person(self) -> list[CaseTry]:
        """Return what waits for a yes or no, the oldest first."""
        return self._found("asked.waits AND trial.state IN ('asked', 'capped') ORDER BY asked.asked_at, asked.id")

    def about_account(self, account: str, since: datetime) -> list[AccountTry]:
        """Return what was tried about an account since then, newest first."""
        rows = self._database.rows(
            "SELECT trial.tried_at, asked.desk_case, trial.response, trial.answer, trial.words, trial.said_yes "
            "FROM case_try AS trial JOIN case_request AS asked ON asked.id = trial.request WHERE trial.tried_at >= ? "
            "AND json_extract(asked.document, '$.subject.kind') = 'account' "
            "AND json_extract(asked.document, '$.subject.name') = ? ORDER BY trial.tried_at DESC, trial.request",
            microseconds(since), account.lower(),
        )  # fmt: skip
        return [
            AccountTry(moment(at), case, ResponseName(response), Answer(answer), words, said_yes)
            for at, case, response, answer, words, said_yes in rows
        ]

    def begun_since(self, response: ResponseName, since: datetime) -> int:
        """Return how many requests of a response were begun without a person's yes, after a time."""
        ((count,),) = self._database.rows(
            "SELECT count(*) FROM case_try WHERE response = ? AND tried_at > ? AND said_yes = ''",
            response.value, microseconds(since),
        )  # fmt: skip
        return int(count)

    def put(self, trial: CaseTry) -> None:
        """Write down how far a request has come."""
        self._database.change(
            "INSERT INTO case_try (request, response, state, tries, tried_at, next_try_at, said_yes, answer, words, "
            "checklist, undo_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request) DO UPDATE SET "
            "state = excluded.state, tries = excluded.tries, tried_at = excluded.tried_at, "
            "next_try_at = excluded.next_try_at, said_yes = excluded.said_yes, answer = excluded.answer, "
            "words = excluded.words, checklist = excluded.checklist, undo_at = excluded.undo_at",
            trial.request.id, trial.request.response.value, trial.state.value, trial.tries, _kept(trial.tried_at),
            _kept(trial.next_try_at), trial.said_yes, trial.answer.value, trial.words, trial.checklist,
            _kept(trial.undo_at),
        )  # fmt: skip

    # -- news that wait

    def keep_news(self, told: Told) -> None:
        """Keep news until their case stands where it waits for them."""
        self._database.change(
            "INSERT INTO case_pending (id, desk_case, at, document) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            told.id, told.case, microseconds(told.at), msgspec.json.encode(told).decode(),
        )  # fmt: skip

    def kept_news(self) -> list[Told]:
        """Return the news that wait, oldest first."""
        rows = self._database.rows("SELECT document FROM case_pending ORDER BY at, id")
        return [_TOLD.decode(document) for (document,) in rows]

    def drop_news(self, told: Told) -> None:
        """Keep them no longer."""
        self._database.change("DELETE FROM case_pending WHERE id = ?", told.id)

    # -- how far the desk has read what others write

    def place(self, source: str) -> int:
        """Return the number of the last row that the desk has read of a source."""
        ((number,),) = self._database.rows("SELECT number FROM desk_place WHERE source = ?", source)
        return int(number)

    def is_behind(self) -> bool:
        """Return whether something was written that the desk has not read."""
        ((newest_turn, newest_alarm),) = self._database.rows(
            "SELECT (SELECT coalesce(max(id), 0) FROM response_turn), (SELECT coalesce(max(id), 0) FROM alarm)"
        )
        return bool(newest_turn > self.place("responses") or newest_alarm > self.place("listings"))

    def read_up_to(self, source: str, number: int) -> None:
        """Write down that the desk has read so far."""
        self._database.change("UPDATE desk_place SET number = ? WHERE source = ?", number, source)

    def _found(self, condition: str, *values: int | str) -> list[CaseTry]:
        rows = self._database.rows(f"SELECT {_COLUMNS} {_JOINED} WHERE {condition}", *values)
        return [_case_try(row) for row in rows]


def _case_try(row: Sequence[Any]) -> CaseTry:
    document, state, tries, tried_at, next_try_at, said_yes, answer, words, checklist, undo_at = row
    request = _REQUESTS.decode(document)
    if state is None:
        return CaseTry(request)
    return CaseTry(
        request, TryState(state), tries, moment_or_none(tried_at), moment_or_none(next_try_at), said_yes,
        Answer(answer), words, checklist, moment_or_none(undo_at),
    )  # fmt: skip


def _kept(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)
