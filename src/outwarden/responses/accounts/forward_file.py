"""The ``.forward`` in an account's home, which makes Postfix, Exim and Sendmail send its mail elsewhere.

It is renamed, so that nothing in it changes, and renamed back.  The folder belongs to the account, which may be the
thief's by now: no link in it is followed, and nothing but a plain file is read.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from outwarden.responses.accounts.connector import Answer, Before, Leftover, OperatorFault, Outcome

_NAME = ".forward"
_ASIDE = ".forward.disabled-by-outwarden"
_MOST_BYTES = 4096


class ForwardFiles:
    """A ``LeftoverPlace``; ``home_of`` returns an account's home, None where it has none."""

    name = "forward-file"

    def __init__(self, home_of: Callable[[str], Path | None]) -> None:
        self._home_of = home_of

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        """Return the file, unless it certainly stands since before ``since``."""
        with self._home(account) as home:
            found = None if home is None else _found(home, _NAME)
        if found is None or found[0] < since:
            return []
        changed_at, words = found
        return [Leftover("forward", _NAME, f".forward: {words}", changed_at, active=True, before=Before({}))]

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        """Rename it."""
        del leftover
        with self._home(account) as home:
            if home is not None and _is_there(home, _NAME):
                os.rename(_NAME, _ASIDE, src_dir_fd=home, dst_dir_fd=home)
        return Outcome(Answer.DONE, f"forward-file: .forward is {_ASIDE} now")

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        """Rename it back, unless there is another one by now."""
        del leftover
        with self._home(account) as home:
            if home is None or not _is_there(home, _ASIDE):
                there = home is not None and _is_there(home, _NAME)
                return Outcome(
                    Answer.DONE if there else Answer.COULD_NOT,
                    f"forward-file: {'.forward is there' if there else f'{_ASIDE} is not there any more'}",
                )
            if _is_there(home, _NAME):
                return Outcome(Answer.COULD_NOT, f"forward-file: there is another .forward since; {_ASIDE} stays")
            os.rename(_ASIDE, _NAME, src_dir_fd=home, dst_dir_fd=home)
        return Outcome(Answer.DONE, "forward-file: .forward is back")

    @contextmanager
    def _home(self, account: str) -> Iterator[int | None]:
        home = self._home_of(account)
        if home is None:
            yield None
            return
        try:
            handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        except OSError as fault:
            raise OperatorFault(f"forward-file: {home}: {fault.strerror}") from None
        try:
            yield handle
        except OSError as fault:
            raise OperatorFault(f"forward-file: {home}/{_NAME}: {fault.strerror}") from None
        finally:
            os.close(handle)


def system_home(account: str) -> Path | None:
    """Return the home of an account of this machine, named with or without a domain."""
    try:
        return Path(pwd.getpwnam(account.partition("@")[0]).pw_dir)
    except (KeyError, ValueError):
        return None


def _is_there(home: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=home, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _found(home: int, name: str) -> tuple[datetime, str] | None:
    """Return when it changed last, which nobody can set back, and what it says."""
    try:
        known = os.stat(name, dir_fd=home, follow_symlinks=False)
    except FileNotFoundError:
        return None
    changed_at = datetime.fromtimestamp(known.st_ctime, UTC)
    if not stat.S_ISREG(known.st_mode):
        return changed_at, "a link or another thing that is no file"
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=home)
    try:
        lines = os.read(handle, _MOST_BYTES).decode(errors="replace").split("\n")
    finally:
        os.close(handle)
    return changed_at, ", ".join(each.strip() for each in lines if each.strip())[:300] or "empty"
