"""Asks the running service.

A command that asks must be quick, so this imports next to nothing.
"""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

_MOST_BYTES = 256 << 20
"""An answer is the service's own and may be a whole queue; more than this is none."""
_BLOCK = 1 << 18


class ServiceNotThere(Exception):
    """Nobody listens at the socket; one line says what to do."""


class Refused(Exception):
    """Whoever asks may not."""


class MayNotConnect(Refused):
    """The socket is for others."""


class Failed(Exception):
    """The service answered that it could not, or did not answer; ``kind`` is that of ``faults.FaultKind``.

    Where it did not answer it is empty, and what was asked for may have been done, or may yet be.
    """

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


def ask(path: Path, verb: str, arguments: Mapping[str, Any], timeout_seconds: float = 10.0, asked_by: str = "") -> Any:  # noqa: ANN401 (whatever the verb answers)
    """Return the service's answer, as JSON has it.  Raises ``ServiceNotThere``, ``Refused`` and ``Failed``.

    ``asked_by`` names the person where root asks for somebody else, as behind sudo; from others it is not believed.
    """
    question = json.dumps({"verb": verb, "arguments": dict(arguments), "asked_by": asked_by}, default=str)
    until = monotonic() + timeout_seconds
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _connect(connection, path, timeout_seconds)
        try:
            connection.sendall(question.encode() + b"\n")
        except OSError:
            # Who is turned away is told why all the same.
            pass
        line = _line(connection, until, timeout_seconds)
    return _answer(line)


def _connect(connection: socket.socket, path: Path, timeout_seconds: float) -> None:
    connection.settimeout(timeout_seconds)
    try:
        connection.connect(str(path))
    except PermissionError:
        raise MayNotConnect(
            f"{path}: only root and the group of the setting control.group may speak to the service; use sudo"
        ) from None
    except TimeoutError:
        raise Failed(f"the service takes no question within {timeout_seconds:g} s; look at its log") from None
    except OSError as fault:
        raise ServiceNotThere(
            f"the service is not there ({path}: {fault.strerror or fault}); "
            "start it: systemctl start outwarden, or outwarden run"
        ) from None


def _line(connection: socket.socket, until: float, timeout_seconds: float) -> bytes:
    answer = bytearray()
    while not answer.endswith(b"\n"):
        left = until - monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            block = connection.recv(_BLOCK)
        except TimeoutError:
            raise Failed(
                f"the service did not answer within {timeout_seconds:g} s; what was asked for may be done yet"
            ) from None
        except OSError as fault:
            raise Failed(f"the service ended the connection ({fault.strerror or fault})") from None
        answer += block
        if not block or len(answer) > _MOST_BYTES:
            raise Failed("the service ended the connection without an answer; look at its log")
    return bytes(answer)


def _answer(line: bytes) -> Any:  # noqa: ANN401 (whatever the verb answers)
    try:
        answer = json.loads(line)
        if "ok" in answer:
            return answer["ok"]
        kind, text = str(answer["fault"]["kind"]), str(answer["fault"]["text"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Failed("what listens there does not answer as the service does; is control.socket right?") from None
    if kind == "not-allowed":
        raise Refused(text)
    raise Failed(text, kind)
