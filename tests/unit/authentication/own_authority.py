"""Certificates of our own making: an authority, one below it, and what it signs for hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

Key = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
NOW = datetime.now(UTC).replace(microsecond=0)


class Holder(NamedTuple):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def pem(self, *above: Holder) -> bytes:
        """The chain as a server wants it, with the key."""
        chain = b"".join(each.certificate.public_bytes(Encoding.PEM) for each in (self, *above))
        return chain + self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def made(
    name: str,
    by: Holder | None = None,
    *,
    authority: bool = False,
    names: tuple[str, ...] = (),
    days: int = 30,
    key: Key | None = None,
) -> Holder:
    """A certificate that begins a year ago and ends in ``days``; its own authority unless ``by`` signs it."""
    key = key or generate_private_key(SECP256R1())
    signer = by.key if by else key
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        )
    return Holder(builder.sign(signer, None if isinstance(signer, Ed25519PrivateKey) else SHA256()), key)
