"""Alarms: written down with what they are about, and settled once they are sent or given up."""

from datetime import datetime

import msgspec

from outwarden.detection.listing_changes import Turn
from outwarden.store.database import Database, microseconds, moment, moment_or_none


class Alarm(msgspec.Struct, frozen=True):
    """One alarm: the listing that it is about, one line for a subject and the body in words.

    ``attempts`` counts tries that failed; ``settled_at`` is None until it was sent or given up, ``outcome`` says which.
    """

    id: int
    listing: int
    turn: Turn
    line: str
    body: str
    written_at: datetime
    attempts: int
    settled_at: datetime | None = None
    outcome: str | None = None


class Alarms:
    """The alarms in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, listing: int, turn: Turn, line: str, body: str, now: datetime) -> None:
        """Write one down, to be sent; only inside the ``writing()`` of what it is about."""
        self._database.rows(
            "INSERT INTO alarm (listing, turn, line, body, written_at, next_try_at) VALUES (?, ?, ?, ?, ?, ?)",
            listing, turn.value, line, body, microseconds(now), microseconds(now),
        )  # fmt: skip

    def waiting(self, now: datetime) -> list[Alarm]:
        """Return those to be sent now, oldest first."""
        return self._found("settled_at IS NULL AND next_try_at <= ?", microseconds(now))

    def all(self) -> list[Alarm]:
        """Return every alarm, oldest first."""
        return self._found("1")

    def next_try_at(self) -> datetime | None:
        """Return when the next one is to be tried, None where none waits."""
        ((when,),) = self._database.rows("SELECT min(next_try_at) FROM alarm WHERE settled_at IS NULL")
        return moment_or_none(when)

    def settle(self, number: int, outcome: str, now: datetime) -> None:
        """Write down that it was sent, or that nobody tries any more."""
        with self._database.writing():
            self._database.rows(
                "UPDATE alarm SET settled_at = ?, outcome = ? WHERE id = ?", microseconds(now), outcome, number
            )

    def try_again(self, number: int, outcome: str, at: datetime) -> None:
        """Write down that a try failed, and when the next is."""
        with self._database.writing():
            self._database.rows(
                "UPDATE alarm SET attempts = attempts + 1, outcome = ?, next_try_at = ? WHERE id = ?",
                outcome, microseconds(at), number,
            )  # fmt: skip

    def _found(self, condition: str, *values: int) -> list[Alarm]:
        rows = self._database.rows(
            "SELECT id, listing, turn, line, body, written_at, attempts, settled_at, outcome FROM alarm "  # noqa: S608
            f"WHERE {condition} ORDER BY id",
            *values,
        )
        return [
            Alarm(number, listing, Turn(turn), line, body, moment(at), attempts, moment_or_none(settled), outcome)
            for number, listing, turn, line, body, at, attempts, settled, outcome in rows
        ]
