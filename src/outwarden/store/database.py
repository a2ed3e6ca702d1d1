"""The SQLite file: opened, locked, brought to this version's schema, and written in whole transactions.

Write-ahead log, one writer: ``outwarden run`` holds a lock beside the file, and whoever else writes a line (a
command of the operator) waits for its turn.  Every transaction is on the disk before it counts, as an alarm
that was forgotten is worse than a slow one.  Readers need no right to write the file.

The schema is the SQL files in ``schema/``, run in order; the number of the last is the file's ``user_version``.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

_APPLICATION_ID = 0x4F757477  # "Outw": so that another program's file is not taken for ours.
_BUSY_SECONDS = 5.0
_LARGEST_RESTING_LOG = 64 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StoreUnusable(Exception):
    """The store cannot be read or written; one line names the file and says what to do."""


class Database:
    """One open file.  Not for several threads at once."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open, and unless it is only read make and migrate the file.  Raises ``StoreUnusable``."""
        self.path = path
        self._lock: int | None = None
        with self._faults():
            if not read_only:
                _make_folder(path)
            elif not path.exists():
                raise StoreUnusable(f"{path}: there is no store yet; start outwarden run")
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{_mode(path, read_only)}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
            )
            try:
                self._set_up(read_only)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file and give the lock away."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def be_the_writer(self) -> None:
        """Take the lock of the one service that writes here; raises ``StoreUnusable`` where another has it."""
        with self._faults():
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StoreUnusable(f"{self.path}: another outwarden run is at work on it; stop that one first") from None
        self._lock = lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything inside is written, or nothing.  Raises ``StoreUnusable``."""
        with self._faults():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 (what SQLite can hold)
        """Return what a query finds, or what a statement returns.  Raises ``StoreUnusable``."""
        # Not by ``_faults``, which takes as long as a short query: there are many of them for each event.
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault

    def change(self, sql: str, *values: Any) -> int:  # noqa: ANN401 (what SQLite can hold)
        """Run one statement that changes rows, and return how many it did.  Raises ``StoreUnusable``."""
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault

    def each_row(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield what a query finds one by one, where it is too much to hold.  Raises ``StoreUnusable``."""
        with self._faults():
            yield from self._connection.execute(sql)

    def write_each(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each of many rows, as they come; only inside ``writing()``."""
        self._connection.executemany(sql, rows)

    def _unusable(self, fault: sqlite3.Error) -> StoreUnusable:
        return StoreUnusable(f"{self.path}: {fault}; {_cure(fault)}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault
        except OSError as fault:
            raise StoreUnusable(f"{self.path}: {fault.strerror}; name a file that can be written there") from fault

    def _set_up(self, read_only: bool) -> None:
        (owner,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        known = _schema()
        if owner != _APPLICATION_ID and (owner or version or tables):
            raise StoreUnusable(f"{self.path}: a database of another program; name another file")
        if version > len(known):
            raise StoreUnusable(f"{self.path}: written by a newer Outwarden (schema {version}); install that one")
        if read_only:
            if version < len(known):
                raise StoreUnusable(f"{self.path}: of an older schema ({version}); start outwarden run once")
            return
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        # After a burst (the first reading of old logs) the write-ahead log gives its room back.
        self._connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_RESTING_LOG}")
        if version < len(known):
            self._migrate(known)

    def _migrate(self, known: list[str]) -> None:
        with self.writing():
            # Read again: another may have done it while we waited for our turn.
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            for number, script in enumerate(known[version:], start=version + 1):
                for statement in _statements(script):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")


def microseconds(moment: datetime) -> int:
    """Return a time as the store keeps it: whole microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(kept: int) -> datetime:
    """Return a time that the store kept, UTC."""
    return _EPOCH + timedelta(microseconds=kept)


def moment_or_none(kept: int | None) -> datetime | None:
    """Return a time that the store kept, None where there is none."""
    return None if kept is None else moment(kept)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StoreUnusable(f"{path}: {path.parent} is no folder; name another file") from None


def _mode(path: Path, read_only: bool) -> str:
    """Return how SQLite is to open the file.

    Where nobody is at work the write-ahead log is gone, and a reader without the right to make it anew must be
    told that nothing changes under it.
    """
    if not read_only:
        return "mode=rwc"
    resting = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
    return "mode=ro&immutable=1" if resting else "mode=ro"


def _schema() -> list[str]:
    scripts = sorted(Path(__file__).with_name("schema").glob("*.sql"))
    return [script.read_text(encoding="utf-8") for script in scripts]


def _statements(script: str) -> Iterator[str]:
    """Yield the statements one by one: ``executescript`` would commit before each file."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _cure(fault: sqlite3.Error) -> str:
    name = getattr(fault, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds it; try again"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "not a store, or damaged; move it away, a new one is made"
    if name.startswith("SQLITE_FULL"):
        return "make room on the disk"
    return "look at the rights of the file and its folder"
