"""Files that a command writes for the operator: whole, or not at all.

A page that is mailed on, or a log that is read next, must never be seen half written: the text
goes to a neighbour first and takes the name in one step.  What is no ordinary file (``/dev/stdout``,
a named pipe) is written to directly, because nothing may replace it.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from outwarden.cli.failure import CouldNot


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write ``pieces`` to ``path`` as UTF-8.  Raises ``CouldNot``, leaving what was there before."""
    try:
        if path.exists() and not path.is_file():
            _write(path, pieces)
            return
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            _write(unfinished, pieces)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as fault:
        raise CouldNot(f"{path}: cannot be written ({fault.strerror}); name a place you may write to") from fault


def _write(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(pieces)
