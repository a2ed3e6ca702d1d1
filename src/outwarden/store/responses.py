"""The journal of responses: what was to be done, to whom, why, until when, how it is undone, and what became of it.

A response is written down before it is tried.  Nothing here is changed or taken away later: each step adds a turn, and
how a response stands is its newest one.  One that is ``intended`` and stays so was begun by a program that was killed;
nobody knows how far it came, and it is to be done again, which is why every response can be.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outwarden.store.database import Database, microseconds, moment, moment_or_none


class ResponseKind(StrEnum):
    """What is done."""

    PAUSE_SERVER = "pause-server"
    PAUSE_ACCOUNT = "pause-account"
    PAUSE_DESTINATION = "pause-destination"
    QUEUE_HOLD = "queue-hold"
    QUEUE_RELEASE = "queue-release"
    QUEUE_DELETE = "queue-delete"


PAUSES = (ResponseKind.PAUSE_SERVER, ResponseKind.PAUSE_ACCOUNT, ResponseKind.PAUSE_DESTINATION)
"""Those that last until they are undone."""


class ResponseState(StrEnum):
    """How far it came."""

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Response:
    """One response as it stands.

    ``subject`` is an account, a destination, queue IDs, or empty for the whole server.  ``undo`` is what taking it back
    needs to know; ``evidence`` what was kept of what it was done to.  Times are UTC.
    """

    id: int
    kind: ResponseKind
    subject: str
    reason: str
    asked_by: str
    undo: Mapping[str, Sequence[str]]
    state: ResponseState
    intended_at: datetime
    stands_since: datetime
    expires_at: datetime | None
    evidence: str
    remark: str


class Responses:
    """The responses in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intend(
        self,
        kind: ResponseKind,
        subject: str,
        reason: str,
        asked_by: str,
        undo: Mapping[str, Sequence[str]],
        expires_at: datetime | None,
        now: datetime,
    ) -> Response:
        """Write down what is about to be tried.  Raises ``StoreUnusable``."""
        with self._database.writing():
            ((number,),) = self._database.rows(
                "INSERT INTO response (kind, subject, reason, asked_by, undo) VALUES (?, ?, ?, ?, ?) RETURNING id",
                kind.value, subject, reason, asked_by, json.dumps(undo),
            )  # fmt: skip
            self._turn(number, ResponseState.INTENDED, now, expires_at, "", "")
        return self._one(number)

    def turn(
        self, response: Response, state: ResponseState, now: datetime, remark: str = "", evidence: str | None = None
    ) -> Response:
        """Write down how it went on; what was kept stays unless other ``evidence`` is given."""
        kept = response.evidence if evidence is None else evidence
        with self._database.writing():
            self._turn(response.id, state, now, response.expires_at, kept, remark)
        return self._one(response.id)

    def until(self, response: Response, expires_at: datetime | None, now: datetime) -> Response:
        """Write down that it is about to be done again, with another end."""
        with self._database.writing():
            self._turn(response.id, ResponseState.INTENDED, now, expires_at, response.evidence, "")
        return self._one(response.id)

    def standing(self) -> list[Response]:
        """Return the pauses that were not undone, oldest first: those in force, those begun, those that failed."""
        kinds = ", ".join(f"'{kind.value}'" for kind in PAUSES)
        return self._found(f"response.kind IN ({kinds}) AND newest.state <> 'undone' ORDER BY response.id")

    def expired(self, now: datetime) -> list[Response]:
        """Return the pauses whose time is over."""
        return [each for each in self.standing() if each.expires_at is not None and each.expires_at <= now]

    def newest(self, most: int) -> list[Response]:
        """Return the last responses of every kind, newest first."""
        return self._found(f"TRUE ORDER BY response.id DESC LIMIT {int(most)}")

    def _turn(
        self,
        number: int,
        state: ResponseState,
        now: datetime,
        expires_at: datetime | None,
        evidence: str,
        remark: str,
    ) -> None:
        expiry = None if expires_at is None else microseconds(expires_at)
        self._database.rows(
            "INSERT INTO response_turn (response, state, at, expires_at, evidence, remark) VALUES (?, ?, ?, ?, ?, ?)",
            number, state.value, microseconds(now), expiry, evidence, remark,
        )  # fmt: skip

    def _one(self, number: int) -> Response:
        (response,) = self._found(f"response.id = {int(number)}")
        return response

    def _found(self, condition: str) -> list[Response]:
        rows = self._database.rows(
            "SELECT response.id, kind, subject, reason, asked_by, undo, newest.state, first.at, newest.at, "  # noqa: S608
            "newest.expires_at, newest.evidence, newest.remark FROM response "
            "JOIN response_turn AS first ON first.id = "
            "(SELECT min(turn.id) FROM response_turn AS turn WHERE turn.response = response.id) "
            "JOIN response_turn AS newest ON newest.id = "
            "(SELECT max(turn.id) FROM response_turn AS turn WHERE turn.response = response.id) "
            f"WHERE {condition}"
        )
        return [
            Response(
                number, ResponseKind(kind), subject, reason, asked_by, json.loads(undo), ResponseState(state),
                moment(intended), moment(since), moment_or_none(expiry), evidence, remark,
            )
            for number, kind, subject, reason, asked_by, undo, state, intended, since, expiry, evidence, remark in rows
        ]  # fmt: skip
