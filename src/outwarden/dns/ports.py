"""Own UDP ports towards one resolver, and the questions under way on each."""

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from outwarden.dns.breaker import Group
from outwarden.dns.packets import QUERY_FLAGS
from outwarden.dns.questions import Failure, Question
from outwarden.dns.resolver import Resolver

# Where no packet leaves the machine nobody can forge one who could not read the answer too.
_PORTS_LOCAL, _PORTS_REMOTE = 1, 16
_RECEIVE_BUFFER = 1 << 20
_IDS_AT_ONCE = 256

# UDP(7), UDP_SEGMENT: since Linux 4.18 one call sends up to 64 packets of one size.
_UDP_SEGMENT = 103
_SEGMENTS = 64

Flight = tuple[Question, bytes, Group, float, int, Failure]
"""A question under way, and what is known of it; a plain tuple, as one is made for each.

The body of its query (after id and flags); its group; when this try counts as lost, in seconds of the steady
clock; how many tries were made before; and what to reply when no better answer comes.
"""


class Port:
    """One connected socket, so that the kernel lets only the resolver's packets in; its flights by query id."""

    __slots__ = ("_by_segments", "flights", "receive", "socket", "unsent")

    def __init__(self, family: int, address: tuple[str | int | bytes, ...]) -> None:
        self.flights: dict[bytes, Flight] = {}
        self.unsent: list[bytes] = []
        """Queries to be sent by the next ``flush``."""
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.receive = self.socket.recv
        self._by_segments = True
        try:
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def flush(self) -> None:
        """Send what is unsent, those of one length together.  Raises OSError where some could not be sent."""
        queries, self.unsent = sorted(self.unsent, key=len), []
        trouble = None
        for length, alike in groupby(queries, len):
            for some in _in_parts(alike, _SEGMENTS):
                try:
                    self._send(some, length)
                except OSError as error:
                    trouble = error
        if trouble is not None:
            raise trouble

    def _send(self, queries: Sequence[bytes], length: int) -> None:
        if len(queries) > 1 and self._by_segments:
            try:
                segment = (socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", length))
                self.socket.sendmsg(queries, [segment])
                return
            except BlockingIOError:
                raise
            except OSError:
                # An older kernel, or another: each by itself then, which also tells what else is wrong.
                self._by_segments = False
        for query in queries:
            self.socket.send(query)

    def query(self, query_id: bytes) -> bytes:
        """Return the query of a flight as it is sent."""
        return query_id + QUERY_FLAGS + self.flights[query_id][1]


def _in_parts(queries: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while part := list(islice(queries, size)):
        yield part


class Ports:
    """All ports of one asking, each with a number of the kernel's choice."""

    def __init__(self) -> None:
        self.all: list[Port] = []
        self._random: Iterator[tuple[Any, ...]] = iter(())

    def open(self, resolver: Resolver) -> None:
        """Open the ports.  Raises OSError where no way leads; what is open by then is closed by ``close``."""
        family, *_, address = socket.getaddrinfo(
            resolver.address, resolver.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        for _ in range(_PORTS_REMOTE if resolver.remote else _PORTS_LOCAL):
            self.all.append(Port(family, address))

    def free_id(self) -> tuple[Port, bytes]:
        """Return a port and an id for the next query, so that nobody can guess either (RFC 5452 section 9.2)."""
        while True:
            for (three,) in self._random:
                port, query_id = self.all[three[0] % len(self.all)], three[1:]
                if query_id not in port.flights:
                    return port, query_id
            self._random = struct.iter_unpack("3s", os.urandom(3 * _IDS_AT_ONCE))

    def close(self) -> None:
        """Close all; what comes late finds nobody."""
        for port in self.all:
            port.socket.close()
