"""Whether a TLSA record fits the certificates that a mail exchanger shows (RFC 7671, RFC 7672 section 3.2).

Usage 3 names the host's own certificate or key, and asks for nothing else: not for a name, not for a date (RFC 7671
section 5.1).  Usage 2 names an authority above it, and then the whole way up must hold: each certificate signed by
the next, all of them in their time, the lowest for the name of the host (RFC 7671 section 5.2).

Not looked at: revocation, name constraints, and the purposes that an authority allows.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

_LENGTHS = {1: 32, 2: 64}  # Octets of SHA-256 and SHA-512, by matching type.
_HASHES: dict[int, Callable[[bytes], bytes]] = {
    0: lambda octets: octets,
    1: lambda octets: sha256(octets).digest(),
    2: lambda octets: sha512(octets).digest(),
}
_AUTHORITY = 2
_UNREADABLE = "cannot be compared: a certificate that the host shows cannot be read"
_SEQUENCE, _VERSION = 0x30, 0xA0
# In a TBSCertificate: serial number, signature, issuer, validity, subject; then the key (RFC 5280 section 4.1).
_BEFORE_KEY = 5


class Tlsa(NamedTuple):
    """A record that senders can use: usage 2 or 3, selector 0 or 1, matching type 0, 1 or 2."""

    usage: int
    selector: int
    matching: int
    association: bytes

    def __str__(self) -> str:
        """Return it as in a zone file, a long association cut."""
        shown = self.association.hex()
        return f"{self.usage} {self.selector} {self.matching} {shown[:16]}{'...' if len(shown) > 16 else ''}"


def read_tlsa(value: str) -> Tlsa | str:
    """Return the record ``"3 1 1 HEX"``, or why senders cannot use it."""
    parts = value.split(" ")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts[:3]):
        return "a TLSA record that cannot be read"
    usage, selector, matching = (int(part) for part in parts[:3])
    if usage not in {2, 3}:
        return f"usage {usage}, where SMTP knows 2 and 3 only"  # RFC 7672 section 3.1.3.
    if selector not in {0, 1}:
        return f"the unknown selector {selector}"
    if matching not in {0, 1, 2}:
        return f"the unknown matching type {matching}"
    octets, wanted = len(parts[3]) // 2, _LENGTHS.get(matching)
    if wanted and octets != wanted:
        return f"a hash of {octets} octets, where there must be {wanted}"
    try:
        return Tlsa(usage, selector, matching, bytes.fromhex(parts[3]))
    except ValueError:
        return "a TLSA record that cannot be read"


def misfit(record: Tlsa, chain: Sequence[bytes], names: Sequence[str], at: datetime) -> str | None:
    """Return why ``record`` does not fit, in words, or None where it does.

    ``chain`` holds certificates in DER, the host's own first; ``names`` are those that it may have: of the host, and
    of the domain whose mail it takes (RFC 7672 section 3.2.3).  ``at`` is now.
    """
    if record.usage == _AUTHORITY:
        try:
            return _misfit_of_authority(record, chain, names, at)
        except ValueError:
            # Parts of a certificate are read only when they are looked at.
            return _UNREADABLE
    what = "key" if record.selector else "certificate"
    return None if chain and _is_named(record, chain[0]) else f"is not of the {what} that it shows"


def advised_tlsa(chain: Sequence[bytes]) -> str | None:
    """Return the record that fits what the host shows: usage 3, its key, SHA-256 (RFC 7671 section 5.1)."""
    key = public_key(chain[0]) if chain else None
    return None if key is None else f"3 1 1 {sha256(key).hexdigest()}"


def public_key(certificate: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo of a certificate, octet by octet as it stands there; None in what is none."""
    outer = next(_parts(certificate), None)
    signed = next(_parts(outer[1]), None) if outer and outer[0] == _SEQUENCE else None
    if signed is None or signed[0] != _SEQUENCE:
        return None
    fields = [whole for tag, _, whole in _parts(signed[1]) if tag != _VERSION]
    return fields[_BEFORE_KEY] if len(fields) > _BEFORE_KEY else None


def _is_named(record: Tlsa, certificate: bytes) -> bool:
    octets = public_key(certificate) if record.selector else certificate
    return octets is not None and _HASHES[record.matching](octets) == record.association


def _parts(octets: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield tag, content and the whole of each element, until one does not fit (X.690 section 8.1)."""
    place = 0
    while place + 2 <= len(octets):
        tag, length, begin = octets[place], octets[place + 1], place + 2
        if length > 0x80:
            begin += length - 0x80
            length = int.from_bytes(octets[place + 2 : begin])
        end = begin + length
        if end > len(octets):
            return
        yield tag, octets[begin:end], octets[place:end]
        place = end


def _misfit_of_authority(record: Tlsa, chain: Sequence[bytes], names: Sequence[str], at: datetime) -> str | None:
    shown = [certificate for octets in chain if (certificate := _loaded(octets)) is not None]
    if not shown or len(shown) < len(chain):
        return _UNREADABLE
    own, *above = shown
    # RFC 7671 section 5.2.2: only an authority that stands in the record as a whole may be missing in what is shown.
    if (record.selector, record.matching) == (0, 0) and (whole := _loaded(record.association)) is not None:
        above.append(whole)
    authorities = _authorities(own, above, at)
    named = any(_is_named(record, each.public_bytes(Encoding.DER)) for each in authorities)
    if not named and not _key_has_signed(record, [own, *authorities]):
        return "is of no authority that has signed what it shows, in its time"
    if not _in_time(own, at):
        return "is of its authority, but its certificate is out of date"
    if not any(_is_for(own, name) for name in names):
        return f"is of its authority, but its certificate is not for {' or '.join(names)}"
    return None


def _authorities(own: x509.Certificate, above: Sequence[x509.Certificate], at: datetime) -> list[x509.Certificate]:
    """Return the certificates above ``own``, each of which has signed one below it."""
    reached = [own]
    for below in reached:
        found = [each for each in above if each not in reached and _in_time(each, at) and _has_signed(each, below)]
        reached.extend(dict.fromkeys(found))
    return reached[1:]


def _has_signed(authority: x509.Certificate, below: x509.Certificate) -> bool:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        below.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return constraints.ca


def _key_has_signed(record: Tlsa, certificates: Sequence[x509.Certificate]) -> bool:
    """Whether the key that stands in the record as a whole has signed one of them (RFC 7671 section 5.2.3)."""
    if (record.selector, record.matching) != (1, 0):
        return False
    try:
        key = load_der_public_key(record.association)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return any(_verifies(key, each) for each in certificates)


def _verifies(key: PublicKeyTypes, certificate: x509.Certificate) -> bool:
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    try:
        how, digest = certificate.signature_algorithm_parameters, certificate.signature_hash_algorithm
        if isinstance(key, RSAPublicKey) and isinstance(how, PKCS1v15 | PSS) and digest is not None:
            key.verify(signature, signed, how, digest)
        elif isinstance(key, EllipticCurvePublicKey) and isinstance(how, ECDSA):
            key.verify(signature, signed, how)
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _in_time(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at.astimezone(UTC) <= certificate.not_valid_after_utc


def _is_for(certificate: x509.Certificate, name: str) -> bool:
    """RFC 7672 section 3.2.3: the names of the subject, or where there is none its common name; `*` is one label."""
    wildcard = "*." + name.partition(".")[2]
    return any(each.lower() in (name, wildcard) for each in _names(certificate))


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = named.get_values_for_type(x509.DNSName)
    except (ValueError, x509.ExtensionNotFound, UnsupportedAlgorithm):
        found = []
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return found or [str(each.value) for each in common]


def _loaded(octets: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
