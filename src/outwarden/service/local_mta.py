"""The mail server of this machine: which one it is, where its log lies, what waits in its queue.

Nothing is assumed and nothing is changed: files are looked for where the distributions put them,
and programs are asked with fixed arguments and a time limit.  Everything that was tried is noted,
so that the operator can see what an answer rests on, or why there is none.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

_LOG_PLACES = (
    # An MTA's own file comes before the one that it shares with everything else about mail.
    "var/log/exim4/mainlog",
    "var/log/exim/main.log",
    "var/log/exim/mainlog",
    "var/log/mail.log",
    "var/log/maillog",
    "var/log/mail",
)
_IN_USE = timedelta(days=2)
_HISTORY = timedelta(days=8)
"""A week of predecessors: enough for what an account does each weekday, and not a year of reading."""
_ROTATED = re.compile(r"[.-]\d{1,10}(?:\.(?:gz|bz2|xz|zst))?")
_QUEUE_COMMANDS = (("postqueue", "-j"), ("exim4", "-bp"), ("exim", "-bp"), ("mailq",))
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_JOURNAL_DAYS = 2
_MAIL_FACILITY = 2  # RFC 5424 table 1
_BLOCK = 1 << 20


class LocalMta(msgspec.Struct, frozen=True):
    """What was found: log files, oldest first; or the command that writes the journal.

    ``looked_at`` says in words what was tried and what became of it.
    """

    log_files: tuple[str, ...]
    journal: tuple[str, ...]
    looked_at: tuple[str, ...]


class Programs:
    """Programs of this machine, looked for where daemons keep theirs too; ``path`` is a search path."""

    def __init__(self, path: str | None = None, answer_seconds: float = 20.0) -> None:
        self._path = path if path is not None else f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"
        self._answer_seconds = answer_seconds

    def find(self, name: str) -> str | None:
        """Return where a program lies, or None."""
        return shutil.which(name, path=self._path)

    def answer(self, name: str, *arguments: str) -> bytes | None:
        """Return what a program prints; None where it is missing, fails, or takes too long."""
        program = self.find(name)
        if program is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603 (a fixed list of arguments, no shell)
                [program, *arguments],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=self._answer_seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None


def find_local_mta(now: datetime, programs: Programs, root: Path = Path("/")) -> LocalMta:
    """Look for the log of this machine's mail server, and say what was looked at."""
    looked_at: list[str] = []
    places = [root / place for place in _LOG_PLACES]
    if (named := _postfix_log(programs, looked_at)) is not None:
        places.insert(0, named)
    written = {place: at for place in places if (at := _written_at(place, looked_at)) is not None}
    in_use = [place for place, at in written.items() if now - at <= _IN_USE]
    if written:
        log = in_use[0] if in_use else max(written, key=lambda place: written[place])
        files = (*predecessors(log, now), log)
        return LocalMta(tuple(map(str, files)), (), tuple(looked_at))
    return LocalMta((), _journal(programs, looked_at), tuple(looked_at))


def _postfix_log(programs: Programs, looked_at: list[str]) -> Path | None:
    """Return the file that Postfix writes by itself, where it does (since 3.4)."""
    answer = programs.answer("postconf", "-h", "maillog_file")
    if answer is None:
        looked_at.append("postconf: no Postfix")
        return None
    name = answer.decode(errors="replace").strip()
    looked_at.append(f"postconf maillog_file: {name or 'not set'}")
    return Path(name) if name.startswith("/") and not name.startswith("/dev/") else None


def _written_at(place: Path, looked_at: list[str]) -> datetime | None:
    try:
        found = place.stat()
    except OSError as fault:
        looked_at.append(f"{place}: {'not there' if isinstance(fault, FileNotFoundError) else fault.strerror}")
        return None
    if not place.is_file() or found.st_size == 0:
        looked_at.append(f"{place}: {'empty' if place.is_file() else 'no file'}")
        return None
    at = datetime.fromtimestamp(found.st_mtime, UTC)
    looked_at.append(f"{place}: last written {at:%Y-%m-%d %H:%M} UTC")
    return at


def predecessors(log: Path, now: datetime) -> list[Path]:
    """Return the rotated files before ``log`` that were written within the last week, oldest first."""
    found = [
        (neighbour.stat().st_mtime, neighbour)
        for neighbour in log.parent.glob(f"{log.name}?*")
        if _ROTATED.fullmatch(neighbour.name, len(log.name)) and neighbour.is_file()
    ]
    earliest = (now - _HISTORY).timestamp()
    return [path for written, path in sorted(found) if written >= earliest]


def _journal(programs: Programs, looked_at: list[str]) -> tuple[str, ...]:
    program = programs.find("journalctl")
    if program is None:
        looked_at.append("journalctl: not there")
        return ()
    arguments = (
        "--output=json",
        "--no-pager",
        "--quiet",
        f"--since=-{_JOURNAL_DAYS}d",
        f"SYSLOG_FACILITY={_MAIL_FACILITY}",
    )
    if not programs.answer(program, *arguments, "--lines=1"):
        looked_at.append(f"the journal: no mail in the last {_JOURNAL_DAYS} days, or no right to see it")
        return ()
    looked_at.append(f"the journal: mail of the last {_JOURNAL_DAYS} days")
    return (program, *arguments)


def journal_blocks(command: tuple[str, ...], on_read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the journal as it is written, block by block, without holding it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:  # noqa: S603 (fixed)
        if writer.stdout is None:
            return
        try:
            while block := writer.stdout.read(_BLOCK):
                on_read(len(block))
                yield block
        finally:
            writer.kill()


def queue_listing(programs: Programs) -> tuple[str, bytes] | None:
    """Return the command that lists the queue and what it printed, or None where none answers."""
    for name, *arguments in _QUEUE_COMMANDS:
        listing = programs.answer(name, *arguments)
        if listing is not None:
            return " ".join((name, *arguments)), listing
    return None
