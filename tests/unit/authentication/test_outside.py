"""What connects to somebody else's host: the fetch of a policy and the probe of a mailbox, on loopback."""

import datetime
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from outwarden.authentication.answers import RecordType
from outwarden.authentication.mailbox_probe import SmtpMailboxProbe
from outwarden.authentication.mta_sts import LONGEST_POLICY, PolicyText
from outwarden.authentication.policy_fetch import HttpsPolicyFetcher
from outwarden.dns.public_addresses import is_public

sys.path.insert(0, str(Path(__file__).parent))
from zones import Zones

HOST = "mta-sts.isp.example"
ZONES = Zones({HOST: {RecordType.A: ["127.0.0.1"]}})
POLICY = b"version: STSv1\nmode: enforce\nmx: mx.isp.example\nmax_age: 604800\n"


@contextmanager
def host(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A host on loopback that talks to one visitor; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                visitor, _ = server.accept()
                with visitor:
                    visitor.settimeout(5)
                    talk(visitor)
            except OSError:
                pass  # The visitor left, or never came.

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
    thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for HOST that is its own authority, with its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


def fetch(certificate: Path, page: bytes, name: str = HOST, hold: float = 0, trusted: bool = True) -> PolicyText:
    """Fetch the policy of ``name`` from a host that answers with ``page``, and holds the line after it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(visitor: socket.socket) -> None:
        with context.wrap_socket(visitor, server_side=True) as connection:
            request = connection.recv(4096)
            assert request.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: ")
            connection.sendall(page)
            if hold:
                connection.settimeout(hold)
                connection.recv(1)

    certificates = ssl.create_default_context(cafile=str(certificate)) if trusted else None
    zones = Zones({name: {RecordType.A: ["127.0.0.1"]}})
    with host(talk) as port:
        return HttpsPolicyFetcher(zones, lambda _: True, port, certificates, seconds=1)(name)


OK = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def test_a_policy(certificate: Path) -> None:
    assert fetch(certificate, OK + POLICY) == PolicyText(POLICY.decode())


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.0 301 Moved\r\nLocation: https://elsewhere.example/\r\n\r\n", "301"),
        (b"hello", "no page"),
        (b"", "no page"),
    ],
)
def test_no_policy(certificate: Path, page: bytes, why: str) -> None:
    found = fetch(certificate, page)
    assert found.refused
    assert why in (found.fault or "")


def test_a_long_page_is_cut(certificate: Path) -> None:
    assert len(fetch(certificate, OK + b"x" * 200_000).text) == LONGEST_POLICY + 1


def test_a_host_that_never_ends_is_left_in_time(certificate: Path) -> None:
    started = time.monotonic()
    found = fetch(certificate, OK, hold=4)
    assert "in time" in (found.fault or "")
    assert not found.refused
    assert time.monotonic() - started < 3


def test_a_certificate_of_another_name_or_authority(certificate: Path) -> None:
    for found in (fetch(certificate, OK, name="mta-sts.other.example"), fetch(certificate, OK, trusted=False)):
        assert found.refused
        assert "certificate" in (found.fault or "")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("198.41.0.4", True),
        ("2001:500:2::c", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 (an address to be refused)
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_a_private_address_is_refused_before_connecting() -> None:
    found = HttpsPolicyFetcher(ZONES)(HOST)
    assert found == PolicyText(fault=f"{HOST} has no public address, only 127.0.0.1", refused=True)


def conversation(visitor: socket.socket, replies: dict[bytes, bytes], heard: list[bytes]) -> None:
    visitor.sendall(b"220 mx.isp.example ESMTP\r\n")
    with visitor.makefile("rb") as lines:
        for line in lines:
            heard.append(line.strip())
            verb = line.split(b" ")[0].strip().upper()
            visitor.sendall(replies.get(verb, b"250 ok") + b"\r\n")
            if verb == b"QUIT":
                return


@pytest.mark.parametrize(
    ("reply", "accepted"),
    [
        (b"250 2.1.5 fine", True),
        (b"550 5.1.1 no such mailbox", False),
        (b"451 4.7.1 greylisted", None),
        (b"hello", None),
    ],
)
def test_a_mailbox(reply: bytes, accepted: bool | None) -> None:
    heard: list[bytes] = []
    with host(lambda visitor: conversation(visitor, {b"RCPT": reply}, heard)) as port:
        probe = SmtpMailboxProbe(ZONES, "mail.isp.example", lambda _: True, port, seconds=2)
        assert probe(HOST, "abuse@isp.example").accepted is accepted
    assert heard[:3] == [b"ehlo mail.isp.example", b"mail FROM:<>", b"rcpt TO:<abuse@isp.example>"]
    assert not any(line.lower().startswith(b"data") for line in heard)


def test_a_mailbox_of_a_host_that_is_silent_or_private() -> None:
    with host(lambda visitor: time.sleep(0) or (visitor.recv(1) and None)) as port:
        probe = SmtpMailboxProbe(ZONES, "mail.isp.example", lambda _: True, port, seconds=0.2)
        assert probe(HOST, "abuse@isp.example").accepted is None
    assert "no public address" in SmtpMailboxProbe(ZONES, "mail.isp.example")(HOST, "abuse@isp.example").reply
