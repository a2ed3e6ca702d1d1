"""The audit log: who did what to which thing, when and why, in rows that hang together.

Rows are only ever added, each in the transaction of what it records, so that neither is there without the other.  Each
has the hash of what it says and of the hash before it: a row that is changed, taken out or put in between no longer
fits.  Whoever can write the file can make the whole chain anew, or cut its end off; so the *head*, the number and hash
of the newest row, is kept where he cannot write, and compared later.  ``docs/reference/audit.md`` has the format.

Known limit: the log grows with what is done, and nothing is ever removed from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from outwarden.store.database import Database, microseconds, moment

OURSELVES = "outwarden"
"""The actor where no other is known."""

_START = sha256(b"outwarden audit 1").digest()
_TYPES = "integer text text text text text text blob"
# As bytes, because a row that somebody damaged need not be text any more.
_ROWS = """
SELECT id,
    typeof(at) || ' ' || typeof(actor) || ' ' || typeof(action) || ' ' || typeof(object) || ' ' || typeof(before)
        || ' ' || typeof(after) || ' ' || typeof(reason) || ' ' || typeof(hash),
    CAST(at AS BLOB), CAST(actor AS BLOB), CAST(action AS BLOB), CAST(object AS BLOB), CAST(before AS BLOB),
    CAST(after AS BLOB), CAST(reason AS BLOB), hash
FROM audit ORDER BY id
"""
_HASH_LETTERS = 64


class MalformedHead(ValueError):
    """A line that is no exported head; the text says which."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row.  ``actor`` is a person, a program or ``OURSELVES``; ``at`` is UTC."""

    number: int
    at: datetime
    actor: str
    action: str
    object: str
    before: str
    after: str
    reason: str


class Head(NamedTuple):
    """The newest row at some time: its number, from 1, and its hash in 64 hexadecimal letters."""

    number: int
    hash: str


class Verified(NamedTuple):
    """What became of a verification.

    ``fits_to`` is the last row up to which the chain holds.  ``proved_to`` is the newest row that an exported head
    speaks for: up to it the log is what it was then, and beyond it only fits together.  ``broken_at`` is the first row
    that does not fit, None where all do, and ``why`` says it in words; a log that is broken has no head.
    """

    rows: int
    head: Head | None
    fits_to: int
    proved_to: int
    broken_at: int | None
    why: str


class Audit:
    """The log in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        *,
        actor: str,
        action: str,
        object: str,
        at: datetime,
        before: str = "",
        after: str = "",
        reason: str = "",
    ) -> int:
        """Write one row and return its number; only inside ``writing()``.  Never hand it a secret.

        Raises ``StoreUnusable``.
        """
        # A newest row that is damaged stops nobody: what is recorded must be done, and verifying will tell.
        last, chained = self._newest() or (0, _START)
        said = [_storable(each) for each in (actor, action, object, before, after, reason)]
        stamp = microseconds(at)
        octets = [str(stamp).encode(), *(each.encode() for each in said)]
        self._database.change(
            "INSERT INTO audit (id, at, actor, action, object, before, after, reason, hash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            last + 1, stamp, *said, _hash(chained, last + 1, octets),
        )  # fmt: skip
        return last + 1

    def head(self) -> Head | None:
        """Return the head, None where nothing was written yet."""
        newest = self._newest()
        return Head(newest[0], newest[1].hex()) if newest else None

    def entries(
        self,
        object: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
    ) -> list[AuditEntry]:
        """Return the rows about a thing, by an actor, from a time on (UTC); all where none is given; oldest first."""
        asked = {
            "object = ? COLLATE NOCASE": object,
            "actor = ?": actor,
            "at >= ?": None if since is None else microseconds(since),
        }
        chosen = {condition: value for condition, value in asked.items() if value is not None}
        rows = self._database.rows(
            "SELECT id, at, actor, action, object, before, after, reason FROM audit "  # noqa: S608 (our own words)
            f"WHERE {' AND '.join(chosen) or 'TRUE'} ORDER BY id",
            *chosen.values(),
        )
        return [AuditEntry(number, moment(at), *said) for number, at, *said in rows]

    def verify(self, heads: Sequence[Head] = ()) -> Verified:
        """Hold each row against the one before it, and the log against heads exported earlier.

        Raises ``StoreUnusable``, also where the file is too damaged to be read.
        """
        exported: dict[int, set[str]] = {}
        for head in heads:
            exported.setdefault(head.number, set()).add(head.hash)
        fits_to = proved_to = 0
        chained = _START
        for row in self._database.each_row(_ROWS):
            why = _misfit(row, fits_to + 1, chained) or _not_the_exported(row, exported)
            if why:
                return Verified(self._count(), None, fits_to, proved_to, fits_to + 1, why)
            fits_to, chained = row[0], row[-1]
            if fits_to in exported:
                proved_to = fits_to
        if exported and max(exported) > fits_to:
            why = f"the log ends at row {fits_to}, and had {max(exported)} rows when a head was exported"
            return Verified(fits_to, None, fits_to, proved_to, fits_to + 1, why)
        newest = Head(fits_to, chained.hex()) if fits_to else None
        return Verified(fits_to, newest, fits_to, proved_to, None, "")

    def newest_after(self, action: str, thing: str) -> str:
        """Return what the newest row of an action about a thing says of how it stands since; empty where none is."""
        rows = self._database.rows(
            "SELECT after FROM audit WHERE action = ? AND object = ? ORDER BY id DESC LIMIT 1", action, thing
        )
        return str(rows[0][0]) if rows else ""

    def _newest(self) -> tuple[int, bytes] | None:
        newest = self._database.rows("SELECT id, CAST(hash AS BLOB) FROM audit ORDER BY id DESC LIMIT 1")
        return (newest[0][0], newest[0][1] or b"") if newest else None

    def _count(self) -> int:
        ((count,),) = self._database.rows("SELECT count(*) FROM audit")
        return int(count)


def head_line(head: Head) -> str:
    """Return a head as a line to be kept elsewhere."""
    return f"{head.number} {head.hash}"


def read_heads(text: str) -> list[Head]:
    """Read lines that ``head_line`` wrote; what follows the two words is a remark.  Raises ``MalformedHead``."""
    return [head for number, line in enumerate(text.splitlines(), 1) for head in _heads(number, line)]


def _heads(place: int, line: str) -> Iterator[Head]:
    if not line.strip():
        return
    number, _, rest = line.strip().partition(" ")
    digest = rest.strip().partition(" ")[0].lower()
    if not (number.isascii() and number.isdigit() and int(number[:18]) > 0):
        raise MalformedHead(f"line {place} begins with no number of a row; `outwarden audit head` prints such lines")
    if len(digest) != _HASH_LETTERS or not set(digest) <= set("0123456789abcdef"):
        raise MalformedHead(f"line {place} has no hash of 64 letters; `outwarden audit head` prints such lines")
    yield Head(int(number[:18]), digest)


def _storable(text: str) -> str:
    """SQLite takes no half of a surrogate pair, which a name out of a hostile log may have."""
    return text.encode("utf-8", "backslashreplace").decode()


def _hash(chained: bytes, number: int, octets: Sequence[bytes]) -> bytes:
    # Each with its length before it, so that no letter can move from one column into the next.
    parts = (str(number).encode(), *octets)
    return sha256(chained + b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def _misfit(row: tuple[object, ...], expected: int, chained: bytes) -> str:
    number, types, *octets, kept = row
    if number != expected:
        return f"row {expected} is missing: row {number} comes next"
    if types != _TYPES:
        return f"row {number} is damaged"
    if _hash(chained, expected, octets) != kept:  # type: ignore[arg-type] # their types were looked at
        return f"row {number} was changed, or the one before it was"
    return ""


def _not_the_exported(row: tuple[object, ...], exported: dict[int, set[str]]) -> str:
    number, kept = row[0], row[-1]
    assert isinstance(number, int) and isinstance(kept, bytes)  # noqa: S101 (``_misfit`` has looked)
    if exported.get(number, {kept.hex()}) == {kept.hex()}:
        return ""
    return f"row {number} is another than when its head was exported: it or rows before it were written anew"
