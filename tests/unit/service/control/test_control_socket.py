"""The control socket, over a real one: what is asked, by whom, how badly, and what comes back."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.filter.endpoint import CannotListen
from outwarden.responses.subjects import MalformedSubject
from outwarden.service.acting import NotAllowed, NothingFound
from outwarden.service.control.client import Failed, Refused, ServiceNotThere, ask
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.server import LONGEST_QUESTION, Answer, Asker, ControlServer
from outwarden.store.database import StoreUnusable


async def _echo(arguments: dict[str, Any], asker: Asker) -> object:
    return {"arguments": arguments, "uid": asker.uid, "name": asker.name}


def _raises(failure: Exception) -> Answer:
    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        raise failure

    return Answer(give)


ANSWERS = {
    "echo": Answer(_echo),
    "change": Answer(_echo, changes=True),
    "malformed": _raises(MalformedSubject("'-x' is no account")),
    "nothing": _raises(NothingFound("4C9D2E1A: no such message in the queue")),
    "may-not": _raises(NotAllowed("only root may act on the mail server")),
    "store": _raises(StoreUnusable("the disk is full")),
    "fault": _raises(Fault(FaultKind.NOT_ALLOWED, "only in mode ask")),
}


def _with_server(
    path: Path, deed: Callable[[ControlServer], Any], answers: dict[str, Answer] = ANSWERS, **limits: float
) -> Any:  # noqa: ANN401
    """Run ``deed``, which blocks, beside a server; or await it, where it is a coroutine."""

    async def run() -> object:
        server = ControlServer(path, "", answers, **limits)  # type: ignore[arg-type]
        await server.start()
        try:
            if asyncio.iscoroutinefunction(deed):
                return await deed(server)
            return await asyncio.get_running_loop().run_in_executor(None, deed, server)
        finally:
            await server.stop(grace_seconds=1.0)

    return asyncio.run(run())


def _exchange(path: Path, octets: bytes) -> bytes:
    """Send octets and no more; return all that comes back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        try:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while block := connection.recv(65536):
                answer += block
        except ConnectionResetError:
            pass
        return answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


def test_the_answer_comes_back_with_who_asked(path: Path) -> None:
    answer = _with_server(path, lambda _: ask(path, "echo", {"account": "rosa\u2028\x1b"}, 10.0))
    assert answer["arguments"] == {"account": "rosa\u2028\x1b"}
    assert answer["uid"] == os.getuid()


def test_only_root_may_speak_for_somebody(path: Path) -> None:
    answer = _with_server(path, lambda _: ask(path, "change", {}, 10.0, asked_by="carla"))
    assert (answer["name"] == "carla") is (os.getuid() == 0)


def test_the_socket_is_for_its_group_alone_and_goes_with_the_service(path: Path) -> None:
    mode = _with_server(path, lambda _: stat.S_IMODE(path.stat().st_mode))
    assert mode == 0o660
    assert not path.exists()


def test_a_leftover_socket_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert _with_server(path, lambda _: ask(path, "echo", {}, 10.0))["arguments"] == {}


def test_a_second_service_is_told(path: Path) -> None:
    async def second(_server: ControlServer) -> None:
        with pytest.raises(CannotListen, match="another program does"):
            await ControlServer(path, "", ANSWERS).start()

    _with_server(path, second)


@pytest.mark.parametrize(
    ("verb", "failure", "says"),
    [
        ("malformed", Failed, "'-x' is no account"),
        ("nothing", Failed, "4C9D2E1A: no such message in the queue"),
        ("may-not", Failed, "only root may act on the mail server"),
        ("store", Failed, "the disk is full"),
        ("fault", Refused, "only in mode ask"),
        ("what.ever", Failed, "the service knows no verb 'what.ever'; is it older?"),
    ],
)
def test_what_could_not_be_is_said(path: Path, verb: str, failure: type[Exception], says: str) -> None:
    with pytest.raises(failure) as caught:
        _with_server(path, lambda _: ask(path, verb, {}, 10.0))
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("malformed", "malformed"), ("nothing", "not-found"), ("may-not", "service-may-not"), ("store", "store")],
)
def test_the_kind_comes_with_it(path: Path, verb: str, kind: str) -> None:
    with pytest.raises(Failed) as caught:
        _with_server(path, lambda _: ask(path, verb, {}, 10.0))
    assert caught.value.kind == kind


def test_an_answer_that_fails_is_told_to_the_loop_and_ends_nothing(path: Path) -> None:
    told: list[dict[str, Any]] = []

    async def deed(_server: ControlServer) -> object:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(context))
        with pytest.raises(Failed, match="a fault of Outwarden itself \\(ZeroDivisionError\\)"):
            await loop.run_in_executor(None, ask, path, "broken", {}, 10.0)
        return await loop.run_in_executor(None, ask, path, "echo", {}, 10.0)

    answers = {**ANSWERS, "broken": _raises(ZeroDivisionError())}
    assert _with_server(path, deed, answers)["arguments"] == {}
    assert isinstance(told[0]["exception"], ZeroDivisionError)


def test_what_cannot_be_written_as_json_is_a_fault_too(path: Path) -> None:
    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        return object()

    async def deed(_server: ControlServer) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, _context: None)
        with pytest.raises(Failed, match="a fault of Outwarden itself"):
            await loop.run_in_executor(None, ask, path, "odd", {}, 10.0)

    _with_server(path, deed, {"odd": Answer(give)})


def test_nobody_there(path: Path) -> None:
    with pytest.raises(ServiceNotThere, match="systemctl start outwarden"):
        ask(path, "echo", {}, 1.0)


def test_nobody_behind_a_leftover_socket(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(ServiceNotThere):
        ask(path, "echo", {}, 1.0)


def test_a_service_that_does_not_answer_in_time(path: Path) -> None:
    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        await asyncio.Event().wait()

    with pytest.raises(Failed, match=r"did not answer within 0.2 s") as caught:
        _with_server(path, lambda _: ask(path, "slow", {}, 0.2), {"slow": Answer(give)})
    assert caught.value.kind == ""


@pytest.mark.parametrize("said", [b"", b"220 mx.example ESMTP\r\n", b'{"fault": 7}\n', b"[]\n", b"[" * 100_000 + b"\n"])
def test_something_else_listens_there(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "other.sock"

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()

    async def run() -> None:
        async with await asyncio.start_unix_server(other, path):
            with pytest.raises(Failed):
                await asyncio.get_running_loop().run_in_executor(None, ask, path, "echo", {}, 5.0)

    asyncio.run(run())


HOSTILE = [
    ("nothing", b""),
    ("no line's end", b'{"verb": "echo"}'),
    ("an empty line", b"\n"),
    ("no JSON", b"GET / HTTP/1.1\r\n"),
    ("not UTF-8", b'{"verb": "\xff\xfe"}\n'),
    ("a list", b'["echo"]\n'),
    ("no verb", b'{"arguments": {}}\n'),
    ("a verb that is none", b'{"verb": {"a": 1}}\n'),
    ("arguments that are none", b'{"verb": "echo", "arguments": [1]}\n'),
    ("a field nobody knows", b'{"verb": "echo", "uid": 0}\n'),
    ("depth", b'{"verb": "echo", "arguments": {"a": ' + b"[" * 50_000 + b"}}\n"),
    ("depth that is closed", b'{"verb": "echo", "arguments": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}\n"),
    ("too long", b'{"verb": "' + b"x" * (LONGEST_QUESTION + 10) + b'"}\n'),
    ("far too long", b"x" * (8 * LONGEST_QUESTION)),
    ("an endless number", b'{"verb": "echo", "arguments": {"n": ' + b"9" * 500_000 + b"}}\n"),
]


@pytest.mark.parametrize("octets", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_line_harms_nobody(path: Path, octets: bytes) -> None:
    def deed(_server: ControlServer) -> object:
        answer = _exchange(path, octets)
        assert not answer or json.loads(answer)["fault"]["kind"] in ("malformed", "unknown-verb", "failed")
        return ask(path, "echo", {"still": "there"}, 10.0)

    assert _with_server(path, deed)["arguments"] == {"still": "there"}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=20, max_size=40))
def test_any_bytes_are_answered_or_dropped(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "control.sock"

    def deed(_server: ControlServer) -> object:
        for octets in lines:
            answer = _exchange(path, octets + b"\n")
            assert not answer or set(json.loads(answer)) in ({"ok"}, {"fault"})
        return ask(path, "echo", {}, 10.0)

    assert _with_server(path, deed)["arguments"] == {}


def test_who_says_nothing_is_dropped_and_who_is_too_many_is_told(path: Path) -> None:
    def deed(_server: ControlServer) -> object:
        silent = []
        for _ in range(2):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(10)
            connection.connect(str(path))
            silent.append(connection)
        with pytest.raises(Failed, match="too many ask") as caught:
            ask(path, "echo", {}, 10.0)
        assert caught.value.kind == "busy"
        # The silent ones are closed when their time is over.
        for connection in silent:
            assert connection.recv(1) == b""
            connection.close()
        return ask(path, "echo", {}, 10.0)

    assert _with_server(path, deed, most_connections=2, question_seconds=0.5)["arguments"] == {}


def test_who_takes_no_answer_is_dropped(path: Path) -> None:
    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        return "x" * (16 << 20)

    def deed(_server: ControlServer) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(path))
            connection.sendall(b'{"verb": "large"}\n')
            # One at a time may ask: this is answered once the other one has been dropped.
            while True:
                try:
                    ask(path, "echo", {}, 10.0)
                except Failed as fault:
                    assert fault.kind == "busy"
                else:
                    return

    _with_server(path, deed, {**ANSWERS, "large": Answer(give)}, taking_seconds=0.3, most_connections=1)


def test_what_was_asked_for_goes_on_when_who_asked_goes_away(path: Path) -> None:
    async def deed(_server: ControlServer) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(path))
            connection.sendall(b'{"verb": "slow"}\n')
            await asyncio.wait_for(begun.wait(), 5)
        go_on.set()
        await asyncio.wait_for(done.wait(), 5)

    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        begun.set()
        await go_on.wait()
        done.set()

    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    _with_server(path, deed, {"slow": Answer(give, changes=True)})


_ASKS = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(sys.argv[2].encode() + b"\\n")
print(connection.makefile().readline())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_stranger_reads_and_changes_nothing() -> None:
    def as_nobody(verb: str) -> dict[str, Any] | None:
        question = json.dumps({"verb": verb, "asked_by": "root"})
        command = [sys.executable, "-I", "-c", _ASKS, str(path), question]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def deed(_server: ControlServer) -> tuple[Any, ...]:
        shut_out = as_nobody("echo")
        path.chmod(0o666)
        return shut_out, as_nobody("echo"), as_nobody("change")

    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "control.sock"
        shut_out, read, changed = _with_server(path, deed)
    assert shut_out is None
    assert read["ok"]["uid"] == 65534
    assert read["ok"]["name"] != "root"
    assert changed["fault"]["kind"] == "not-allowed"
