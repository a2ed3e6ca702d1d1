"""Asks a mail exchanger by STARTTLS which certificates it shows: EHLO, STARTTLS, and away without a message.

It is only done when the operator asks for it.  The host is one that a stranger's DNS names: so it connects to
public addresses only, to one that was looked at and is not looked up again, and ends by size and by time.
"""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from outwarden.authentication.answers import RecordSource
from outwarden.authentication.dane import Shown
from outwarden.authentication.domain_names import Address, can_be_asked
from outwarden.authentication.public_addresses import find_addresses
from outwarden.dns.public_addresses import is_public

SMTP_PORT = 25
PROBE_SECONDS = 15.0
_LONGEST_REPLY = 16_384
_LONGEST_WORDS = 200
_MOST_CERTIFICATES = 20
_DER = 2  # ENCODING_DER of Python's own _ssl.


class NoTls(Exception):
    """The host answered, and offers no TLS; its words say how."""


class StartTlsProbe:
    """A ``CertificateProbe``.  ``helo`` is our own name; ``seconds`` is for all that one host is asked."""

    def __init__(
        self,
        records: RecordSource,
        helo: str,
        may_connect: Callable[[Address], bool] = is_public,
        port: int = SMTP_PORT,
        seconds: float = PROBE_SECONDS,
    ) -> None:
        self._records = records
        self._helo = helo
        self._may_connect = may_connect
        self._port = port
        self._seconds = seconds
        # Everything it shows is to be seen, and only then compared: DANE trusts no authority of the system's.
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def __call__(self, host: str) -> Shown:
        """Return what ``host`` shows at the first of its addresses that answers."""
        if not can_be_asked(host):
            return Shown(fault=f"{host} is no host name")
        found = find_addresses(host, self._records, self._may_connect)
        outcome = Shown(fault=found.fault)
        ends_at = time.monotonic() + self._seconds
        for address in found.addresses:
            try:
                return Shown(self._ask(host, address, ends_at))
            except NoTls as fault:
                return Shown(fault=f"{host} offers no TLS: {fault}", refused=True)
            except TimeoutError:
                outcome = Shown(fault=f"{host} ({address}) did not answer in time")
            except OSError as error:
                outcome = Shown(fault=f"{host} ({address}) could not be asked: {_words(error)}")
        return outcome

    def _ask(self, host: str, address: Address, ends_at: float) -> tuple[bytes, ...]:
        with socket.create_connection((str(address), self._port), timeout=_left(ends_at)) as plain:
            greeting, _ = _reply(plain, ends_at)
            if greeting != "220":
                raise OSError(f"it greets with {greeting}")
            said, offers = _command(plain, f"EHLO {self._helo}", ends_at)
            if said != "250" or "STARTTLS" not in offers:
                raise NoTls(f"it answers EHLO with {said}, and STARTTLS is not among what it offers")
            said, words = _command(plain, "STARTTLS", ends_at)
            if said != "220":
                raise NoTls(f"it answers STARTTLS with {said} {' '.join(words)[:_LONGEST_WORDS]}")
            plain.settimeout(_left(ends_at))
            # RFC 7672 section 8.1: the name of the host, so that it shows the certificate that is for it.
            with self._tls.wrap_socket(plain, server_hostname=host) as connection:
                chain = _chain(connection)
                with suppress(OSError):
                    connection.sendall(b"QUIT\r\n")
                return chain


def _command(connection: socket.socket, line: str, ends_at: float) -> tuple[str, list[str]]:
    connection.settimeout(_left(ends_at))
    connection.sendall(line.encode("ascii") + b"\r\n")
    return _reply(connection, ends_at)


def _reply(connection: socket.socket, ends_at: float) -> tuple[str, list[str]]:
    """Return the code of a reply, and the first word of each of its lines in capitals (RFC 5321 section 4.2)."""
    text = b""
    while True:
        *lines, _ = text.split(b"\n")
        if lines and lines[-1][3:4] != b"-":
            words = [line[4:].decode("ascii", "replace").split() for line in lines]
            return lines[-1][:3].decode("ascii", "replace"), [each[0].upper() for each in words if each]
        connection.settimeout(_left(ends_at))
        piece = connection.recv(4096)
        text += piece
        if not piece or len(text) > _LONGEST_REPLY:
            raise OSError("what it says is no SMTP reply")


def _chain(connection: ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return all certificates that were shown, in DER."""
    public = getattr(connection, "get_unverified_chain", None)
    if public is not None:
        return tuple(public()[:_MOST_CERTIFICATES])
    # Before Python 3.13 only the object inside tells more than the first.
    inner: Any = connection
    shown = inner._sslobj.get_unverified_chain() or ()
    return tuple(each.public_bytes(_DER) for each in shown[:_MOST_CERTIFICATES])


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)[:_LONGEST_WORDS] or type(error).__name__
