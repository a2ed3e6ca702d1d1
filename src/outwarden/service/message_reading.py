"""Messages out of files: their bytes, decompressed, what each is and whose, and what a bounce says of whom.

A file is one message, an mbox, or a Maildir.  The size of a message is bounded, before and after decompression; what
cannot be a message is ``unreadable``, with the reason, and never an error of ours.
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
from outwarden.sources.message.mbox import is_mbox, messages_in_mbox
from outwarden.sources.message.parts import read_parts
from outwarden.sources.message.returned_marks import carried_marks
from outwarden.sources.reports import Bounce, Complaint, Kind, read_report

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
    ``bounce`` and ``complaint`` are what a message of such a kind tells.
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
    bounce: Bounce | None = None
    complaint: Complaint | None = None


def read_path(path: str, keys: MarkKeys | None) -> Iterator[ReadMessage]:
    """Yield what the messages at a path are; ``-`` is standard input.  Raises ``UnreadableFile``.

    Of an mbox with several messages each is called after the file and its number, as ``mbox#2``.
    """
    try:
        if path == "-":
            yield from _read_stream(path, sys.stdin.buffer, keys)
            return
        if Path(path).is_dir():
            for file in _files_of_maildir(path):
                yield from read_path(file, keys)
            return
        with Path(path).open("rb") as stream:
            yield from _read_stream(path, stream, keys)
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault


def _files_of_maildir(path: str) -> list[str]:
    folders = [folder for folder in (Path(path, "new"), Path(path, "cur")) if folder.is_dir()]
    if not folders:
        raise UnreadableFile(f"{path}: a folder and no Maildir; name the files in it")
    return [str(file) for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]


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
    message_id = first(parts.fields, b"message-id").decode("utf-8", "replace").strip()
    subject = readable(first(parts.fields, b"subject"))
    # Also where it is no message: somebody may have saved nothing but a header, or a part of one.
    carried = None if keys is None else carried_marks(keys, message, parts)
    marked = None if carried is None else carried.marked
    report = read_report(message)
    kind = report.kind
    if kind in (Kind.MAIL, Kind.AUTO_REPLY, Kind.UNREADABLE):
        kind = Kind.UNREADABLE if _FIELDS.isdisjoint(parts.fields) else kind
    return ReadMessage(
        file,
        kind,
        ours=None if carried is None else carried.ours,
        account=marked and marked.account,
        host=marked and marked.host,
        marked_at=marked and marked.at,
        message_id=message_id[:_LONGEST_MESSAGE_ID] or None,
        subject=subject[:_LONGEST_SUBJECT] or None,
        reason="it has no header of a message" if kind is Kind.UNREADABLE else None,
        bounce=report.bounce,
        complaint=report.complaint,
    )


def _read_stream(path: str, stream: BinaryIO, keys: MarkKeys | None) -> Iterator[ReadMessage]:
    raw = _pieces(stream)
    head = next(raw, b"")
    begin = decompressor_for(head)
    pieces = _again(head, raw)
    number = 0
    try:
        for message in _messages(pieces if begin is None else decompressed(pieces, begin)):
            number += 1
            name = path if number == 1 else f"{path}#{number}"
            if len(message) > MOST_BYTES:
                yield ReadMessage(name, "unreadable", reason=f"it is larger than {MOST_BYTES >> 20} MiB")
            else:
                yield read_message(name, message, keys)
    except DamagedCompression:
        yield ReadMessage(path, "unreadable", reason="the compressed file is cut off or damaged")


def _messages(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the messages of a file, each cut off after ``MOST_BYTES`` bytes and one."""
    head = next(pieces, b"")
    if is_mbox(head):
        yield from messages_in_mbox(_again(head, pieces), MOST_BYTES)
        return
    read, size = [head], len(head)
    for piece in pieces:
        read.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            break
    yield b"".join(read)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_BLOCK):
        yield piece


def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
