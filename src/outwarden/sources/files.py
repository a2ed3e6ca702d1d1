"""Log files: which of them, in what order, and their bytes, decompressed.

The one module of ``sources`` that touches the disk; readers are given what it reads.

``log_files`` takes what the operator names (files, ``-`` for standard input, directories) and returns the
files in reading order, oldest first, so that a message which began in ``mail.log.1`` ends in ``mail.log``.
``read_blocks`` reads one of them.

What cannot be read is an ``UnreadableLog`` that says the cure.  Of a file that is cut off or damaged
all that can be read is delivered first, and ``DamagedLog`` is raised at its end: the caller can
go on with a warning.

Not done: archives (tar, zip) are not looked into; a directory is not searched below its first level;
that nothing but NUL bytes came out of a file shows only in that it had no lines.
"""

import codecs
import grp
import heapq
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import NamedTuple, cast

from outwarden.sources.compression import DamagedCompression, decompressed, decompressor_for
from outwarden.sources.logs.reading import MixedLog

_STDIN = "-"
# What stays in a processor's cache while readers go over it again and again: a third faster than a megabyte.
_BLOCK = 1 << 17
_COMPRESSED_BLOCK = 1 << 16
_LOOKED_AT = 1 << 18
_LONGEST_MAGIC = 16


class UnreadableLog(Exception):
    """A log that cannot be read: which, why, and what the operator can do."""

    def __init__(self, path: str, why: str, cure: str) -> None:
        super().__init__(f"{path}: {why}; {cure}")
        self.path = path
        self.why = why
        self.cure = cure


class DamagedLog(UnreadableLog):
    """A compressed file that is cut off or broken; everything before that was delivered."""


class LogFile(NamedTuple):
    """A file to read.  ``newest`` is when it was last written; ``size`` is None where that is not known."""

    path: str
    newest: datetime
    size: int | None


def log_files(paths: Sequence[str]) -> list[LogFile]:
    """Return the files that the paths name, oldest first, each once.

    Files that are named are taken as they are; of a directory, those that hold a mail log.
    Empty files are left out.  Raises ``UnreadableLog``, also where nothing is left.
    """
    found: dict[str, LogFile] = {}
    for path in paths:
        is_directory = path != _STDIN and os.path.isdir(path)
        for file in _in_directory(path) if is_directory else [_log_file(path)]:
            found.setdefault(os.path.realpath(file.path), file)
    filled = [file for file in found.values() if file.size != 0]
    if found and not filled:
        empty = next(iter(found.values()))
        raise UnreadableLog(empty.path, "the file is empty", "name the file that the mail server writes to")
    return list(heapq.merge(*_families(filled), key=lambda file: file.newest))


def read_blocks(file: LogFile, on_read: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """Yield the bytes of the file, decompressed, in blocks cut anywhere.

    ``on_read`` is told how many bytes were read from the disk, for a progress bar.
    Raises ``UnreadableLog`` before the first block, ``DamagedLog`` after the last.
    """
    raw = _bytes_of(file, on_read)
    head = next(raw, b"")
    begin = decompressor_for(head)
    blocks: Iterator[bytes] = chain((head,), raw)
    if begin is not None:
        blocks = decompressed(blocks, begin)
    try:
        first = next(blocks, b"")
        _refuse_binary(file.path, first)
        yield first
        yield from blocks
    except DamagedCompression as damage:
        raise DamagedLog(
            file.path,
            "the compressed file is cut off or damaged",
            "what comes before the damage was read; fetch the file again for the rest",
        ) from damage


def rotated_files(path: str) -> list[str]:
    """Return the files that were rotated away from a log, oldest first by their names.

    Of ``mail.log.1`` and ``mail.log.1.gz`` the first: the rotation is not finished.  Raises ``OSError``
    where the directory cannot be read.
    """
    directory, own = os.path.dirname(path) or ".", os.path.basename(path)
    log = _rotation(own)[0]
    names = sorted(entry.name for entry in os.scandir(directory) if entry.name != own)
    places = {_rotation(name): name for name in reversed(names)}
    return [os.path.join(directory, name) for (of, _), name in sorted(places.items()) if of == log]


# -- which files, in what order --------------------------------------------------------------------

# Files that repeat lines of others: syslog's copies by severity, Exim's refusals and panics.
_REPEATS = re.compile(r"mail\.(?:info|warn|err|crit)|(?:exim_?)?(?:reject|panic)log")
# Files of the whole system, which repeat what the mail server's own file has where there is one.
_OF_THE_SYSTEM = re.compile(r"(?:syslog|messages|daemon|user|debug|system|auth|secure|all)(?![a-z])")
_MAY_BE_MAIL = re.compile(r"mail|mainlog|exim|postfix|smtpd|MSGTRK|dovecot", re.I)

_TRACKING = re.compile(r"(MSGTRK[A-Z]*)(\d{8,10})-(\d+)(\.LOG)", re.I)
_DATED = re.compile(r"(.*?)[-._](\d{4}-?\d\d(?:-?\d\d)?(?:[-_.T]?\d{2,6})?)(?!\d)(.*)")
_NUMBERED = re.compile(r"(.*)[-.](\d{1,3})")
_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|lzma|[zZ])$")


def _log_file(path: str) -> LogFile:
    if path == _STDIN:
        return LogFile(_STDIN, datetime.now(UTC), None)
    try:
        status = os.stat(path)
    except OSError as fault:
        raise _unreadable(path, fault) from fault
    if not os.access(path, os.R_OK):
        raise _unreadable(path, PermissionError())
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return LogFile(path, datetime.fromtimestamp(status.st_mtime, UTC), size)


def _in_directory(path: str) -> list[LogFile]:
    try:
        names = sorted(entry.name for entry in os.scandir(path) if entry.is_file() and entry.name[0] != ".")
    except OSError as fault:
        raise _unreadable(path, fault) from fault
    files = [_log_file(os.path.join(path, name)) for name in names if _is_wanted(path, name)]
    families = [family for family in _families(_without_copies(files)) if any(map(_holds_mail_log, family))]
    own = [family for family in families if not _OF_THE_SYSTEM.match(os.path.basename(family[0].path))]
    if not families:
        raise UnreadableLog(
            path,
            "no file in this directory is a mail log",
            "name the log itself; where mail is logged to the journal: journalctl -o json | outwarden check -",
        )
    return [file for family in own or families for file in family]


def _is_wanted(directory: str, name: str) -> bool:
    """Return whether to look into the file; one that may not be read only counts where its name says mail."""
    if _REPEATS.match(name):
        return False
    return os.access(os.path.join(directory, name), os.R_OK) or bool(_MAY_BE_MAIL.search(name))


def _holds_mail_log(file: LogFile) -> bool:
    """Return whether the beginning of the file has lines of a mail server."""
    log = MixedLog(file.newest)
    seen = 0
    try:
        for block in read_blocks(file):
            log.feed(block[:_LOOKED_AT])
            seen += len(block)
            if log.lines_understood or seen >= _LOOKED_AT:
                break
    except UnreadableLog:
        pass
    return log.lines_understood > 0


def _rotation(path: str) -> tuple[str, tuple[int, str, int]]:
    """Return which log a file is part of, and its place there: dates, then falling numbers, then the current one."""
    directory, name = os.path.split(path)
    name = _COMPRESSED.sub("", name)
    if found := _TRACKING.fullmatch(name):
        log, place = found[1], (0, found[2], int(found[3]))
    elif found := _DATED.fullmatch(name):
        log, place = found[1] + found[3], (0, re.sub(r"\D", "", found[2]), 0)
    elif found := _NUMBERED.fullmatch(name):
        log, place = found[1], (1, "", -int(found[2]))
    else:
        log, place = name, (2, "", 0)
    return os.path.join(directory, log), place


def _families(files: Iterable[LogFile]) -> list[list[LogFile]]:
    """Return the files by the log that they are parts of, each log oldest first."""
    families: dict[str, list[LogFile]] = {}
    for file in sorted(files, key=lambda file: _rotation(file.path)[1]):
        families.setdefault(_rotation(file.path)[0], []).append(file)
    return list(families.values())


def _without_copies(files: list[LogFile]) -> list[LogFile]:
    """Leave out ``mail.log.1.gz`` beside ``mail.log.1``: a rotation that is not finished."""
    return list({_rotation(file.path): file for file in reversed(files)}.values())


# -- their bytes -----------------------------------------------------------------------------------

_NOT_LOGS = (
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x1f\x9d", "compressed by compress(1)"),
    (b"\x04\x22\x4d\x18", "compressed by lz4"),
    (b"SQLite format 3", "a database"),
    (b"ElfFile", "a Windows event log"),
)
_JOURNAL = b"LPKSHHRH"
_CONTROLS = bytes(sorted({*range(32), 127} - set(b"\b\t\n\v\f\r\x1b")))
_MOST_ODD = 0.1


def _bytes_of(file: LogFile, on_read: Callable[[int], None] | None) -> Iterator[bytes]:
    """Yield the file as it lies on the disk, first a block that is long enough to show what it is."""
    try:
        with _opened(file.path) as read:
            head = read(_COMPRESSED_BLOCK)
            while 0 < len(head) < _LONGEST_MAGIC and (more := read(_COMPRESSED_BLOCK)):
                head += more
            size = _COMPRESSED_BLOCK if decompressor_for(head) else _BLOCK
            block = head
            while block:
                if on_read is not None:
                    on_read(len(block))
                yield block
                block = read(size)
    except OSError as fault:
        raise _unreadable(file.path, fault) from fault


@contextmanager
def _opened(path: str) -> Iterator[Callable[[int], bytes]]:
    """Open a file for reading; what it gives reads at most so many bytes, fewer where a pipe has fewer."""
    if path == _STDIN:
        # What a pipe has now, not what it will have: a log may be followed through it.
        yield cast(BufferedReader, sys.stdin.buffer).read1
    else:
        with Path(path).open("rb", buffering=0) as source:
            yield lambda size: source.read(size) or b""


def _refuse_binary(path: str, block: bytes) -> None:
    if block.startswith(_JOURNAL):
        cure = f"journalctl --file {shlex.quote(path)} -o json | outwarden check -"
        raise UnreadableLog(path, "this is a journal of systemd, which only journalctl can read", cure)
    for magic, what in _NOT_LOGS:
        if block.startswith(magic):
            raise UnreadableLog(
                path, f"this is {what}, not a log", "name a log in text (gzip, bzip2, xz and zstd are read)"
            )
    if _is_binary(block[:_COMPRESSED_BLOCK]):
        raise UnreadableLog(path, "this is a binary file, not a log", "name a log in text")


def _is_binary(sample: bytes) -> bool:
    """Return whether much of it is control characters or bytes of no text; a log may have some of either.

    NUL bytes prove nothing: a log truncated under its writer begins with them, and UTF-16 is full of them.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    text = sample.replace(b"\0", b"")
    controls = len(text) - len(text.translate(None, _CONTROLS))
    undecodable = text.decode("utf-8", "replace").count("\ufffd")
    return controls + undecodable > _MOST_ODD * len(text)


def _unreadable(path: str, fault: OSError) -> UnreadableLog:
    """Say what the system's error means here, and what to do about it."""
    if isinstance(fault, FileNotFoundError):
        return UnreadableLog(
            path,
            "there is no such file",
            "name the log that the mail server writes; where it logs to the journal: "
            "journalctl -o json | outwarden check -",
        )
    if isinstance(fault, PermissionError):
        return UnreadableLog(path, "no permission to read it", f"run this as root{_or_member_of_group(path)}")
    return UnreadableLog(
        path, f"it cannot be read ({fault.strerror or fault})", "see whether other programs can read it"
    )


def _or_member_of_group(path: str) -> str:
    try:
        status = os.stat(path)
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return ""
    return f" or as a member of the group {group}" if status.st_mode & stat.S_IRGRP and group != "root" else ""
