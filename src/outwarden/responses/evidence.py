"""What was in the queue before it was deleted: one tar file, packed with zstd, and the digest that names it.

Each message is there as the mail server's own tool shows it, envelope first; ``messages.jsonl`` is a list of them with
a digest each.  The file is whole on the disk before its name appears, readable for root alone, and bounded: what does
not fit is said, and must then not be deleted.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from outwarden.responses.mail_server import Queued
from outwarden.responses.steps import CouldNotAct

MOST_BYTES = 2 << 30
"""Of messages in one archive, before packing."""
MOST_MESSAGES = 50_000

_LEVEL = 3


class Archive(NamedTuple):
    """What was kept: the file, the SHA-256 of it, and the messages that are in it."""

    file: Path
    sha256: str
    queue_ids: tuple[str, ...]


def archive(
    messages: Iterable[Queued],
    content: Callable[[str], bytes],
    folder: Path,
    name: str,
    now: datetime,
    most_bytes: int = MOST_BYTES,
) -> Archive:
    """Write messages into ``folder/name``.  Raises ``CouldNotAct``; then there is no such file.

    ``content`` gives a message by its queue ID; one that it cannot give any more is left out.
    """
    target = folder / name
    part = folder / f".{name}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:  # noqa: PTH123 (a mode of its own)
            kept = _write(file, messages, content, now, most_bytes)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        part.replace(target)
        _settle(folder)
    except OSError as fault:
        raise CouldNotAct(f"{target}: {fault.strerror}; nothing was deleted") from fault
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Archive(target, digest, tuple(kept))


def _write(
    file: io.BufferedRandom,
    messages: Iterable[Queued],
    content: Callable[[str], bytes],
    now: datetime,
    most_bytes: int,
) -> list[str]:
    import zstandard

    kept: list[str] = []
    rows: list[dict[str, object]] = []
    written = 0
    packer = zstandard.ZstdCompressor(level=_LEVEL)
    with packer.stream_writer(file, closefd=False) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for message in messages:
            try:
                raw = content(message.queue_id)
            except CouldNotAct:
                # Delivered or deleted meanwhile: not in the archive, so not to be deleted either.
                continue
            written += len(raw)
            if written > most_bytes or len(kept) >= MOST_MESSAGES:
                break
            _add(tar, f"{message.queue_id}.txt", raw, now)
            kept.append(message.queue_id)
            rows.append(_row(message, raw))
        _add(tar, "messages.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows), now)
    return kept


def _row(message: Queued, raw: bytes) -> dict[str, object]:
    return {
        "queue_id": message.queue_id,
        "sender": message.sender,
        "login": message.login,
        "recipients": message.recipients,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def _add(tar: tarfile.TarFile, name: str, raw: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(raw), 0o600, int(now.timestamp())
    tar.addfile(entry, io.BytesIO(raw))


def _settle(folder: Path) -> None:
    """Put the new name itself on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
