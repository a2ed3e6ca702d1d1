"""Registries on loopback: one real HTTPS server that answers by host name and path, with a certificate of its own."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LOOPBACK = IPv4Address("127.0.0.1")

Talk = Callable[[str, ssl.SSLSocket], bytes | None]
"""Takes the request's head and the connection; returns what to answer, or None when it has answered itself."""


def page(body: str | bytes, status: str = "200 OK", *headers: str) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "Connection: close"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


def redirect(to: str) -> bytes:
    return page("", "302 Found", f"Location: {to}")


class RegistryServer:
    """``pages`` by URL without scheme, as ``rdap.example/ip/192.0.2.1``; ``asked`` keeps each request's head."""

    def __init__(self, directory: Path, hosts: list[str], pages: Mapping[str, bytes | Talk]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []
        certificate = _certificate(directory, hosts)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self.trusted = ssl.create_default_context(cafile=str(certificate))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def urls(self) -> list[str]:
        """What was asked for, without scheme."""
        return [f"{_host(head)}{head.split(' ')[1]}" for head in self.asked]

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._server.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(5)
                try:
                    self._answer(visitor)
                except OSError:
                    continue  # The visitor did not trust us, or left early.

    def _answer(self, visitor: socket.socket) -> None:
        with self._context.wrap_socket(visitor, server_side=True) as connection:
            head = connection.recv(65_536).decode("ascii")
            self.asked.append(head)
            answer = self.pages.get(self.urls[-1], page("", "404 Not Found"))
            content = answer if isinstance(answer, bytes) else answer(head, connection)
            if content is not None:
                connection.sendall(content)


def _host(head: str) -> str:
    return head.partition("\r\nHost: ")[2].partition("\r\n")[0]


def _certificate(directory: Path, hosts: list[str]) -> Path:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registries of a test")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = directory / "registries.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file
