"""A file of the site's that is read by others at any moment: changed as a whole, in one step, under a lock.

The lock is ``FILE.lock``, taken with flock(2): a crash lets go of it, and a script takes it with ``flock FILE.lock
COMMAND``.  It is never removed, as whoever waits for it would then hold a lock on nothing.  Owner, rights and access
control lists stay.  A symbolic link is refused: who may make one may not choose which file we change.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault

_LOCK_SECONDS = 10.0


class ReplacedFile:
    """The file; every method raises ``OperatorFault`` and ``TemporaryFault``."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self.path = path
        self._lock = path.with_name(path.name + ".lock")
        self._new = path.with_name(f".{path.name}.new")

    def check(self) -> None:
        """Read the file, and look whether a new one may be written beside it and given to the same owner."""
        self.content()
        with self._told_as_ours():
            old = self.path.stat()
        if not os.access(self.path.parent, os.W_OK):
            raise OperatorFault(f"{self._name}: file: {self.path.parent} must be writable, as the file is replaced")
        if os.geteuid() not in {0, old.st_uid}:
            raise OperatorFault(
                f"{self._name}: file: {self.path} belongs to another; a new one could not be given to it"
            )

    def content(self) -> bytes:
        """Return what stands in it."""
        with self._told_as_ours():
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OperatorFault(f"{self._name}: file: {self.path} is not a plain file")
                return file.read()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; ``TemporaryFault`` where another holds it for long."""
        ends_at = time.monotonic() + _LOCK_SECONDS
        with self._told_as_ours():
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            while not _taken(handle):
                if time.monotonic() > ends_at:
                    raise TemporaryFault(f"{self._name}: file: {self._lock} is held by another program")
                time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    def replace(self, content: bytes) -> None:
        """Put a whole new file in the place of the old one; under the lock."""
        with self._told_as_ours():
            old = self.path.stat(follow_symlinks=False)
            # Left behind by a crash, it is nobody's: we hold the lock.
            self._new.unlink(missing_ok=True)
            handle = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "wb") as file:
                    self._keep_rights(handle, old)
                    file.write(content)
                    file.flush()
                    # Dovecot reads a changed file again only where its time, in whole seconds, or its size is another;
                    # one hash is as long as the next.
                    later = max(int(time.time()), int(old.st_mtime) + 1)
                    os.utime(handle, (later, later))
                    os.fsync(handle)
                self._new.replace(self.path)
            except BaseException:
                self._new.unlink(missing_ok=True)
                raise
            self._sync_folder()

    def _keep_rights(self, handle: int, old: os.stat_result) -> None:
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, old.st_uid, old.st_gid)
        os.fchmod(handle, stat.S_IMODE(old.st_mode))
        # Not on every file system, and not all of them for us.
        with suppress(OSError):
            for attribute in os.listxattr(self.path, follow_symlinks=False):
                os.setxattr(handle, attribute, os.getxattr(self.path, attribute, follow_symlinks=False))

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _told_as_ours(self) -> Iterator[None]:
        """Turn a fault of the file system into the operator's."""
        try:
            yield
        except OSError as error:
            words = "is a symbolic link; name the file itself" if self.path.is_symlink() else error.strerror
            raise OperatorFault(f"{self._name}: file: {self.path}: {words}") from None


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
