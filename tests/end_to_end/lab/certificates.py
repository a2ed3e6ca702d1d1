"""A certificate for the loopback, and the authority that vouches for it."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """``certificate`` and ``key`` for a server, ``authority`` for whoever checks it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.authority, self.certificate, self.key = folder / "authority", folder / "certificate", folder / "key"
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _name("Authority of isp.example")
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        vouching = _certificate(authority, authority, authority_key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        vouching = vouching.add_extension(usage, critical=True)
        loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        server = _certificate(_name("localhost"), authority, key).add_extension(
            x509.SubjectAlternativeName(loopback), critical=False
        )
        for file, made in ((self.authority, vouching), (self.certificate, server)):
            signed = made.sign(authority_key, hashes.SHA256())
            file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.key.chmod(0o600)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
