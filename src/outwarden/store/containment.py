"""The journal of containment: each step at each place, written down before it is tried, and how it went.

A step that is *intended* was begun by a program that may have been killed: it is done again.  One that is *undoing* was
being taken back: that is done again, too.  What undoing needs is sealed, and forgotten when the undo is over.  Each
turn has its row in the audit log, in the same transaction, without secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from outwarden.store.audit import OURSELVES, Audit
from outwarden.store.database import Database, microseconds, moment
from outwarden.store.sealing import Seal


class StepState(StrEnum):
    """How a step stands; *unknown* is done, and nobody could look whether it holds."""

    INTENDED = "intended"
    DONE = "done"
    COULD_NOT = "could-not"
    UNKNOWN = "unknown"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class ContainmentStep:
    """One deed at one place.  ``object`` is what of the account's it was done to, empty for the account itself."""

    id: int
    request: str
    account: str
    response: str
    place: str
    deed: str
    object: str
    reason: str
    asked_by: str
    begun_at: datetime
    undo_until: datetime
    state: StepState
    changed_at: datetime
    words: str

    @property
    def stands(self) -> bool:
        """Whether it was not undone."""
        return self.state is not StepState.UNDONE

    @property
    def is_over(self) -> bool:
        """Whether it was tried to its end, however it ended."""
        return self.state not in {StepState.INTENDED, StepState.UNDOING}


_COLUMNS = (
    "id, request, account, response, place, deed, object, reason, asked_by, begun_at, undo_until, state, changed_at, "
    "words"
)


class ContainmentSteps:
    """The journal in the store.  All raise ``StoreUnusable``."""

    def __init__(self, database: Database, audit: Audit, seal: Seal) -> None:
        self._database, self._audit, self._seal = database, audit, seal

    def intend(
        self,
        *,
        request: str,
        account: str,
        response: str,
        place: str,
        deed: str,
        object: str = "",
        reason: str,
        asked_by: str,
        now: datetime,
        undo_until: datetime,
        before: bytes | None,
    ) -> ContainmentStep:
        """Write down what is about to be tried, with what undoing it needs.  Raises ``SealBroken``."""
        name = _name(request, place, deed, object)
        sealed = None if before is None else self._seal.closed(before, f"before {name}")
        at = microseconds(now)
        with self._database.writing():
            ((number,),) = self._database.rows(
                "INSERT INTO containment_steps (request, account, response, place, deed, object, reason, asked_by, "
                "begun_at, undo_until, state, changed_at, words, before) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?) RETURNING id",
                request, account, response, place, deed, object, reason, asked_by,
                at, microseconds(undo_until), StepState.INTENDED.value, at, sealed,
            )  # fmt: skip
            return self._audited("", self.one(number), asked_by)

    def go_on(
        self, step: ContainmentStep, state: StepState, words: str, now: datetime, by: str = OURSELVES
    ) -> ContainmentStep:
        """Write down how it went on."""
        with self._database.writing():
            self._database.change(
                "UPDATE containment_steps SET state = ?, words = ?, changed_at = ? WHERE id = ?",
                state.value, words, microseconds(now), step.id,
            )  # fmt: skip
            return self._audited(step.state, self.one(step.id), by)

    def put_last(self, step: ContainmentStep, before: bytes) -> ContainmentStep:
        """Make a step the newest, with how things are before it now: it was written down earlier, and not done then."""
        sealed = self._seal.closed(before, f"before {_name(step.request, step.place, step.deed, step.object)}")
        with self._database.writing():
            ((number,),) = self._database.rows(
                "UPDATE containment_steps SET id = (SELECT max(id) + 1 FROM containment_steps), before = ? "
                "WHERE id = ? RETURNING id",
                sealed, step.id,
            )  # fmt: skip
        return self.one(number)

    def keep(self, step: ContainmentStep, *, before: bytes | None = None, after: bytes | None = None) -> None:
        """Keep how things were before the step, or are after it; None changes nothing.  Raises ``SealBroken``."""
        name = _name(step.request, step.place, step.deed, step.object)
        for column, content in (("before", before), ("after", after)):
            if content is not None:
                sealed = self._seal.closed(content, f"{column} {name}")
                with self._database.writing():
                    self._database.change(
                        f"UPDATE containment_steps SET {column} = ? WHERE id = ?",  # noqa: S608 (our own words)
                        sealed,
                        step.id,
                    )

    def before(self, step: ContainmentStep) -> bytes | None:
        """Return how things were before the step; None where that is over.  Raises ``SealBroken``."""
        return self._opened("before", step)

    def after(self, step: ContainmentStep) -> bytes | None:
        """Return how things were after it; None where that is over, or it did not come so far."""
        return self._opened("after", step)

    def one(self, number: int) -> ContainmentStep:
        """Return the step of a number that is there."""
        (step,) = self._found("id = ?", number)
        return step

    def of_request(self, request: str) -> list[ContainmentStep]:
        """Return the steps of a request, oldest first."""
        return self._found("request = ? ORDER BY id", request)

    def standing(self, account: str) -> list[ContainmentStep]:
        """Return the steps about an account that were not undone, newest first."""
        return self._found("account = ? AND state <> 'undone' ORDER BY id DESC", account)

    def of_account(self, account: str, most: int = 500) -> list[ContainmentStep]:
        """Return the newest steps about an account, newest first."""
        return self._found("account = ? ORDER BY id DESC LIMIT ?", account, most)

    def accounts_begun(self, asked_by: str, since: datetime, but: str) -> int:
        """Return of how many accounts, beside one, something was begun by one who asks, after a time."""
        ((count,),) = self._database.rows(
            "SELECT count(DISTINCT account) FROM containment_steps "
            "WHERE begun_at > ? AND asked_by = ? AND account <> ?",
            microseconds(since), asked_by, but,
        )  # fmt: skip
        return int(count)

    def forget(self, now: datetime) -> int:
        """Drop what is kept of steps whose undo is over, and return of how many.

        The file overwrites what is deleted, so that no hash stays in its free pages.
        """
        over = "undo_until <= ? AND (before IS NOT NULL OR after IS NOT NULL)"
        if not self._found(f"{over} LIMIT 1", microseconds(now)):
            return 0
        self._database.rows("PRAGMA secure_delete = ON")
        with self._database.writing():
            return self._database.change(
                f"UPDATE containment_steps SET before = NULL, after = NULL WHERE {over}",  # noqa: S608 (our own words)
                microseconds(now),
            )

    def drop(self, step: ContainmentStep) -> None:
        """Drop what is kept of a step that was undone."""
        self._database.rows("PRAGMA secure_delete = ON")
        with self._database.writing():
            self._database.change("UPDATE containment_steps SET before = NULL, after = NULL WHERE id = ?", step.id)

    def _opened(self, column: str, step: ContainmentStep) -> bytes | None:
        ((sealed,),) = self._database.rows(
            f"SELECT {column} FROM containment_steps WHERE id = ?",  # noqa: S608 (our own words)
            step.id,
        )
        if sealed is None:
            return None
        return self._seal.opened(sealed, f"{column} {_name(step.request, step.place, step.deed, step.object)}")

    def _audited(self, before: str, step: ContainmentStep, by: str) -> ContainmentStep:
        what = f" {step.object}" if step.object else ""
        said = f": {step.words}" if step.words else ""
        self._audit.record(
            actor=by,
            action=step.response,
            object=step.account,
            at=step.changed_at,
            before=str(before),
            after=f"{step.state}, {step.place} {step.deed}{what}, containment step {step.id}{said}",
            reason=step.reason,
        )
        return step

    def _found(self, condition: str, *values: object) -> list[ContainmentStep]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM containment_steps WHERE {condition}",  # noqa: S608 (our own words)
            *values,
        )
        return [_step(*row) for row in rows]


def _step(number: int, *rest: Any) -> ContainmentStep:  # noqa: ANN401 (what SQLite can hold)
    *texts, begun_at, undo_until, state, changed_at, words = rest
    request, account, response, place, deed, object, reason, asked_by = texts
    return ContainmentStep(
        number, request, account, response, place, deed, object, reason, asked_by,
        moment(begun_at), moment(undo_until), StepState(state), moment(changed_at), words,
    )  # fmt: skip


def _name(request: str, place: str, deed: str, object: str) -> str:
    """Return what a sealed text opens for: the step, so that it cannot be put to another one."""
    return "\x1f".join((request, place, deed, object))
