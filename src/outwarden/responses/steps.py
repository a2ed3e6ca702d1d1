"""The steps of a deed: a program with its arguments, a file written or taken away, a file made to look older.

Each says in a line what a postmaster would type for it, which is what ``--dry-run`` shows, and each can be taken again.
"""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_SECONDS = 60.0
_SHOWN_IDS = 20
_going_on: list["subprocess.Popen[bytes]"] = []
"""Programs that nobody waits for: looked at when the next begins, so that a service leaves no dead ones behind."""


class CouldNotAct(Exception):
    """A deed was not done, or not wholly; one line says which step failed, in its program's words."""


class Step(Protocol):
    """One thing that is done."""

    def words(self) -> str:
        """Return the line that does the same in a shell."""

    def take(self) -> None:
        """Do it.  Raises ``CouldNotAct``."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments; ``lines`` go to its standard input, one by one.

    ``waits`` is False for what goes on by itself, such as a run through the queue.
    """

    arguments: tuple[str, ...]
    lines: tuple[str, ...] = ()
    waits: bool = True

    def words(self) -> str:
        """Return the line for a shell; very many lines of input are cut, and counted."""
        line = shlex.join(self.arguments) + ("" if self.waits else " &")
        if not self.lines:
            return line
        more = len(self.lines) - _SHOWN_IDS
        shown = shlex.join(self.lines[:_SHOWN_IDS]) + (f" ... # and {more} more" if more > 0 else "")
        return f"printf '%s\\n' {shown} | {line}" if more <= 0 else f"{line}  # reads {shown}"

    def take(self) -> None:
        """Run it to its end.  Raises ``CouldNotAct`` where it cannot be run, fails, or takes a minute."""
        if self.waits:
            self.answer()
            return
        try:
            program = subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                [found(self.arguments[0]), *self.arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as fault:
            raise CouldNotAct(f"{self.arguments[0]}: {fault.strerror}") from fault
        _going_on[:] = [program, *(each for each in _going_on if each.poll() is None)]

    def answer(self) -> bytes:
        """Run it and return what it printed.  Raises ``CouldNotAct``."""
        try:
            done = subprocess.run(  # noqa: S603 (a list of arguments, no shell)
                [found(self.arguments[0]), *self.arguments[1:]],
                input="".join(f"{line}\n" for line in self.lines).encode(),
                capture_output=True,
                timeout=_MOST_SECONDS,
                check=False,
            )
        except OSError as fault:
            raise CouldNotAct(f"{self.arguments[0]}: {fault.strerror}") from fault
        except subprocess.TimeoutExpired:
            raise CouldNotAct(f"{self.arguments[0]}: no end after {_MOST_SECONDS:.0f} seconds") from None
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise CouldNotAct(f"{shlex.join(self.arguments[:3])}: {said[-1][:300] if said else 'failed'}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class BackDate:
    """Make a file look older than it is.

    Postfix waits until a main.cf has rested for some seconds before it believes it: two seconds, for a brake.
    """

    file: Path
    seconds: int = 10

    def words(self) -> str:
        """Return the line for a shell."""
        return f"touch -d '{self.seconds} seconds ago' {shlex.quote(str(self.file))}"

    def take(self) -> None:
        """Set its time.  Raises ``CouldNotAct``."""
        then = time.time() - self.seconds
        try:
            os.utime(self.file, (then, then))
        except OSError as fault:
            raise CouldNotAct(f"{self.file}: {fault.strerror}") from fault


@dataclass(frozen=True, slots=True)
class HangUp:
    """Tell a daemon to read its settings again."""

    process: int

    def words(self) -> str:
        """Return the line for a shell."""
        return f"kill -HUP {self.process}"

    def take(self) -> None:
        """Send the signal.  Raises ``CouldNotAct``."""
        try:
            os.kill(self.process, signal.SIGHUP)
        except OSError as fault:
            raise CouldNotAct(f"process {self.process}: {fault.strerror}") from fault


@dataclass(frozen=True, slots=True)
class KeptLines:
    """A small file with these lines, or none at all; replaced in one step, and readable for the mail server."""

    file: Path
    lines: Sequence[str] | None

    def words(self) -> str:
        """Return the line for a shell."""
        name = shlex.quote(str(self.file))
        if self.lines is None:
            return f"rm -f {name}"
        return f"printf '%s\\n' {shlex.join(self.lines)} > {name}" if self.lines else f": > {name}"

    def take(self) -> None:
        """Write or remove it.  Raises ``CouldNotAct``."""
        try:
            if self.lines is None:
                self.file.unlink(missing_ok=True)
                return
            handle, name = tempfile.mkstemp(dir=self.file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self.lines)
                os.fchmod(handle, 0o644)
                os.fsync(handle)
            Path(name).replace(self.file)
        except OSError as fault:
            raise CouldNotAct(f"{self.file}: {fault.strerror}") from fault


def found(program: str) -> str:
    """Return where a program lies, daemons' places too; its own name where it lies nowhere."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}") or program


def is_here(program: str) -> bool:
    """Return whether a program is on this machine."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}") is not None
