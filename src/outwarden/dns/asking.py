"""One asking: the loop that turns questions into replies.

It draws questions while there is room, waits until something came or is due, takes in all that came at once, and
only then says what is lost: a caller who was slow to take replies loses none of them by it.
"""

import os
import selectors
import time
from collections.abc import Iterator
from itertools import islice
from math import inf
from typing import Protocol

from outwarden.dns.breaker import Group
from outwarden.dns.cache import Cache
from outwarden.dns.pace import Pace
from outwarden.dns.packets import (
    QUERY_FLAGS,
    DnsAnswer,
    MalformedAnswer,
    MalformedName,
    is_bare_answer,
    mix_case,
    pack_body,
    read_answer_to,
)
from outwarden.dns.ports import Flight, Port, Ports
from outwarden.dns.questions import FAILURES, Failure, Question, Reply
from outwarden.dns.resolver import Resolver
from outwarden.dns.stream import Stream

# A try waits for this part of the deadline, then the next is made; the last waits for the rest.
_TRIES = (0.2, 0.3, 0.5)
_DATAGRAM = 4096
# So long it is not noticed that nobody wants the replies any more.
_LONGEST_WAIT_SECONDS = 0.5
# What is taken in, or replied, in one turn.
_BATCH = 512
# So many questions may wait for their list's turn before no more are drawn.
_MOST_WAITING = 8192
# A list that has answered may have one part in so many of all that is under way before it answers again.
_SHARE = 4


class Stopped(Exception):
    """Nobody wants the replies any more: whoever asks is to end."""


class Circumstances(Protocol):
    """What an asking is told, and where it tells: a ``Lookup``."""

    resolver: Resolver
    deadline_seconds: float
    in_flight: int
    ignored: int
    cache: Cache
    paces: dict[str, Pace]

    def is_stopped(self) -> bool:
        """Return whether nobody wants the replies any more."""
        ...

    def is_down(self, group: str, now: float) -> bool:
        """Return whether the group is known to be down."""
        ...

    def went_down(self, group: str, now: float) -> None:
        """Take it that the group is down."""
        ...


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
        self._remote = lookup.resolver.remote
        self._selector = selectors.DefaultSelector()
        self._ports = Ports()
        self._streams: dict[Stream, tuple[Question, Group, float]] = {}

    def replies(self) -> Iterator[Reply]:
        """Ask, and yield the replies as they come.  Raises ``Stopped`` soon after nobody wants them any more."""
        try:
            self._ports.open(self._lookup.resolver)
        except OSError:
            for question in self._questions:
                yield Reply(question, None, failure=Failure.UNREACHABLE)
            return
        for port in self._ports.all:
            self._selector.register(port.socket, selectors.EVENT_READ, port)
        while True:
            now = time.monotonic()
            if now >= self._check_at:
                self._find_lost(now)
            self._release(now)
            self._draw(now)
            if self._replies:
                replies, self._replies = self._replies, []
                yield from replies
                # Whoever takes replies may have thought of more to ask.
                self._draw(time.monotonic())
            if self._exhausted and not self._under_way and not self._waiting and not self._replies:
                return
            self._take_in()
            if self._lookup.is_stopped():
                raise Stopped

    def close(self) -> None:
        """Forget what is under way."""
        self._selector.close()
        self._ports.close()
        for stream in self._streams:
            stream.close()

    # --- asking ------------------------------------------------------------------------------

    def _room(self) -> int:
        """Return how many questions may be drawn at once."""
        if self._waiting >= _MOST_WAITING or len(self._replies) >= _BATCH:
            return 0
        return min(_BATCH, self._lookup.in_flight - self._under_way)

    def _draw(self, now: float) -> None:
        """Take questions while there is room for them, and send what is unsent."""
        groups, names = self._groups, self._lookup.cache.names
        while (room := self._room()) > 0:
            drawn = list(islice(self._questions, room))
            for question in drawn:
                group = groups.get(question.group)
                if group is None:
                    group = self._new_group(question.group, now)
                if question.name in names and (kept := self._lookup.cache.find(question, now)):
                    self._replies.append(kept)
                elif group.credit > 0 and group.pace is None:
                    self._ask(question, group, now)
                else:
                    self._hold(question, group, now)
            self._exhausted = len(drawn) < room
            if self._exhausted:
                break
        self._flush()

    def _hold(self, question: Question, group: Group, now: float) -> None:
        """Let a question wait for its list's turn, if that comes at all."""
        group.waiting.append(question)
        self._waiting += 1
        self._holding[group.name] = group
        self._release_from(group, now)

    def _new_group(self, name: str, now: float) -> Group:
        lookup = self._lookup
        at_once = max(1, lookup.in_flight // _SHARE) if name else lookup.in_flight
        group = Group(name, at_once, lookup.paces.get(name), lookup.is_down(name, now))
        self._groups[name] = group
        return group

    def _release(self, now: float) -> None:
        """Ask what waited for its list, as far as it may now be asked."""
        self._wake_at = inf
        for group in list(self._holding.values()):
            self._release_from(group, now)

    def _release_from(self, group: Group, now: float) -> None:
        while group.waiting:
            wait = group.pace.wait_seconds(now) if group.pace else 0.0
            if group.down:
                self._not_asked(group.waiting.popleft(), Failure.BREAKER)
            elif group.credit <= 0 or self._under_way >= self._lookup.in_flight:
                return
            elif wait:
                self._wake_at = min(self._wake_at, now + wait)
                return
            else:
                self._ask(group.waiting.popleft(), group, now)
            self._waiting -= 1
        self._holding.pop(group.name, None)

    def _not_asked(self, question: Question, failure: Failure) -> None:
        self._replies.append(Reply(question, None, failure=failure))

    def _ask(self, question: Question, group: Group, now: float) -> None:
        """Put a question under way; ``_flush`` sends it."""
        try:
            body = pack_body(question.name, question.qtype)
        except MalformedName:
            self._not_asked(question, Failure.NAME)
            return
        if self._remote:
            body = mix_case(body, int.from_bytes(os.urandom(len(body))))
        port, query_id = self._ports.free_id()
        port.flights[query_id] = question, body, group, now + self._steps[0], 0, Failure.TIMEOUT
        port.unsent.append(query_id + QUERY_FLAGS + body)
        self._under_way += 1
        group.credit -= 1
        if group.pace is not None:
            group.pace.spend()

    def _flush(self) -> None:
        """Send what is unsent.  What cannot be sent is lost, and sent again like any packet that is lost."""
        for port in self._ports.all:
            if port.unsent:
                self._check_at = min(self._check_at, time.monotonic() + self._steps[0])
                try:
                    port.flush()
                except OSError as error:
                    self._note_trouble(error)

    def _note_trouble(self, error: OSError) -> None:
        # A full queue in the kernel passes; all else means that nobody is there, or no way leads there.
        self._unreachable = not isinstance(error, BlockingIOError)

    # --- taking in ---------------------------------------------------------------------------

    def _take_in(self) -> None:
        """Wait until something came or is due, and take in what came."""
        if self._replies or (not self._exhausted and self._room() > 0):
            timeout = 0.0
        else:
            due_in = min(self._check_at, self._wake_at) - time.monotonic()
            timeout = max(0.0, min(due_in, _LONGEST_WAIT_SECONDS))
        for ready, _ in self._selector.select(timeout):
            if isinstance(ready.data, Port):
                self._receive(ready.data)
            else:
                self._proceed(ready.data)

    def _receive(self, port: Port) -> None:
        """Take in all that has come to one socket."""
        flights, receive, replies = port.flights, port.receive, self._replies
        for _ in range(_BATCH):
            try:
                packet = receive(_DATAGRAM)
            except BlockingIOError:
                break
            except OSError as error:
                self._note_trouble(error)
                break
            query_id = packet[:2]
            flight = flights.get(query_id)
            if flight is None:
                self._lookup.ignored += 1
                continue
            question, body, group, *_ = flight
            if is_bare_answer(packet, body):
                # By far the most frequent: nothing is listed.  The rest of its way is `_answered`, in short.
                del flights[query_id]
                self._under_way -= 1
                self._unreachable = False
                group.answered()
                rcode = packet[3] & 0x0F
                replies.append(Reply(question, rcode, (), (), 0, FAILURES[rcode]))
            else:
                self._read(port, query_id, flight, packet)

    def _read(self, port: Port, query_id: bytes, flight: Flight, packet: bytes) -> None:
        """Take in a packet with the id of a question under way, if it answers that question."""
        question, body, group, due, attempt, _ = flight
        try:
            answer = read_answer_to(body, packet, self._remote)
        except MalformedAnswer:
            self._lookup.ignored += 1
            port.flights[query_id] = question, body, group, due, attempt, Failure.MALFORMED
            return
        if answer is None:
            self._lookup.ignored += 1
        elif answer.truncated:
            self._ask_by_tcp(port, query_id)
        else:
            del port.flights[query_id]
            self._answered(question, group, answer)

    def _answered(self, question: Question, group: Group, answer: DnsAnswer) -> None:
        """Reply to a question that is no longer under way."""
        self._under_way -= 1
        self._unreachable = False
        group.answered()
        failure = FAILURES[answer.rcode]
        reply = Reply(question, answer.rcode, answer.addresses, answer.texts, answer.ttl, failure)
        self._lookup.cache.keep(reply, time.monotonic())
        self._replies.append(reply)

    # --- what is lost ------------------------------------------------------------------------

    def _find_lost(self, now: float) -> None:
        """Ask again, or give up, what is due; and note when something is due next."""
        self._check_at = inf
        for port in self._ports.all:
            for query_id, flight in list(port.flights.items()):
                if flight[3] <= now:
                    self._ask_again(port, query_id, now)
                else:
                    self._check_at = min(self._check_at, flight[3])
        for stream, (_, _, due) in list(self._streams.items()):
            if due <= now:
                self._end_stream(stream)
            else:
                self._check_at = min(self._check_at, due)

    def _ask_again(self, port: Port, query_id: bytes, now: float) -> None:
        question, body, group, _, attempt, failure = port.flights[query_id]
        if attempt + 1 == len(self._steps):
            del port.flights[query_id]
            self._lost(question, group, failure)
            return
        due = now + self._steps[attempt + 1]
        port.flights[query_id] = question, body, group, due, attempt + 1, failure
        port.unsent.append(port.query(query_id))
        self._check_at = min(self._check_at, due)
        if group.pace is not None:
            group.pace.spend()

    def _lost(self, question: Question, group: Group, failure: Failure) -> None:
        """Reply that there was no answer."""
        self._under_way -= 1
        unreachable = self._unreachable and failure is Failure.TIMEOUT
        self._not_asked(question, Failure.UNREACHABLE if unreachable else failure)
        if group.lost():
            self._lookup.went_down(group.name, time.monotonic())

    # --- by TCP ------------------------------------------------------------------------------

    def _ask_by_tcp(self, port: Port, query_id: bytes) -> None:
        """Ask the same by TCP, within the same deadline (RFC 7766 section 5)."""
        query = port.query(query_id)
        question, _, group, due, attempt, _ = port.flights.pop(query_id)
        group.answered()
        try:
            stream = Stream(port.socket.family, port.socket.getpeername(), query)
        except OSError:
            # No descriptor is left.
            self._lost(question, group, Failure.TRUNCATED)
            return
        due += sum(self._steps[attempt + 1 :])
        self._streams[stream] = question, group, due
        self._check_at = min(self._check_at, due)
        self._selector.register(stream.socket, selectors.EVENT_WRITE, stream)

    def _proceed(self, stream: Stream) -> None:
        stream.proceed()
        if stream.ended:
            self._end_stream(stream)
        elif not stream.sending:
            self._selector.modify(stream.socket, selectors.EVENT_READ, stream)

    def _end_stream(self, stream: Stream) -> None:
        """Reply with what came by TCP, or that nothing did."""
        self._selector.unregister(stream.socket)
        stream.close()
        question, group, _ = self._streams.pop(stream)
        answer = stream.answer()
        if answer is None:
            self._lost(question, group, Failure.TRUNCATED)
        else:
            self._answered(question, group, answer)
