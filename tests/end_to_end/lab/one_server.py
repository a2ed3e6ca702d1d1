"""A real server that runs in the foreground for one story, as a person without rights, and is ended by its pid."""

import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.waiting import wait_until

_NOBODY = "nobody"


def as_nobody(command: Sequence[str | Path], log: Path) -> None:
    """Run a program to its end as nobody, who owns the folder that it works in."""
    with log.open("ab") as said:
        subprocess.run([str(word) for word in command], check=True, stdout=said, stderr=said, **_without_rights())


class OneServer:
    """One server process."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        ready: Callable[[], bool],
        ends_on: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._ends_on = ends_on
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **_without_rights(),
            )
        wait_until(lambda: ready() or self._process.poll() is not None, f"a server; see {log}")
        assert self._process.poll() is None, log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """End the server; a second time does nothing."""
        if self._process.poll() is None:
            self._process.send_signal(self._ends_on)
            self._process.wait(20)


def own_folder(folder: Path) -> Path:
    """Make a folder that is nobody's."""
    folder.mkdir(mode=0o700)
    give(folder)
    return folder


def give(path: Path) -> None:
    """Make a file or folder nobody's, where we may."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(_NOBODY)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _without_rights() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": pwd.getpwnam(_NOBODY).pw_gid, "extra_groups": []}
