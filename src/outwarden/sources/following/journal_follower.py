"""Follows the journal of systemd through the program that reads it.

What it promises: whole entries, each once, from after the last one that was read; the program is started again when it
ends, though not at every read; and what it says of itself before it ends is in ``remarks``.  It never waits.

The program is told to begin with the entry that was read last, not after it: where another one comes first, that entry
was vacuumed away, and what stood between them too.

Not done: the journal's own files are not read.  Journals of other hosts that lie on this one are followed with it.
"""

import os
import subprocess
from collections import deque
from collections.abc import Sequence
from typing import IO

import msgspec

from outwarden.sources.following.position import JournalPosition, Piece

_MAIL_FACILITY = 2  # RFC 5424 table 1
_FIRST_READ = "--since=-7d"
_LONGEST_ENTRY = 1 << 22
_MOST_SAID = 1 << 12
_MOST_REMARKS = 100
_READS_BETWEEN_STARTS = 50
"""Five seconds at ten reads a second."""


class _Entry(msgspec.Struct):
    cursor: str = msgspec.field(name="__CURSOR")


_decoder = msgspec.json.Decoder(_Entry)


def journal_follow_command(program: str = "journalctl") -> tuple[str, ...]:
    """Return the command that writes the mail facility's entries, all that there are and then as they come."""
    return (
        program,
        "--output=json",
        "--follow",
        # From systemd 250 on, following shows the running boot alone; which of these undoes that, its releases differ.
        "--merge",
        "--boot=all",
        "--no-tail",
        "--no-pager",
        "--quiet",
        f"SYSLOG_FACILITY={_MAIL_FACILITY}",
    )


class JournalFollower:
    """Runs the command (see ``journal_follow_command``) and gives the entries after the cursor.

    Without a cursor it begins with those of the last week, as much as is read of rotated files.
    """

    def __init__(self, command: Sequence[str], cursor: str | None) -> None:
        self._command = tuple(command)
        self._cursor = cursor or ""
        self._program: subprocess.Popen[bytes] | None = None
        self._unfinished = bytearray()
        self._is_too_long = False
        self._said = b""
        # Whether the next entry is one that was given before.
        self._comes_again = False
        self._reads_to_wait = 0
        self._trouble = ""
        self._remarks: deque[str] = deque(maxlen=_MOST_REMARKS)

    def remarks(self) -> list[str]:
        """Return what happened since this was last asked, one line each."""
        said = list(self._remarks)
        self._remarks.clear()
        return said

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            self._program.kill()
            self._ended(self._program)

    def read(self, most: int = 1 << 17) -> Piece | None:
        """Return the entries that are new, about so many bytes of them; None where there are none at the moment."""
        if self._reads_to_wait:
            self._reads_to_wait -= 1
            return None
        program = self._program or self._started()
        if program is None or program.stdout is None:
            return None
        while (octets := _at_hand(program.stdout, most)) is not None:
            if not octets:
                self._start_again(program)
                return None
            if (entries := self._whole(octets)) and (piece := self._piece(entries)):
                return piece
        self._listen(program)
        return None

    def _piece(self, entries: bytes) -> Piece | None:
        if self._comes_again:
            entries = self._without_known(entries)
        cursor = _last_cursor(entries)
        if not entries:
            return None
        if cursor is None:
            self._in_trouble(f"{self._command[0]}: what it writes are no entries of the journal in JSON; passed over")
            return None
        self._cursor, self._trouble = cursor, ""
        return Piece(entries, JournalPosition(cursor), None)

    def _without_known(self, entries: bytes) -> bytes:
        """Take off the entry that was read last, with which the program begins."""
        self._comes_again = False
        first, _, others = entries.partition(b"\n")
        if _last_cursor(first) == self._cursor:
            return others
        self._remark(
            f"{self._command[0]}: the journal does not have the entry any more that was read last; "
            "whether others that came after it are gone too cannot be known; goes on with the nearest that it has"
        )
        return entries

    def _whole(self, octets: bytes) -> bytes:
        """Return the entries that these bytes complete; of an endless one, nothing but that it was there."""
        end = octets.rfind(b"\n") + 1
        entries = b""
        if end:
            entries = bytes(self._unfinished) + octets[:end]
            if self._is_too_long:
                entries = entries[entries.index(b"\n") + 1 :]
            self._unfinished.clear()
            self._is_too_long = False
        if not self._is_too_long:
            self._unfinished += octets[end:]
        if len(self._unfinished) > _LONGEST_ENTRY:
            self._remark(f"{self._command[0]}: an entry of more than {_LONGEST_ENTRY} bytes is passed over")
            self._is_too_long = True
            self._unfinished.clear()
        return entries

    # -- the program -------------------------------------------------------------------------------

    def _started(self) -> "subprocess.Popen[bytes] | None":
        where = f"--cursor={self._cursor}" if self._cursor else _FIRST_READ
        try:
            program = subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                (*self._command, where), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as fault:
            self._in_trouble(f"{self._command[0]}: cannot be started ({fault.strerror or fault}); it is tried again")
            self._reads_to_wait = _READS_BETWEEN_STARTS
            return None
        for pipe in (program.stdout, program.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        self._program = program
        self._comes_again = bool(self._cursor)
        self._said = b""
        return program

    def _start_again(self, program: "subprocess.Popen[bytes]") -> None:
        # It has closed its output; should it go on for all that, nobody hears it.
        program.kill()
        code = self._ended(program)
        words = self._said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if self._comes_again and b"cursor" in self._said.lower():
            self._remark(
                f"{self._command[0]}: the journal does not know the entry that was read last ({words}); "
                "all entries of the last week that it has are read"
            )
            self._cursor = ""
        else:
            self._in_trouble(f"{self._command[0]}: ended ({words or f'exit code {code}'}); it is started again")
        self._reads_to_wait = _READS_BETWEEN_STARTS

    def _ended(self, program: "subprocess.Popen[bytes]") -> int:
        code = program.wait()
        self._listen(program)
        for pipe in (program.stdout, program.stderr):
            if pipe is not None:
                pipe.close()
        self._program = None
        # What was cut off comes again, from after the last whole entry.
        self._unfinished.clear()
        self._is_too_long = False
        return code

    def _listen(self, program: "subprocess.Popen[bytes]") -> None:
        """Keep the last that the program said of itself."""
        if program.stderr is not None and (said := _at_hand(program.stderr, _MOST_SAID)):
            self._said = (self._said + said)[-_MOST_SAID:]

    # -- what is said ------------------------------------------------------------------------------

    def _remark(self, text: str) -> None:
        self._remarks.append(text)

    def _in_trouble(self, text: str) -> None:
        """Say what is wrong once, however often it is tried again."""
        if text != self._trouble:
            self._trouble = text
            self._remark(text)


def _at_hand(pipe: IO[bytes], most: int) -> bytes | None:
    """Return what stands in the pipe; nothing where its writer has closed it, None where there is nothing yet."""
    try:
        return os.read(pipe.fileno(), most)
    except BlockingIOError:
        return None


def _last_cursor(entries: bytes) -> str | None:
    for line in reversed(entries.splitlines()):
        try:
            return _decoder.decode(line).cursor
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return None
