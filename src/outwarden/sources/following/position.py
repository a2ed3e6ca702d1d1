"""How far a log was read, in a form that outlives the process."""

from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec
import xxhash

HEAD = 1024
"""So many of a file's first bytes tell it from every other: a log begins with a line that has a time in it."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class MalformedPosition(ValueError):
    """What was saved is no position."""


class Position(msgspec.Struct, frozen=True, tag="file", array_like=True):
    """A place in a file, counted in decompressed bytes.

    The file is known again by its ``head``, the xxh3_128 digest of ``head_length`` bytes from ``head_at`` on, wherever
    it was moved and however it was packed since; ``device`` and ``inode`` only say where to look first, because an
    inode is soon used again.  ``head_at`` is how many NUL bytes stand before the first line.  ``written_ns`` is when
    the file was last written, in nanoseconds since 1970.  ``before`` is the file before this one, as long as its
    writer may still add to it.
    """

    path: str
    device: _Count
    inode: _Count
    offset: _Count
    head_length: Annotated[int, msgspec.Meta(ge=0, le=HEAD)]
    head: str
    head_at: _Count = 0
    written_ns: int = 0
    before: "Position | None" = None


class JournalPosition(msgspec.Struct, frozen=True, tag="journal", array_like=True):
    """A place in the journal of systemd: the cursor of the last entry that was read."""

    cursor: str


class Piece(NamedTuple):
    """What was read of a log, and the position after it.

    ``next_file`` is not None where these bytes are the first that come from another file than those before, or
    the first of all: when that file was last written.  A file that was moved, copied or compressed is the same one.
    """

    octets: bytes
    position: Position | JournalPosition
    next_file: datetime | None


_decoder: msgspec.msgpack.Decoder[Position | JournalPosition] = msgspec.msgpack.Decoder(Position | JournalPosition)


def saved(position: Position | JournalPosition) -> bytes:
    """Return a position as bytes."""
    return msgspec.msgpack.encode(position)


def restored(octets: bytes) -> Position | JournalPosition:
    """Return a position that was saved.  Raises ``MalformedPosition``."""
    try:
        return _decoder.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise MalformedPosition(f"no position of a log: {fault}") from fault


def digest_of(head: bytes) -> str:
    """Return the digest of a file's first bytes."""
    return xxhash.xxh3_128_hexdigest(head)
