"""What is kept of a message, where, and that it is given back."""

from pathlib import Path

import pytest

from outwarden.filter import Spool, SpoolSpace

CASES = [
    # name, pieces, kept, on disk
    ("nothing", [], 0, 0),
    ("fits into memory", [10], 10, 0),
    ("just fits into memory", [10, 6], 16, 0),
    ("goes to disk", [10, 7], 17, 17),
    ("goes to disk at once", [40], 40, 40),
    ("more on disk", [10, 10, 10], 30, 30),
    ("as much as is kept of one", [60], 60, 60),
    ("more than is kept of one", [50, 50, 1], 60, 60),
    ("more than is kept of one, at once", [200], 60, 60),
]


@pytest.mark.parametrize(("pieces", "kept", "on_disk"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_kept(pieces: list[int], kept: int, on_disk: int, tmp_path: Path) -> None:
    space = SpoolSpace(tmp_path, memory_bytes=16, message_bytes=60, all_bytes=90)
    spool = Spool(space)
    message = bytes(range(sum(pieces)))
    at = 0
    for piece in pieces:
        spool.write(message[at : at + piece])
        at += piece
    assert (spool.size, spool.kept, space.taken) == (len(message), kept, on_disk)
    assert spool.complete == (kept == len(message))
    assert spool.read() == message[:kept]
    assert spool.read(5) == message[:5]
    assert spool.open().read() == message[:kept]
    spool.clear()
    assert (spool.size, spool.kept, space.taken, spool.read()) == (0, 0, 0, b"")


def test_all_together_keep_no_more_than_the_space(tmp_path: Path) -> None:
    space = SpoolSpace(tmp_path, memory_bytes=16, message_bytes=60, all_bytes=90)
    first, second = Spool(space), Spool(space)
    first.write(bytes(60))
    second.write(bytes(10))
    second.write(bytes(50))
    assert (second.size, second.kept, second.read()) == (60, 10, bytes(10))
    first.clear()
    second.write(bytes(5))
    assert (second.size, second.kept) == (65, 10), "a message with a hole in it"


def test_no_disk_at_all(tmp_path: Path) -> None:
    spool = Spool(SpoolSpace(tmp_path / "missing", memory_bytes=16))
    spool.write(bytes(10))
    spool.write(bytes(10))
    assert (spool.size, spool.kept, spool.read()) == (20, 10, bytes(10))


def test_no_file_has_a_name(tmp_path: Path) -> None:
    spool = Spool(SpoolSpace(tmp_path, memory_bytes=16))
    spool.write(bytes(100))
    assert list(tmp_path.iterdir()) == []
    spool.clear()
