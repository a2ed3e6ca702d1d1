"""What waits in a Postfix queue, read from its files: whose login handed in each message, which no listing tells.

A queue file is a row of records, each a type, a length and so many bytes; those of the envelope come first and the
message itself begins with the record ``M`` (Postfix's own rec_type.h, the same since 2.x).  Only files that are
complete are read, and only their beginning.  A file that goes away meanwhile was delivered, and is left out; one that
is not understood is left out too.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG, S_IXUSR

from outwarden.responses.mail_server import Queued
from outwarden.responses.steps import CouldNotAct

# In the order in which mail moves, so that a message on its way is not missed.
_QUEUES = ("incoming", "active", "deferred", "hold")
# Sender and login stand before the recipients, and are far shorter.
_BEGINNING = 4_096
_MOST_RECIPIENTS = 100
# An envelope of a hundred thousand recipients and more.
_LONGEST_ENVELOPE = 16 << 20
_TIME, _SENDER, _RECIPIENT, _ATTRIBUTE, _MESSAGE = b"TSRAM"


def queued(queue_directory: Path, account: str | None = None) -> list[Queued]:
    """Return every complete message, each once; with ``account`` only those that may be of it.

    Raises ``CouldNotAct`` where the queue may not be looked into.
    """
    named = b"" if account is None or not account.isascii() else account.encode()
    found = {
        message.queue_id: message for queue in _QUEUES for message in _messages(queue_directory / queue, queue, named)
    }
    return list(found.values())


def on_hold(queue_directory: Path, known: Mapping[str, Queued]) -> dict[str, Queued]:
    """Return what is on hold by queue ID, with all its recipients counted; files of what is ``known`` stay closed.

    Raises ``CouldNotAct`` where the queue may not be looked into.
    """
    there = {os.path.basename(file): file for file in _files(queue_directory / "hold")}
    found = {queue_id: known[queue_id] for queue_id in there.keys() & known.keys()}
    unknown = (file for queue_id, file in there.items() if queue_id not in found)
    found.update((message.queue_id, message) for message in _read(unknown, "hold", b"", whole=True))
    return found


def _messages(folder: Path, queue: str, named: bytes) -> Iterator[Queued]:
    return _read(_files(folder), queue, named, whole=False)


def _read(files: Iterator[str], queue: str, named: bytes, whole: bool) -> Iterator[Queued]:
    for file in files:
        try:
            with open(file, "rb") as opened:  # noqa: PTH123 (a path object for each message would cost more than its reading)
                state = os.fstat(opened.fileno())
                # Postfix sets the execute bit once the message is whole.
                if not S_ISREG(state.st_mode) or not state.st_mode & S_IXUSR:
                    continue
                beginning = _envelope(opened) if whole else opened.read(_BEGINNING)
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise CouldNotAct(f"{file}: {fault.strerror}") from fault
        # Taking records apart costs more than reading them, and most files of a long queue are somebody else's.
        if named not in beginning.lower():
            continue
        message = _understood(os.path.basename(file), queue, state.st_size, beginning)
        if message is not None:
            yield message


def _envelope(opened: BufferedReader) -> bytes:
    beginning = opened.read(_BEGINNING)
    while len(beginning) < _LONGEST_ENVELOPE and all(kind != _MESSAGE for kind, _ in _records(beginning)):
        more = opened.read(8 * len(beginning))
        if not more:
            break
        beginning += more
    return beginning


def _files(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise CouldNotAct(f"{folder}: {fault.strerror}; only root may look into the queue") from fault
    for entry in found:
        # Folders of the queue's hash have names of one character.
        if len(entry.name) == 1:
            yield from _files(Path(entry.path))
        else:
            yield entry.path


def _understood(queue_id: str, queue: str, size: int, beginning: bytes) -> Queued | None:
    sender: str | None = None
    login: str | None = None
    recipients: list[str] = []
    more = 0
    arrived_at: datetime | None = None
    for kind, content in _records(beginning):
        if kind == _MESSAGE:
            break
        if kind == _SENDER:
            sender = _text(content)
        elif kind == _RECIPIENT and len(recipients) < _MOST_RECIPIENTS:
            recipients.append(_text(content))
        elif kind == _RECIPIENT:
            more += 1
        elif kind == _TIME:
            arrived_at = _moment(content)
        elif kind == _ATTRIBUTE and content.startswith(b"sasl_username="):
            login = _text(content.partition(b"=")[2])
    if sender is None:
        return None
    return Queued(queue_id, queue == "hold", size, sender, login, tuple(recipients), more, arrived_at)


def _moment(content: bytes) -> datetime | None:
    """Return the time of ``seconds microseconds``, None where that is no time."""
    seconds, _, micros = content.partition(b" ")
    if not (seconds.isdigit() and len(seconds) < 12):
        return None
    fraction = int(micros) if micros.isdigit() and len(micros) < 7 else 0
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=fraction)


def _records(beginning: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each record that is wholly there."""
    at, end = 0, len(beginning)
    while at < end:
        kind, length, shift = beginning[at], 0, 0
        at += 1
        # Seven bits of the length at a time, the lowest first; the highest bit says that more follow.
        while at < end:
            byte = beginning[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 28:
                break
        else:
            return
        if at + length > end:
            return
        yield kind, beginning[at : at + length]
        at += length


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
