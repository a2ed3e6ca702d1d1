"""Fetches a registry's JSON over HTTPS, guarded against being sent elsewhere.

A URL may come from a redirect, and an address from a stranger's DNS.  So: HTTPS on its own port and without
credentials; public addresses only (no loopback, no private network); the address that was checked is the one that is
connected to; five redirects at most, each judged like the first URL; a page ends by size and by time.  Each host is
asked no faster than its pace, and a page that is kept and fresh is not asked for at all; later it is asked for by its
entity tag (RFC 9110 section 13.1.2).  When the host cannot be asked, a kept page is better than none, and says so.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from outwarden.dns.contacts.page_cache import Kept, PageCache
from outwarden.dns.pace import Pace
from outwarden.dns.public_addresses import Address, is_public
from outwarden.dns.targets import UnusableTarget, read_domain

_LONGEST_PAGE = 2_000_000
_LONGEST_URL = 2_000
_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 3
_PIECE = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "application/rdap+json, application/json"


class CouldNotFetch(Exception):
    """No page, and nothing is known by that: one line that says why."""


class NoSuchPage(Exception):
    """The host answered that it has nothing under this URL."""


class Page(NamedTuple):
    """``answered_by`` is the URL of the last redirect; ``as_of`` is set when an old page stands in for none."""

    body: bytes
    answered_by: str
    as_of: datetime | None = None


class Guard(NamedTuple):
    """What may be connected to, and how long one page may take with all its redirects."""

    may_connect: Callable[[Address], bool]
    port: int = 443
    certificates: ssl.SSLContext | None = None
    seconds: float = 10.0
    per_second: float = 1.0


class HttpsPages:
    """``resolve`` returns the addresses of a host; None: nothing is fetched, and kept pages of any age are used."""

    def __init__(
        self,
        resolve: Callable[[str], Sequence[Address]] | None,
        cache: PageCache,
        guard: Guard = Guard(is_public),  # noqa: B008 (an immutable tuple)
    ) -> None:
        self._resolve = resolve
        self._cache = cache
        self._guard = guard
        self._certificates = guard.certificates or ssl.create_default_context()
        self._paces: dict[str, Pace] = {}

    def fetch(self, url: str, now: datetime, fresh_for: timedelta) -> Page:
        """Return the page at ``url``.  Raises ``CouldNotFetch`` and ``NoSuchPage``."""
        kept = self._cache.find(url, now)
        if kept is not None and (now - kept.stored_at <= fresh_for):
            return Page(kept.body, kept.answered_by)
        try:
            return self._ask(url, kept, now)
        except CouldNotFetch:
            if kept is None:
                raise
            return Page(kept.body, kept.answered_by, kept.stored_at)

    def _ask(self, url: str, kept: Kept | None, now: datetime) -> Page:
        ends_at = time.monotonic() + self._guard.seconds
        at = url
        for _ in range(_MOST_REDIRECTS + 1):
            etag = kept.etag if kept is not None and kept.answered_by == at else ""
            answer = self._get(at, etag, ends_at)
            if answer.status in _REDIRECTS:
                at = _redirected(at, answer.getheader("Location"))
                continue
            if answer.status == http.client.NOT_MODIFIED and kept is not None and etag:
                self._cache.keep(Kept(url, at, etag, now, kept.body))
                return Page(kept.body, at)
            if answer.status == http.client.NOT_FOUND:
                raise NoSuchPage(f"{_host(at)} has nothing under {at}")
            if answer.status != http.client.OK:
                raise CouldNotFetch(f"{_host(at)} answered with status {answer.status}{_patience(answer)}")
            body = _body(answer, at)
            self._cache.keep(Kept(url, at, answer.getheader("ETag") or "", now, body))
            return Page(body, at)
        raise CouldNotFetch(f"{_host(url)} redirects more than {_MOST_REDIRECTS} times")

    def _get(self, url: str, etag: str, ends_at: float) -> http.client.HTTPResponse:
        host, path = self._judged(url)
        if self._resolve is None:
            raise CouldNotFetch(f"{host} is not asked, and nothing is kept of {url}")
        fault = f"no address is known for {host}"
        for address in self._resolve(host)[:_MOST_ADDRESSES]:
            if not self._guard.may_connect(address):
                fault = f"{host} has the address {address}, which is not public"
                continue
            self._wait_for_turn(host, ends_at)
            try:
                return _parsed(self._exchange(host, address, _request(host, path, etag), ends_at))
            except ssl.SSLCertVerificationError as error:
                raise CouldNotFetch(f"the certificate of {host} is not good: {error.verify_message}") from None
            except TimeoutError:
                fault = f"{host} did not answer in time"
            except http.client.HTTPException:
                raise CouldNotFetch(f"what {host} answered is no page") from None
            except OSError as error:
                fault = f"{host} ({address}) could not be connected to: {error.strerror or error}"
        raise CouldNotFetch(fault)

    def _judged(self, url: str) -> tuple[str, str]:
        """Return host and path of a URL that may be asked."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise CouldNotFetch(f"{url[:80]!r} is no URL") from None
        if parts.scheme != "https" or not host or parts.username is not None or port not in (None, 443):
            raise CouldNotFetch(f"{url[:80]!r} is not asked: only plain HTTPS URLs are")
        try:
            host = read_domain(host)
        except UnusableTarget:
            raise CouldNotFetch(f"{url[:80]!r} is not asked: {host[:80]!r} is no host name") from None
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if len(url) > _LONGEST_URL or not path.isascii() or not path.isprintable() or " " in url:
            raise CouldNotFetch(f"{url[:80]!r} is no URL")
        return host, path or "/"

    def _wait_for_turn(self, host: str, ends_at: float) -> None:
        pace = self._paces.setdefault(host, Pace(self._guard.per_second))
        now = time.monotonic()
        wait = pace.wait_seconds(now)
        if now + wait >= ends_at:
            raise CouldNotFetch(f"{host} is not asked so often")
        if wait:
            time.sleep(wait)
            pace.wait_seconds(time.monotonic())
        pace.spend()

    def _exchange(self, host: str, address: Address, request: bytes, ends_at: float) -> bytes:
        with socket.create_connection((str(address), self._guard.port), timeout=_left(ends_at)) as plain:
            plain.settimeout(_left(ends_at))
            with self._certificates.wrap_socket(plain, server_hostname=host) as connection:
                connection.sendall(request)
                return _read(connection, host, ends_at)


def _request(host: str, path: str, etag: str) -> bytes:
    condition = f"If-None-Match: {etag}\r\n" if etag and etag.isascii() and etag.isprintable() else ""
    lines = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {_ACCEPT}\r\nUser-Agent: outwarden\r\n{condition}"
    return f"{lines}Connection: close\r\n\r\n".encode("ascii")


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(connection: socket.socket, host: str, ends_at: float) -> bytes:
    """Read until the host closes: every piece counts against the one deadline, however slowly they drip."""
    pieces: list[bytes] = []
    size = 0
    while size <= _LONGEST_PAGE:
        connection.settimeout(_left(ends_at))
        piece = connection.recv(_PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    raise CouldNotFetch(f"{host} answered with more than {_LONGEST_PAGE} bytes")


class _Received:
    """What http.client reads from in place of a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


def _parsed(received: bytes) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(_Received(received), method="GET")  # type: ignore[arg-type]
    response.begin()
    return response


def _body(answer: http.client.HTTPResponse, url: str) -> bytes:
    try:
        return answer.read()
    except (http.client.HTTPException, ValueError):
        raise CouldNotFetch(f"the answer of {_host(url)} is cut off") from None


def _patience(answer: http.client.HTTPResponse) -> str:
    return ": asked too often, try again later" if answer.status == http.client.TOO_MANY_REQUESTS else ""


def _redirected(url: str, location: str | None) -> str:
    if not location:
        raise CouldNotFetch(f"{_host(url)} redirects to nowhere")
    try:
        return urljoin(url, location)
    except ValueError:
        raise CouldNotFetch(f"{_host(url)} redirects to what is no URL") from None


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
