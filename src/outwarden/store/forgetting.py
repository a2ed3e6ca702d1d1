"""What is over its time leaves the store: single messages after weeks, sums after months or years.

It goes in slices, oldest first, so that nobody waits long for the store.  Pages that get free are used again for what
comes.  The file is not made smaller: that would move what stays in it, again and again, and a site writes today about
what it wrote before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from outwarden.store.database import Database, microseconds
from outwarden.store.names import Names
from outwarden.store.sums import Step

_DAY = timedelta(days=1)
_ALWAYS = -(1 << 62)


class Retention(msgspec.Struct, frozen=True):
    """How long is kept, in days: messages and what became of them; sums of 5 minutes and an hour; sums of a day."""

    events_days: float
    hours_days: float
    days_days: float


class Forgetting:
    """Deletes what is over its time."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database, self._names = database, names

    def begin(self, now: datetime) -> int:
        """Return the time before which nothing is written, in microseconds: it was forgotten.

        Of the last day everything is, as the clock may have been wrong when something was forgotten.
        """
        rows = self._database.rows("SELECT before FROM forgotten")
        return min(int(rows[0][0]), microseconds(now - _DAY)) if rows else _ALWAYS

    def forget(self, now: datetime, retention: Retention, most_rows: int) -> int:
        """Delete about ``most_rows`` rows; return how many, 0 where none is left.  Raises ``StoreUnusable``."""
        left = most_rows
        with self._database.writing():
            for delete in self._in_turn(now, retention):
                left -= delete(left)
                if left <= 0:
                    break
        return most_rows - left

    def _in_turn(self, now: datetime, retention: Retention) -> Iterator[Callable[[int], int]]:
        events, hours, days = (
            microseconds(now - timedelta(days=kept))
            for kept in (retention.events_days, retention.hours_days, retention.days_days)
        )
        self._database.rows(
            "INSERT INTO forgotten (number, before) VALUES (1, ?) "
            "ON CONFLICT (number) DO UPDATE SET before = excluded.before",
            events,
        )
        yield lambda most: self._messages(events, most)
        for table in ("attempt", "feedback"):
            yield self._of_table(table, "at, event_id", "at < ? AND message IS NULL", events)
        yield self._of_table("login", "at, event_id", "at < ?", events)
        yield self._of_table("login_sums", "account, at, network", "at < ?", Step.DAY.begin(hours))
        for step, before in ((Step.FIVE_MINUTES, hours), (Step.HOUR, hours), (Step.DAY, days)):
            yield self._of_table(
                "sums", "step, at, subject, name", f"step = {int(step)} AND at < ?", step.begin(before)
            )
        # What was last used before all of these is in no row any more.
        yield lambda most: self._names.forget_before(min(events, hours, days), most)

    def _messages(self, before: int, most: int) -> int:
        gone = 0
        for (number,) in self._database.rows(
            "SELECT number FROM message WHERE at < ? ORDER BY at LIMIT ?", before, most
        ):
            for table in ("attempt", "feedback"):
                if gone < most:
                    gone += self._of_table(table, "at, event_id", "message = ?", number)(most - gone)
            if gone >= most:
                # A message goes after all that points at it: the rest of this one is for the next slice.
                break
            gone += self._database.change("DELETE FROM message WHERE number = ?", number)
        return gone

    def _of_table(self, table: str, key: str, condition: str, value: int) -> Callable[[int], int]:
        return lambda most: self._database.change(
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT ?)",  # noqa: S608
            value, most,
        )  # fmt: skip
