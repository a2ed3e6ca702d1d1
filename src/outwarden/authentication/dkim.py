"""DKIM: are the signatures of a message good?  RFC 6376, with the keys of RFC 8463.

``TODAY`` is how receivers judge since RFC 8301; ``OLD_MAIL`` also reads what was signed before it, and by
the drafts before RFC 4871, so that an archive can be verified.
"""

import base64
import binascii
import hashlib
import re
from enum import StrEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.dkim_canonical import (
    Field,
    Message,
    canonical_body,
    canonical_field,
    signed_fields,
    without_signature,
)
from outwarden.authentication.dkim_keys import LEAST_RSA_BITS, DkimKey, MalformedKey, parse_key
from outwarden.authentication.domain_names import can_be_asked, is_within
from outwarden.authentication.tag_lists import MalformedTags, parse_tags, without_white_space, words

MOST_SIGNATURES = 20
"""Signatures of one message that are looked at; a message with more wants to cost time."""

_ALGORITHMS = {"rsa-sha1": ("rsa", "sha1"), "rsa-sha256": ("rsa", "sha256"), "ed25519-sha256": ("ed25519", "sha256")}
_REQUIRED = ("a", "b", "bh", "d", "h", "s")
_NUMBER = re.compile(r"[0-9]{1,12}")
_MOST_LENGTH = 76  # Digits of l= that RFC 6376 section 3.5 allows.
_HEX = re.compile(r"=([0-9A-F]{2})")


class DkimResult(StrEnum):
    """What can be said of one signature (RFC 8601 section 2.7.1)."""

    PASS = "pass"  # noqa: S105 (a result, no password)
    FAIL = "fail"
    INVALID = "invalid"
    """Nothing can be verified: the signature or its key is broken, revoked or missing ("permerror")."""
    COULD_NOT_ASK = "could-not-ask"
    """The key could not be asked for ("temperror")."""


class DkimRules(NamedTuple):
    """What a good signature must be made of."""

    least_rsa_bits: int
    hashes: frozenset[str]
    versions: frozenset[str]
    """Of ``v=``; empty where the tag may be missing."""


TODAY = DkimRules(LEAST_RSA_BITS, frozenset({"sha256"}), frozenset({"1"}))
OLD_MAIL = DkimRules(0, frozenset({"sha1", "sha256"}), frozenset({"1", "0.5", ""}))


class MalformedSignature(ValueError):
    """A DKIM-Signature field that cannot be verified, whatever the key."""


class Signature(NamedTuple):
    """One DKIM-Signature field, read."""

    field: Field
    kind: str
    hash_name: str
    domain: str
    selector: str
    identity_domain: str
    names: tuple[str, ...]
    signature: bytes
    body_hash: bytes
    relaxed_header: bool
    relaxed_body: bool
    length: int | None
    expires_at: int | None

    @property
    def key_name(self) -> str:
        """Where the key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


class DkimVerdict(NamedTuple):
    """What became of one signature; ``domain`` and ``selector`` are empty where it could not be read."""

    result: DkimResult
    because: str
    domain: str = ""
    selector: str = ""
    testing: bool = False
    weaknesses: tuple[str, ...] = ()


def verify_dkim(message: Message, records: RecordSource, at: int, rules: DkimRules = TODAY) -> list[DkimVerdict]:
    """Return a verdict for each signature, as they stand in the message; ``at`` is now, in seconds UTC."""
    fields = [field for field in message.fields if field.name == "dkim-signature"][:MOST_SIGNATURES]
    return [_verdict(field, message, records, at, rules) for field in fields]


def selectors(message: Message) -> list[tuple[str, str]]:
    """Return each (domain, selector) with which the message is signed, as far as they can be read."""
    found: list[tuple[str, str]] = []
    for field in message.fields:
        if field.name == "dkim-signature" and len(found) < MOST_SIGNATURES:
            try:
                signature = read_signature(field)
            except MalformedSignature:
                continue
            found.append((signature.domain, signature.selector))
    return found


def read_signature(field: Field, rules: DkimRules = TODAY) -> Signature:
    """Return what a DKIM-Signature field says.  Raises MalformedSignature (RFC 6376 sections 3.5 and 6.1.1)."""
    try:
        tags = parse_tags(field.body.decode("utf-8", "surrogateescape"))
    except MalformedTags as fault:
        raise MalformedSignature(str(fault)) from None
    if missing := [tag for tag in _REQUIRED if not tags.get(tag)]:
        raise MalformedSignature(f'has no "{missing[0]}="')
    if tags.get("v", "") not in rules.versions:
        raise MalformedSignature('is of another version than "v=1"')
    if tags["a"].lower() not in _ALGORITHMS:
        raise MalformedSignature(f'is of the unknown kind "a={tags["a"][:40]}"')
    if "dns/txt" not in words(tags.get("q", "dns/txt").lower()):
        raise MalformedSignature(f'asks for its key another way than by DNS: "q={tags["q"][:40]}"')
    names = tuple(name.lower() for name in words(tags["h"]))
    if "from" not in names:
        raise MalformedSignature('does not sign "From:"')
    domain = tags["d"].lower().removesuffix(".")
    selector = tags["s"].lower()
    if not can_be_asked(f"{selector}._domainkey.{domain}"):
        raise MalformedSignature("names a key that no DNS name can stand for")
    kind, hash_name = _ALGORITHMS[tags["a"].lower()]
    relaxed_header, relaxed_body = _canonical_forms(tags.get("c", "simple/simple"))
    return Signature(
        field,
        kind,
        hash_name,
        domain,
        selector,
        _identity_domain(tags.get("i", f"@{domain}"), domain),
        names,
        _base64(tags["b"], "b"),
        _base64(tags["bh"], "bh"),
        relaxed_header,
        relaxed_body,
        _number(tags, "l"),
        _expiry(tags),
    )


def _canonical_forms(text: str) -> tuple[bool, bool]:
    header, _, body = text.lower().partition("/")
    if not {header, body or "simple"} <= {"simple", "relaxed"}:
        raise MalformedSignature(f'has the unknown canonical form "c={text[:40]}"')
    return header == "relaxed", body == "relaxed"


def _identity_domain(identity: str, domain: str) -> str:
    """Return the domain of ``i=``, which may be quoted and must lie within ``d=``."""
    decoded = _HEX.sub(lambda found: chr(int(found[1], 16)), without_white_space(identity))
    _, at, found = decoded.rpartition("@")
    found = found.lower().removesuffix(".")
    if not at or not is_within(found, domain):
        raise MalformedSignature(f'signs for "i={identity[:80]}", which is not within "d={domain}"')
    return found


def _expiry(tags: dict[str, str]) -> int | None:
    signed_at, expires_at = _number(tags, "t"), _number(tags, "x")
    if signed_at is not None and expires_at is not None and expires_at < signed_at:
        raise MalformedSignature("expires before it was made")
    return expires_at


def _number(tags: dict[str, str], tag: str) -> int | None:
    if tag not in tags:
        return None
    value = tags[tag]
    if len(value) > _MOST_LENGTH or not (value.isascii() and value.isdigit()):
        raise MalformedSignature(f'has "{tag}=", which is no number')
    return int(value)


def _base64(value: str, tag: str) -> bytes:
    try:
        return base64.b64decode(without_white_space(value), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedSignature(f'has "{tag}=", which is no base64') from None


def _verdict(field: Field, message: Message, records: RecordSource, at: int, rules: DkimRules) -> DkimVerdict:
    try:
        signature = read_signature(field, rules)
    except MalformedSignature as fault:
        return DkimVerdict(DkimResult.INVALID, f"the signature {fault}")
    verdict = _judge(signature, message, records, at, rules)
    return verdict._replace(domain=signature.domain, selector=signature.selector)


def _judge(signature: Signature, message: Message, records: RecordSource, at: int, rules: DkimRules) -> DkimVerdict:
    if signature.expires_at is not None and at > signature.expires_at:
        return DkimVerdict(DkimResult.INVALID, "the signature has expired")
    if signature.hash_name not in rules.hashes:
        return DkimVerdict(DkimResult.INVALID, "the signature is made with SHA-1, which RFC 8301 forbids")
    found = fetch_key(signature.key_name, records)
    if isinstance(found, DkimVerdict):
        return found
    if fault := _key_fault(found, signature, rules):
        return DkimVerdict(DkimResult.INVALID, fault, testing=found.testing)
    fault = _body_fault(signature, message) or _signature_fault(signature, message, found)
    weaknesses = () if signature.length is None else ('"l=" lets anybody add to the end of the message',)
    if fault:
        return DkimVerdict(DkimResult.FAIL, fault, testing=found.testing, weaknesses=weaknesses)
    return DkimVerdict(DkimResult.PASS, "the signature is good", testing=found.testing, weaknesses=weaknesses)


def fetch_key(name: str, records: RecordSource) -> DkimKey | DkimVerdict:
    """Return the key that is published at ``name``, or why there is none."""
    answer = records.ask(name, RecordType.TXT)
    if answer.failure is not None:
        return DkimVerdict(DkimResult.COULD_NOT_ASK, f"could not ask for the key {name}: {answer.failure}")
    if not answer.values:
        return DkimVerdict(DkimResult.INVALID, f"there is no key at {name}")
    try:
        return parse_key(answer.values[0])
    except MalformedKey as fault:
        return DkimVerdict(DkimResult.INVALID, f"the key {name} {fault}")


def _key_fault(key: DkimKey, signature: Signature, rules: DkimRules) -> str | None:
    """Return why this key must not verify this signature (RFC 6376 section 6.1.2)."""
    if key.public_key is None:
        return "the key is revoked"
    if key.kind != signature.kind:
        return f"the key is of kind {key.kind}, the signature of {signature.kind}"
    if not key.allows_hash(signature.hash_name):
        return f"the key does not allow {signature.hash_name}"
    if not key.for_mail:
        return "the key is not for mail"
    if key.strict and signature.identity_domain != signature.domain:
        return 'the key has "t=s", and "i=" names another domain than "d="'
    if key.kind == "rsa" and key.bits < rules.least_rsa_bits:
        return f"the key has {key.bits} bits; receivers want at least {rules.least_rsa_bits}"
    return None


def _body_fault(signature: Signature, message: Message) -> str | None:
    body = canonical_body(message.body, signature.relaxed_body)
    if signature.length is not None:
        if signature.length > len(body):
            return "the body is shorter than what was signed"
        body = body[: signature.length]
    if hashlib.new(signature.hash_name, body, usedforsecurity=False).digest() != signature.body_hash:
        return "the body was changed after signing"
    return None


def _signature_fault(signature: Signature, message: Message, key: DkimKey) -> str | None:
    fields = signed_fields(message, signature.names)
    signed = b"".join(canonical_field(field, signature.relaxed_header) + b"\r\n" for field in fields)
    signed += canonical_field(without_signature(signature.field), signature.relaxed_header)
    try:
        if isinstance(key.public_key, Ed25519PublicKey):
            # RFC 8463 section 3: the hash is signed, not the text.
            key.public_key.verify(signature.signature, hashlib.sha256(signed).digest())
        elif key.public_key is not None:
            algorithm = SHA1() if signature.hash_name == "sha1" else SHA256()  # noqa: S303 (old mail only)
            key.public_key.verify(signature.signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return "a signed header field was changed after signing, or the key is not the one that signed"
    return None
