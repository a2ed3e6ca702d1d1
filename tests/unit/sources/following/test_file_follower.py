"""Logs as they are rotated in the world, on real files; each test reads by itself, so nothing is waited for."""

import gzip
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sources.following.compressions import COMPRESSIONS

from outwarden.sources.following import FileFollower, Piece, Position, restored, saved

# More than what a rotation is waited for.
_QUIET = 4
_numbers = itertools.count()


def lines(count: int = 1) -> bytes:
    """Lines that no other file has."""
    return b"".join(b"%08d postfix/qmgr: removed\n" % number for number in itertools.islice(_numbers, count))


class Log:
    """A log in a directory, and what follows it."""

    def __init__(self, directory: Path, name: str = "mail.log") -> None:
        self.path = directory / name
        self.follower: FileFollower | None = None
        self.position: Position | None = None
        self.pieces: list[Piece] = []

    def append(self, octets: bytes, name: str = "") -> bytes:
        with self.beside(name).open("ab") as file:
            file.write(octets)
        return octets

    def beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    def rename(self, old: str, new: str) -> None:
        self.beside(old).rename(self.beside(new))

    def compress(self, name: str, ending: str = ".gz") -> None:
        path = self.beside(name)
        packed = self.beside(name + ending)
        packed.write_bytes(COMPRESSIONS[ending](path.read_bytes()))
        status = path.stat()
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        path.unlink()

    def copy_and_truncate(self, to: str = ".1") -> None:
        shutil.copy2(self.path, self.beside(to))
        os.truncate(self.path, 0)

    def start(self, *, from_start: bool = True) -> None:
        """As after ``kill -9``: from what was saved last."""
        self.stop()
        again = None if self.position is None else restored(saved(self.position))
        assert again is None or isinstance(again, Position)
        self.follower = FileFollower(self.path, again, from_start)

    def stop(self) -> None:
        if self.follower is not None:
            self.follower.close()
        self.follower = None

    def read(self, most: int = 1 << 17) -> bytes:
        """What a single read gives."""
        if self.follower is None:
            self.start()
        assert self.follower is not None
        piece = self.follower.read(most)
        if piece is None:
            return b""
        assert 0 < len(piece.octets) <= most
        assert isinstance(piece.position, Position)
        self.position = piece.position
        self.pieces.append(piece)
        return piece.octets

    def all(self, most: int = 1 << 17) -> bytes:
        """All that there is, with the reads that a rotation is waited for."""
        octets, quiet = b"", 0
        while quiet < _QUIET:
            new = self.read(most)
            octets += new
            quiet = 0 if new else quiet + 1
        return octets

    def remarks(self) -> str:
        assert self.follower is not None
        return "\n".join(self.follower.remarks())

    def files(self) -> list[bool]:
        """Of each piece, whether it begins another file; forgotten when asked."""
        flags = [piece.next_file is not None for piece in self.pieces]
        self.pieces.clear()
        return flags


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path)
    yield log
    log.stop()


# -- a file that grows -----------------------------------------------------------------------------


def test_what_is_appended_is_given_as_it_is(log: Log) -> None:
    log.append(b"one\ntw")
    assert log.read() == b"one\ntw"
    assert log.read() == b""
    log.append(b"o\n\0\xff")
    assert log.read() == b"o\n\0\xff"
    assert log.files() == [True, False]
    assert log.remarks() == ""


def test_never_more_at_once_than_asked_for(log: Log) -> None:
    written = log.append(lines(100))
    assert log.all(most=100) == written


def test_without_a_position_it_begins_where_it_is_told(log: Log) -> None:
    log.append(lines(3) + b"the beginning of a li")
    log.start(from_start=False)
    assert log.all() == b""
    log.append(b"ne")
    assert log.all() == b""
    new = log.append(b"\n" + lines())[1:]
    assert log.all() == new
    assert log.files() == [True]


def test_the_end_of_a_whole_line_is_the_start_of_the_next(log: Log) -> None:
    log.append(lines(3))
    log.start(from_start=False)
    assert log.all() == b""
    assert log.append(lines()) == log.all()


def test_a_file_that_comes_later_is_read_from_its_beginning(log: Log) -> None:
    log.start(from_start=False)
    assert log.all() == b""
    assert log.remarks() == f"{log.path}: there is no such file; it will be read as soon as it is there"
    log.append(b"")
    assert log.read() == b""
    assert log.append(lines(2)) == log.read()
    assert log.remarks() == ""


def test_a_directory_is_named_once(log: Log) -> None:
    log.path.mkdir()
    assert log.all() == b""
    assert "a directory" in log.remarks()
    assert log.all() == b""
    assert log.remarks() == ""
    log.path.rmdir()
    assert log.append(lines()) == log.all()


def test_a_pipe_does_not_block(log: Log) -> None:
    os.mkfifo(log.path)
    assert log.all() == b""
    assert "name the log itself" in log.remarks()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_said_once_and_tried_again(log: Log) -> None:
    written = log.append(lines())
    log.path.chmod(0)
    assert b"".join(log.read() for _ in range(30)) == b""
    assert log.remarks().count("no permission") == 1
    log.path.chmod(0o600)
    assert b"".join(log.read() for _ in range(30)) == written


def test_a_restart_goes_on_where_it_was(log: Log) -> None:
    first = log.append(lines(2) + b"half a li")
    assert log.all() == first
    second = log.append(b"ne\n" + lines())
    log.start()
    assert log.all() == second
    assert log.files() == [True, False]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_new_file_that_may_not_be_read(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    new = log.append(lines())
    log.path.chmod(0)
    assert b"".join(log.read() for _ in range(30)) == b""
    assert log.remarks().count("no permission") == 1
    log.start()
    late = log.append(lines(), ".1")
    assert b"".join(log.read() for _ in range(30)) == late
    log.path.chmod(0o600)
    assert b"".join(log.read() for _ in range(30)) == new


# -- rotation by renaming --------------------------------------------------------------------------


def test_the_old_file_is_read_to_its_end_before_the_new_one(log: Log) -> None:
    first = log.append(lines())
    assert log.read() == first
    rest = log.append(lines(2))
    log.rename("", ".1")
    rest += log.append(lines(), ".1")
    new = log.append(lines())
    assert log.all() == rest + new
    assert log.files() == [True, False, True]
    assert "mail.log: read to byte" in log.remarks()


def test_the_writer_goes_on_with_the_old_file_until_it_is_told(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    log.append(b"")
    for _ in range(20):
        assert log.append(lines(), ".1") == log.read()
    new = log.append(lines())
    # Two reads that find nothing, and some more lines: it is not left.
    assert [log.read(), log.read()] == [b"", b""]
    assert log.append(lines(), ".1") == log.read()
    assert [log.read(), log.read(), log.read()] == [b"", b"", new]
    assert log.files() == [True, *[False] * 21, True]


def test_what_comes_late_in_the_old_file_is_found(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    new = log.append(lines())
    assert log.all() == new
    late = log.append(lines(), ".1")
    assert log.all() == late
    assert "written to it after it was rotated" in log.remarks()
    more = log.append(lines())
    assert log.all() == more
    assert log.files() == [True, True, True, True]


def test_what_comes_late_is_found_after_a_restart_once(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    log.append(lines())
    log.all()
    late = log.append(lines(), ".1")
    log.compress(".1")
    log.start()
    assert log.all() == late
    log.start()
    assert log.all() == b""


def test_the_old_file_is_not_looked_at_for_ever(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    log.append(lines())
    log.all()
    for _ in range(1200):
        assert log.read() == b""
    log.append(lines(), ".1")
    assert log.all() == b""


def test_what_comes_late_waits_for_the_end_of_a_line_but_not_for_ever(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".1")
    half = log.append(b"half a li")
    assert [log.read(), log.read(), log.read()] == [b"", b"", half]
    late = log.append(lines(), ".1")
    assert log.read() == b""
    log.rename(".1", ".2")
    log.rename("", ".1")
    new = log.append(lines())
    assert b"".join(log.read() for _ in range(20)) == late + new


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_several_rotations_while_nobody_looked(ending: str, log: Log) -> None:
    log.append(lines(50))
    log.start()
    log.read(most=700)
    rest = log.path.read_bytes()[700:]
    log.stop()
    log.rename("", ".1")
    second = log.append(lines(3))
    log.compress(".1", ending)
    log.rename(".1" + ending, ".3" + ending)
    log.rename("", ".2")
    log.compress(".2", ending)
    third = log.append(lines(3))
    log.rename("", ".1")
    new = log.append(lines(3))
    log.start()
    # In one go: no read says that nothing is new before all of it was given.
    given = [log.read(most=1000) for _ in range(4)]
    assert b"".join(given) == rest + second + third + new
    assert all(given)
    assert log.files() == [True, False, True, True, True]
    assert log.read() == b""


def test_old_files_from_before_are_not_read(log: Log) -> None:
    log.append(lines(), ".3")
    log.append(lines(), ".2")
    written = log.append(lines(), "")
    assert log.all() == written
    log.rename("", ".1")
    log.compress(".1")
    new = log.append(lines())
    log.start()
    assert log.all() == new


def test_a_rotation_with_nothing_in_it(log: Log) -> None:
    log.append(lines())
    log.all()
    log.rename("", ".2")
    log.append(b"", ".1")
    new = log.append(lines())
    assert log.all() == new
    log.start()
    assert log.all() == b""


def test_dates_in_the_names(log: Log) -> None:
    log.append(lines())
    first = log.all()
    rest = log.append(lines())
    log.rename("", "-20261122")
    second = log.append(lines())
    log.rename("", "-20261123")
    log.compress("-20261122")
    third = log.append(lines())
    log.start()
    assert first
    assert log.all() == rest + second + third


def test_compressed_under_us(log: Log) -> None:
    log.append(lines(40))
    log.read(most=500)
    log.rename("", ".1")
    rest = gzip_of(log, ".1")[500:]
    new = log.append(lines())
    assert log.all(most=300) == rest + new


def gzip_of(log: Log, name: str) -> bytes:
    content = log.beside(name).read_bytes()
    log.compress(name)
    return content


def test_a_compression_that_is_not_finished(log: Log) -> None:
    """The plain file is read as long as it is there."""
    log.append(lines(40))
    log.read(most=500)
    log.rename("", ".1")
    content = log.beside(".1").read_bytes()
    log.beside(".1.gz").write_bytes(gzip.compress(content)[:50])
    new = log.append(lines())
    log.start()
    assert log.all() == content[500:] + new


def test_a_compressed_file_that_is_cut_off(log: Log) -> None:
    log.append(os.urandom(100_000).replace(b"\n", b"x"))
    log.read(most=500)
    content = log.path.read_bytes()
    log.rename("", ".1")
    log.beside(".1.gz").write_bytes(gzip.compress(content)[:-5000])
    log.beside(".1").unlink()
    new = log.append(lines())
    log.start()
    given = log.all()
    assert given.endswith(new)
    assert 90_000 < len(given) and content[500:].startswith(given[: -len(new)])
    assert "cut off or damaged" in log.remarks()


def test_a_predecessor_that_was_deleted(log: Log) -> None:
    old = log.append(lines(), ".2")
    log.append(lines())
    log.all()
    os.utime(log.beside(".2"), ns=(0, log.path.stat().st_mtime_ns - 10**9))
    log.path.unlink()
    second = log.append(lines(), ".1")
    new = log.append(lines())
    log.start()
    given = log.all()
    assert given == second + new
    assert old not in given
    assert log.files() == [True, True, True]
    said = log.remarks()
    assert "the file of which 31 bytes were read is not there any more" in said
    assert f"goes on at the beginning of {log.path}.1 (31 bytes)" in said


def test_deleted_under_us(log: Log) -> None:
    log.append(lines())
    log.all()
    rest = log.append(lines())
    log.path.unlink()
    assert log.all() == rest
    new = log.append(lines())
    assert log.all() == new
    assert log.files() == [True, False, True]


def test_an_empty_file_deleted_under_us(log: Log) -> None:
    log.append(b"")
    os.utime(log.path, ns=(0, 10**18))
    assert log.all() == b""
    log.path.unlink()
    older = log.append(lines(), ".2")
    os.utime(log.beside(".2"), ns=(0, 10**17))
    second = log.append(lines(), ".1")
    new = log.append(lines())
    assert log.all() == second + new
    assert older not in second


def test_an_empty_file_is_rotated(log: Log) -> None:
    log.append(b"")
    assert log.all() == b""
    log.append(lines(), ".3")
    log.rename("", ".2")
    new = log.append(lines())
    assert log.all() == new


def test_a_link_to_the_log_of_the_day(tmp_path: Path) -> None:
    log = Log(tmp_path, "current")
    days = [tmp_path / "logs" / f"mail-2026112{day}.log" for day in range(3)]
    days[0].parent.mkdir()
    written = lines(2)
    days[0].write_bytes(written)
    log.path.symlink_to(days[0])
    assert log.all() == written
    for day in days[1:]:
        log.path.unlink()
        day.write_bytes(written := lines())
        log.path.symlink_to(day)
        assert log.all() == written
    log.stop()


def test_a_copy_in_its_place(log: Log) -> None:
    """As editors do."""
    log.append(lines(2))
    log.all()
    shutil.copy(log.path, log.beside(".new"))
    log.rename(".new", "")
    new = log.append(lines())
    assert log.all() == new
    assert log.files() == [True, False]


# -- rotation by copying and truncating ------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("grown", [1, 30], ids=["shorter than before", "grown beyond it"])
def test_the_rest_comes_from_the_copy(restarted: bool, packed: bool, grown: int, log: Log) -> None:
    log.append(lines(10))
    log.all()
    rest = log.append(lines(2) + b"half a li")
    log.copy_and_truncate()
    if packed:
        log.compress(".1")
    new = log.append(b"ne\n" + lines(grown))
    if restarted:
        log.start()
    assert log.all() == rest + new
    assert log.files() == [True, False, True]
    if not restarted:
        assert "truncated, or written anew, after 310 bytes of it were read" in log.remarks()
    later = log.append(lines())
    assert log.all() == later
    log.start()
    assert log.all() == b""


def test_copied_and_truncated_after_something_late(log: Log) -> None:
    """The rest of the newer file comes after bytes of the older one, so it is another file again."""
    log.append(lines())
    log.all()
    log.rename("", ".1")
    log.append(lines())
    log.all()
    late = log.append(lines(), ".1")
    assert log.all() == late
    rest = log.append(lines())
    log.rename(".1", ".2")
    log.copy_and_truncate()
    assert log.all() == rest
    assert log.files() == [True, True, True, True]


def test_truncated_with_nothing_after_it(log: Log) -> None:
    log.append(lines(2))
    log.all()
    rest = log.append(lines())
    log.copy_and_truncate()
    assert log.all() == rest
    log.copy_and_truncate(".0")
    assert log.all() == b""


def test_truncated_without_a_copy(log: Log) -> None:
    log.append(lines(), ".1")
    os.utime(log.beside(".1"), ns=(0, 0))
    log.append(lines(2))
    log.all()
    os.truncate(log.path, 0)
    new = log.append(lines(5))
    assert log.all() == new
    assert log.files() == [True, True]
    said = log.remarks()
    assert "cannot be known" in said
    assert "of which 62 bytes were read" in said


def test_a_copy_that_has_only_a_part(log: Log) -> None:
    log.append(lines(100))
    log.all()
    log.beside(".1").write_bytes(log.path.read_bytes()[:2000])
    os.truncate(log.path, 0)
    new = log.append(lines())
    assert log.all() == new
    assert "cannot be known" in log.remarks()


def test_several_times_while_nobody_looked(log: Log) -> None:
    log.append(lines(4))
    log.all()
    rest = log.append(lines())
    log.copy_and_truncate()
    second = log.append(lines(9))
    log.rename(".1", ".2")
    log.copy_and_truncate()
    log.compress(".2")
    new = log.append(lines(2))
    log.start()
    assert log.all() == rest + second + new
    assert log.files() == [True, False, True, True]


def test_a_writer_that_does_not_append_leaves_nul_bytes(log: Log) -> None:
    """Twice: then the file begins as it began before, and has only grown."""
    with log.path.open("wb", buffering=0) as writer:
        for copy in (".2", ".1"):
            written = lines(200)
            writer.write(written)
            assert log.all() == written
            rest = lines()
            writer.write(rest)
            log.copy_and_truncate(copy)
            new = lines(3)
            writer.write(new)
            assert log.path.read_bytes().startswith(b"\0" * 5000)
            assert log.all() == rest + new
        log.start()
        assert log.all() == b""
        writer.write(more := lines())
        assert log.all() == more
    assert log.files() == [True, False, True, False, False, True, False]


def test_a_terabyte_of_nothing_is_passed_over(log: Log) -> None:
    log.append(b"")
    os.truncate(log.path, 1 << 40)
    assert log.all() == b""
    written = log.append(lines())
    assert log.all() == written
    assert log.position is not None and log.position.offset == (1 << 40) + len(written)


# -- what it costs ---------------------------------------------------------------------------------


def test_a_read_looks_at_little(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append(lines())
    for number in range(1, 50):
        log.append(lines(), f".{number}")
    log.all()
    looks: list[str] = []
    stat, scandir = os.stat, os.scandir
    monkeypatch.setattr(os, "stat", lambda *args, **kwargs: looks.append("stat") or stat(*args, **kwargs))
    monkeypatch.setattr(os, "scandir", lambda *args: looks.append("scandir") or scandir(*args))
    log.append(lines())
    log.read()
    assert looks == []
    log.read()
    assert looks == ["stat"]
    # Neither while a new file is there that nobody has written to.
    log.rename("", ".0")
    log.append(b"")
    log.all()
    looks.clear()
    for _ in range(10):
        log.read()
    assert looks == ["stat"] * 10
