"""A small real DNS server on loopback that does what a list's name says, by UDP and TCP on one port.

The list is the third label from the right: ``10.2.0.192.silent.lists.example`` is asked of ``silent``.  Of a name
that has no list it says what the server is told to, else that there is no such name.
"""

import selectors
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from tests.unit.dns.one_port import sockets_of_one_port

A, TXT, SOA = 1, 16, 6

Behaviour = Callable[[bytes, int], list[bytes]]
"""Takes a query and how often this very packet came before; returns the packets to send."""


def question_of(query: bytes) -> bytes:
    return query[12:]


def answer_to(query: bytes, *records: bytes, rcode: int = 0, flags: int = 0x8180, authority: bytes = b"") -> bytes:
    counts = struct.pack(">4H", 1, len(records), bool(authority), 0)
    return query[:2] + struct.pack(">H", flags | rcode) + counts + question_of(query) + b"".join(records) + authority


def record(rtype: int, content: bytes, ttl: int = 60, owner: bytes = b"\xc0\x0c") -> bytes:
    return owner + struct.pack(">HHIH", rtype, 1, ttl, len(content)) + content


def soa(ttl: int, minimum: int) -> bytes:
    return record(SOA, b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, minimum), ttl)


LISTED = record(A, bytes([127, 0, 0, 2]))


def listed(query: bytes, _before: int = 0) -> list[bytes]:
    return [answer_to(query, LISTED)]


def code(rcode: int) -> Behaviour:
    return lambda query, _: [answer_to(query, rcode=rcode)]


NO_SUCH_NAME = code(3)


def from_try(number: int, then: Behaviour = listed) -> Behaviour:
    return lambda query, before: then(query, before) if before + 1 >= number else []


def first_wrong(wrong: Callable[[bytes], bytes]) -> Behaviour:
    """First what must be ignored, then the truth, in one go."""
    return lambda query, _: [wrong(answer_to(query, record(A, bytes([127, 9, 9, 9])))), answer_to(query, LISTED)]


def other_id(answer: bytes) -> bytes:
    return bytes([answer[0] ^ 0xFF]) + answer[1:]


def other_question(answer: bytes) -> bytes:
    return answer[:13] + bytes([answer[13] ^ 1]) + answer[14:]


def lower_case(query: bytes, _before: int) -> list[bytes]:
    return [answer_to(query[:12] + query[12:].lower(), LISTED)]


def truncated(query: bytes, _before: int) -> list[bytes]:
    return [answer_to(query, flags=0x8380)]


LISTS: dict[str, Behaviour] = {
    "listed": listed,
    "text": lambda query, _: [answer_to(query, record(TXT, b"\x05see: \x0chttps://l.ex"))],
    "nxdomain": NO_SUCH_NAME,
    "kept": lambda query, _: [answer_to(query, rcode=3, authority=soa(300, 120))],
    "nodata": code(0),
    "servfail": code(2),
    "refused": code(5),
    "notimp": code(4),
    "bare-refused": lambda query, _: [query[:2] + bytes.fromhex("8185 0000 0000 0000 0000")],
    "bare-nxdomain": lambda query, _: [query[:2] + bytes.fromhex("8183 0000 0000 0000 0000")],
    "silent": lambda query, _: [],
    "lossy": from_try(2),
    "very-lossy": from_try(3),
    "wrong-id": first_wrong(other_id),
    "wrong-question": first_wrong(other_question),
    "echo": first_wrong(lambda answer: answer[:2] + b"\x01\x00" + answer[4:]),
    "twice": lambda query, _: listed(query) * 2,
    "garbage": lambda query, _: [query[:2] + b"\xff" * 40],
    "broken": lambda query, _: [answer_to(query, LISTED)[:-2]],
    "broken-first": lambda query, before: [answer_to(query, LISTED)[: None if before else -2]],
    "lower-case": lower_case,
    "truncated": truncated,
    "truncated-always": truncated,
    "truncated-no-tcp": truncated,
    "truncated-silent": truncated,
    "truncated-garbage": truncated,
}
BY_TCP: dict[str, Behaviour] = {
    "truncated": lambda query, _: [answer_to(query, *[LISTED] * 200)],
    "truncated-always": truncated,
    "truncated-silent": lambda query, _: [],
    "truncated-garbage": lambda query, _: [other_question(answer_to(query, LISTED))],
    "lower-case": lower_case,
}


class ToyDns:
    """Serves until the ``with`` block ends; ``asked`` counts the queries by list, ``tcp`` those by TCP."""

    def __init__(self, otherwise: Behaviour = NO_SUCH_NAME) -> None:
        self._otherwise = otherwise
        self.asked: Counter[str] = Counter()
        self.tcp: Counter[str] = Counter()
        self.answered = 0
        self.names: list[bytes] = []
        self.sources: set[int] = set()
        self._seen: Counter[bytes] = Counter()
        self._udp, self._listening = sockets_of_one_port()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)

    @property
    def port(self) -> int:
        return int(self._udp.getsockname()[1])

    def __enter__(self) -> "ToyDns":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.send(b"!")
        self._thread.join()
        for each in (self._udp, self._listening, self._stop, self._stopped):
            each.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._udp, self._listening, self._stopped):
                selector.register(each, selectors.EVENT_READ)
            connections: list[socket.socket] = []
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._stopped:
                        for connection in connections:
                            connection.close()
                        return
                    if key.fileobj is self._udp:
                        self._answer_datagram()
                    elif key.fileobj is self._listening:
                        connections.append(self._listening.accept()[0])
                        self._answer_stream(connections[-1])

    def _answer_datagram(self) -> None:
        query, source = self._udp.recvfrom(4096)
        name = _list_of(query)
        self.asked[name] += 1
        self.names.append(query[12:-4])
        self.sources.add(source[1])
        for packet in LISTS.get(name, self._otherwise)(query, self._seen[query]):
            self._udp.sendto(packet, source)
        self._seen[query] += 1
        self.answered += 1

    def _answer_stream(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        length = int.from_bytes(connection.recv(2))
        query = connection.recv(length)
        name = _list_of(query)
        self.tcp[name] += 1
        if name not in BY_TCP:
            connection.close()
            return
        for message in BY_TCP[name](query, 0):
            framed = len(message).to_bytes(2) + message
            # In three parts, one of them within the length.
            for part in (framed[:1], framed[1:30], framed[30:]):
                connection.sendall(part)


def _list_of(query: bytes) -> str:
    labels = []
    at = 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode().lower())
        at += 1 + size
    return labels[-3] if len(labels) > 2 else ""
