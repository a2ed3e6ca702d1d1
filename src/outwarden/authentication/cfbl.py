"""CFBL-Address: the header field that says where complaints about a message may go (RFC 9477, experimental)."""

import re

from outwarden.authentication.dkim import MalformedSignature, read_signature
from outwarden.authentication.dkim_canonical import Message
from outwarden.authentication.dkim_checks import author_domain
from outwarden.authentication.domain_names import is_within
from outwarden.authentication.report import Check, failed, passed, warned

_ADDRESS = re.compile(r"<?([^\s<>@;]{1,64})@([A-Za-z0-9.-]{1,253})>?(?:\s*;\s*report\s*=\s*(arf|xarf))?", re.IGNORECASE)
_LONGEST = 998  # Characters of a header line, RFC 5322 section 2.1.1.


def check_cfbl(message: Message) -> Check:
    """Check the field of one of our own messages: there once, readable, signed, and for its own domain."""
    author = author_domain(message) or "example.com"
    advice = f"CFBL-Address: fbl@{author}; report=arf"
    fields = [field for field in message.fields if field.name == "cfbl-address"]
    if not fields:
        return warned("cfbl-address", "the message has no CFBL-Address; to be added to bulk mail and signed", advice)
    if len(fields) > 1:
        return failed("cfbl-address", f"the message has {len(fields)} CFBL-Address fields; there must be one", advice)
    value = fields[0].body.decode("utf-8", "replace").strip()
    found = _ADDRESS.fullmatch(value) if len(value) <= _LONGEST else None
    if not found:
        return failed("cfbl-address", "the CFBL-Address cannot be read", advice)
    return _check_signed(message, found[2].lower().removesuffix("."), author, value)


def _check_signed(message: Message, domain: str, author: str, value: str) -> Check:
    """RFC 9477 section 3.1: a signature of its domain, or of From:'s own, covers the field."""
    if not is_within(domain, author) and not is_within(author, domain) and not _covered(message, domain):
        return failed("cfbl-address", f"{domain} is not the domain of From:, and no signature of {domain} covers it")
    if not (_covered(message, author) or _covered(message, domain)):
        return failed("cfbl-address", 'no signature covers the field: add "cfbl-address" to what is signed')
    return passed("cfbl-address", value)


def _covered(message: Message, domain: str) -> bool:
    for field in message.fields:
        if field.name != "dkim-signature":
            continue
        try:
            signature = read_signature(field)
        except MalformedSignature:
            continue
        related = is_within(domain, signature.domain) or is_within(signature.domain, domain)
        if related and "cfbl-address" in signature.names:
            return True
    return False
