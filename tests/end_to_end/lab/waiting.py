"""Ports that are free, and conditions that come true before a deadline."""

import random
import socket
import time
from collections.abc import Callable

import pytest


def own_address() -> str:
    """Return an address of this host that is not the loopback, where it has one.

    Mail for it never leaves the host, and yet looks like mail for another one.  Connecting a
    datagram socket sends nothing; it only asks the routing table.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


_GIVEN: set[int] = set()


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port that nobody has, for TCP and UDP, and that was given to nobody else.

    It lies below those that the kernel takes for connections that go out, or one of them could have it before the
    program that it is meant for has started.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind((address, port))
                datagrams.bind((address, port))
            except OSError:
                continue
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return as soon as the condition holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


def answers(port: int, address: str = "127.0.0.1") -> bool:
    """Say whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
