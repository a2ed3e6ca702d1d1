"""Whatever is done to a log, and whenever the service is killed: every byte once, in order.

The world writes, rotates, copies, truncates and compresses as syslog daemons and logrotate do; the service reads, saves
its position now and then, and begins again from what it saved last, with what it gave since forgotten.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.sources.following.compressions import COMPRESSIONS

from outwarden.sources.following import FileFollower, Position, restored, saved

_QUIET = 15
_NUMBERED = re.compile(r"mail\.log\.(\d+)(.*)")


class World:
    """A log, its writer and its rotations.  ``generations`` says of each byte in which of its files it was written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "mail.log"
        self.written = bytearray()
        self.generations: list[int] = []
        self._generation = 0
        self._next_number = 0
        self._writer = self._opened()
        self._writes_to_the_log = True

    def close(self) -> None:
        os.close(self._writer)

    def write(self, length: int, ends: bool) -> None:
        octets = b"%08d%s%s" % (self._next_number, b"x" * length, b"\n" if ends else b"")
        self._next_number += 1
        os.write(self._writer, octets)
        self.written += octets
        self.generations += [self._generation] * len(octets)

    def rename(self, created: bool) -> None:
        if not self.log.exists():
            return
        self._shift()
        self.log.rename(self.directory / "mail.log.1")
        if created:
            self.log.touch()
        self._writes_to_the_log = False

    def tell_the_writer(self) -> None:
        """As ``kill -HUP`` after a rotation."""
        if not self._writes_to_the_log:
            os.close(self._writer)
            self._writer = self._opened()
            self._generation += 1
            self._writes_to_the_log = True

    def copy_and_truncate(self) -> None:
        if not self._writes_to_the_log:
            return
        self._shift()
        shutil.copy2(self.log, self.directory / "mail.log.1")
        os.truncate(self.log, 0)
        self._generation += 1

    def compress(self, ending: str) -> None:
        """All that nobody writes to."""
        if not self._writes_to_the_log:
            return
        for path in self.directory.iterdir():
            if (found := _NUMBERED.fullmatch(path.name)) and not found[2]:
                status = path.stat()
                packed = path.with_name(path.name + ending)
                packed.write_bytes(COMPRESSIONS[ending](path.read_bytes()))
                os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
                path.unlink()

    def _opened(self) -> int:
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def _shift(self) -> None:
        numbered = [(int(found[1]), found[2]) for name in os.listdir(self.directory) if (found := _of_log(name))]
        for number, ending in sorted(numbered, reverse=True):
            (self.directory / f"mail.log.{number}{ending}").rename(self.directory / f"mail.log.{number + 1}{ending}")


def _of_log(name: str) -> re.Match[str] | None:
    return _NUMBERED.fullmatch(name)


class Service:
    """What reads the log.  ``given`` is what a restart remembers of it, and what came since."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.given = bytearray()
        self._position: Position | None = None
        self._saved: tuple[bytes, int] | None = None
        self._follower = FileFollower(world.log, None, from_start=True)

    def close(self) -> None:
        self._follower.close()

    def read(self, most: int) -> bool:
        piece = self._follower.read(most)
        if piece is None:
            return False
        assert isinstance(piece.position, Position)
        at, self._position = len(self.given), piece.position
        self.given += piece.octets
        files = self._world.generations[max(at - 1, 0) : len(self.given)]
        assert len(set(files[1:])) <= 1, "a piece is of one file"
        assert (piece.next_file is not None) == (not at or files[0] != files[-1])
        return True

    def read_all(self) -> None:
        quiet = 0
        while quiet < _QUIET:
            quiet = 0 if self.read(1 << 17) else quiet + 1

    def save(self) -> None:
        if self._position is not None:
            self._saved = saved(self._position), len(self.given)

    def killed_and_started(self) -> None:
        if self._saved is None:
            return
        self._follower.close()
        position, length = restored(self._saved[0]), self._saved[1]
        assert isinstance(position, Position)
        del self.given[length:]
        self._position = position
        self._follower = FileFollower(self._world.log, position, from_start=True)


STEPS: list[st.SearchStrategy[tuple[str, tuple[object, ...]]]] = [
    st.tuples(st.just("write"), st.tuples(st.sampled_from([0, 5, 300, 5000]), st.booleans())),
    st.tuples(st.just("rename"), st.tuples(st.booleans())),
    st.tuples(st.just("tell_the_writer"), st.just(())),
    st.tuples(st.just("copy_and_truncate"), st.just(())),
    st.tuples(st.just("compress"), st.tuples(st.sampled_from(sorted(COMPRESSIONS)))),
    st.tuples(st.just("read"), st.tuples(st.sampled_from([20, 1000, 1 << 17]))),
    st.tuples(st.just("read_all"), st.just(())),
    st.tuples(st.just("save"), st.just(())),
    st.tuples(st.just("killed_and_started"), st.just(())),
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(STEPS), min_size=10, max_size=60))
def test_every_byte_once_and_in_order(steps: list[tuple[str, tuple[object, ...]]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        world.write(10, True)
        service = Service(world)
        service.read(1 << 17)
        service.save()
        try:
            for name, arguments in steps:
                getattr(world if hasattr(world, name) else service, name)(*arguments)
                assert world.written.startswith(service.given)
            world.tell_the_writer()
            world.write(5, True)
            service.read_all()
            assert service.given == world.written
        finally:
            service.close()
            world.close()
