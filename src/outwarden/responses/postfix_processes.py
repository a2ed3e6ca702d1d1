"""The processes of one running Postfix: whether it has heard of a change, and whether mail is under way.

The master acts some time after it was told to.  What was paused is paused once the queue manager of before is
gone, which alone hands out work, and once no SMTP client has a queue file open.  Both are seen in /proc, so on Linux;
elsewhere nothing is seen, and nothing is waited for.
"""

import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

_QUEUES = frozenset({"incoming", "active", "deferred"})
_LOOK_SECONDS = 0.005
_QUIET_LOOKS = 4


class Processes:
    """The children of the master whose queue this is."""

    def __init__(self, queue_directory: Path) -> None:
        self._queue = queue_directory.resolve()
        self._open_in = tuple(f"{self._queue / each}/" for each in _QUEUES)

    @staticmethod
    def can_be_seen() -> bool:
        """Return whether this system shows its processes."""
        return Path("/proc/self/exe").exists()

    def of(self, *programs: str) -> set[int]:
        """Return the process ids of the master's children that run one of these programs."""
        master = self.master()
        if master is None:
            return set()
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
        except OSError:
            return set()
        return {int(child) for child in children if _program(child) in programs}

    def from_before(self, moment: datetime, *programs: str) -> set[int]:
        """Return those of ``of`` that had started before a moment; one that started in the same second may be among."""
        latest = moment.timestamp() - time.time() + time.clock_gettime(time.CLOCK_BOOTTIME) + 1.0
        return {child for child in self.of(*programs) if _started_seconds(child) < latest}

    def delivering(self, transports: Collection[str]) -> set[int]:
        """Return the SMTP clients of these transports that have a message open."""
        return {client for client in self.of("smtp") if _transport(client) in transports and self._has_message(client)}

    def quiet(self, transports: Collection[str], seconds: float) -> bool:
        """Wait until these transports have no message open, at most so long; returns whether it came to that.

        A client that was just handed one may not have opened it yet, so it must be seen quiet several times.
        """
        deadline = time.monotonic() + seconds
        looks = 0
        while looks < _QUIET_LOOKS:
            looks = 0 if self.delivering(transports) else looks + 1
            if time.monotonic() > deadline:
                return looks > 0
            time.sleep(_LOOK_SECONDS)
        return True

    def end(self, transports: Collection[str]) -> int:
        """End SMTP clients in the middle of their message, which stays queued; returns how many there were."""
        ended = 0
        for client in self.delivering(transports):
            with suppress(ProcessLookupError):
                os.kill(client, signal.SIGTERM)
                ended += 1
        return ended

    def master(self) -> int | None:
        """Return the process id of the master, None where it is not at work."""
        try:
            text = (self._queue / "pid/master.pid").read_text(encoding="ascii").strip()
        except OSError:
            return None
        return int(text) if text.isdigit() and _program(text) == "master" else None

    def _has_message(self, client: int) -> bool:
        # Bare strings: hundreds of clients are looked at again and again, while the brake waits for them.
        folder = f"/proc/{client}/fd"
        try:
            descriptors = os.listdir(folder)
        except OSError:
            return False
        for descriptor in descriptors:
            with suppress(OSError):
                if os.readlink(f"{folder}/{descriptor}").startswith(self._open_in):
                    return True
        return False


def _started_seconds(process: int) -> float:
    """Return when a process started, in seconds since the machine did; proc(5), the 22nd field of stat."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return float("inf")


def _program(process: str) -> str:
    try:
        # A program that was replaced by an upgrade meanwhile has " (deleted)" behind its name.
        return os.readlink(f"/proc/{process}/exe").rpartition("/")[2].removesuffix(" (deleted)")
    except OSError:
        return ""


def _transport(client: int) -> str:
    """Return the name in master.cf of a client: ``-n NAME``, left out where it is that of the program."""
    try:
        words = Path(f"/proc/{client}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    named = words.index(b"-n") + 1 if b"-n" in words[:-1] else 0
    return words[named].decode("utf-8", "replace")


def wait_while(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until a condition no longer holds, at most so long; returns whether it came to that."""
    deadline = time.monotonic() + seconds
    while condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
