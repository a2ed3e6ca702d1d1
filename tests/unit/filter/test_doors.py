"""The doors other than the milter with real sockets: slow, broken and lost clients, and deciders that fail.

What they share with the milter's listener is tested there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.filter.test_policy_delegation import ended, rcpt
from tests.unit.filter.test_readsocket import LINE
from tests.unit.filter.test_rspamd_protocol import exim, http

from outwarden.filter import Accept, Defer, Envelope, Refuse, Spool, SpoolSpace, Verdict
from outwarden.filter.connection import Patience, Undecided
from outwarden.filter.endpoint import UnixEndpoint
from outwarden.filter.listener import Listener
from outwarden.filter.policy_delegation.listener import PolicyListener
from outwarden.filter.readsocket.listener import ReadsocketListener
from outwarden.filter.rspamd_protocol.listener import RspamdListener

LATER = b"Your message could not be checked just now; please try again in a few minutes"


class Door(NamedTuple):
    """``question`` is whole; ``begun`` is part of one; ``broken`` is none; the rest are words of the answers."""

    listener: type[Listener]
    question: bytes
    begun: bytes
    broken: bytes
    accepted: bytes
    deferred: bytes
    last_words: bytes


DOORS = {
    "policy": Door(
        PolicyListener, ended(), ended()[:-1], b"junk\n\n", b"action=DUNNO\n\n", b"action=451 4.7.1 " + LATER, b""
    ),
    "Exim": Door(
        *(RspamdListener, exim(), exim()[:-1], b"CHECK RSPAMC/1.3\r\n\r\n"),
        *(b"Action: no action\r\n", b"Message: " + LATER, b"RSPAMD/1.3 76 EX_PROTOCOL\r\n\r\n"),
    ),
    "HTTP": Door(
        *(RspamdListener, http(Connection="close"), http()[:-1], b"GET / HTTP/1.1\r\n\r\n"),
        *(b'"action":"no action"', b'"smtp_message":"' + LATER, b"Not Found\r\n"),
    ),
    "readsocket": Door(
        *(ReadsocketListener, LINE, LINE[:-1], b"junk\n", b"ACCEPT\n", b"DEFER " + LATER),
        b"MALFORMED a part that is no name=value, or is said twice\n",
    ),
}
EACH = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
OF_MESSAGES = pytest.mark.parametrize("door", [DOORS[name] for name in ("policy", "Exim", "HTTP")])


class Desk:
    """Decides on messages as the test says, and on accounts as well, if it does not say otherwise."""

    def __init__(
        self,
        decide: Callable[[Envelope], Verdict | Awaitable[Verdict]] = lambda _: Accept(),
        early: Verdict | None = None,
    ) -> None:
        self.seen: list[bytes] = []
        self.decide, self._early = decide, early

    def may_refuse_senders(self) -> bool:
        return True

    def decide_sender(self, envelope: Envelope) -> Verdict:
        verdict = self._early or self.decide(envelope)
        assert not isinstance(verdict, Awaitable)
        return verdict

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict | Awaitable[Verdict]:
        self.seen.append(message.read())
        return self.decide(envelope)


class Gate:
    def __init__(self, folder: Path) -> None:
        self.endpoint, self.space = UnixEndpoint(folder / "door.sock"), SpoolSpace(folder, memory_bytes=1000)
        self.said: list[str] = []

    @asynccontextmanager
    async def open(
        self,
        door: Door,
        desk: Desk,
        undecided: Undecided = Undecided.DEFER,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
    ) -> AsyncIterator[Listener]:
        listener = door.listener(
            self.endpoint, desk, self.space, self.said.append, undecided=undecided, patience=patience
        )
        await listener.start()
        try:
            yield listener
        finally:
            await listener.stop(0.02)

    async def ask(self, *octets: bytes, half_close: bool = False) -> bytes:
        """Ask over a connection of its own; return all that is said until the other side closes."""
        reader, writer = await asyncio.open_unix_connection(self.endpoint.path)
        for one in octets:
            writer.write(one)
            await writer.drain()
        if half_close:
            writer.write_eof()
        said = b""
        try:
            async with asyncio.timeout(5):
                said = await reader.read()
        except ConnectionResetError:
            pass
        finally:
            writer.close()
        return said


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def run(story: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def _fails(_envelope: Envelope) -> Verdict:
    raise KeyError("no")


async def _never() -> Verdict:
    await asyncio.Event().wait()
    return Accept()


@EACH
def test_a_question_is_answered_and_the_end_is_heard(gate: Gate, door: Door) -> None:
    async def story() -> None:
        async with gate.open(door, Desk()) as listener:
            assert door.accepted in await gate.ask(door.question, half_close=True)
            assert listener.counts.connections == 1
            assert listener.counts.undecided == listener.counts.broken_off == 0

    run(story())


@EACH
@pytest.mark.parametrize("undecided", list(Undecided))
@pytest.mark.parametrize("decide", [_fails, lambda _: Refuse("a\r\nb")], ids=["fails", "unspeakable"])
def test_nobody_decides(gate: Gate, door: Door, undecided: Undecided, decide: Callable[[Envelope], Verdict]) -> None:
    async def story() -> None:
        async with gate.open(door, Desk(decide), undecided) as listener:
            said = await gate.ask(door.question, half_close=True)
            assert (door.deferred if undecided is Undecided.DEFER else door.accepted) in said
            assert listener.counts.undecided == len(gate.said) > 0

    run(story())


@OF_MESSAGES
def test_nobody_decides_in_time(gate: Gate, door: Door) -> None:
    async def story() -> None:
        patience = Patience(decision_seconds=0.1, progress_seconds=0.02)
        async with gate.open(door, Desk(lambda _: _never(), Accept()), patience=patience):
            assert door.deferred in await gate.ask(door.question, half_close=True)
            assert gate.said == ["a message was not decided on: TimeoutError: no verdict within 0 s"]

    run(story())


@EACH
def test_slow_clients_are_left_and_hinder_nobody(gate: Gate, door: Door) -> None:
    async def story() -> None:
        async with gate.open(door, Desk(), patience=Patience(frame_seconds=0.1)) as listener:
            slow = [asyncio.create_task(gate.ask(octets)) for octets in (b"", door.begun[:10], door.begun)]
            assert door.accepted in await gate.ask(door.question, half_close=True)
            assert [await one for one in slow] == [b"", b"", b""]
            assert listener.counts.broken_off == 3

    run(story())


@EACH
def test_what_is_no_question_is_said_and_the_connection_ends(gate: Gate, door: Door) -> None:
    async def story() -> None:
        async with gate.open(door, Desk(), patience=Patience(frame_seconds=0.1)) as listener:
            # What still comes is swallowed, so that the answer is not lost with it.
            said = await gate.ask(door.broken, b"x" * 100_000) if door.last_words else await gate.ask(door.broken)
            assert said.endswith(door.last_words)
            assert listener.counts.broken_off >= 1
            assert door.accepted in await gate.ask(door.question, half_close=True)

    run(story())


@EACH
def test_a_client_that_leaves_is_forgotten(gate: Gate, door: Door) -> None:
    async def story() -> None:
        async with gate.open(door, Desk()):
            for octets in (b"", door.begun):
                assert await gate.ask(octets, half_close=True) == b""
            assert door.accepted in await gate.ask(door.question, half_close=True)
        assert gate.said == []
        assert gate.space.taken == 0

    run(story())


def test_a_large_message_goes_to_disk_and_is_given_back(gate: Gate) -> None:
    async def story() -> None:
        desk = Desk()
        letter = b"Subject: a\r\n\r\n" + b"x" * 200_000
        async with gate.open(DOORS["HTTP"], desk):
            await gate.ask(http(letter, Connection="close"))
        assert desk.seen == [letter]
        assert gate.space.taken == 0

    run(story())


def test_a_blocked_account_is_answered_at_each_door(gate: Gate) -> None:
    async def story() -> None:
        for door, words in (
            (DOORS["policy"]._replace(question=rcpt("a@b.example")), b"action=550 5.7.1 Blocked\n\n"),
            (DOORS["Exim"], b"Message: Blocked\r\n"),
            (DOORS["HTTP"], b'"action":"reject"'),
            (DOORS["readsocket"], b"REFUSE Blocked\n"),
        ):
            desk = Desk(lambda _: Refuse("Blocked"))
            async with gate.open(door, desk) as listener:
                assert words in await gate.ask(door.question, half_close=True)
                assert listener.counts.messages == 1
            assert desk.seen == []

    run(story())


@OF_MESSAGES
def test_a_stop_waits_for_what_is_being_decided(gate: Gate, door: Door) -> None:
    async def story() -> None:
        asked, answered = asyncio.Event(), asyncio.Event()

        async def slowly() -> Verdict:
            asked.set()
            await answered.wait()
            return Defer("At last")

        async with gate.open(door, Desk(lambda _: slowly(), Accept())) as listener:
            client = asyncio.create_task(gate.ask(door.question))
            await asked.wait()
            stopping = asyncio.create_task(listener.stop(5))
            await asyncio.sleep(0)
            answered.set()
            assert b"At last" in await client
            await stopping

    run(story())
