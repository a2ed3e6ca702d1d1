"""The journal of responses: what was to be done, to whom, why, until when, how it is undone, and what became of it.

A response is written down before it is tried.  Nothing here is changed or taken away later: each step adds a turn, and
how a response stands is its newest one.  One that is ``intended`` and stays so was begun by a program that was killed;
nobody knows how far it came, and it is to be done again, which is why every response can be.  Each turn has its row in
the audit log, in the same transaction.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from outwarden.store.audit import OURSELVES, Audit
from outwarden.store.database import Database, microseconds, moment, moment_or_none


class ResponseKind(StrEnum):
    """What is done."""

    PAUSE_SERVER = "pause-server"
    PAUSE_ACCOUNT = "pause-account"
    PAUSE_DESTINATION = "pause-destination"
    QUEUE_HOLD = "queue-hold"
    QUEUE_RELEASE = "queue-release"
    QUEUE_DELETE = "queue-delete"
    HOLD_ACCOUNT = "hold-account"
    BLOCK_ACCOUNT = "block-account"


PAUSES = (ResponseKind.PAUSE_SERVER, ResponseKind.PAUSE_ACCOUNT, ResponseKind.PAUSE_DESTINATION)
"""What the mail server is told, and what lasts until it is undone."""
OF_ACCOUNTS = (ResponseKind.HOLD_ACCOUNT, ResponseKind.BLOCK_ACCOUNT)
"""How our own gate treats an account, until that is undone: in force as long as it stands as ``done``."""
OF_QUEUE = (ResponseKind.QUEUE_HOLD, ResponseKind.QUEUE_RELEASE, ResponseKind.QUEUE_DELETE)
"""What is done to queued mail, and is over then."""


class ResponseState(StrEnum):
    """How far it came.

    *observed* is what would have been done, *asked* waits for a person, and so does *capped*, which is more than may be
    done by itself within an hour; *declined* is what a person did not want.
    """

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    OBSERVED = "observed"
    ASKED = "asked"
    CAPPED = "capped"
    DECLINED = "declined"


WAITING = frozenset({ResponseState.ASKED, ResponseState.CAPPED})
"""A person is asked."""
OVER = frozenset({ResponseState.UNDONE, ResponseState.DECLINED})
"""It stands no more."""


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


class Turn(NamedTuple):
    """One turn of a response: how it stood from then on."""

    at: datetime
    state: ResponseState
    remark: str


class NumberedTurn(NamedTuple):
    """One turn by its number, and the response as it stands now; None where that is about no account."""

    number: int
    turn: Turn
    response: Response | None


class Responses:
    """The responses in the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

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
            return self.begin(kind, subject, reason, asked_by, undo, ResponseState.INTENDED, expires_at, now)

    def begin(
        self,
        kind: ResponseKind,
        subject: str,
        reason: str,
        asked_by: str,
        undo: Mapping[str, Sequence[str]],
        state: ResponseState,
        expires_at: datetime | None,
        now: datetime,
        evidence: str = "",
        remark: str = "",
    ) -> Response:
        """Write down a response that begins in any state; only inside ``writing()``."""
        ((number,),) = self._database.rows(
            "INSERT INTO response (kind, subject, reason, asked_by, undo) VALUES (?, ?, ?, ?, ?) RETURNING id",
            kind.value, subject, reason, asked_by, json.dumps(undo),
        )  # fmt: skip
        self._turn(number, state, now, expires_at, evidence, remark)
        return self._audited("", self.one(number), asked_by, reason)

    def go_on(
        self,
        response: Response,
        state: ResponseState,
        expires_at: datetime | None,
        now: datetime,
        remark: str,
        by: str = OURSELVES,
    ) -> Response:
        """Write down how it went on, until when, and ``by`` whom; only inside ``writing()``."""
        return self._further(response, state, expires_at, response.evidence, now, remark, by)

    def turn(
        self, response: Response, state: ResponseState, now: datetime, remark: str = "", evidence: str | None = None
    ) -> Response:
        """Write down how it went on; what was kept stays unless other ``evidence`` is given."""
        kept = response.evidence if evidence is None else evidence
        with self._database.writing():
            return self._further(response, state, response.expires_at, kept, now, remark, OURSELVES)

    def until(self, response: Response, expires_at: datetime | None, now: datetime) -> Response:
        """Write down that it is about to be done again, with another end."""
        with self._database.writing():
            return self._further(response, ResponseState.INTENDED, expires_at, response.evidence, now, "", OURSELVES)

    def standing(self) -> list[Response]:
        """Return the pauses that were not undone, oldest first: those in force, those begun, those that failed."""
        return self._found(f"{_among(PAUSES)} AND newest.state <> 'undone' ORDER BY response.id")

    def accounts_standing(self) -> list[Response]:
        """Return how accounts are treated, or would be, oldest first."""
        over = ", ".join(sorted(f"'{state.value}'" for state in OVER))
        return self._found(f"{_among(OF_ACCOUNTS)} AND newest.state NOT IN ({over}) ORDER BY response.id")

    def of_accounts(self, since: datetime, most: int) -> list[Response]:
        """Return the newest responses about accounts that had a turn since then, newest turn first."""
        after = microseconds(since)
        turned = f"response.id IN (SELECT response FROM response_turn WHERE at >= {after})"  # noqa: S608 (our own words)
        newest = f"newest.at >= {after} ORDER BY newest.id DESC LIMIT {int(most)}"
        return self._found(f"{_among(OF_ACCOUNTS)} AND {turned} AND {newest}")

    def unfinished(self) -> list[Response]:
        """Return the changes of the queue that were begun or failed, oldest first."""
        return self._found(f"{_among(OF_QUEUE)} AND newest.state IN ('intended', 'failed') ORDER BY response.id")

    def about(self, kind: ResponseKind, subject: str) -> list[Response]:
        """Return the responses of one kind about one subject, newest first."""
        return self._found("kind = ? AND subject = ? ORDER BY response.id DESC", kind.value, subject)

    def turns(self, response: Response) -> list[Turn]:
        """Return how a response went, from its first turn on."""
        rows = self._database.rows(
            "SELECT at, state, remark FROM response_turn WHERE response = ? ORDER BY id", response.id
        )
        return [Turn(moment(at), ResponseState(state), remark) for at, state, remark in rows]

    def turns_after(self, number: int, most: int) -> list[NumberedTurn]:
        """Return the turns that were written after one, in their order, with the responses about accounts."""
        rows = self._database.rows(
            "SELECT turn.id, turn.response, kind, at, state, remark FROM response_turn AS turn "
            "JOIN response ON response.id = turn.response WHERE turn.id > ? ORDER BY turn.id LIMIT ?",
            number,
            most,
        )
        found = []
        for turn, response, kind, at, state, remark in rows:
            about = self.one(response) if kind in OF_ACCOUNTS else None
            found.append(NumberedTurn(turn, Turn(moment(at), ResponseState(state), remark), about))
        return found

    def begun_as_done(self, kind: ResponseKind, asked_by: str, since: datetime) -> int:
        """Return how many responses were done at once, without anybody being asked, after a time."""
        # CROSS JOIN keeps the order: the turns of the last hour are few, the responses of a kind may be many.
        ((count,),) = self._database.rows(
            "SELECT count(*) FROM response_turn AS turn CROSS JOIN response ON response.id = turn.response "
            "WHERE turn.at > ? AND turn.state = 'done' AND kind = ? AND asked_by = ? AND NOT EXISTS "
            "(SELECT 1 FROM response_turn AS earlier WHERE earlier.response = response.id AND earlier.id < turn.id)",
            microseconds(since), kind.value, asked_by,
        )  # fmt: skip
        return int(count)

    def ended(self, kind: ResponseKind, since: datetime) -> list[Response]:
        """Return the responses of one kind that were undone since then, oldest first."""
        undone = f"newest.state = 'undone' AND newest.at >= {microseconds(since)}"
        return self._found(f"kind = ? AND {undone} ORDER BY response.id", kind.value)

    def expired(self, now: datetime) -> list[Response]:
        """Return the pauses whose time is over."""
        return [each for each in self.standing() if each.expires_at is not None and each.expires_at <= now]

    def newest(self, most: int) -> list[Response]:
        """Return the last responses of every kind, newest first."""
        return self._found(f"TRUE ORDER BY response.id DESC LIMIT {int(most)}")

    def one(self, number: int) -> Response:
        """Return the response of a number that is there."""
        (response,) = self._found(f"response.id = {int(number)}")
        return response

    def _further(
        self,
        response: Response,
        state: ResponseState,
        expires_at: datetime | None,
        evidence: str,
        now: datetime,
        remark: str,
        by: str,
    ) -> Response:
        before = self.one(response.id).state
        self._turn(response.id, state, now, expires_at, evidence, remark)
        return self._audited(before, self.one(response.id), by, remark)

    def _audited(self, before: str, response: Response, by: str, reason: str) -> Response:
        until = "" if response.expires_at is None else f" until {response.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        self._audit.record(
            actor=by,
            action=response.kind.value,
            object=response.subject or "server",
            at=response.stands_since,
            before=before,
            after=f"{response.state}{until}, response {response.id}",
            reason=reason,
        )
        return response

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

    def _found(self, condition: str, *values: str) -> list[Response]:
        rows = self._database.rows(
            "SELECT response.id, kind, subject, reason, asked_by, undo, newest.state, first.at, newest.at, "  # noqa: S608
            "newest.expires_at, newest.evidence, newest.remark FROM response "
            "JOIN response_turn AS first ON first.id = "
            "(SELECT min(turn.id) FROM response_turn AS turn WHERE turn.response = response.id) "
            "JOIN response_turn AS newest ON newest.id = "
            "(SELECT max(turn.id) FROM response_turn AS turn WHERE turn.response = response.id) "
            f"WHERE {condition}",
            *values,
        )
        return [
            Response(
                number, ResponseKind(kind), subject, reason, asked_by, json.loads(undo), ResponseState(state),
                moment(intended), moment(since), moment_or_none(expiry), evidence, remark,
            )
            for number, kind, subject, reason, asked_by, undo, state, intended, since, expiry, evidence, remark in rows
        ]  # fmt: skip


def _among(kinds: Collection[ResponseKind]) -> str:
    named = ", ".join(f"'{kind.value}'" for kind in kinds)
    return f"kind IN ({named})"
