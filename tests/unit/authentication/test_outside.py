"""What connects to somebody else's host: for a policy, a mailbox, a certificate; all on loopback."""

import contextlib
import datetime
import hashlib
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
from outwarden.authentication.certificate_probe import StartTlsProbe
from outwarden.authentication.domain_checks import Own, Reaching, check_domain
from outwarden.authentication.mailbox_probe import SmtpMailboxProbe
from outwarden.authentication.mta_sts import LONGEST_POLICY, PolicyText
from outwarden.authentication.policy_fetch import HttpsPolicyFetcher
from outwarden.dns.public_addresses import is_public

sys.path.insert(0, str(Path(__file__).parent))
from loopback_dns import closed_port
from own_authority import Holder, made
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


# -- certificates ---------------------------------------------------------------------------------

MX = "mx.isp.example"
AUTHORITY = made("Our authority", authority=True)
MX_CERTIFICATE = made("mx", AUTHORITY, names=(MX,))


def shows(folder: Path, *chain: Holder, named: list[str] | None = None) -> Callable[[socket.socket], None]:
    """A mail exchanger that offers STARTTLS and shows these certificates; ``named`` gets the names it was asked by."""
    file = folder / "chain.pem"
    file.write_bytes(chain[0].pem(*chain[1:]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _connection, name, _context: (named if named is not None else []).append(name)

    def talk(visitor: socket.socket) -> None:
        visitor.sendall(b"220-mx.isp.example\r\n220 ESMTP\r\n")
        assert visitor.recv(100) == b"EHLO mail.isp.example\r\n"
        visitor.sendall(b"250-mx.isp.example\r\n250-PIPELINING\r\n250-starttls\r\n")
        visitor.sendall(b"250 8BITMIME\r\n")
        assert visitor.recv(100) == b"STARTTLS\r\n"
        visitor.sendall(b"220 2.0.0 go ahead\r\n")
        with context.wrap_socket(visitor, server_side=True) as connection:
            assert connection.recv(100) in (b"QUIT\r\n", b"")

    return talk


def certificate_probe(port: int, seconds: float = 2) -> StartTlsProbe:
    zones = Zones({MX: {RecordType.A: ["127.0.0.1"]}})
    return StartTlsProbe(zones, "mail.isp.example", lambda _: True, port, seconds)


def test_all_certificates_are_seen_whoever_signed_them(tmp_path: Path) -> None:
    named: list[str] = []
    with host(shows(tmp_path, MX_CERTIFICATE, AUTHORITY, named=named)) as port:
        shown = certificate_probe(port)(MX)
    assert shown.chain == (MX_CERTIFICATE.der, AUTHORITY.der)
    assert (shown.fault, named) == (None, [MX])


@pytest.mark.parametrize("usage", [3, 2])
@pytest.mark.parametrize("fits", [True, False])
def test_a_domain_is_judged_by_the_certificate_of_its_mail_exchanger(tmp_path: Path, usage: int, fits: bool) -> None:
    holder = (MX_CERTIFICATE if usage == 3 else AUTHORITY) if fits else made("another", authority=True)
    tlsa = f"{usage} 1 1 {hashlib.sha256(holder.spki).hexdigest()}"
    table = {
        "isp.example": {RecordType.MX: [f"10 {MX}"]},
        MX: {RecordType.A: ["127.0.0.1"]},
        f"_25._tcp.{MX}": {RecordType.TLSA: [tlsa]},
    }
    with host(shows(tmp_path, MX_CERTIFICATE, AUTHORITY)) as port:
        reaching = Reaching(certificates=certificate_probe(port))
        report = check_domain("isp.example", Own(), Zones(table, secure=True), reaching, int(time.time()))
    (check,) = [check for check in report.checks if check.name == "dane-certificate"]
    assert check.state == ("pass" if fits else "fail"), check.text
    advised = f"_25._tcp.{MX}. IN TLSA 3 1 1 {hashlib.sha256(MX_CERTIFICATE.spki).hexdigest()}"
    assert check.record_to_publish == (None if fits else advised)


# Name, what it says and waits for in turn, is that a refusal, words.
NO_CERTIFICATES = [
    (
        "no STARTTLS",
        [b"220 mx\r\n", b"250-mx\r\n250 SIZE\r\n"],
        True,
        "offers no TLS: it answers EHLO with 250, and STARTTLS",
    ),
    ("no EHLO", [b"220 mx\r\n", b"502 what\r\n"], True, "it answers EHLO with 502"),
    ("STARTTLS refused", [b"220 mx\r\n", b"250 STARTTLS\r\n", b"454 later\r\n"], True, "it answers STARTTLS with 454"),
    ("not in service", [b"421 busy\r\n"], False, "it greets with 421"),
    (
        "no TLS after all",
        [b"220 mx\r\n", b"250 STARTTLS\r\n", b"220 go\r\n", b"hello\r\n"],
        False,
        "could not be asked",
    ),
    ("silent", [b""], False, "did not answer in time"),
    ("no SMTP", [b"x" * 40_000], False, "what it says is no SMTP reply"),
    ("cut off", [b"220-mx\r\n"], False, "what it says is no SMTP reply"),
]


@pytest.mark.parametrize(
    ("says", "refused", "words"), [case[1:] for case in NO_CERTIFICATES], ids=[case[0] for case in NO_CERTIFICATES]
)
def test_no_certificate(says: list[bytes], refused: bool, words: str) -> None:
    def talk(visitor: socket.socket) -> None:
        for each in says:
            visitor.sendall(each)
            if not each.startswith(b"220-"):
                visitor.recv(4096)

    with host(talk) as port:
        shown = certificate_probe(port, seconds=0.4)(MX)
    assert (shown.chain, shown.refused) == ((), refused)
    assert words in (shown.fault or "")


def test_a_host_that_dribbles_is_left_in_time() -> None:
    def talk(visitor: socket.socket) -> None:
        visitor.settimeout(0.05)
        for _ in range(100):
            visitor.sendall(b"220-x\r\n")
            with contextlib.suppress(TimeoutError):
                if not visitor.recv(1):
                    return

    started = time.monotonic()
    with host(talk) as port:
        assert "in time" in (certificate_probe(port, seconds=0.5)(MX).fault or "")
    assert time.monotonic() - started < 3


def test_no_private_address_is_asked_for_a_certificate() -> None:
    zones = Zones({MX: {RecordType.A: ["127.0.0.1", "10.0.0.1"], RecordType.AAAA: ["::ffff:127.0.0.1"]}})
    assert StartTlsProbe(zones, "mail.isp.example")(MX).fault == f"{MX} has no public address, only 127.0.0.1"


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "mx..example", ""])
def test_a_name_that_no_certificate_can_be_for(name: str) -> None:
    zones = Zones({name: {RecordType.A: ["127.0.0.1"]}})
    shown = StartTlsProbe(zones, "mail.isp.example", lambda _: True, closed_port(), 2)(name)
    assert shown.fault == f"{name} is no host name"
