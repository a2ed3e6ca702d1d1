"""The service's side of the control socket: one question on a connection, one answer, each a line of JSON.

``{"verb": "account.show", "arguments": {"account": "rosa"}}`` is answered by ``{"ok": ...}`` or
``{"fault": {"kind": "not-found", "text": "..."}}``.  Who asks is told by the kernel and not by the question.

Whoever asks, however badly, costs little and harms nobody: lines, connections and waiting have their limits, and an
answer that fails is said and ends nothing.  What was asked for goes on when the asking side goes away.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from outwarden.filter.endpoint import UnixEndpoint
from outwarden.responses.steps import CouldNotAct
from outwarden.responses.subjects import MalformedSubject
from outwarden.service.acting import NotAllowed, NothingFound
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.store.database import StoreUnusable

LONGEST_QUESTION = 1 << 20
MOST_CONNECTIONS = 64
_QUESTION_SECONDS = 10.0
_TAKING_SECONDS = 30.0
_CREDENTIALS = struct.Struct("iII")  # unix(7), SO_PEERCRED: process, user, group.
_LONGEST_NAME = 64


class Asker(NamedTuple):
    """Who asks, as the kernel says: user id and name.

    Where root asks, ``name`` is whom it asks for, if it says so: the person behind sudo.
    """

    uid: int
    name: str


class Answer(NamedTuple):
    """Who answers a verb: a coroutine of the question's arguments.

    ``changes``: it changes something, so only root and the socket's group may ask.
    """

    give: Callable[[dict[str, Any], Asker], Awaitable[Any]]
    changes: bool = False


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    verb: str
    arguments: dict[str, Any] = {}
    asked_by: str = ""


class ControlServer:
    """``start`` it, and ``stop`` it once."""

    def __init__(
        self,
        path: Path,
        group: str,
        answers: Mapping[str, Answer],
        *,
        question_seconds: float = _QUESTION_SECONDS,
        taking_seconds: float = _TAKING_SECONDS,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        """``group`` may speak to the socket beside root; empty for the service's own."""
        self._endpoint = UnixEndpoint(path, 0o660, group or None)
        self._path = path
        self._gid = os.getegid()
        self._answers = answers
        self._question_seconds, self._taking_seconds = question_seconds, taking_seconds
        self._most_connections = most_connections
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; the socket's folder is made where it is missing.  Raises ``CannotListen``."""
        with suppress(OSError):
            # Where it cannot be made, the reason is that of the socket, too.
            self._path.parent.mkdir(mode=0o755, exist_ok=True)
        listening = self._endpoint.listen()
        self._gid = self._path.stat().st_gid
        listening.setblocking(False)
        self._server = await asyncio.start_unix_server(self._meet, sock=listening, limit=LONGEST_QUESTION)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Take no further question, let those under way be answered, and close."""
        if self._server is None:
            return
        self._server.close()
        self._endpoint.close()
        if self._open:
            await asyncio.wait(self._open, timeout=grace_seconds)
        for task in tuple(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is met in a task of its own")
        if len(self._open) >= self._most_connections:
            self._turn_away(writer)
            return
        self._open.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, TimeoutError):
            # It went away, or takes nothing.
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    def _turn_away(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_line_of(Fault(FaultKind.BUSY, "too many ask the service at once; try again in a moment")))
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._question_seconds):
                line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            answer = _line_of(Fault(FaultKind.MALFORMED, f"a question of more than {LONGEST_QUESTION} bytes"))
        else:
            answer = await self._answer(line, writer.get_extra_info("socket"))
        async with asyncio.timeout(self._taking_seconds):
            writer.write(answer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def _answer(self, line: bytes, connection: Any) -> bytes:  # noqa: ANN401 (asyncio's own view of a socket)
        try:
            question = _question(line)
            answer = self._answers.get(question.verb)
            if answer is None:
                raise Fault(FaultKind.UNKNOWN_VERB, f"the service knows no verb {question.verb[:60]!r}; is it older?")
            _, uid, gid = _CREDENTIALS.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            asker = await self._asker(uid, gid, question.asked_by, answer.changes)
            return msgspec.json.encode({"ok": await answer.give(question.arguments, asker)}) + b"\n"
        except Exception as failure:  # noqa: BLE001 (an answer that fails must end nothing)
            return _line_of(_in_words(failure))

    async def _asker(self, uid: int, gid: int, asked_by: str, changes: bool) -> Asker:
        """Return who asks.  Raises ``Fault`` where it may not."""
        # The system's directory of users may be across the network.
        name, groups = await asyncio.get_running_loop().run_in_executor(None, _known_as, uid, gid)
        if changes and uid not in (0, os.geteuid()) and self._gid not in groups:
            raise Fault(FaultKind.NOT_ALLOWED, f"{name}: only root and the group of {self._path} may change anything")
        if uid == 0 and asked_by and asked_by.isprintable() and len(asked_by) <= _LONGEST_NAME:
            name = asked_by
        return Asker(uid, name)


def _question(line: bytes) -> _Question:
    try:
        return msgspec.json.decode(line, type=_Question)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Fault(FaultKind.MALFORMED, f"no question: {str(fault)[:200]}") from None


def _known_as(uid: int, gid: int) -> tuple[str, set[int]]:
    try:
        name = pwd.getpwuid(uid).pw_name
        return name, {gid, *os.getgrouplist(name, gid)}
    except (KeyError, OSError):
        return str(uid), {gid}


_KINDS: tuple[tuple[type[Exception], FaultKind], ...] = (
    (MalformedSubject, FaultKind.MALFORMED),
    (NothingFound, FaultKind.NOT_FOUND),
    (NotAllowed, FaultKind.SERVICE_MAY_NOT),
    (CouldNotAct, FaultKind.COULD_NOT),
    (StoreUnusable, FaultKind.STORE),
)


def _in_words(failure: Exception) -> Fault:
    if isinstance(failure, Fault):
        return failure
    for kind_of_failure, kind in _KINDS:
        if isinstance(failure, kind_of_failure):
            return Fault(kind, str(failure))
    asyncio.get_running_loop().call_exception_handler({"message": "an answer failed", "exception": failure})
    return Fault(
        FaultKind.FAILED, f"a fault of Outwarden itself ({type(failure).__name__}); report what the service's log says"
    )


def _line_of(fault: Fault) -> bytes:
    return msgspec.json.encode({"fault": {"kind": fault.kind, "text": fault.text}}) + b"\n"
