"""The log is rotated in every usual way while people write: no line is lost, none is read twice."""

import gzip
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.gate_world import ACCOUNTS, GateWorld, gate_world
from lab.ledger import settle
from lab.load import load
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

_WRITES_SECONDS = 1.0


def _by_postfix(world: GateWorld) -> None:
    """Renamed, compressed and reopened by Postfix's own command."""
    _make_room(world.postfix.log)
    world.postfix.run("postfix", "logrotate")


def _renamed(world: GateWorld) -> None:
    """Renamed; the writer writes on to the old file until it is told to reopen, the predecessor is compressed later."""
    _make_room(world.postfix.log)
    old = world.postfix.log.rename(f"{world.postfix.log}.1")
    time.sleep(_WRITES_SECONDS)
    world.postfix.run("postfix", "reload")
    wait_until(lambda: world.postfix.log.exists() and world.postfix.log.stat().st_size > 0, "the new log")
    time.sleep(_WRITES_SECONDS)
    _compress(old)


def _copied_and_truncated(world: GateWorld) -> None:
    """Copied and truncated; the writer stands still meanwhile, as what comes between the two is lost to all."""
    _make_room(world.postfix.log)
    writer = _writer(world)
    os.kill(writer, signal.SIGSTOP)
    shutil.copy2(world.postfix.log, f"{world.postfix.log}.1")
    os.truncate(world.postfix.log, 0)
    os.kill(writer, signal.SIGCONT)


def _writer(world: GateWorld) -> int:
    """Return the process that writes this instance's log."""
    for number in subprocess.run(["pgrep", "-x", "postlogd"], capture_output=True, text=True).stdout.split():
        if Path(f"/proc/{number}/cwd").resolve().is_relative_to(world.home):
            return int(number)
    pytest.fail("nobody writes the log")


def _while_the_service_is_down(world: GateWorld) -> None:
    """Renamed twice and compressed while nobody reads."""
    world.service.kill()
    for _ in range(2):
        _make_room(world.postfix.log)
        old = world.postfix.log.rename(f"{world.postfix.log}.1")
        world.postfix.run("postfix", "reload")
        wait_until(lambda: world.postfix.log.exists() and world.postfix.log.stat().st_size > 0, "the new log")
        time.sleep(_WRITES_SECONDS)
        _compress(old)
    world.service.start()


def _make_room(log: Path) -> None:
    """Number the predecessors up."""
    for number in range(9, 0, -1):
        for ending in ("", ".gz"):
            old = Path(f"{log}.{number}{ending}")
            if old.exists():
                old.rename(f"{log}.{number + 1}{ending}")


def _compress(log: Path) -> None:
    packed = Path(f"{log}.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    shutil.copystat(log, packed)
    log.unlink()


@pytest.mark.parametrize("rotate", [_by_postfix, _renamed, _copied_and_truncated, _while_the_service_is_down])
def test_rotated_under_load(home: Path, rotate: Callable[[GateWorld], None]) -> None:
    with gate_world(home, settings="", fallback="accept") as world:
        with load(world, ACCOUNTS[:8]) as writing:
            for _ in range(2):
                time.sleep(_WRITES_SECONDS)
                rotate(world)
            time.sleep(_WRITES_SECONDS)
        assert writing.refused == []
        assert len(writing.taken) > 50
        settle(world, writing.taken)
