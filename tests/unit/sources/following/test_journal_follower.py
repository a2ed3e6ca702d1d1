"""The journal through the program that reads it: a shell script that prints entries as ``journalctl -o json`` does."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from outwarden.sources.following import (
    JournalFollower,
    JournalPosition,
    Piece,
    journal_follow_command,
    restored,
    saved,
)

_DEADLINE_SECONDS = 20.0


def entry(number: int, message: str = "removed") -> bytes:
    fields = {"__CURSOR": f"s=abc;i={number:x}", "__REALTIME_TIMESTAMP": "1795400000000000", "MESSAGE": message}
    return json.dumps(fields).encode() + b"\n"


class Journal:
    """A directory with the program; ``arguments`` has a line for each start of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "journalctl"
        self.entries = directory / "entries"
        self.follower: JournalFollower | None = None

    def runs(self, script: str) -> None:
        """The script is written beside and put in its place: a program that runs may not be written to."""
        new = self.directory / "new"
        new.write_text(f'#!/bin/sh\ncd "{self.directory}"\necho "$@" >> arguments\n{script}\n')
        new.chmod(0o755)
        new.rename(self.program)

    def follow(self, cursor: str | None = None) -> JournalFollower:
        self.follower = JournalFollower(journal_follow_command(str(self.program)), cursor)
        return self.follower

    def starts(self) -> list[str]:
        return (self.directory / "arguments").read_text().splitlines()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    if journal.follower is not None:
        journal.follower.close()


def read_until(follower: JournalFollower, is_done: Callable[[list[Piece]], bool], most: int = 1 << 17) -> list[Piece]:
    """Read as a service does, until the pieces are enough."""
    pieces: list[Piece] = []
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_done(pieces):
        assert time.monotonic() < deadline, f"only {pieces}"
        if (piece := follower.read(most)) is not None:
            pieces.append(piece)
    return pieces


def octets_of(pieces: list[Piece]) -> bytes:
    return b"".join(piece.octets for piece in pieces)


def has(octets: bytes) -> Callable[[list[Piece]], bool]:
    return lambda pieces: octets_of(pieces) == octets


def says(follower: JournalFollower, text: str) -> str:
    """Read until a remark has the text; return what was said."""
    said: list[str] = []

    def is_said(_: list[Piece]) -> bool:
        said.extend(follower.remarks())
        return any(text in remark for remark in said)

    read_until(follower, is_said)
    return "\n".join(said)


def test_whole_entries_and_the_cursor_of_the_last(journal: Journal) -> None:
    written = entry(1) + entry(2) + entry(3)
    journal.entries.write_bytes(written)
    journal.runs("head -c 150 entries; cat > waits < /dev/null; tail -c +151 entries; exec sleep 100")
    pieces = read_until(journal.follow(), has(written))
    assert all(piece.octets.endswith(b"\n") for piece in pieces)
    assert pieces[-1].position == JournalPosition("s=abc;i=3")
    assert all(piece.next_file is None for piece in pieces)
    assert journal.starts() == [
        "--output=json --follow --merge --boot=all --no-tail --no-pager --quiet SYSLOG_FACILITY=2 --since=-7d"
    ]


def test_a_few_bytes_at_a_time(journal: Journal) -> None:
    written = b"".join(map(entry, range(50)))
    journal.entries.write_bytes(written)
    journal.runs("cat entries; exec sleep 100")
    pieces = read_until(journal.follow(), has(written), most=7)
    assert len(pieces) == 50


def test_half_an_entry_is_not_given(journal: Journal) -> None:
    journal.entries.write_bytes(entry(1) + entry(2)[:-5])
    journal.runs("cat entries; exec sleep 100")
    follower = journal.follow()
    read_until(follower, has(entry(1)))
    assert [follower.read() for _ in range(100)] == [None] * 100


def test_nothing_new_does_not_wait(journal: Journal) -> None:
    journal.runs("exec sleep 100")
    follower = journal.follow("s=abc;i=9")
    began = time.monotonic()
    assert [follower.read() for _ in range(100)] == [None] * 100
    assert time.monotonic() - began < 10
    assert follower.remarks() == []


def test_a_program_that_ends_is_started_after_the_last_entry(journal: Journal) -> None:
    journal.entries.write_bytes(entry(1) + entry(2)[:-9])
    journal.runs(
        'case "$*" in *cursor=*) cat more; exec sleep 100;; esac\n'
        'cat entries; echo "the journal was vacuumed" >&2; exit 3'
    )
    (journal.directory / "more").write_bytes(entry(1) + entry(2))
    follower = journal.follow()
    pieces = read_until(follower, has(entry(1) + entry(2)))
    assert pieces[-1].position == JournalPosition("s=abc;i=2")
    assert journal.starts()[1].endswith("--cursor=s=abc;i=1")
    assert follower.remarks() == [f"{journal.program}: ended (the journal was vacuumed); it is started again"]


def test_it_is_not_started_at_every_read(journal: Journal) -> None:
    journal.runs("exit 1")
    follower = journal.follow()
    assert "ended (exit code 1)" in says(follower, "ended")
    before = len(journal.starts())
    for _ in range(50):
        assert follower.read() is None
    assert len(journal.starts()) == before
    read_until(follower, lambda _: len(journal.starts()) == before + 2)
    assert follower.remarks() == []


def test_a_cursor_that_the_journal_does_not_know(journal: Journal) -> None:
    journal.entries.write_bytes(entry(7))
    journal.runs(
        'case "$*" in *cursor=*) echo "Failed to seek to cursor: Invalid argument" >&2; exit 1;; esac\n'
        "cat entries; exec sleep 100"
    )
    follower = journal.follow("nonsense")
    said = says(follower, "does not know")
    assert "Failed to seek to cursor: Invalid argument" in said
    read_until(follower, has(entry(7)))
    assert journal.starts()[-1].endswith("--since=-7d")


def test_an_entry_that_was_vacuumed_away(journal: Journal) -> None:
    """What is nearest to it comes instead, and is given."""
    journal.entries.write_bytes(entry(7))
    journal.runs("cat entries; exec sleep 100")
    follower = journal.follow("s=abc;i=5")
    read_until(follower, has(entry(7)))
    assert "does not have the entry any more that was read last" in "".join(follower.remarks())


def test_nothing_after_the_last_entry(journal: Journal) -> None:
    journal.entries.write_bytes(entry(5))
    journal.runs("cat entries; touch written; exec sleep 100")
    follower = journal.follow("s=abc;i=5")
    read_until(follower, lambda _: (journal.directory / "written").exists())
    assert [follower.read() for _ in range(20)] == [None] * 20
    assert follower.remarks() == []


def test_a_program_that_is_not_there(journal: Journal) -> None:
    follower = journal.follow()
    assert "cannot be started (No such file or directory)" in says(follower, "started")
    journal.entries.write_bytes(entry(1))
    journal.runs("cat entries; exec sleep 100")
    read_until(follower, has(entry(1)))


def test_what_is_no_entry_is_passed_over_and_said_once(journal: Journal) -> None:
    journal.runs("i=0; while [ $i -lt 50 ]; do echo 'Nov 23 03:12:45 mx1 text'; i=$((i+1)); done; exec sleep 100")
    follower = journal.follow()
    assert says(follower, "no entries").count("no entries of the journal in JSON") == 1


def test_an_endless_entry_is_passed_over(journal: Journal) -> None:
    journal.entries.write_bytes(entry(1) + entry(2, "x" * 9_000_000) + entry(3))
    journal.runs("cat entries; exec sleep 100")
    follower = journal.follow()
    pieces = read_until(follower, has(entry(1) + entry(3)))
    assert pieces[-1].position == JournalPosition("s=abc;i=3")
    assert "passed over" in "".join(follower.remarks())


def test_much_that_the_program_says_does_not_stop_it(journal: Journal) -> None:
    journal.entries.write_bytes(entry(1))
    journal.runs("head -c 300000 /dev/zero | tr '\\0' e >&2; cat entries; exec sleep 100")
    read_until(journal.follow(), has(entry(1)))


def test_the_position_outlives_the_process() -> None:
    assert restored(saved(JournalPosition("s=abc;i=1"))) == JournalPosition("s=abc;i=1")
