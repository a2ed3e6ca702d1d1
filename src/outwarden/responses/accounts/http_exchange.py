"""One request to a configured server and its answer, within bounds.

It goes to that host and no other: no redirect is followed, no proxy of the environment is asked, and plain HTTP speaks
to this machine alone, whatever its name resolves to.  What is put into a path is escaped and can add no segment to it.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.notices.bounded import bounded
from outwarden.responses.templates import filled

MOST_BYTES = 1 << 20
_LATER = frozenset({408, 425, 429})
# RFC 9110 sections 5.1 and 5.5.
_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]{0,8192}")


class Reply(NamedTuple):
    """A status and what came with it; ``content`` is None where it is no JSON."""

    status: int
    content: Any
    text: str


class Server:
    """A server at one address."""

    def __init__(self, name: str, url: str, seconds: float, ca_file: str = "") -> None:
        """Raises ``OperatorFault`` for an address that will not do."""
        self._name, self._seconds = name, seconds
        self._target = _target(name, url)
        self._certificates = _certificates(name, ca_file) if self._target.scheme == "https" else None

    def ask(
        self, method: str, path: str, fields: Mapping[str, str], body: bytes = b"", kind: str = "application/json"
    ) -> Reply:
        """Return the answer.  Raises ``TemporaryFault`` where there is none, or the server wants to be asked later."""
        for name, value in fields.items():
            if not _FIELD.fullmatch(name) or not _VALUE.fullmatch(value):
                raise OperatorFault(f"{self._name}: header {name[:40]!r} has a name or value that cannot be sent")
        sent = {"Accept": "application/json", "Connection": "close", **fields}
        if body:
            sent["Content-Type"] = kind
        connection = self._connection()
        try:
            with bounded(self._seconds, lambda: connection.sock):
                connection.connect()
                self._must_be_here(connection)
                connection.request(method, self._target.path.rstrip("/") + path, body or None, sent)
                answer = connection.getresponse()
                read = answer.read(MOST_BYTES + 1)
        except ssl.SSLCertVerificationError as fault:
            raise OperatorFault(f"{self._name}: {self._target.hostname}: {fault.verify_message}") from None
        except (OSError, http.client.HTTPException) as fault:
            why = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
            raise TemporaryFault(f"{self._name}: {self._target.hostname}: {why}") from None
        finally:
            connection.close()
        return self._judged(answer.status, read)

    def _judged(self, status: int, read: bytes) -> Reply:
        if len(read) > MOST_BYTES:
            raise OperatorFault(f"{self._name}: an answer of more than {MOST_BYTES} bytes")
        text = read.decode(errors="replace")
        if status >= 500 or status in _LATER:
            raise TemporaryFault(f"{self._name}: {self._target.hostname} answers {status}")
        if status in {401, 403}:
            raise OperatorFault(
                f"{self._name}: {self._target.hostname} answers {status}: look at the secret and its rights"
            )
        if 300 <= status < 400:
            raise OperatorFault(f"{self._name}: {self._target.hostname} answers {status}, elsewhere: set url right")
        try:
            return Reply(status, json.loads(text) if text.strip() else None, text)
        except (ValueError, RecursionError):
            return Reply(status, None, text)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._target.hostname or "", self._target.port
        if self._certificates is not None:
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._certificates)
        return http.client.HTTPConnection(host, port, timeout=self._seconds)

    def _must_be_here(self, connection: http.client.HTTPConnection) -> None:
        if (
            self._certificates is None
            and not ip_address(connection.sock.getpeername()[0].partition("%")[0]).is_loopback
        ):
            raise OperatorFault(f"{self._name}: plain http, and {self._target.hostname} is not this machine; use https")


def path_of(name: str, template: str, query: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Return path and query.  Raises ``OperatorFault`` where an account would become a part of the path."""
    path = str(filled(template, values, lambda text: quote(text, safe="")))
    if any(part in {".", ".."} for part in path.split("/")):
        raise OperatorFault(f"{name}: an account called . or .. cannot be asked for")
    return path + (f"?{urlencode(filled(query, values))}" if query else "")


def pointed(content: Any, pointer: str) -> Any:  # noqa: ANN401 (JSON)
    """Return what a JSON Pointer points to, None where there is nothing (RFC 6901 section 4)."""
    found = content
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _target(name: str, url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        host, _ = target.hostname or "", target.port
    except ValueError:
        raise OperatorFault(f"{name}: url {url[:80]!r} is no URL") from None
    if not host or not url.isascii() or not url.isprintable() or " " in url or target.query or target.fragment:
        raise OperatorFault(f"{name}: url {url[:80]!r} is not what paths can follow; write https://HOST[:PORT][/PATH]")
    if target.username or target.password:
        raise OperatorFault(f"{name}: url has a name or password in it; put the secret into a file of its own")
    if target.scheme not in {"https", "http"}:
        raise OperatorFault(f"{name}: url {url[:80]!r} is neither https nor http")
    if target.scheme == "http" and not _is_here(host):
        raise OperatorFault(f"{name}: plain http, and {host} is not this machine; use https")
    return target


def _is_here(host: str) -> bool:
    """Return whether a host is this machine by what it is called; where the name leads is looked at once connected."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _certificates(name: str, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(Path(ca_file)) if ca_file else None)
    except (OSError, ssl.SSLError) as fault:
        raise OperatorFault(f"{name}: ca_file {ca_file}: {fault.strerror or 'holds no certificate'}") from None
