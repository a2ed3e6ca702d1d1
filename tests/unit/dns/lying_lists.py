"""A small DNS server on loopback whose zones answer as each is told to: honestly, late, or with lies.

Not a name server: it reads well-formed questions, and a zone's behaviour makes up the packets that go back.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from tests.unit.dns.one_port import sockets_of_one_port

A, CNAME, TXT, AAAA = 1, 5, 16, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


class Asked(NamedTuple):
    """A question as it came; ``part`` is what stands left of the zone, in lower case."""

    packet: bytes
    part: str
    qtype: int
    by_tcp: bool

    @property
    def question(self) -> bytes:
        return self.packet[12 : self.packet.index(b"\0", 12) + 5]


Packets = Iterable[tuple[float, bytes]]
Behaviour = Callable[[Asked], Packets]


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in text.split(".") if label) + b"\0"


def record(rtype: int, payload: bytes, owner: bytes = b"\xc0\x0c", ttl: int = 60, rclass: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", rtype, rclass, ttl, len(payload)) + payload


def address(text: str, owner: bytes = b"\xc0\x0c", ttl: int = 60) -> bytes:
    return record(A, IPv4Address(text).packed, owner, ttl)


def packet(
    asked: Asked,
    rcode: int = NOERROR,
    records: Iterable[bytes] = (),
    *,
    flags: int = 0x8180,
    question: bytes | None = None,
    query_id: bytes | None = None,
    counts: tuple[int, int, int] | None = None,
) -> bytes:
    records = list(records)
    section = asked.question if question is None else question
    counted = counts or (len(records), 0, 0)
    header = struct.pack("!HHHHH", flags | rcode, 1 if section else 0, *counted)
    return (query_id or asked.packet[:2]) + header + section + b"".join(records)


def says(*addresses: str, ttl: int = 60) -> Callable[[Asked], bytes]:
    """The packet with these addresses; for a question of type TXT, a text."""

    def answer(asked: Asked) -> bytes:
        if asked.qtype == TXT:
            return packet(asked, NOERROR, [record(TXT, b"\x0blisted here")])
        return packet(asked, NOERROR, [address(each, ttl=ttl) for each in addresses])

    return answer


def fails(rcode: int) -> Callable[[Asked], bytes]:
    return lambda asked: packet(asked, rcode)


Answer = Callable[[Asked], bytes | Packets | None]


_ABSENT = fails(NXDOMAIN)


def zone(parts: Mapping[str, Answer], otherwise: Answer = _ABSENT) -> Behaviour:
    """Answers by name; a missing answer (None) is silence."""

    def behave(asked: Asked) -> Packets:
        answer = parts.get(asked.part, otherwise)(asked)
        if answer is None:
            return []
        return [(0.0, answer)] if isinstance(answer, bytes) else answer

    return behave


class LyingLists:
    """The server: ``zones`` by name.  ``asked`` keeps the (name, type) of all questions, for tests to look at."""

    def __init__(self, zones: Mapping[str, Behaviour]) -> None:
        self.zones = dict(zones)
        self.asked: list[tuple[str, int]] = []
        self._udp, self._tcp = sockets_of_one_port()
        self.port: int = self._udp.getsockname()[1]
        self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stranger.bind(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        # A thread that waits in a system call is woken by a last packet to itself, or by the shutdown.
        with contextlib.suppress(OSError):
            self._udp.sendto(b"", self._udp.getsockname())
        with contextlib.suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in (self._udp, self._tcp, self._stranger):
            each.close()

    def _serve_udp(self) -> None:
        while True:
            query, sender = self._udp.recvfrom(4096)
            if not query:
                return
            for delay, answer in self._answers(query, by_tcp=False):
                if delay > 0:
                    timer = threading.Timer(delay, self._send, (answer, sender))
                    timer.daemon = True
                    timer.start()
                elif delay < 0:
                    self._stranger.sendto(answer, sender)
                else:
                    self._send(answer, sender)

    def _send(self, answer: bytes, to: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):
            self._udp.sendto(answer, to)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                query = connection.recv(4096)[2:]
                for _, answer in self._answers(query, by_tcp=True) if query else ():
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answers(self, query: bytes, by_tcp: bool) -> Packets:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii").lower())
            at += 1 + query[at]
        qtype = int.from_bytes(query[at + 1 : at + 3])
        whole = ".".join(labels)
        self.asked.append((whole, qtype))
        for name_of_zone, behave in self.zones.items():
            if whole.endswith("." + name_of_zone):
                return behave(Asked(query, whole.removesuffix("." + name_of_zone), qtype, by_tcp))
        return [(0.0, packet(Asked(query, whole, qtype, by_tcp), REFUSED))]


@contextlib.contextmanager
def lying_lists(zones: Mapping[str, Behaviour]) -> Iterator[LyingLists]:
    server = LyingLists(zones)
    try:
        yield server
    finally:
        server.close()
