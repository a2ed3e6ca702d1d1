"""Fetches an MTA-STS policy over HTTPS, from the host that a stranger's DNS names.

So it connects to public addresses only, to one that was looked at and is not looked up again, follows
no redirect, and ends by size and by time.
"""

import socket
import ssl
import time
from collections.abc import Callable

from outwarden.authentication.answers import RecordSource
from outwarden.authentication.domain_names import Address
from outwarden.authentication.mta_sts import LONGEST_POLICY, PolicyText
from outwarden.authentication.public_addresses import find_addresses
from outwarden.dns.public_addresses import is_public

HTTPS_PORT = 443
FETCH_SECONDS = 10.0
_LONGEST_HEADER = 16_384


class HttpsPolicyFetcher:
    """A ``PolicyFetcher``.  ``may_connect`` guards the addresses; port and certificates are the internet's own."""

    def __init__(
        self,
        records: RecordSource,
        may_connect: Callable[[Address], bool] = is_public,
        port: int = HTTPS_PORT,
        certificates: ssl.SSLContext | None = None,
        seconds: float = FETCH_SECONDS,
    ) -> None:
        self._records = records
        self._may_connect = may_connect
        self._port = port
        self._certificates = certificates or ssl.create_default_context()
        self._seconds = seconds

    def __call__(self, host: str) -> PolicyText:
        """Return what ``host`` serves as its policy, or why it could not be read."""
        found = find_addresses(host, self._records, self._may_connect)
        outcome = PolicyText(fault=found.fault, refused=found.answered)
        ends_at = time.monotonic() + self._seconds
        for address in found.addresses:
            try:
                return _policy(self._get(host, address, ends_at))
            except ssl.SSLCertVerificationError as error:
                return PolicyText(fault=f"the certificate is not good: {error.verify_message}", refused=True)
            except TimeoutError:
                outcome = PolicyText(fault=f"{address} did not answer in time")
            except OSError as error:
                outcome = PolicyText(fault=f"{address} could not be connected to: {error.strerror or error}")
        return outcome

    def _get(self, host: str, address: Address, ends_at: float) -> bytes:
        with socket.create_connection((str(address), self._port), timeout=_left(ends_at)) as plain:
            plain.settimeout(_left(ends_at))
            with self._certificates.wrap_socket(plain, server_hostname=host) as connection:
                # HTTP/1.0, so that the page comes in one piece and the end of the connection is its end.
                request = f"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode("ascii"))
                return _read(connection, ends_at)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(connection: socket.socket, ends_at: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size <= LONGEST_POLICY + _LONGEST_HEADER:
        connection.settimeout(_left(ends_at))
        piece = connection.recv(16_384)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _policy(page: bytes) -> PolicyText:
    head, blank, body = page.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ")
    if not blank or len(status) < 2 or not status[0].startswith(b"HTTP/"):
        return PolicyText(fault="what came back is no page", refused=True)
    if status[1] != b"200":
        # RFC 8461 section 3.3: redirects are not followed either.
        return PolicyText(fault=f"the answer is {status[1][:3].decode('ascii', 'replace')}, not 200", refused=True)
    return PolicyText(body[: LONGEST_POLICY + 1].decode("utf-8", "replace"))
