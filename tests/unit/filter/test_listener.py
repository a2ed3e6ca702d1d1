"""The listener with real sockets: many, slow, broken and lost connections, and deciders that fail."""

import asyncio
import grp
import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.unit.filter.mail_server import frame, hello, offer, rest, sender, strings

from outwarden.filter import Accept, Defer, Envelope, Refuse, Spool, SpoolSpace, Verdict
from outwarden.filter.connection import Patience, Undecided
from outwarden.filter.endpoint import CannotListen, Endpoint, TcpEndpoint, UnixEndpoint
from outwarden.filter.milter.listener import MilterListener

IMPATIENT = Patience(frame_seconds=0.1, idle_seconds=0.1, decision_seconds=0.1, progress_seconds=0.04)
FALLEN_THROUGH = "Your message could not be checked just now; please try again in a few minutes"


class Desk:
    """Decides: thieves are refused at once, of messages the test says what becomes."""

    def __init__(self, decide: Callable[[Envelope, Spool], Verdict | Awaitable[Verdict]] | None = None) -> None:
        self.seen: list[tuple[Envelope, bytes]] = []
        self._decide = decide

    def may_refuse_senders(self) -> bool:
        return True

    def decide_sender(self, envelope: Envelope) -> Verdict:
        if envelope.login == "broken@isp.example":
            raise KeyError(envelope.login)
        return Refuse("blocked") if envelope.login == "thief@isp.example" else Accept()

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict | Awaitable[Verdict]:
        self.seen.append((envelope, message.read()))
        return self._decide(envelope, message) if self._decide else Accept()


class Client:
    """A mail server's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, endpoint: Endpoint) -> "Client":
        if isinstance(endpoint, UnixEndpoint):
            return cls(*await asyncio.open_unix_connection(endpoint.path))
        return cls(*await asyncio.open_connection(endpoint.host, endpoint.port))

    async def answer(self) -> tuple[str, bytes]:
        length = int.from_bytes(await self.reader.readexactly(4), "big")
        content = await self.reader.readexactly(length)
        return chr(content[0]), content[1:]

    async def ask(self, octets: bytes) -> tuple[str, bytes]:
        self.writer.write(octets)
        return await self.answer()

    async def begin(self) -> None:
        assert (await self.ask(hello()))[0] == "O"

    async def message(self, login: str = "rosa@isp.example") -> str:
        assert (await self.ask(sender(login)))[0] == "c"
        return (await self.ask(rest()))[0]

    async def gone(self) -> bool:
        """Wait until the other side closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.writer.close()


class Gate:
    """A listener in a folder of its own."""

    def __init__(self, folder: Path, endpoint: Endpoint | None = None) -> None:
        self.endpoint = endpoint or UnixEndpoint(folder / "milter.sock")
        self.space = SpoolSpace(folder, memory_bytes=1000)
        self.said: list[str] = []
        self._clients: list[Client] = []

    @asynccontextmanager
    async def open(
        self,
        desk: Desk,
        undecided: Undecided = Undecided.DEFER,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        most_connections: int = 200,
    ) -> AsyncIterator[MilterListener]:
        listener = MilterListener(
            self.endpoint,
            desk,
            self.space,
            self.said.append,
            undecided=undecided,
            patience=patience,
            most_connections=most_connections,
        )
        await listener.start()
        try:
            yield listener
        finally:
            await listener.stop(0.02)
            for client in self._clients:
                client.close()
                with suppress(OSError):
                    await client.writer.wait_closed()

    async def client(self) -> Client:
        self._clients.append(await Client.of(self.endpoint))
        return self._clients[-1]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def run(story: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def tcp() -> TcpEndpoint:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return TcpEndpoint("127.0.0.1", probe.getsockname()[1])


@pytest.mark.parametrize("by_tcp", [False, True])
def test_two_messages_over_one_connection(tmp_path: Path, by_tcp: bool) -> None:
    gate, desk = Gate(tmp_path, tcp() if by_tcp else None), Desk()

    async def story() -> None:
        async with gate.open(desk) as listener:
            client = await gate.client()
            await client.begin()
            assert await client.message("rosa@isp.example") == "a"
            assert await client.message("jan@isp.example") == "a"
            client.writer.write(frame("Q"))
            assert await client.gone()
            assert (listener.counts.connections, listener.counts.messages) == (1, 2)

    run(story())
    assert [envelope.login for envelope, _ in desk.seen] == ["rosa@isp.example", "jan@isp.example"]
    assert all(message.endswith(b"\r\n\r\nHello.\r\n") for _, message in desk.seen)
    assert gate.said == []


def test_a_blocked_account_is_refused_at_once(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk()):
            client = await gate.client()
            await client.begin()
            assert await client.ask(sender("thief@isp.example")) == ("y", b"550 5.7.1 blocked\0")
            assert await client.message() == "a"

    run(story())


def test_a_message_on_disk_is_given_back(gate: Gate) -> None:
    desk = Desk()

    async def story() -> None:
        async with gate.open(desk):
            client = await gate.client()
            await client.begin()
            await client.ask(sender())
            client.writer.write(rest(body=b"x" * 100_000).removesuffix(frame("E")))
            await until(lambda: gate.space.taken > 60_000)
            assert await client.ask(frame("E")) == ("a", b"")
            assert gate.space.taken == 0
            await client.ask(sender())
            client.writer.write(rest(body=b"x" * 100_000).removesuffix(frame("E")))
            await until(lambda: gate.space.taken > 60_000)
            client.close()
            await until(lambda: gate.space.taken == 0)

    run(story())
    assert desk.seen[0][1].endswith(b"x" * 100_000)


async def _later(verdict: Verdict) -> Verdict:
    await asyncio.sleep(0)
    return verdict


async def _never() -> Verdict:
    return await asyncio.get_running_loop().create_future()


def _fails(_envelope: Envelope, _message: Spool) -> Verdict:
    raise KeyError("account")


async def _fails_later() -> Verdict:
    raise KeyError("account")


DECISIONS: list[tuple[str, Callable[[Envelope, Spool], Verdict | Awaitable[Verdict]], bytes | None]] = [
    ("at once", lambda *_: Defer("later"), b"451 4.7.1 later\0"),
    ("after asking others", lambda *_: _later(Defer("later")), b"451 4.7.1 later\0"),
    ("it fails", _fails, None),
    ("it fails later", lambda *_: _fails_later(), None),
    ("it never ends", lambda *_: _never(), None),
    ("it would break out", lambda *_: Refuse("no\r\n250 Ok"), None),
    ("it would break out later", lambda *_: _later(Refuse("no\r\n250 Ok")), None),
]


@pytest.mark.parametrize(("decide", "said"), [case[1:] for case in DECISIONS], ids=[case[0] for case in DECISIONS])
@pytest.mark.parametrize("undecided", list(Undecided))
def test_a_message_is_always_answered(
    gate: Gate,
    decide: Callable[[Envelope, Spool], Verdict | Awaitable[Verdict]],
    said: bytes | None,
    undecided: Undecided,
) -> None:
    fallen_through = ("y", f"451 4.7.1 {FALLEN_THROUGH}\0".encode()) if undecided is Undecided.DEFER else ("a", b"")

    async def story() -> None:
        patience = Patience(decision_seconds=0.1, progress_seconds=0.04)
        async with gate.open(Desk(decide), undecided, patience) as listener:
            client = await gate.client()
            await client.begin()
            await client.ask(sender())
            answer = await client.ask(rest())
            while answer[0] == "p":
                answer = await client.answer()
            assert answer == (("y", said) if said else fallen_through)
            assert listener.counts.undecided == len(gate.said) == (said is None)
            # And the connection goes on.
            assert (await client.ask(sender()))[0] == "c"

    run(story())


def test_while_it_is_decided_the_server_is_told_so(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk(lambda *_: _never()), patience=Patience(decision_seconds=5, progress_seconds=0.01)):
            client = await gate.client()
            await client.begin()
            await client.ask(sender())
            assert [await client.ask(rest()), await client.answer(), await client.answer()] == [("p", b"")] * 3

    run(story())


def test_a_decider_that_fails_at_the_sender(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk()):
            client = await gate.client()
            await client.begin()
            assert (await client.ask(sender("broken@isp.example")))[1].startswith(b"451 4.7.1 Your message")

    run(story())
    assert gate.said == ["a message was not decided on: KeyError: 'broken@isp.example'"]


def test_nobody_decides_for_a_connection_that_is_closed(gate: Gate) -> None:
    ended: list[str] = []

    async def decide() -> Verdict:
        try:
            return await _never()
        finally:
            ended.append("cancelled")

    async def story() -> None:
        desk = Desk(lambda *_: decide())
        async with gate.open(desk) as listener:
            client = await gate.client()
            await client.begin()
            await client.ask(sender())
            client.writer.write(rest())
            await until(lambda: len(desk.seen) == 1)
            await listener.stop(0)

    run(story())
    assert ended == ["cancelled"]


def test_two_hundred_at_once(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk()) as listener:
            clients = [await gate.client() for _ in range(200)]
            await asyncio.gather(*(client.begin() for client in clients))
            assert set(await asyncio.gather(*(client.message() for client in clients))) == {"a"}
            assert listener.counts.messages == 200

    run(story())


def test_one_too_many_waits_for_its_turn_and_two_too_many_are_turned_away(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk(), most_connections=1, patience=Patience(frame_seconds=0.1)) as listener:
            first = await gate.client()
            await first.begin()
            second = await gate.client()
            await until(lambda: listener.counts.connections == 2)
            second.writer.write(hello())
            third = await gate.client()
            assert await third.gone()
            assert listener.counts.turned_away == 1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second.reader.readexactly(1), 0.3)
            assert await first.message() == "a"
            first.close()
            assert (await second.answer())[0] == "O"
            assert await second.message() == "a"

    run(story())


SLOW = [
    ("says nothing from the start", b""),
    ("does not end its offer", offer()[:-1]),
    ("does not end a frame", hello() + sender()[:-1]),
    ("says nothing more", hello()),
    ("says nothing more in a message", hello() + sender()),
]


@pytest.mark.parametrize("octets", [case[1] for case in SLOW], ids=[case[0] for case in SLOW])
def test_who_is_slow_is_broken_off(gate: Gate, octets: bytes) -> None:
    async def story() -> None:
        async with gate.open(Desk(), patience=IMPATIENT) as listener:
            client = await gate.client()
            client.writer.write(octets)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await client.reader.readexactly(1000)
            assert listener.counts.broken_off == len(gate.said) == 1

    run(story())


def test_a_person_may_be_slower_than_a_frame(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk(), patience=Patience(frame_seconds=0.05)) as listener:
            client = await gate.client()
            await client.begin()
            await asyncio.sleep(0.2)
            whole = sender()
            client.writer.write(whole[:-1])
            await asyncio.sleep(0.01)
            assert (await client.ask(whole[-1:]))[0] == "c"
            assert listener.counts.broken_off == 0

    run(story())


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n", b"EHLO x\r\n", offer() + offer(), bytes(100)])
def test_who_speaks_something_else_is_broken_off(gate: Gate, octets: bytes) -> None:
    async def story() -> None:
        async with gate.open(Desk()) as listener:
            client = await gate.client()
            client.writer.write(octets)
            await client.gone()
            assert listener.counts.broken_off == len(gate.said) == 1

    run(story())


def test_who_takes_no_answers_is_not_heard_and_then_broken_off(gate: Gate) -> None:
    # Nothing was agreed on, so that each greeting is answered.
    greetings = strings("H", "x") * 10_000

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with gate.open(Desk(), patience=Patience(frame_seconds=0.4)) as listener:
            with socket.socket(socket.AF_UNIX) as client:
                client.setblocking(False)
                client.connect(str(gate.endpoint.path))  # type: ignore[union-attr]
                await loop.sock_sendall(client, offer(steps=0))
                sent, begun = 0, time.monotonic()
                while not listener.counts.broken_off:
                    try:
                        sent += client.send(greetings)
                    except (BlockingIOError, BrokenPipeError):
                        await asyncio.sleep(0.005)
                    assert time.monotonic() - begun < 10
                assert sent < 4_000_000
        assert len(gate.said) == 1

    run(story())


def test_a_stop_waits_for_messages_under_way(gate: Gate) -> None:
    async def story() -> None:
        decided = asyncio.Event()

        async def decide() -> Verdict:
            await decided.wait()
            return Defer("later")

        desk = Desk(lambda *_: decide())
        async with gate.open(desk) as listener:
            idle, busy = await gate.client(), await gate.client()
            await idle.begin()
            await busy.begin()
            await busy.ask(sender())
            busy.writer.write(rest())
            await until(lambda: len(desk.seen) == 1)
            stopping = asyncio.create_task(listener.stop(5))
            assert await idle.gone()
            with pytest.raises(OSError):
                await gate.client()
            decided.set()
            assert await busy.answer() == ("y", b"451 4.7.1 later\0")
            assert await busy.gone()
            await stopping

    run(story())


def test_a_stop_does_not_wait_for_ever(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk()) as listener:
            client = await gate.client()
            await client.begin()
            await client.ask(sender())
            await listener.stop(0.05)
            assert await client.gone()

    run(story())
    assert not gate.endpoint.path.exists()  # type: ignore[union-attr]


def test_small_packets_over_tcp_are_not_kept_waiting(tmp_path: Path) -> None:
    # As Postfix writes: small packets, each after the one before is acknowledged.
    gate = Gate(tmp_path, tcp())
    pieces = [strings("R", "<a@b.example>"), strings("L", "A", " b"), frame("B", b"x"), frame("E")]

    def write(messages: int) -> float:
        endpoint = gate.endpoint
        assert isinstance(endpoint, TcpEndpoint)
        with socket.create_connection((endpoint.host, endpoint.port)) as client, client.makefile("rb") as answers:
            client.sendall(hello())
            answers.read(int.from_bytes(answers.read(4), "big"))
            begun = time.perf_counter()
            for _ in range(messages):
                client.sendall(sender())
                answers.read(5)
                for piece in pieces:
                    client.sendall(piece)
                assert answers.read(5) == b"\0\0\0\1a"
            return time.perf_counter() - begun

    async def story() -> None:
        async with gate.open(Desk()):
            # 40 ms for each of ten messages would be 0.4 s.
            assert min([await asyncio.to_thread(write, 10) for _ in range(3)]) < 0.2

    run(story())


def test_rights_of_the_socket(tmp_path: Path) -> None:
    group = os.getgid()
    endpoint = UnixEndpoint(tmp_path / "milter.sock", mode=0o620, group=grp.getgrgid(group).gr_name)
    listening = endpoint.listen()
    found = endpoint.path.stat()
    listening.close()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o620, group)


def test_what_a_dead_filter_left_is_replaced(tmp_path: Path) -> None:
    endpoint = UnixEndpoint(tmp_path / "milter.sock")
    endpoint.listen().close()
    assert endpoint.path.exists()
    endpoint.listen().close()


def test_where_nobody_can_listen(tmp_path: Path) -> None:
    taken = UnixEndpoint(tmp_path / "taken")
    listening = taken.listen()
    (tmp_path / "file").write_text("precious")
    port = tcp()
    occupied = port.listen()
    refused: list[tuple[Endpoint, str]] = [
        (taken, f"cannot listen at {taken.path}: another program does; stop it or name another path"),
        (
            UnixEndpoint(tmp_path / "file"),
            f"cannot listen at {tmp_path}/file: there is a file that is no socket; name another path",
        ),
        (UnixEndpoint(tmp_path / "no/x"), f"cannot listen at {tmp_path}/no/x: No such file or directory"),
        (UnixEndpoint(tmp_path / ("x" * 120)), f"cannot listen at {tmp_path}/{'x' * 120}: AF_UNIX path too long"),
        (
            UnixEndpoint(tmp_path / "y", group="no-such-group"),
            f"cannot listen at {tmp_path}/y: there is no group 'no-such-group'",
        ),
        (port, f"cannot listen at 127.0.0.1 port {port.port}: Address already in use"),
    ]
    for endpoint, words in refused:
        with pytest.raises(CannotListen) as error:
            endpoint.listen()
        assert words in str(error.value)
    listening.close()
    occupied.close()
    assert (tmp_path / "file").read_text() == "precious"


def test_a_crowd_that_comes_while_the_loop_is_busy_is_heard(gate: Gate) -> None:
    """The kernel refuses a UNIX socket's client at once where too many wait, and Postfix puts its message off."""
    path = str(gate.endpoint.path) if isinstance(gate.endpoint, UnixEndpoint) else ""
    crowd = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(300)]

    async def story() -> None:
        async with gate.open(Desk()) as listener:
            for one in crowd:
                # Nobody accepts meanwhile: this is the loop's own thread.
                one.connect(path)
            await until(lambda: listener.counts.connections == len(crowd))

    try:
        run(story())
    finally:
        for one in crowd:
            one.close()


def test_who_holds_a_place_for_nothing_makes_room_where_others_wait(gate: Gate) -> None:
    async def story() -> None:
        async with gate.open(Desk(), most_connections=20, patience=Patience(crowded_seconds=0.1)) as listener:
            silent = [await gate.client() for _ in range(20)]
            await until(lambda: listener.counts.connections == 20)
            await asyncio.sleep(0.3)
            # Nobody waits, so nobody is in the way.
            assert listener.counts.broken_off == 0
            mail_server = await gate.client()
            await mail_server.begin()
            assert await mail_server.message() == "a"
            assert all([await client.gone() for client in silent])

    run(story())
