"""Follows a log file as it is written, however it is rotated, and goes on after a restart where it was.

What it promises: each byte that is written is given once, in the order of the files, whether they were renamed,
compressed, or copied and truncated, with the service running or not; and what cannot be given any more is named in
``remarks``.  A file that was left is looked at for a while still, because a syslog daemon writes to it until it is told
to reopen its files.  It never waits.  A read costs a handful of system calls; the directory is read only when another
file stands at the path.

Not done: what is written between the copy and the truncation of ``copytruncate`` is lost, to everybody.  A compressed
predecessor is decompressed from its beginning to the place where reading goes on, within one ``read``.
"""

import errno
import os
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from outwarden.sources.following.family import Member, family_of, member_at, place_of, younger_than
from outwarden.sources.following.log_file import FileId, LogFile, PackedFile, PlainFile, Truncated, opened
from outwarden.sources.following.position import Piece, Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_REMARKS = 100
_MOST_STEPS = 2000
_QUIET_READS = 2
"""So often nothing new may be found in a file after it was rotated until it is left."""
_LAST_LOOKS = 1000
"""So often a file that was left is looked at while the next one has nothing new: about 100 seconds."""
_LOOKS_AMID_A_LINE = 10
_READS_BETWEEN_TRIALS = 10
_NOTHING = Member("", FileId(-1, -1), is_current=False, size=0, written_ns=0)


class FileFollower:
    """Reads the log at ``path`` on from ``position``.

    Without a position it begins with the file's first line; if not ``from_start``, with the next line written to it.
    """

    def __init__(self, path: Path, position: Position | None, from_start: bool) -> None:
        self._path = str(path)
        # Where to open the log, until that is done, and whether the bytes before that place were given last.
        self._resume_at = position
        self._goes_on = position is not None and position.offset > position.head_at
        # The file that stood there at the start, whose lines so far are not read.
        self._skipped = _NOTHING if from_start else None
        self._amid_a_line = False
        self._file: LogFile | None = None
        # The file that was left, and how often it was looked at since.
        self._before: LogFile | None = None
        self._looks = 0
        # The file whose bytes were given last.
        self._given: LogFile | None = None
        # Of the file that is open: whether it was seen at the path, how often it had nothing new after that, and
        # whether nothing came after it when the directory was read, and what was at the path then.
        self._was_current = False
        self._quiet_reads = 0
        self._is_last = False
        self._at_the_path: FileId | None = None
        self._trouble = ""
        self._reads_to_wait = 0
        self._remarks: deque[str] = deque(maxlen=_MOST_REMARKS)

    def remarks(self) -> list[str]:
        """Return what happened since this was last asked, one line each."""
        said = list(self._remarks)
        self._remarks.clear()
        return said

    def close(self) -> None:
        """Close all files."""
        for file in (self._file, self._before):
            if file is not None:
                file.close()
        self._file = self._before = None

    def read(self, most: int = 1 << 17) -> Piece | None:
        """Return what is new, at most so many bytes and never none; None where nothing is at the moment."""
        if self._reads_to_wait:
            self._reads_to_wait -= 1
            return None
        try:
            return self._next_piece(most)
        except FileNotFoundError:
            # It was renamed between two looks: the next read sees where it is.
            return None
        except OSError as fault:
            self._in_trouble(f"{fault.filename or self._path}: {_in_words(fault)}")
            self._reads_to_wait = _READS_BETWEEN_TRIALS
            if fault.errno == errno.ESTALE and self._file is not None:
                self._reopen(self._file)
            return None

    def _next_piece(self, most: int) -> Piece | None:
        for _ in range(_MOST_STEPS):
            file = self._file or self._begun()
            if file is None:
                return None
            try:
                octets = self._new_octets(file, most)
            except Truncated:
                self._remark(f"{file.path}: truncated, or written anew, after {file.offset} bytes of it were read")
                self._reopen(file)
                continue
            if octets:
                self._quiet_reads = 0
                return self._piece(file, file, octets)
            if (late := self._late_piece(file, most)) is not None:
                return late
            if not self._goes_to_next(file):
                return None
        return None

    def _piece(self, file: LogFile, source: LogFile, octets: bytes) -> Piece:
        position = file.position()
        if self._before is not None:
            position = msgspec.structs.replace(position, before=self._before.position())
        is_another = source is not self._given
        self._given = source
        written_at = _EPOCH + timedelta(microseconds=source.written_ns // 1000)
        return Piece(octets, position, written_at if is_another else None)

    def _new_octets(self, file: LogFile, most: int) -> bytes:
        octets = file.read(most)
        while octets and self._amid_a_line:
            end = octets.find(b"\n") + 1
            self._amid_a_line = not end
            octets = octets[end:] if end else b""
            octets = octets or file.read(most)
        return octets

    # -- where to begin ----------------------------------------------------------------------------

    def _begun(self) -> LogFile | None:
        """Open the file to read from; None where that cannot be done yet."""
        file = self._begun_anew() if self._resume_at is None else self._resumed(self._resume_at)
        if file is None:
            self._in_trouble(f"{self._path}: {_why_not(self._path)}")
            return None
        self._trouble = ""
        self._resume_at = None
        self._now_reads(file)
        return file

    def _begun_anew(self) -> LogFile | None:
        member = member_at(self._path)
        if self._skipped is None:
            self._skipped = _NOTHING if member is None else member
        if member is None:
            return None
        # A file that comes into being later is new from its first byte.
        file = _open(member, min(self._skipped.size, member.size) if member.id == self._skipped.id else 0)
        self._amid_a_line = not file.is_at_a_line()
        return file

    def _resumed(self, position: Position) -> LogFile | None:
        family = family_of(self._path)
        place = place_of(position, family)
        member = younger_than(position, family) if place is None else family[place]
        if member is None:
            return None
        if place is None:
            file = _open(member)
            self._remark(_gone(position, member))
        else:
            file = _open(member, position.offset, position.head_at)
            self._given = file if self._goes_on else self._given
            self._remark(f"{member.path}: goes on after {file.offset} bytes")
            if file.offset < position.offset:
                self._remark(
                    f"{member.path}: has only {file.offset} bytes, but {position.offset} of it were read before"
                )
        if position.before is not None and self._before is None:
            self._look_again_at(position.before, family)
        return file

    def _look_again_at(self, position: Position, family: list[Member]) -> None:
        """Open the file before, where it is still there; it was read to its end, so nothing is said where it is not."""
        place = place_of(position, family)
        if place is not None:
            self._before = _open(family[place], position.offset, position.head_at)
            self._looks = 0

    def _reopen(self, file: LogFile) -> None:
        """Look for the file that was open: where a copy of it lies, its rest comes from there."""
        self._resume_at = file.position()
        self._goes_on = self._given is file
        self._file = None
        file.close()

    def _now_reads(self, file: LogFile) -> None:
        self._file = file
        self._was_current = self._is_last = False
        self._quiet_reads = 0

    # -- what comes next ---------------------------------------------------------------------------

    def _goes_to_next(self, file: LogFile) -> bool:
        """Leave a file that has nothing new for the next one; False where there is none, or it is too early."""
        current = member_at(self._path)
        at_the_path = None if current is None else current.id
        if at_the_path == file.id:
            self._was_current, self._quiet_reads = True, 0
            return False
        if self._is_last and at_the_path == self._at_the_path and (current is None or not current.size):
            # Until somebody writes to the new file, the writer has the old one open.
            self._quiet_reads = 0
            return False
        if self._was_current and self._quiet_reads < _QUIET_READS:
            self._quiet_reads += 1
            return False
        position, family = file.position(), family_of(self._path)
        place = place_of(position, family)
        if place is not None and _is_copied(file, family[place]):
            self._reopen(file)
            return True
        following = _first_after(position, place, family)
        self._is_last, self._at_the_path = following is None, at_the_path
        return following is not None and self._leaves(file, following)

    def _leaves(self, file: LogFile, following: Member) -> bool:
        before = self._before
        if before is not None and before.is_behind():
            return False
        new = _open(following)
        self._trouble = ""
        if before is not None:
            before.close()
        damage = ", where it is cut off or damaged" if isinstance(file, PackedFile) and file.damaged else ""
        self._remark(f"{file.path}: read to byte {file.offset}{damage}; {following.path} comes next")
        # Nobody adds to a compressed file.
        self._before = file if isinstance(file, PlainFile) else None
        if self._before is None:
            file.close()
        self._looks = 0
        self._amid_a_line = False
        self._now_reads(new)
        return True

    def _late_piece(self, file: LogFile, most: int) -> Piece | None:
        """Return what was written to the file before after it was left."""
        before = self._before
        if before is None:
            return None
        self._looks += 1
        if self._looks % _LOOKS_AMID_A_LINE and not file.is_at_a_line():
            return None
        try:
            octets = before.read(most)
        except Truncated:
            self._looks = _LAST_LOOKS
            octets = b""
        if octets:
            self._looks = 0
            self._remark(f"{before.path}: {len(octets)} bytes were written to it after it was rotated")
            return self._piece(file, before, octets)
        if self._looks >= _LAST_LOOKS or isinstance(before, PackedFile):
            before.close()
            self._before = None
        return None

    # -- what is said ------------------------------------------------------------------------------

    def _remark(self, text: str) -> None:
        self._remarks.append(text)

    def _in_trouble(self, text: str) -> None:
        """Say what is wrong once, however often it is tried again."""
        if text != self._trouble:
            self._trouble = text
            self._remark(text)


def _open(member: Member, offset: int = 0, head_at: int = 0) -> LogFile:
    """Open a file that was found.  Raises ``FileNotFoundError`` where another one has its name by now."""
    file = opened(member.path, offset, head_at)
    if file.id != member.id:
        file.close()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), member.path)
    return file


def _is_copied(file: LogFile, member: Member) -> bool:
    """Return whether somebody put a copy of the file in its place, as editors do."""
    return isinstance(file, PlainFile) and member.is_current and member.id != file.id


def _first_after(position: Position, place: int | None, family: list[Member]) -> Member | None:
    """Return the next file that has anything in it, after one that was read to its end."""
    if place is None:
        # It was deleted while it was open.
        following = younger_than(position, family)
        return following if following is not None and following.size else None
    return next((member for member in family[place + 1 :] if member.size), None)


def _gone(position: Position, member: Member) -> str:
    return (
        f"{position.path}: the file of which {position.offset} bytes were read is not there any more, nor a copy: what "
        "was written to it after them cannot be known; "
        f"goes on at the beginning of {member.path} ({member.size} bytes)"
    )


def _why_not(path: str) -> str:
    try:
        os.stat(path)
    except FileNotFoundError:
        return "there is no such file; it will be read as soon as it is there"
    except OSError as fault:
        return _in_words(fault)
    return "this is no file with lines in it, but a directory or a device; name the log itself"


def _in_words(fault: OSError) -> str:
    if isinstance(fault, PermissionError):
        return "no permission to read it; run this as root or as a member of its group (it is tried again)"
    return f"it cannot be read ({fault.strerror or fault}); it is tried again"
