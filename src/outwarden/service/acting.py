"""What every deed has in common: who may, one at a time, and how a thing is said that could not be done."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from outwarden.responses.steps import CouldNotAct
from outwarden.responses.subjects import MalformedSubject

__all__ = [
    "Clock",
    "CouldNotAct",
    "MalformedSubject",
    "NotAllowed",
    "NothingFound",
    "must_be_root",
    "one_at_a_time",
    "somebody_resumes",
]

Clock = Callable[[], datetime]

_WAITING_TIMERS = Path("/etc/systemd/system/timers.target.wants/outwarden-resume.timer")


class NotAllowed(Exception):
    """This user may not act on the mail server; one line says who may."""


class NothingFound(Exception):
    """What was named is not there."""


def must_be_root() -> None:
    """Raise ``NotAllowed`` unless this is root, whom every mail server wants for its queue and its settings."""
    if os.geteuid() != 0:
        raise NotAllowed("only root may act on the mail server; use sudo, or --dry-run to see what would be done")


@contextmanager
def one_at_a_time(store: Path, what: str = "acting") -> Iterator[None]:
    """Wait until no other program of ours acts on this machine's mail server; its settings are one file.

    ``what`` names another thing that only one may do at a time.
    """
    handle = os.open(f"{store}.{what}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        if os.geteuid() == 0:
            # A command of root's must not shut a service out that runs as somebody else.
            owner = store.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def somebody_resumes(store: Path) -> bool:
    """Return whether a pause ends by itself here: ``outwarden run`` is at work, or the timer is enabled."""
    if _WAITING_TIMERS.exists():
        return True
    try:
        handle = os.open(f"{store}.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
