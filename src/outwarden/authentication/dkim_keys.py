"""DKIM key records: what a selector publishes (RFC 6376 section 3.6.1, RFC 8463 section 4).

The removed tag ``g=`` of older records is ignored, as RFC 6376 section 3.6.1 has it for unknown tags.
"""

import base64
import binascii
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from outwarden.authentication.tag_lists import MalformedTags, parse_tags, without_white_space, words

LEAST_RSA_BITS = 1024
"""Shorter keys must not be believed (RFC 8301 section 3.2)."""
ADVISED_RSA_BITS = 2048
"""What signers should use (same section)."""
MOST_RSA_BITS = 16_384
"""A longer key is nobody's, and costs whoever verifies with it."""

PublicKey = RSAPublicKey | Ed25519PublicKey


class MalformedKey(ValueError):
    """The record is no DKIM key: no signature can be verified with it."""


class DkimKey(NamedTuple):
    """One key record.

    ``public_key`` is None for a revoked key.  ``hashes`` and ``services`` are empty where the record
    does not restrict them.  ``strict`` (``t=s``): ``i=`` must name the very domain of ``d=``.
    """

    kind: str
    public_key: PublicKey | None
    bits: int = 0
    testing: bool = False
    strict: bool = False
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def revoked(self) -> bool:
        """Whether the record says that its key is no longer good."""
        return self.public_key is None

    def allows_hash(self, name: str) -> bool:
        """Return whether signatures with this hash may be verified with the key."""
        return not self.hashes or name in self.hashes

    @property
    def for_mail(self) -> bool:
        """Whether the key may sign mail."""
        return not self.services or not {"*", "email"}.isdisjoint(self.services)


def parse_key(text: str) -> DkimKey:
    """Return the key of a TXT record.  Raises MalformedKey."""
    try:
        tags = parse_tags(text)
    except MalformedTags as fault:
        raise MalformedKey(str(fault)) from None
    if tags.get("v", "DKIM1") != "DKIM1":
        raise MalformedKey(f'has "v={tags["v"][:40]}" where "v=DKIM1" is meant')
    if "v" in tags and next(iter(tags)) != "v":
        raise MalformedKey('has "v=DKIM1" after other tags; it must come first')
    if "p" not in tags:
        raise MalformedKey('has no "p=", the key itself')
    kind = tags.get("k", "rsa")
    flags = words(tags.get("t", ""))
    public_key, bits = _public_key(kind, without_white_space(tags["p"]))
    return DkimKey(
        kind,
        public_key,
        bits,
        "y" in flags,
        "s" in flags,
        words(tags["h"]) if "h" in tags else (),
        words(tags["s"]) if "s" in tags else (),
    )


def _public_key(kind: str, encoded: str) -> tuple[PublicKey | None, int]:
    if kind not in {"rsa", "ed25519"}:
        raise MalformedKey(f'has the unknown kind of key "k={kind[:40]}"')
    if not encoded:
        return None, 0  # RFC 6376 section 3.6.1: an empty "p=" revokes.
    try:
        der = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedKey('has a "p=" that is no base64; often a piece was lost in copying') from None
    return _ed25519(der) if kind == "ed25519" else _rsa(der)


def _ed25519(raw: bytes) -> tuple[Ed25519PublicKey, int]:
    try:
        return Ed25519PublicKey.from_public_bytes(raw), 256
    except ValueError:
        raise MalformedKey(f"has {len(raw)} bytes of key; an Ed25519 key is its 32 bytes alone") from None


def _rsa(der: bytes) -> tuple[RSAPublicKey, int]:
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise MalformedKey('has a "p=" that holds no RSA key; often a piece was lost in copying') from None
    if not isinstance(key, RSAPublicKey):
        raise MalformedKey('says "k=rsa" and holds another kind of key')
    if key.key_size > MOST_RSA_BITS:
        raise MalformedKey(f"has an RSA key of {key.key_size} bits")
    return key, key.key_size
