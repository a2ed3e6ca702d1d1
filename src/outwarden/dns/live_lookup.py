"""Asks a resolver while messages wait at the gate, and never lets one wait longer than its deadline.

What is known is answered at once and from memory.  Of the rest each question is under way once, however many messages
ask it; one that has no answer when a message's time is over stays under way for a few seconds, so that the answer is
there for the next message.  A lost packet is asked for again; a list that is silent goes down by its circuit breaker,
and once a minute a single question finds out whether it lives again.  What is under way is bounded: beyond that a
question is answered at once as not asked.

Answers count as strictly as for ``Lookup``: by id, name, type and class, on the socket they belong to, from the
resolver's address.  For a resolver that is not on this machine questions are spread over several ports, which are new
every minute, and their letters' case is random.

Everything runs in the one event loop of its caller.  Not done: a second resolver is not tried by itself.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from outwarden.dns.breaker import Group
from outwarden.dns.cache import Cache
from outwarden.dns.pace import Pace
from outwarden.dns.packets import (
    QUERY_FLAGS,
    DnsAnswer,
    MalformedAnswer,
    MalformedName,
    denial,
    mix_case,
    pack_body,
    read_answer_to,
)
from outwarden.dns.ports import Flight, Port, Ports
from outwarden.dns.questions import FAILURES, Failure, Question, Reply
from outwarden.dns.resolver import Resolver
from outwarden.dns.stream import Stream

_REPLIES_KEPT = 20_000
# After these parts of the deadline a question is asked again, so that one lost packet makes nothing late.
_TRIES = (0.25, 0.35)
# So long a question stays under way, whoever waits for it; resolvers give up on a silent server after about as long.
_STAYS_SECONDS = 3.0
# For so long a list that went down is not asked again, and then by one question only.
_REST_SECONDS = 60.0
_PORTS_KEPT_SECONDS = 60.0
# Where no socket could be opened it is tried again after this.
_REOPEN_SECONDS = 1.0
# How often it is looked what is due, while anything is under way.
_TICK_SECONDS = 0.02
_DATAGRAM = 4096
# What is taken in from one socket in one turn of the loop.
_BATCH = 512
# A list may have one part in so many of all that may be under way before it answers again.
_SHARE = 4
_MOST_STREAMS = 64
# Half the ids that one socket has, so that a free one is found at once.
_MOST_IN_FLIGHT = 1 << 15


@dataclass(slots=True)
class Counts:
    """What became of questions since the start.

    ``asked`` went out, ``answered`` came back, ``late`` of them when nobody waited any more; ``from_cache`` were known.
    ``timed_out`` are questions whose message waited in vain, ``refused_room`` those for which there was no room.
    ``ignored`` are packets that were no answer to a question under way: repeated, wrong, or forged.
    """

    asked: int = 0
    answered: int = 0
    from_cache: int = 0
    late: int = 0
    timed_out: int = 0
    refused_room: int = 0
    ignored: int = 0


class _Waiting:
    """One who asked: the replies so far, and what is missing; ``done`` ends the waiting."""

    __slots__ = ("done", "missing", "replies")

    def __init__(self, replies: dict[Question, Reply], done: asyncio.Future[None]) -> None:
        self.replies = replies
        self.missing: set[Question] = set()
        self.done = done

    def take(self, reply: Reply) -> None:
        self.replies[reply.question] = reply
        self.missing.discard(reply.question)
        if not self.missing:
            _end(self.done)


def _end(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def _reply(question: Question, answer: DnsAnswer) -> Reply:
    return Reply(question, answer.rcode, answer.addresses, answer.texts, answer.ttl, FAILURES[answer.rcode])


class LiveLookup:
    """A resolver, what it said that is still good, and what is under way to it."""

    def __init__(
        self,
        resolver: Resolver,
        deadline_seconds: float = 0.3,
        most_in_flight: int = 4096,
        paces: Mapping[str, float] | None = None,
    ) -> None:
        """``most_in_flight`` bounds the questions under way; ``paces`` are queries per second by group."""
        if not 1 <= most_in_flight <= _MOST_IN_FLIGHT:
            raise ValueError(f"{most_in_flight} questions under way; expected 1 to {_MOST_IN_FLIGHT}")
        self.resolver = resolver
        self.deadline_seconds = deadline_seconds
        self.most_in_flight = most_in_flight
        self.counts = Counts()
        self.cache = Cache(_REPLIES_KEPT)
        steps = [part * deadline_seconds for part in _TRIES]
        self._steps = (*steps, max(_STAYS_SECONDS - sum(steps), _TICK_SECONDS))
        self._under_way: dict[Question, set[_Waiting]] = {}
        self._groups: dict[str, Group] = {}
        self._holding: set[Group] = set()
        self._down_until: dict[str, float] = {}
        self._paces: dict[str, Pace] = {}
        for group, per_second in (paces or {}).items():
            self.keep_pace(group, per_second)
        self._ports, self._leaving = Ports(), Ports()
        self._renew_at = inf
        self._due: tuple[deque[tuple[float, Port, bytes]], ...] = tuple(deque() for _ in self._steps)
        self._streams: dict[Stream, tuple[float, Question, Group]] = {}
        self._ticking: asyncio.TimerHandle | None = None

    @property
    def under_way(self) -> int:
        """How many questions are under way, or wait for their list's turn."""
        return len(self._under_way)

    def keep_pace(self, group: str, per_second: float) -> None:
        """Ask the group no faster than this from now on."""
        pace = self._paces[group] = Pace(per_second)
        if group in self._groups:
            self._groups[group].pace = pace

    async def start(self) -> None:
        """Open the sockets; where none can be opened yet, it is tried again when something is asked."""
        self._renew_at = 0.0
        self._is_open(time.monotonic())

    async def ask(self, questions: Iterable[Question], deadline_seconds: float | None = None) -> dict[Question, Reply]:
        """Ask all; a reply for each, at the latest after ``deadline_seconds`` (None: the usual)."""
        now = time.monotonic()
        replies: dict[Question, Reply] = {}
        names, missing = self.cache.names, []
        for question in questions:
            if question.name in names and (kept := self.cache.find(question, now)):
                replies[question] = kept
            else:
                missing.append(question)
        self.counts.from_cache += len(replies)
        if missing:
            seconds = self.deadline_seconds if deadline_seconds is None else deadline_seconds
            await self._wait(missing, replies, now, seconds)
        return replies

    async def close(self) -> None:
        """Forget what is under way; who waits is told that there was no answer."""
        self._renew_at = inf
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        for stream in list(self._streams):
            self._drop_stream(stream)
        self._close_ports(self._ports)
        self._close_ports(self._leaving)
        for question in list(self._under_way):
            self._finish(Reply(question, None, failure=Failure.TIMEOUT))
        for group in self._groups.values():
            group.waiting.clear()
        self._holding.clear()

    # --- who waits ---------------------------------------------------------------------------

    async def _wait(
        self, questions: Iterable[Question], replies: dict[Question, Reply], now: float, seconds: float
    ) -> None:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(replies, loop.create_future())
        for question in questions:
            failure = None if question in self._under_way else self._begin(question, now)
            if failure is None:
                self._under_way[question].add(waiting)
                waiting.missing.add(question)
            else:
                replies[question] = Reply(question, None, failure=failure)
        self._flush()
        if not waiting.missing:
            return
        timer = loop.call_later(seconds, _end, waiting.done) if seconds > 0 else None
        try:
            if timer is not None:
                await waiting.done
        finally:
            if timer is not None:
                timer.cancel()
            for question in waiting.missing:
                self._under_way[question].discard(waiting)
        for question in waiting.missing:
            replies[question] = Reply(question, None, failure=Failure.TIMEOUT)
        self.counts.timed_out += len(waiting.missing)

    def _finish(self, reply: Reply) -> bool:
        """Give a reply to all who wait for it; return whether anybody did."""
        waiters = self._under_way.pop(reply.question)
        for waiting in waiters:
            waiting.take(reply)
        return bool(waiters)

    # --- asking ------------------------------------------------------------------------------

    def _begin(self, question: Question, now: float) -> Failure | None:
        """Put a question under way; return why it cannot be."""
        if len(self._under_way) >= self.most_in_flight:
            self.counts.refused_room += 1
            return Failure.NO_ROOM
        group = self._groups.get(question.group) or self._new_group(question.group)
        try:
            body = pack_body(question.name, question.qtype)
        except MalformedName:
            return Failure.NAME
        if not self._is_open(now):
            return Failure.UNREACHABLE
        if group.down:
            if self._down_until[group.name] > now:
                return Failure.BREAKER
            # This one finds out whether the list lives again.
            self._down_until[group.name] = now + _REST_SECONDS
        elif group.waiting or group.credit <= 0 or (group.pace is not None and group.pace.wait_seconds(now)):
            group.waiting.append(question)
            self._holding.add(group)
            self._under_way[question] = set()
            self._see_to_ticks()
            return None
        self._under_way[question] = set()
        self._send(question, body, group, now)
        return None

    def _new_group(self, name: str) -> Group:
        at_once = max(1, self.most_in_flight // _SHARE) if name else self.most_in_flight
        group = self._groups[name] = Group(name, at_once, self._paces.get(name))
        return group

    def _send(self, question: Question, body: bytes, group: Group, now: float) -> None:
        """Make a query of a question; ``_flush`` sends it."""
        if self.resolver.remote:
            body = mix_case(body, int.from_bytes(os.urandom(len(body))))
        port, query_id = self._ports.free_id()
        due = now + self._steps[0]
        port.flights[query_id] = question, body, group, due, 0, Failure.TIMEOUT
        port.unsent.append(query_id + QUERY_FLAGS + body)
        self._due[0].append((due, port, query_id))
        self.counts.asked += 1
        group.credit -= 1
        if group.pace is not None:
            group.pace.spend()
        self._see_to_ticks()

    def _release(self, group: Group, now: float) -> None:
        """Ask what waited for its list, as far as it may now be asked and somebody still wants to know."""
        while group.waiting:
            question = group.waiting[0]
            if not self._under_way[question]:
                del self._under_way[question]
            elif group.down:
                self._finish(Reply(question, None, failure=Failure.BREAKER))
            elif group.credit <= 0 or (group.pace is not None and group.pace.wait_seconds(now)):
                return
            else:
                self._send(question, pack_body(question.name, question.qtype), group, now)
            group.waiting.popleft()
        self._holding.discard(group)

    def _flush(self) -> None:
        """Send what is unsent.  What cannot be sent is lost, and sent again like any packet that is lost."""
        for port in (*self._ports.all, *self._leaving.all):
            if port.unsent:
                try:
                    port.flush()
                except OSError:
                    continue

    # --- sockets -----------------------------------------------------------------------------

    def _is_open(self, now: float) -> bool:
        """Return whether there is a socket to ask with; open some, or new ones, where it is time."""
        if now >= self._renew_at:
            ports = Ports()
            try:
                ports.open(self.resolver)
            except OSError:
                ports.close()
                self._renew_at = now + _REOPEN_SECONDS
            else:
                self._take_ports(ports)
                self._renew_at = now + _PORTS_KEPT_SECONDS if self.resolver.remote else inf
        return bool(self._ports.all)

    def _take_ports(self, ports: Ports) -> None:
        """Ask from these ports; whatever is under way on those before the last has long been given up."""
        self._close_ports(self._leaving)
        self._ports, self._leaving = ports, self._ports
        loop = asyncio.get_running_loop()
        for port in ports.all:
            loop.add_reader(port.socket.fileno(), self._receive, port)

    def _close_ports(self, ports: Ports) -> None:
        for port in ports.all:
            asyncio.get_running_loop().remove_reader(port.socket.fileno())
        ports.close()
        ports.all.clear()

    # --- taking in ---------------------------------------------------------------------------

    def _receive(self, port: Port) -> None:
        """Take in all that has come to one socket."""
        for _ in range(_BATCH):
            try:
                packet = port.receive(_DATAGRAM)
            except OSError:
                # Nothing more, or nobody listens: what has no answer is asked again when it is due.
                break
            flight = port.flights.get(packet[:2])
            if flight is None:
                self.counts.ignored += 1
            else:
                self._read(port, packet[:2], flight, packet)
        self._flush()

    def _read(self, port: Port, query_id: bytes, flight: Flight, packet: bytes) -> None:
        """Take in a packet with the id of a question under way, if it answers that question."""
        question, body, group, due, attempt, _ = flight
        # Nearly all that is asked about is on no list.
        denied = denial(packet, body)
        if denied is not None:
            del port.flights[query_id]
            rcode, ttl = denied
            self._answered(group, Reply(question, rcode, ttl=ttl, failure=FAILURES[rcode]))
            return
        try:
            answer = read_answer_to(body, packet, self.resolver.remote)
        except MalformedAnswer:
            self.counts.ignored += 1
            port.flights[query_id] = question, body, group, due, attempt, Failure.MALFORMED
            return
        if answer is None:
            self.counts.ignored += 1
        elif answer.truncated:
            self._ask_by_tcp(port, query_id)
        else:
            del port.flights[query_id]
            self._answered(group, _reply(question, answer))

    def _answered(self, group: Group, reply: Reply) -> None:
        """Reply to a question that is no longer under way."""
        group.answered()
        now = time.monotonic()
        self.cache.keep(reply, now)
        self.counts.answered += 1
        if not self._finish(reply):
            self.counts.late += 1
        if group.waiting:
            self._release(group, now)

    # --- what is due -------------------------------------------------------------------------

    def _see_to_ticks(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """Ask again, or give up, what is due; and let those ask whose turn has come."""
        self._ticking = None
        now = time.monotonic()
        for queue in self._due:
            while queue and queue[0][0] <= now:
                due, port, query_id = queue.popleft()
                flight = port.flights.get(query_id)
                if flight is not None and flight[3] == due:
                    self._ask_again(port, query_id, flight, now)
        for stream, (due, *_) in list(self._streams.items()):
            if due <= now:
                self._end_stream(stream)
        for group in list(self._holding):
            self._release(group, now)
        self._flush()
        if self._under_way:
            self._see_to_ticks()

    def _ask_again(self, port: Port, query_id: bytes, flight: Flight, now: float) -> None:
        question, body, group, _, attempt, failure = flight
        attempt += 1
        if attempt == len(self._steps):
            del port.flights[query_id]
            self._lost(question, group, failure, now)
            return
        due = now + self._steps[attempt]
        port.flights[query_id] = question, body, group, due, attempt, failure
        port.unsent.append(port.query(query_id))
        self._due[attempt].append((due, port, query_id))
        if group.pace is not None:
            group.pace.spend()

    def _lost(self, question: Question, group: Group, failure: Failure, now: float) -> None:
        """Reply that there was no answer."""
        self._finish(Reply(question, None, failure=failure))
        if group.lost():
            self._down_until[group.name] = now + _REST_SECONDS
        if group.waiting:
            self._release(group, now)

    # --- by TCP ------------------------------------------------------------------------------

    def _ask_by_tcp(self, port: Port, query_id: bytes) -> None:
        """Ask the same by TCP (RFC 7766 section 5)."""
        query = port.query(query_id)
        question, _, group, *_ = port.flights.pop(query_id)
        group.answered()
        now = time.monotonic()
        if len(self._streams) >= _MOST_STREAMS:
            self._lost(question, group, Failure.TRUNCATED, now)
            return
        try:
            stream = Stream(port.socket.family, port.socket.getpeername(), query)
        except OSError:
            # No descriptor is left.
            self._lost(question, group, Failure.TRUNCATED, now)
            return
        self._streams[stream] = now + _STAYS_SECONDS, question, group
        asyncio.get_running_loop().add_writer(stream.socket.fileno(), self._proceed, stream)

    def _proceed(self, stream: Stream) -> None:
        sending = stream.sending
        stream.proceed()
        if stream.ended:
            self._end_stream(stream)
        elif sending and not stream.sending:
            loop = asyncio.get_running_loop()
            loop.remove_writer(stream.socket.fileno())
            loop.add_reader(stream.socket.fileno(), self._proceed, stream)

    def _end_stream(self, stream: Stream) -> None:
        """Reply with what came by TCP, or that nothing did."""
        question, group = self._drop_stream(stream)
        answer = stream.answer()
        if answer is None:
            self._lost(question, group, Failure.TRUNCATED, time.monotonic())
        else:
            self._answered(group, _reply(question, answer))

    def _drop_stream(self, stream: Stream) -> tuple[Question, Group]:
        loop = asyncio.get_running_loop()
        loop.remove_reader(stream.socket.fileno())
        loop.remove_writer(stream.socket.fileno())
        stream.close()
        _, question, group = self._streams.pop(stream)
        return question, group
