"""One asking: the sockets, the questions under way, and the loop that turns them into replies.

The loop draws questions while there is room, waits until something came or is due, takes in all that came at once,
and only then says what is lost: a caller who was slow to take replies loses none of them by it.
"""

import os
import selectors
import socket
import struct
import time
from collections.abc import Iterator
from math import inf
from typing import NamedTuple, Protocol

from outwarden.dns.breaker import Group
from outwarden.dns.cache import Cache
from outwarden.dns.pace import Pace
from outwarden.dns.packets import (
    HEADER_LENGTH,
    QUERY_HEADER,
    DnsAnswer,
    MalformedAnswer,
    MalformedName,
    ResponseCode,
    is_bare_answer,
    mix_case,
    pack_question,
    read_answer,
)
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.dns.resolver import Resolver
from outwarden.dns.stream import Stream

# A try waits for this part of the deadline, then the next is made; the last waits for the rest.
_TRIES = (0.2, 0.3, 0.5)
_PORTS_LOCAL, _PORTS_REMOTE = 2, 16
_DATAGRAM = 4096
_RECEIVE_BUFFER = 1 << 20
# What is taken in, or replied, in one turn.
_BATCH = 512
# So many questions may wait for their list's turn before no more are drawn.
_MOST_WAITING = 8192
_IDS_AT_ONCE = 4096

_FAILURES: dict[int, Failure | None] = {
    ResponseCode.NOERROR: None,
    ResponseCode.NXDOMAIN: None,
    ResponseCode.SERVFAIL: Failure.SERVFAIL,
    ResponseCode.REFUSED: Failure.REFUSED,
}


class Circumstances(Protocol):
    """What an asking is told, and where it tells: a ``Lookup``."""

    resolver: Resolver
    deadline_seconds: float
    in_flight: int
    ignored: int
    cache: Cache
    paces: dict[str, Pace]

    def is_down(self, group: str, now: float) -> bool:
        """Return whether the group is known to be down."""
        ...

    def went_down(self, group: str, now: float) -> None:
        """Take it that the group is down."""
        ...


class _Flight(NamedTuple):
    """A question under way; ``section`` is its wire form, ``due`` when this try counts as lost."""

    question: Question
    section: bytes
    group: Group
    due: float
    attempt: int
    failure: Failure


class _Port:
    """One own socket and what was asked through it, by id."""

    __slots__ = ("flights", "socket")

    def __init__(self, family: int, address: tuple[object, ...]) -> None:
        self.flights: dict[bytes, _Flight] = {}
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.socket.connect(address)


class Asking:
    """Asks what an iterator of questions yields; ``replies`` once, then ``close``, whatever became of it."""

    def __init__(self, lookup: Circumstances, questions: Iterator[Question]) -> None:
        self._lookup = lookup
        self._questions = questions
        self._exhausted = False
        self._replies: list[Reply] = []
        self._groups: dict[str, Group] = {}
        self._holding: dict[str, Group] = {}
        self._waiting = 0
        self._under_way = 0
        self._steps = tuple(part * lookup.deadline_seconds for part in _TRIES)
        self._wake_at = self._check_at = inf
        self._unreachable = False
        self._selector = selectors.DefaultSelector()
        self._ports: list[_Port] = []
        self._ids: list[tuple[_Port, bytes]] = []
        self._streams: dict[Stream, _Flight] = {}

    def replies(self) -> Iterator[Reply]:
        """Ask, and yield the replies as they come."""
        try:
            self._open()
        except OSError:
            for question in self._questions:
                yield Reply(question, None, failure=Failure.UNREACHABLE)
            return
        while True:
            now = time.monotonic()
            if now >= self._check_at:
                self._find_lost(now)
            self._release(now)
            self._draw(now)
            while self._replies:
                replies, self._replies = self._replies, []
                yield from replies
                # Whoever takes replies may have thought of more to ask.
                self._draw(time.monotonic())
            if self._exhausted and not self._under_way and not self._waiting:
                return
            self._take_in()

    def close(self) -> None:
        """Forget what is under way."""
        self._selector.close()
        for port in self._ports:
            port.socket.close()
        for stream in self._streams:
            stream.socket.close()

    def _open(self) -> None:
        resolver = self._lookup.resolver
        family, *_, address = socket.getaddrinfo(
            resolver.address, resolver.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        for _ in range(_PORTS_REMOTE if resolver.remote else _PORTS_LOCAL):
            port = _Port(family, address)
            self._ports.append(port)
            self._selector.register(port.socket, selectors.EVENT_READ, port)

    # --- asking ------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        return (
            self._under_way < self._lookup.in_flight and self._waiting < _MOST_WAITING and len(self._replies) < _BATCH
        )

    def _draw(self, now: float) -> None:
        """Take questions while there is room for them."""
        while self._has_room():
            question = next(self._questions, None)
            self._exhausted = question is None
            if question is None:
                return
            group = self._groups.get(question.group) or self._new_group(question.group, now)
            kept = self._lookup.cache.find(question, now)
            if kept is not None:
                self._replies.append(kept)
            elif group.down:
                self._replies.append(Reply(question, None, failure=Failure.BREAKER))
            elif group.waiting or group.wait_seconds(now) != 0:
                group.waiting.append(question)
                self._waiting += 1
                self._holding[group.name] = group
            else:
                self._send(question, group, now)

    def _new_group(self, name: str, now: float) -> Group:
        lookup = self._lookup
        at_once = max(1, lookup.in_flight // 4)
        group = Group(name, at_once, lookup.paces.get(name), lookup.is_down(name, now))
        self._groups[name] = group
        return group

    def _release(self, now: float) -> None:
        """Ask what waited for its list, as far as it may now be asked."""
        self._wake_at = inf
        for group in list(self._holding.values()):
            self._release_from(group, now)
            if not group.waiting:
                del self._holding[group.name]

    def _release_from(self, group: Group, now: float) -> None:
        while group.waiting:
            if group.down:
                self._replies.append(Reply(group.waiting.popleft(), None, failure=Failure.BREAKER))
            elif self._under_way >= self._lookup.in_flight or (wait := group.wait_seconds(now)) is None:
                return
            elif wait:
                self._wake_at = min(self._wake_at, now + wait)
                return
            else:
                self._send(group.waiting.popleft(), group, now)
            self._waiting -= 1

    def _send(self, question: Question, group: Group, now: float) -> None:
        try:
            section = pack_question(question.name, question.qtype)
        except MalformedName:
            self._replies.append(Reply(question, None, failure=Failure.NAME))
            return
        if self._lookup.resolver.remote:
            section = mix_case(section, int.from_bytes(os.urandom(len(section))))
        port, query_id = self._free_id()
        due = now + self._steps[0]
        port.flights[query_id] = _Flight(question, section, group, due, 0, Failure.TIMEOUT)
        self._check_at = min(self._check_at, due)
        self._under_way += 1
        group.asked()
        self._transmit(port, query_id, section)

    def _free_id(self) -> tuple[_Port, bytes]:
        """Return a port and an id that nobody can guess."""
        while True:
            if not self._ids:
                random, ports = os.urandom(3 * _IDS_AT_ONCE), self._ports
                self._ids = [
                    (ports[random[at] % len(ports)], random[at + 1 : at + 3]) for at in range(0, len(random), 3)
                ]
            port, query_id = self._ids.pop()
            if query_id not in port.flights:
                return port, query_id

    def _transmit(self, port: _Port, query_id: bytes, section: bytes) -> None:
        try:
            port.socket.send(query_id + QUERY_HEADER + section)
        except BlockingIOError:
            pass  # No room in the kernel: lost, and sent again like any packet that is lost.
        except OSError:
            self._unreachable = True

    # --- taking in ---------------------------------------------------------------------------

    def _take_in(self) -> None:
        """Wait until something came or is due, and take in what came."""
        if not self._exhausted and self._has_room():
            timeout = 0.0
        else:
            timeout = max(0.0, min(self._check_at, self._wake_at) - time.monotonic())
        for ready, _ in self._selector.select(timeout if timeout < inf else None):
            if isinstance(ready.data, _Port):
                self._receive(ready.data)
            else:
                self._proceed(ready.data)

    def _receive(self, port: _Port) -> None:
        """Take in all that has come to one socket."""
        for _ in range(_BATCH):
            try:
                packet = port.socket.recv(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self._unreachable = True
                return
            query_id = packet[:2]
            flight = port.flights.get(query_id)
            if flight is None:
                self._lookup.ignored += 1
            elif is_bare_answer(packet, flight.section):
                del port.flights[query_id]
                self._answered(flight, packet[3] & 0x0F)
            else:
                self._read(port, query_id, flight, packet)

    def _read(self, port: _Port, query_id: bytes, flight: _Flight, packet: bytes) -> None:
        """Take in a packet with the id of a question under way, if it answers that question."""
        asked = packet[HEADER_LENGTH : HEADER_LENGTH + len(flight.section)]
        # Some servers give an error without repeating the question.
        if asked and asked.lower() != flight.section.lower():
            self._lookup.ignored += 1
            return
        try:
            answer = read_answer(packet)
        except MalformedAnswer:
            self._lookup.ignored += 1
            port.flights[query_id] = flight._replace(failure=Failure.MALFORMED)
            return
        if not asked and not _failure_of(answer.rcode):
            self._lookup.ignored += 1
            return
        del port.flights[query_id]
        forgeable = self._lookup.resolver.remote and asked and asked != flight.section
        if answer.truncated or forgeable:
            self._ask_by_tcp(port, query_id, flight)
        else:
            self._answered(flight, answer.rcode, answer)

    def _answered(self, flight: _Flight, rcode: int, answer: DnsAnswer | None = None) -> None:
        """Reply to a question that is no longer under way; without ``answer``, of an answer that has no records."""
        self._under_way -= 1
        self._unreachable = False
        flight.group.answered()
        failure = _failure_of(rcode)
        if answer is None or failure:
            self._replies.append(Reply(flight.question, rcode, failure=failure))
            return
        reply = Reply(flight.question, rcode, answer.addresses, answer.texts, answer.ttl)
        self._lookup.cache.keep(reply, time.monotonic())
        self._replies.append(reply)

    # --- what is lost ------------------------------------------------------------------------

    def _find_lost(self, now: float) -> None:
        """Ask again, or give up, what is due; and note when something is due next."""
        for port in self._ports:
            for query_id, flight in [each for each in port.flights.items() if each[1].due <= now]:
                self._ask_again(port, query_id, flight, now)
        for stream in [stream for stream, flight in self._streams.items() if flight.due <= now]:
            self._end_stream(stream)
        flights = [flight for port in self._ports for flight in port.flights.values()]
        self._check_at = min((flight.due for flight in [*flights, *self._streams.values()]), default=inf)

    def _ask_again(self, port: _Port, query_id: bytes, flight: _Flight, now: float) -> None:
        attempt = flight.attempt + 1
        if attempt < len(self._steps):
            port.flights[query_id] = flight._replace(attempt=attempt, due=now + self._steps[attempt])
            flight.group.asked_again()
            self._transmit(port, query_id, flight.section)
        else:
            del port.flights[query_id]
            self._lost(flight, now)

    def _lost(self, flight: _Flight, now: float) -> None:
        """Reply that there was no answer."""
        self._under_way -= 1
        unreachable = self._unreachable and flight.failure is Failure.TIMEOUT
        failure = Failure.UNREACHABLE if unreachable else flight.failure
        self._replies.append(Reply(flight.question, None, failure=failure))
        if flight.group.lost():
            self._lookup.went_down(flight.group.name, now)

    # --- by TCP ------------------------------------------------------------------------------

    def _ask_by_tcp(self, port: _Port, query_id: bytes, flight: _Flight) -> None:
        """Ask the same by TCP, within the same deadline (RFC 7766 section 5)."""
        flight.group.answered()
        stream = Stream(port.socket.family, port.socket.getpeername(), query_id + QUERY_HEADER + flight.section)
        due = flight.due + sum(self._steps[flight.attempt + 1 :])
        self._streams[stream] = flight._replace(due=due, failure=Failure.TRUNCATED)
        self._selector.register(stream.socket, selectors.EVENT_WRITE, stream)

    def _proceed(self, stream: Stream) -> None:
        stream.proceed()
        if stream.failed or stream.answer is not None:
            self._end_stream(stream)
        elif not stream.sending:
            self._selector.modify(stream.socket, selectors.EVENT_READ, stream)

    def _end_stream(self, stream: Stream) -> None:
        """Reply with what came by TCP, or that nothing did."""
        self._selector.unregister(stream.socket)
        stream.socket.close()
        flight = self._streams.pop(stream)
        answer = None if stream.answer is None else _read_from_stream(stream.answer, stream.query)
        if answer is None:
            self._lost(flight, time.monotonic())
        else:
            self._answered(flight, answer.rcode, answer)


def _failure_of(rcode: int) -> Failure | None:
    return _FAILURES.get(rcode, Failure.ERROR)


def _read_from_stream(message: bytes, query: bytes) -> DnsAnswer | None:
    """Return the answer to this query, None for anything else."""
    section = query[HEADER_LENGTH:]
    try:
        answer = read_answer(message)
    except MalformedAnswer:
        return None
    asked = message[HEADER_LENGTH : HEADER_LENGTH + len(section)]
    fits = message[:2] == query[:2] and asked.lower() == section.lower() and not answer.truncated
    return answer if fits else None
