"""What the live service learned since it last wrote anything down, written as a whole or not at all.

A ``Checkpoint`` holds the events, the records of the accounts, how far the logs were read and whatever else is to be of
the same moment.  After a crash the logs are read again from the positions of the last one; what of that is known
already is ignored and summed no second time.  After ``StoreUnusable`` the same checkpoint is to be handed in again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from outwarden.events import Event
from outwarden.store.account_records import AccountRecords
from outwarden.store.database import Database, microseconds
from outwarden.store.event_rows import EventRows
from outwarden.store.forgetting import Forgetting, Retention
from outwarden.store.names import Names, fitted
from outwarden.store.sums import SumsInMaking

__all__ = ["Checkpoint", "Ingest", "Retention", "Written"]

_LONGEST_PATH = 4096
_DAY = timedelta(days=1) // timedelta(microseconds=1)


class Checkpoint(msgspec.Struct):
    """All that belongs to one moment; what is left out stays as it was.

    ``records``, ``unreadable`` and ``shared_state`` are those of ``AccountRecords.save``.  ``positions`` are by log,
    ``states`` by a name of their owner's choice.
    """

    at: datetime
    events: Sequence[Event] = ()
    records: Sequence[tuple[str, bytes]] = ()
    unreadable: Sequence[tuple[str, bytes, str]] = ()
    shared_state: bytes | None = None
    positions: Mapping[str, bytes] = {}
    states: Mapping[str, bytes] = {}


class Written(msgspec.Struct, frozen=True):
    """What became of the events: written, or there already and ignored.

    ``out_of_time`` are those that are in no sum: of the ``events`` those whose time is more than a day after the
    checkpoint's, and, not written at all, those of a time that is forgotten.
    """

    events: int
    doubled: int
    out_of_time: int = 0


class Ingest:
    """Writes checkpoints, and gives back what they left."""

    def __init__(self, database: Database, records: AccountRecords, names: Names) -> None:
        self._database, self._records, self._names = database, records, names
        self._rows = EventRows(database, names)
        self._forgetting = Forgetting(database, names)

    def write(self, checkpoint: Checkpoint) -> Written:
        """Write all of it, or nothing.  Raises ``StoreUnusable``."""
        try:
            with self._database.writing():
                self._records.write(checkpoint.records, checkpoint.at, checkpoint.unreadable, checkpoint.shared_state)
                self._keep_positions(checkpoint)
                return self._write_events(checkpoint)
        except BaseException:
            self._names.unlearn()
            raise

    def known(self, events: Sequence[Event]) -> list[bool]:
        """Say of each event whether it is there already, as when a log is read again.  Raises ``StoreUnusable``."""
        return [self._rows.has(event) for event in events]

    def positions(self) -> dict[str, bytes]:
        """Return how far each log was read."""
        return {name: bytes(kept) for name, kept in self._database.rows("SELECT name, position FROM log_position")}

    def states(self) -> dict[str, bytes]:
        """Return the other states, by name."""
        return {name: bytes(kept) for name, kept in self._database.rows("SELECT name, state FROM service_state")}

    def forget(self, now: datetime, retention: Retention, most_rows: int = 5_000) -> int:
        """Forget what is over its time, oldest first and about so many rows; return how many, 0 where none is left.

        Raises ``StoreUnusable``.
        """
        return self._forgetting.forget(now, retention, most_rows)

    def _write_events(self, checkpoint: Checkpoint) -> Written:
        if not checkpoint.events:
            return Written(0, 0)
        now = microseconds(checkpoint.at)
        begin, end = self._forgetting.begin(checkpoint.at), now + _DAY
        sums = SumsInMaking(self._names, now)
        new = doubled = out_of_time = 0
        for event in checkpoint.events:
            at = microseconds(event.at)
            if at < begin:
                out_of_time += 1
            elif not self._rows.write(event, at, max(now, at)):
                doubled += 1
            else:
                new += 1
                if at <= end:
                    sums.add(event, at)
                else:
                    out_of_time += 1
        sums.write(self._database)
        return Written(new, doubled, out_of_time)

    def _keep_positions(self, checkpoint: Checkpoint) -> None:
        at = microseconds(checkpoint.at)
        self._database.write_each(
            "INSERT INTO log_position (name, position, at) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET position = excluded.position, at = excluded.at",
            # The path of a log may have any bytes; a name that comes back otherwise is a log read from its begin.
            ((fitted(name, _LONGEST_PATH), position, at) for name, position in checkpoint.positions.items()),
        )
        self._database.write_each(
            "INSERT INTO service_state (name, state) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET state = excluded.state",
            checkpoint.states.items(),
        )
