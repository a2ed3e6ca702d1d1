"""The records of all accounts.  A saved one stays bytes until its account is heard of: most sleep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from outwarden.detection.live.encoding import RecordError, decode_record, encode_record, writable
from outwarden.detection.live.merging import merged
from outwarden.detection.live.record import AccountRecord, new_record
from outwarden.events import AccountKind


class UnreadableRecord(NamedTuple):
    """The bytes of a record that could not be read, and why."""

    account: str
    record: bytes
    reason: str


class Records:
    """Records by account."""

    def __init__(self, saved: Iterable[tuple[str, bytes]] = ()) -> None:
        self._awake: dict[str, AccountRecord] = {}
        self._asleep: dict[str, bytes] = dict(saved)
        self._changed: set[str] = set()
        # What ``changed`` has yet to give, in order; as bytes where the record may have been changed since.
        self._leaving: dict[str, bytes | None] = {}
        self._unreadable: list[UnreadableRecord] = []

    def __len__(self) -> int:
        return len(self._awake) + len(self._asleep)

    def get(self, account: str) -> AccountRecord | None:
        """Return an account's record to be changed, None where there is none or it cannot be read."""
        account = writable(account)
        record = self._awake.get(account)
        if record is None:
            record = self._wake(account)
            if record is None:
                return None
        if account in self._leaving:
            self._encoded(account)
        self._changed.add(account)
        return record

    def get_or_new(self, account: str, kind: AccountKind, now: float) -> AccountRecord:
        """Return an account's record to be changed, a new one where there is none."""
        record = self.get(account)
        if record is None:
            record = new_record(writable(account), kind, now)
            self.put(record)
        return record

    def put(self, record: AccountRecord) -> None:
        """Put a record in the place of what is there."""
        if record.account in self._leaving:
            self._encoded(record.account)
        self._asleep.pop(record.account, None)
        self._awake[record.account] = record
        self._changed.add(record.account)

    def merge(self, record: AccountRecord) -> None:
        """Add what another record of an account knows, one that has not counted the same events."""
        there = self.get(record.account)
        self.put(record if there is None else merged(there, record))

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Return the records looked at since this was last asked, as bytes, in the order of their accounts.

        Each is as it is now, however much later it is taken; all must be taken before this is asked again.
        """
        self._leaving = dict.fromkeys(sorted(self._changed))
        self._changed.clear()
        return self._left()

    def _left(self) -> Iterator[tuple[str, bytes]]:
        for account in self._leaving:
            yield account, self._encoded(account)
        self._leaving = {}

    def _encoded(self, account: str) -> bytes:
        """Return a record that is leaving, as it was when that began."""
        encoded = self._leaving[account]
        if encoded is None:
            encoded = self._leaving[account] = encode_record(self._awake[account])
        return encoded

    def unreadable(self) -> list[UnreadableRecord]:
        """Return the records that turned out since this was last asked to be unreadable; their accounts begin anew."""
        found, self._unreadable = self._unreadable, []
        return found

    def all(self) -> Iterator[tuple[str, bytes]]:
        """Return all records as bytes, in the order of their accounts."""
        for account in sorted((*self._awake, *self._asleep)):
            record = self._awake.get(account)
            yield account, self._asleep[account] if record is None else encode_record(record)

    def _wake(self, account: str) -> AccountRecord | None:
        saved = self._asleep.pop(account, None)
        if saved is None:
            return None
        try:
            record = decode_record(saved)
            if record.account != account:
                raise RecordError(f"the record of another account, {record.account!r}")
        except RecordError as error:
            self._unreadable.append(UnreadableRecord(account, saved, str(error)))
            return None
        self._awake[account] = record
        return record
