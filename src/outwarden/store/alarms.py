"""Alarms: written down with what they are about, put together into notices, and settled once those are sent."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from outwarden.detection.listing_changes import Turn
from outwarden.store.database import Database, microseconds, moment, moment_or_none


class Call(StrEnum):
    """What an alarm is for that is about no listing."""

    PERSON = "call"
    DIGEST = "digest"


class Alarm(msgspec.Struct, frozen=True):
    """One alarm: the listing that it is about, one line for a subject and the body in words.

    One that calls a person is about no listing.
    """

    id: int
    listing: int | None
    turn: Turn | Call
    line: str
    body: str
    written_at: datetime


class Notice(msgspec.Struct, frozen=True):
    """Alarms that are told together, at least one; ``remark`` is what is to be said of the notice itself.

    ``attempts`` counts tries that failed; ``settled_at`` is None until it was sent or given up, ``outcome`` says which.
    ``receipt`` names it as no other notice of any store is named.
    """

    id: int
    alarms: tuple[Alarm, ...]
    remark: str
    made_at: datetime
    attempts: int
    settled_at: datetime | None = None
    outcome: str | None = None
    receipt: str = ""


class Alarms:
    """The alarms in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, listing: int, turn: Turn, line: str, body: str, now: datetime) -> None:
        """Write one down, to be sent; only inside the ``writing()`` of what it is about."""
        self._database.rows(
            "INSERT INTO alarm (listing, turn, line, body, written_at) VALUES (?, ?, ?, ?, ?)",
            listing, turn.value, line, body, microseconds(now),
        )  # fmt: skip

    def call(self, about: str, line: str, body: str, now: datetime, call: Call = Call.PERSON) -> None:
        """Write down that a person is called about a thing, once for each; only inside ``writing()``."""
        self._database.rows(
            "INSERT INTO alarm (about, turn, line, body, written_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            about, call.value, line, body, microseconds(now),
        )  # fmt: skip

    def waiting(self) -> list[Alarm]:
        """Return those that are in no notice yet, oldest first."""
        return self._alarms("notice IS NULL")

    def after(self, number: int) -> list[Alarm]:
        """Return the alarms that were written after one, in their order."""
        return self._alarms("id > ?", number)

    def put_together(self, alarms: Iterable[Alarm], remark: str, now: datetime) -> int:
        """Make a notice of waiting alarms, to be sent now, and return its number; only inside ``writing()``."""
        ((number,),) = self._database.rows("SELECT coalesce(max(id), 0) + 1 FROM notice")
        self._database.rows(
            "INSERT INTO notice (id, remark, made_at, next_try_at, receipt) VALUES (?, ?, ?, ?, hex(randomblob(8)))",
            number, remark, microseconds(now), microseconds(now),
        )  # fmt: skip
        for alarm in alarms:
            self._database.rows("UPDATE alarm SET notice = ? WHERE id = ? AND notice IS NULL", number, alarm.id)
        return int(number)

    def made_between(self, begin: datetime, end: datetime) -> list[datetime]:
        """Return when notices were made, after ``begin`` and until ``end``, oldest first."""
        found = self._database.rows(
            "SELECT made_at FROM notice WHERE made_at > ? AND made_at <= ? ORDER BY made_at",
            microseconds(begin),
            microseconds(end),
        )
        return [moment(at) for (at,) in found]

    def due(self, now: datetime) -> list[Notice]:
        """Return the notices to be sent now, oldest first."""
        return self._notices("settled_at IS NULL AND next_try_at <= ?", microseconds(now))

    def find(self, number: int) -> Notice | None:
        """Return the notice of a number, None where there is none."""
        return next(iter(self._notices("id = ?", number)), None)

    def newest(self, most: int) -> list[Notice]:
        """Return the last notices, newest first."""
        return self._notices("id > (SELECT coalesce(max(id), 0) FROM notice) - ?", most)[::-1]

    def notices(self) -> list[Notice]:
        """Return every notice, oldest first."""
        return self._notices("1")

    def next_try_at(self) -> datetime | None:
        """Return when the next notice is to be tried, None where none waits."""
        ((when,),) = self._database.rows("SELECT min(next_try_at) FROM notice WHERE settled_at IS NULL")
        return moment_or_none(when)

    def settle(self, notice: int, outcome: str, now: datetime) -> None:
        """Write down that it was sent, or that nobody tries any more."""
        with self._database.writing():
            self._database.rows(
                "UPDATE notice SET settled_at = ?, outcome = ? WHERE id = ?", microseconds(now), outcome, notice
            )

    def try_again(self, notice: int, outcome: str, at: datetime) -> None:
        """Write down that a try failed, and when the next is."""
        with self._database.writing():
            self._database.rows(
                "UPDATE notice SET attempts = attempts + 1, outcome = ?, next_try_at = ? WHERE id = ?",
                outcome, microseconds(at), notice,
            )  # fmt: skip

    def _notices(self, condition: str, *values: int) -> list[Notice]:
        rows = self._database.rows(
            "SELECT id, remark, made_at, attempts, settled_at, outcome, receipt FROM notice "  # noqa: S608 (our own words)
            f"WHERE {condition} ORDER BY id",
            *values,
        )
        return [
            Notice(
                number,
                tuple(self._alarms("notice = ?", number)),
                remark,
                moment(at),
                attempts,
                moment_or_none(settled),
                outcome,
                receipt,
            )
            for number, remark, at, attempts, settled, outcome, receipt in rows
        ]

    def _alarms(self, condition: str, *values: int) -> list[Alarm]:
        rows = self._database.rows(
            "SELECT id, listing, turn, line, body, written_at FROM alarm "  # noqa: S608 (our own words)
            f"WHERE {condition} ORDER BY id",
            *values,
        )
        return [
            Alarm(number, listing, Call(turn) if listing is None else Turn(turn), line, body, moment(at))
            for number, listing, turn, line, body, at in rows
        ]
