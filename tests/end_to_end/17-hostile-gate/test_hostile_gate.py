"""Hostile messages and hostile connections at the gate: other people's mail goes on, and the service stays small."""

import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from lab.gate_world import ACCOUNTS, GateWorld, gate_world
from lab.hostile_messages import hostile_messages
from lab.ledger import settle
from lab.load import Load, Taken, load
from lab.past_mail import friends_of
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

QUICK_SECONDS = 3.0
"""For the whole of a message, from its sender to the answer at its end, on a busy machine."""
MOST_MEGABYTES = 100
"""That the service may grow by, at its largest: one large message at a time is examined."""
_LARGE = """\
message_size_limit = 80000000
header_size_limit = 2000000
disable_mime_output_conversion = yes
"""
_WRITERS, _ATTACKERS = ACCOUNTS[:4], ACCOUNTS[4:7]


def test_hostile_messages(home: Path) -> None:
    with gate_world(home, settings="", postfix_settings=_LARGE) as world:
        before = _most_megabytes(world)
        bombs = list(enumerate(hostile_messages()))
        with load(world, _WRITERS) as writing, ThreadPoolExecutor(len(_ATTACKERS)) as attackers:
            taken = list(attackers.map(lambda bomb: _throw(world, bomb[0], *bomb[1]), bombs))
        _is_well(world, writing, before)
        assert world.service.ask("status")["gate"]["undecided"] == 0
        settle(world, [*writing.taken, *taken])


def test_hostile_connections(home: Path) -> None:
    with gate_world(home, settings="", postfix_settings=_LARGE) as world:
        before = _most_megabytes(world)
        stop = threading.Event()
        with load(world, _WRITERS) as writing, _silent(world, 200), ThreadPoolExecutor(8) as attackers:
            for seed in range(8):
                attackers.submit(_break, world, Random(seed), stop)
            try:
                wait_until(lambda: _connections(world) > 500 and len(writing.taken) > 100, "500 connections")
            finally:
                stop.set()
        _is_well(world, writing, before)
        settle(world, writing.taken)


def _connections(world: GateWorld) -> int:
    connections: int = world.service.ask("status")["gate"]["doors"][0]["connections"]
    return connections


def _is_well(world: GateWorld, writing: Load, megabytes_before: float) -> None:
    assert world.service.process is not None
    assert world.service.process.poll() is None
    assert (writing.refused, writing.put_off) == ([], 0)
    assert len(writing.taken) > 20
    assert writing.slowest_seconds < QUICK_SECONDS
    assert _most_megabytes(world) - megabytes_before < MOST_MEGABYTES


def _most_megabytes(world: GateWorld) -> float:
    assert world.service.process is not None
    status = Path(f"/proc/{world.service.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _throw(world: GateWorld, number: int, name: str, letter: bytes) -> Taken:
    account = _ATTACKERS[number % len(_ATTACKERS)]
    message_id = f"bomb{number}@isp.example"
    with world.session(account) as session:
        session.mail(account)
        session.rcpt(friends_of(account)[0])
        code, words = session.data(b"Message-ID: <%s>\r\n" % message_id.encode() + letter)
    assert code == 250, f"{name}: {words!r}"
    return Taken(account, message_id, words.decode().rpartition(" ")[2])


@contextmanager
def _silent(world: GateWorld, number: int) -> Iterator[None]:
    """Hold connections that say nothing, or begin and do not go on."""
    talks = [_connected(world) for _ in range(number)]
    for place, talk in enumerate(talks):
        talk.sendall((b"", b"\0", struct.pack(">I", 13) + b"O\0\0", b"\xff\xff\xff\xff")[place % 4])
    yield
    for talk in talks:
        talk.close()


def _break(world: GateWorld, chance: Random, stop: threading.Event) -> None:
    """Be a mail server that is broken, again and again."""
    ways: list[Callable[[Random], bytes]] = [_garbage, _half_a_message, _endless_header, _out_of_turn]
    while not stop.is_set():
        # It may be closed while we speak, which is what it should be.
        with suppress(OSError), _connected(world) as talk:
            talk.settimeout(2)
            talk.sendall(chance.choice(ways)(chance))
            if chance.random() < 0.5:
                talk.recv(4096)


def _garbage(chance: Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 5_000))


def _half_a_message(chance: Random) -> bytes:
    whole = _agreement() + _frame(b"M", b"<a@isp.example>\0") + _frame(b"B", b"x" * 60_000)
    return whole[: chance.randrange(1, len(whole))]


def _endless_header(_: Random) -> bytes:
    return _agreement() + _frame(b"M", b"<a@isp.example>\0") + _frame(b"L", b"X-A\0" + b"v" * 900 + b"\0") * 3_000


def _out_of_turn(chance: Random) -> bytes:
    return _agreement() + b"".join(_frame(bytes([chance.randrange(256)]), b"") for _ in range(20))


def _agreement() -> bytes:
    return _frame(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))


def _frame(command: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 1) + command + content


def _connected(world: GateWorld) -> socket.socket:
    talk = socket.socket(socket.AF_UNIX)
    talk.connect(str(world.service.milter))
    return talk
