"""The records of the judge: one for each account, saved together, and given back as the bytes they are.

A record is looked into when its account is heard of, as most accounts sleep; ``detection.live.records`` does
that, and says which it could not read and why.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from outwarden.store.database import Database, microseconds


class AccountRecords:
    """The records in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        changed: Iterable[tuple[str, bytes]],
        now: datetime,
        unreadable: Iterable[tuple[str, bytes, str]] = (),
        shared_state: bytes | None = None,
    ) -> None:
        """Write down the records of accounts that were heard of, and put aside those that could not be read.

        ``shared_state`` is what the accounts shared at the same moment, None where it has not changed.

        All of it is written or nothing: after ``StoreUnusable`` the same is to be handed in again, with what
        has changed since.
        """
        with self._database.writing():
            self.write(changed, now, unreadable, shared_state)

    def write(
        self,
        changed: Iterable[tuple[str, bytes]],
        now: datetime,
        unreadable: Iterable[tuple[str, bytes, str]] = (),
        shared_state: bytes | None = None,
    ) -> None:
        """Do what ``save`` does as a part of something larger; only inside ``writing()``."""
        self._put_aside(unreadable, now)
        self._database.write_each(
            "INSERT INTO account_record (account, heard_at, record) VALUES (?, ?, ?) "
            "ON CONFLICT (account) DO UPDATE SET record = excluded.record, heard_at = excluded.heard_at",
            ((account, microseconds(now), record) for account, record in changed),
        )
        if shared_state is not None:
            self._database.rows(
                "INSERT INTO judge_state (number, state) VALUES (1, ?) "
                "ON CONFLICT (number) DO UPDATE SET state = excluded.state",
                shared_state,
            )

    def shared_state(self) -> bytes | None:
        """Return what the accounts shared when they were last saved, None where nothing was."""
        rows = self._database.rows("SELECT state FROM judge_state")
        return bytes(rows[0][0]) if rows else None

    def all(self) -> Iterator[tuple[str, bytes]]:
        """Yield every account with its record, in no order, one by one: all of them may not fit twice."""
        return self._database.each_row("SELECT account, record FROM account_record")

    def unreadable(self) -> int:
        """Return how many records are kept aside because they could not be read."""
        ((count,),) = self._database.rows("SELECT count(*) FROM account_record_unreadable")
        return int(count)

    def forget(self, days: float, now: datetime) -> int:
        """Forget accounts not heard of for so many days, before the others are loaded; return how many they were.

        Records kept aside for as long go too.
        """
        before = microseconds(now - timedelta(days=days))
        with self._database.writing():
            self._database.rows("DELETE FROM account_record_unreadable WHERE found_at < ?", before)
            self._database.rows("DELETE FROM account_record WHERE heard_at < ?", before)
            ((count,),) = self._database.rows("SELECT changes()")
        return int(count)

    def _put_aside(self, unreadable: Iterable[tuple[str, bytes, str]], now: datetime) -> None:
        for account, record, reason in unreadable:
            self._database.rows(
                "INSERT INTO account_record_unreadable (account, record, reason, found_at) VALUES (?, ?, ?, ?)",
                account, record, reason, microseconds(now),
            )  # fmt: skip
            self._database.rows("DELETE FROM account_record WHERE account = ?", account)
