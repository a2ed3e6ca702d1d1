"""Messages out of files: their bytes, decompressed, and what each is and whose.

One file is one message.  Its size is bounded before and after decompression; what cannot be a message is
``unreadable``, with the reason, and never an error of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from outwarden.sources.compression import DamagedCompression, decompressed, decompressor_for
from outwarden.sources.message.header import first, readable
from outwarden.sources.message.mark import MarkKeys
from outwarden.sources.message.parts import read_parts
from outwarden.sources.message.returned_marks import carried_marks

MOST_BYTES = 33_554_432
"""32 MiB: what is larger is not read."""

_BLOCK = 1 << 16
_LONGEST_SUBJECT = 1_000
_LONGEST_MESSAGE_ID = 998
# RFC 5322 section 3.6: what at least one of the header's fields is called.
_FIELDS = frozenset((b"from", b"to", b"date", b"subject", b"message-id", b"received", b"return-path", b"content-type"))
_ENVELOPE_LINES = (b"From ", b">From ")


class UnreadableFile(Exception):
    """A file that cannot be opened or read; the text says which and why."""


class ReadMessage(msgspec.Struct, frozen=True):
    """What a message is, and whose: ``ours``, ``account``, ``host`` and ``marked_at`` by its mark.

    ``ours`` is None where no keys are known or nothing says so; ``reason`` says why a message is unreadable.
    """

    file: str
    kind: str
    ours: bool | None = None
    account: str | None = None
    host: str | None = None
    marked_at: datetime | None = None
    message_id: str | None = None
    subject: str | None = None
    reason: str | None = None


def read_file(path: str, keys: MarkKeys | None) -> ReadMessage:
    """Return what the message in a file is; ``-`` is standard input.  Raises ``UnreadableFile``."""
    try:
        if path == "-":
            return _read_stream(path, sys.stdin.buffer, keys)
        if Path(path).is_dir():
            raise UnreadableFile(f"{path}: a folder; name the files in it")
        with Path(path).open("rb") as stream:
            return _read_stream(path, stream, keys)
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault


def read_message(file: str, message: bytes, keys: MarkKeys | None) -> ReadMessage:
    """Return what a message is; ``file`` is what it is called."""
    message = message.lstrip()
    if message.startswith(_ENVELOPE_LINES):
        # The line that mbox puts before a message.
        message = message.partition(b"\n")[2]
    if not message:
        return ReadMessage(file, "unreadable", reason="it is empty")
    if b"\n" not in message:
        # Macintosh once ended lines so, and some programs still do.
        message = message.replace(b"\r", b"\n")
    parts = read_parts(message)
    is_mail = not _FIELDS.isdisjoint(parts.fields)
    message_id = first(parts.fields, b"message-id").decode("utf-8", "replace").strip()
    subject = readable(first(parts.fields, b"subject"))
    # Also where it is no message: somebody may have saved nothing but a header, or a part of one.
    carried = None if keys is None else carried_marks(keys, message, parts)
    marked = None if carried is None else carried.marked
    return ReadMessage(
        file,
        "mail" if is_mail else "unreadable",
        ours=None if carried is None else carried.ours,
        account=marked and marked.account,
        host=marked and marked.host,
        marked_at=marked and marked.at,
        message_id=message_id[:_LONGEST_MESSAGE_ID] or None,
        subject=subject[:_LONGEST_SUBJECT] or None,
        reason=None if is_mail else "it has no header of a message",
    )


def _read_stream(path: str, stream: BinaryIO, keys: MarkKeys | None) -> ReadMessage:
    raw = _pieces(stream)
    head = next(raw, b"")
    begin = decompressor_for(head)
    pieces = _again(head, raw)
    read, size = [], 0
    try:
        for piece in pieces if begin is None else decompressed(pieces, begin):
            read.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                return ReadMessage(path, "unreadable", reason=f"it is larger than {MOST_BYTES >> 20} MiB")
    except DamagedCompression:
        return ReadMessage(path, "unreadable", reason="the compressed file is cut off or damaged")
    return read_message(path, b"".join(read), keys)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_BLOCK):
        yield piece


def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
