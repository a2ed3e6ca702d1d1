"""The head of a request: what is asked for, and the message's envelope in headers.

``CHECK RSPAMC/1.3`` has no standard; its layout is that of Exim's ``spam.c``.  The other is HTTP/1.1 (RFC 9112) with
the headers that rspamd documents.  A body of unknown length, a compressed and an encrypted one are not read.
"""

import re
from enum import Enum

from outwarden.events import mailbox
from outwarden.filter.conversation import MalformedQuestion
from outwarden.filter.envelope import Envelope
from outwarden.filter.lines import text
from outwarden.filter.recipients import Recipients
from outwarden.filter.rspamd_protocol.answers import Dialect, failure

MOST_LINE_BYTES = 8192
"""The longest line of a head."""

MOST_HEAD_BYTES = 16 << 20
"""The longest head: a message may have a hundred thousand recipients, each in a line of its own."""

MOST_BODY_BYTES = 1 << 30
"""The longest message."""

_HTTP = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,2000}) HTTP/1\.([01])")
_RSPAMC = re.compile(rb"CHECK RSPAMC/1\.\d")
# RFC 9110 section 5.1: a name is a token, and the colon follows at once.
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(r"[0-9]{1,18}")

_ENVELOPE = {"from", "helo", "hostname", "ip", "mta-name", "queue-id", "user"}
_TRANSFER = {"connection", "content-length", "expect", "transfer-encoding"}
# The message would stand elsewhere, or could not be read.
_UNREADABLE = {
    "compression": "compressed",
    "content-encoding": "compressed",
    "file": "elsewhere",
    "key": "encrypted",
    "shm": "elsewhere",
}
_KNOWN = {*_ENVELOPE, *_TRANSFER, *_UNREADABLE}


class Asked(Enum):
    """What a request wants."""

    CHECK = "check"
    PING = "ping"


class Request:
    """A head that grows by one line at a time.  Each of its methods raises ``MalformedQuestion``."""

    def __init__(self, line: bytes) -> None:
        self.dialect, self._method, self._path, self._minor = _first(line)
        self.length = 0
        self._told: dict[str, str] = {}
        self._recipients = Recipients()
        self._bytes = len(line)

    @property
    def lasting(self) -> bool:
        """Whether the connection goes on after the answer.  RFC 9112 section 9.3."""
        wish = self._told.get("connection", "").lower()
        return self.dialect is Dialect.HTTP and (wish == "keep-alive" if self._minor == b"0" else wish != "close")

    @property
    def waits_to_be_told(self) -> bool:
        """Whether the client sends the body only when it is told to.  RFC 9110 section 10.1.1."""
        return self._told.get("expect", "").lower() == "100-continue" and self._minor == b"1"

    def add(self, line: bytes) -> None:
        """Take the next line."""
        self._bytes += len(line)
        if self._bytes > MOST_HEAD_BYTES:
            raise self._wrong(431, "a head that is too long")
        header = _HEADER.fullmatch(line)
        if header is None:
            raise self._wrong(400, f"a line that is no header: {text(line[:80])!r}")
        name, value = header[1].decode().lower(), text(header[2]).strip()
        if name == "rcpt":
            self._recipients.add(mailbox(value))
        elif name in _KNOWN:
            if self._told.setdefault(name, value) != value:
                raise self._wrong(400, f"two headers {name} that differ")

    def end(self) -> Asked:
        """Return what is asked for, now that the head is whole; ``length`` is then that of the body."""
        if self.dialect is Dialect.HTTP and self._method == b"GET" and self._path == b"/ping":
            return Asked.PING
        if self._path != b"/checkv2":
            raise self._wrong(404, "a path that nothing stands at")
        # Rspamd's own proxy says GET, and sends a body with it.
        if self._method not in {b"GET", b"POST"}:
            raise self._wrong(405, "a method that is not POST")
        for name, how in _UNREADABLE.items():
            if self._told.get(name, "identity") != "identity":
                raise self._wrong(415, f"a message that is {how}")
        length = self._told.get("content-length")
        if length is None or "transfer-encoding" in self._told:
            raise self._wrong(411, "a body of unknown length")
        if not _LENGTH.fullmatch(length):
            raise self._wrong(400, f"no length: {length[:80]!r}")
        self.length = int(length)
        if self.length > MOST_BODY_BYTES:
            raise self._wrong(413, f"a message of {self.length} bytes")
        return Asked.CHECK

    def envelope(self) -> Envelope:
        """Return the envelope."""
        told = self._told.get
        return Envelope(
            sender=mailbox(told("from", "")),
            recipients=tuple(self._recipients.kept),
            recipient_count=self._recipients.count,
            login=told("user", ""),
            client_address=_without_port(told("ip", "")),
            client_name=told("hostname", ""),
            helo=told("helo", ""),
            queue_id=told("queue-id", ""),
            host=told("mta-name", ""),
        )

    def _wrong(self, status: int, why: str) -> MalformedQuestion:
        return MalformedQuestion(why, failure(self.dialect, status))


def _without_port(address: str) -> str:
    """Return an address alone: rspamd's own proxy sends ``192.0.2.7:40000`` and ``[2001:db8::7]:40000``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _first(line: bytes) -> tuple[Dialect, bytes, bytes, bytes]:
    """Return dialect, method, path and the protocol's minor version."""
    if _RSPAMC.fullmatch(line):
        return Dialect.RSPAMC, b"POST", b"/checkv2", b""
    asked = _HTTP.fullmatch(line)
    if asked is None:
        raise MalformedQuestion(f"no request: {text(line[:80])!r}", failure(Dialect.HTTP, 400))
    return Dialect.HTTP, asked[1], asked[2].partition(b"?")[0], asked[3]
