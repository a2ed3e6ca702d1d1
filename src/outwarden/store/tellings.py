"""Which channel was told of which notice, and what waits to be told."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from outwarden.store.alarms import Alarms, Notice
from outwarden.store.database import Database, microseconds, moment, moment_or_none


class Telling(NamedTuple):
    """One notice for one channel; ``attempts`` counts tries that failed."""

    notice: Notice
    channel: str
    attempts: int


class Told(NamedTuple):
    """How a channel was told; ``settled_at`` is None as long as it waits."""

    channel: str
    settled_at: datetime | None
    outcome: str


class Answer(NamedTuple):
    """Who has taken a notice up, and when."""

    at: datetime
    by: str


class Tellings:
    """The tellings in the store."""

    def __init__(self, database: Database, alarms: Alarms) -> None:
        self._database, self._alarms = database, alarms

    def plan(self, notice: int, channel: str, at: datetime) -> None:
        """Write down that a channel is to be told, from ``at`` on; once for each, only inside ``writing()``."""
        self._database.rows(
            "INSERT INTO telling (notice, channel, next_try_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            notice, channel, microseconds(at),
        )  # fmt: skip

    def due(self, now: datetime) -> list[Telling]:
        """Return what is to be told now, oldest notice first."""
        rows = self._database.rows(
            "SELECT notice, channel, attempts FROM telling WHERE settled_at IS NULL AND next_try_at <= ? "
            "ORDER BY notice, channel",
            microseconds(now),
        )
        notices = {number: self._alarms.find(number) for number, _, _ in rows}
        found = [(notices[number], channel, attempts) for number, channel, attempts in rows]
        return [Telling(notice, channel, attempts) for notice, channel, attempts in found if notice is not None]

    def next_try_at(self) -> datetime | None:
        """Return when the next is to be told, None where none waits."""
        ((when,),) = self._database.rows("SELECT min(next_try_at) FROM telling WHERE settled_at IS NULL")
        return moment_or_none(when)

    def settle(self, telling: Telling, outcome: str, now: datetime) -> None:
        """Write down that it was told, or that nobody tries any more."""
        with self._database.writing():
            self._database.rows(
                "UPDATE telling SET settled_at = ?, outcome = ? WHERE notice = ? AND channel = ?",
                microseconds(now), outcome, telling.notice.id, telling.channel,
            )  # fmt: skip

    def try_again(self, telling: Telling, outcome: str, at: datetime) -> None:
        """Write down that a try failed, and when the next is."""
        with self._database.writing():
            self._database.rows(
                "UPDATE telling SET attempts = attempts + 1, outcome = ?, next_try_at = ? "
                "WHERE notice = ? AND channel = ?",
                outcome, microseconds(at), telling.notice.id, telling.channel,
            )  # fmt: skip

    def of(self, notice: int) -> list[Told]:
        """Return how each channel was told of a notice."""
        rows = self._database.rows(
            "SELECT channel, settled_at, coalesce(outcome, '') FROM telling WHERE notice = ? ORDER BY channel", notice
        )
        return [Told(channel, moment_or_none(settled), outcome) for channel, settled, outcome in rows]

    def answer(self, notice: int, by: str, now: datetime) -> bool:
        """Write down that somebody has taken a notice up; return False where somebody had.  Only in ``writing()``."""
        changed = self._database.change(
            "UPDATE notice SET answered_at = ?, answered_by = ? WHERE id = ? AND answered_at IS NULL",
            microseconds(now), by, notice,
        )  # fmt: skip
        return bool(changed)

    def answered(self, notice: int) -> Answer | None:
        """Return who has taken a notice up, None where nobody has."""
        rows = self._database.rows(
            "SELECT answered_at, answered_by FROM notice WHERE id = ? AND answered_at IS NOT NULL", notice
        )
        return Answer(moment(rows[0][0]), rows[0][1]) if rows else None
