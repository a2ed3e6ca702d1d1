"""The store cannot be written for a while: mail goes on, nothing is done that is not written down, nothing is lost."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world
from lab.ledger import held, settle
from lab.load import load
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

LASTS_SECONDS = 10.0
LATER = "4.7.1 Your message could not be taken just now; please try again in a few minutes"
_DISK_BYTES = 16 << 20


@pytest.fixture
def disk(home: Path) -> Iterator[Path]:
    """Return the folder of a small disk, which is there for the test alone."""
    folder = home / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    """Another program writes and does not come to an end."""
    with closing(sqlite3.connect(store, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _full(store: Path) -> Iterator[None]:
    """Something else has filled the disk to its last byte."""
    rest = store.parent / "rest"
    with rest.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    yield
    rest.unlink()


@pytest.mark.parametrize("fails", [_locked, _full])
def test_the_store_fails_for_a_while(
    home: Path, disk: Path, fails: Callable[[Path], AbstractContextManager[None]]
) -> None:
    store = disk / "outwarden.db"
    with gate_world(home, settings="", fallback="accept", store=store) as world:
        with load(world, ACCOUNTS[:8]) as writing:
            time.sleep(1)
            with fails(store):
                began_at = time.monotonic()
                wait_until(lambda: world.service.says("is not written down"), "the service to say so", 20)
                before = len(writing.taken)
                assert "store" in [one["what"] for one in world.service.ask("status")["faults"]]
                time.sleep(max(0.0, began_at + LASTS_SECONDS - time.monotonic()))
                assert len(writing.taken) > before + 10
            wait_until(lambda: world.service.says("the store is written again"), "the store to be written again", 20)
        assert writing.refused == []
        assert writing.put_off == 0
        wait_until(lambda: not world.service.ask("status")["faults"], "the minutes to come by again", 20)
        settle(world, writing.taken)
        said = world.service.words.read_text()
        assert (said.count("what happens is not written down"), said.count("to watch: ")) == (1, 1)


@pytest.mark.parametrize("fails", [_locked, _full])
def test_nobody_is_held_by_what_is_not_written_down(
    home: Path, disk: Path, fails: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """Where a message would begin a hold it is put off, and held when it comes again."""
    store = disk / "outwarden.db"
    with gate_world(home, ACTING, store=store) as world, load(world, ACCOUNTS[1:5], pause_seconds=3) as writing:
        with fails(store):
            number = _last_before_it_is_put_off(world)
            began_at = time.monotonic()
            for _ in range(10):
                assert _spam(world, number) == (451, LATER)
            # Those that come after the first do not each wait for the store.
            assert time.monotonic() - began_at < LASTS_SECONDS
            assert held(world) == set()
        wait_until(lambda: _spam(world, number)[0] == 250, "what was put off to be taken", 30)
        wait_until(lambda: len(held(world)) == 1, "what was put off to be held")
        assert [one["account"] for one in world.service.ask("status")["accounts"]] == [ROSA]
        assert world.service.words.read_text().count("nothing is done by itself") == 1
        assert (writing.refused, writing.put_off) == ([], 0)


def _last_before_it_is_put_off(world: GateWorld) -> int:
    """Send spam until it is not taken any more; return which."""
    for number in range(30):
        code, words = _spam(world, number)
        if code != 250:
            assert (code, words) == (451, LATER)
            return number
    pytest.fail("nobody minds the spam")


def _spam(world: GateWorld, number: int) -> tuple[int, str]:
    client = f"203.0.{number % 50}.{number % 200 + 1}"
    text = f"You have won. Go to https://prize{number % 3}.example/claim and say who you are.\n"
    return world.send(ROSA, [f"stranger{number}@bigmail.example"], client, "You have won", text)
