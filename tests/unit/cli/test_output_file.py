"""Files are written whole or not at all, and nothing but ordinary files is replaced."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from outwarden.cli.failure import CouldNot
from outwarden.cli.output_file import write_whole


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_whole(path, ["one"])
    write_whole(path, ["two", "three\u00e9"])
    assert path.read_text(encoding="utf-8") == "twothree\u00e9"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("before", encoding="utf-8")

    def broken() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(CouldNot, match="No space left on device"):
        write_whole(path, broken())
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CouldNot, match=r"cannot be written \(No such file or directory\); name a place"):
        write_whole(tmp_path / "nowhere" / "page.html", ["x"])


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(path.read_text(encoding="utf-8")))
    reader.start()
    write_whole(path, ["through the pipe"])
    reader.join(timeout=10)
    assert received == ["through the pipe"]
    assert path.is_fifo()
