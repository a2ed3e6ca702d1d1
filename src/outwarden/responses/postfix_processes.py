"""The processes of one running Postfix: whether it has heard of a change, and whether mail is under way.

``postfix reload`` returns before its master has acted.  What was paused is paused once the queue manager of before is
gone, which alone hands out work, and once no SMTP client has a queue file open.  Both are seen in /proc, so on Linux;
elsewhere the answer is that nothing could be seen.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_QUEUES = frozenset({"incoming", "active", "deferred"})
_LOOK_SECONDS = 0.005


class Processes:
    """The children of the master whose queue this is."""

    def __init__(self, queue_directory: Path) -> None:
        self._queue = queue_directory.resolve()

    def running(self) -> bool:
        """Return whether the master is at work."""
        return self._master() is not None

    def of(self, *programs: str) -> set[int]:
        """Return the process ids of the master's children that run one of these programs."""
        master = self._master()
        if master is None:
            return set()
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
        except OSError:
            return set()
        return {int(child) for child in children if _program(child) in programs}

    def delivering(self) -> set[int]:
        """Return the SMTP clients that have a message open."""
        return {client for client in self.of("smtp") if self._has_message(client)}

    def end(self, clients: set[int]) -> int:
        """End SMTP clients in the middle of their message, which stays queued; returns how many there were."""
        ended = 0
        for client in clients & self.delivering():
            with suppress(ProcessLookupError):
                os.kill(client, signal.SIGTERM)
                ended += 1
        return ended

    def _master(self) -> int | None:
        try:
            text = (self._queue / "pid/master.pid").read_text(encoding="ascii").strip()
        except OSError:
            return None
        return int(text) if text.isdigit() and _program(text) == "master" else None

    def _has_message(self, client: int) -> bool:
        try:
            descriptors = list(Path(f"/proc/{client}/fd").iterdir())
        except OSError:
            return False
        for descriptor in descriptors:
            with suppress(OSError):
                opened = descriptor.readlink()
                if opened.is_relative_to(self._queue) and opened.relative_to(self._queue).parts[0] in _QUEUES:
                    return True
        return False


def _program(process: str) -> str:
    try:
        # A program that was replaced by an upgrade meanwhile has " (deleted)" behind its name.
        return Path(f"/proc/{process}/exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def wait_while(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until a condition no longer holds, at most so long; returns whether it came to that."""
    deadline = time.monotonic() + seconds
    while condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
