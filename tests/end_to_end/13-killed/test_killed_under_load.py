"""The service is killed again and again while people write: nothing is lost, nothing is counted twice."""

import os
import shutil
import time
from pathlib import Path
from random import Random

import pytest
from lab.gate_world import ACCOUNTS, GateWorld, gate_world
from lab.ledger import settle
from lab.load import load

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]


@pytest.mark.parametrize(("fallback", "kills"), [("tempfail", 50), ("accept", 8)])
def test_killed_under_load(home: Path, fallback: str, kills: int) -> None:
    with gate_world(home, settings="", fallback=fallback) as world:
        with load(world, ACCOUNTS[:8]) as writing:
            _kill(world, kills, Random(5))
        assert writing.refused == []
        if fallback == "accept":
            assert writing.put_off == 0
        assert len(writing.taken) > 5 * kills
        settle(world, writing.taken)


def _kill(world: GateWorld, times: int, chance: Random) -> None:
    """Kill it while it starts, while it reads again what it has read before, and while it is at work."""
    for _ in range(times):
        time.sleep(chance.uniform(0.1, 2.5))
        world.service.kill()
        world.service.launch()
