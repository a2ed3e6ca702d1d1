"""Contacts and networks that are published in the DNS as text, by reversed address.

Abusix' contact zone answers with mailboxes, separated by commas; Team Cymru's origin zones with
``ASN | prefix | country | registry | date``.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import NamedTuple

from outwarden.dns.contacts.contact import MalformedMailbox, read_mailbox
from outwarden.dns.targets import reversed_address

CONTACT_ZONE = "abuse-contacts.abusix.zone"
_MOST_EMAILS = 8
_GREATEST_AS = 2**32 - 1


class MalformedTextAnswer(ValueError):
    """The text is not in the form of its zone."""


class Origin(NamedTuple):
    """The AS that announces a prefix, and the registry of the prefix as ``arin``, ``ripencc``, ..."""

    as_number: int
    prefix: str
    registry: str


def contact_name(address: IPv4Address | IPv6Address) -> str:
    """Return the name of an address in the contact zone."""
    return f"{reversed_address(address)}.{CONTACT_ZONE}"


def read_contacts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the mailboxes of a contact zone's answer; a text without any raises ``MalformedTextAnswer``."""
    emails: dict[str, None] = {}
    for text in texts:
        found = list(_mailboxes(text.strip().strip('"').split(",", _MOST_EMAILS)[:_MOST_EMAILS]))
        if not found and text.strip():
            raise MalformedTextAnswer(f"no mailbox in {text[:80]!r}")
        emails |= dict.fromkeys(found)
    return tuple(emails)[:_MOST_EMAILS]


def _mailboxes(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        try:
            yield read_mailbox(part)
        except MalformedMailbox:
            continue


def origin_name(address: IPv4Address | IPv6Address) -> str:
    """Return the name of an address in the origin zones."""
    zone = "origin.asn.cymru.com" if isinstance(address, IPv4Address) else "origin6.asn.cymru.com"
    return f"{reversed_address(address)}.{zone}"


def read_origins(texts: Iterable[str]) -> tuple[Origin, ...]:
    """Return who announces an address, the smallest prefix first.  Raises ``MalformedTextAnswer``."""
    found = [(origin, length) for text in texts for origin, length in _origins(text)]
    return tuple(origin for origin, _ in sorted(found, key=lambda each: -each[1]))


def _origins(text: str) -> list[tuple[Origin, int]]:
    fields = [field.strip() for field in text.strip().strip('"').split("|", 5)]
    try:
        numbers, prefix, registry = fields[0].split(), ip_network(fields[1]), fields[3].lower()
    except (IndexError, ValueError):
        raise MalformedTextAnswer(f"{text[:80]!r} is not AS | prefix | country | registry | date") from None
    good = [int(each) for each in numbers[:4] if each.isascii() and each.isdigit() and len(each) <= 10]
    if not good or max(good) > _GREATEST_AS:
        raise MalformedTextAnswer(f"{text[:80]!r} names no AS")
    return [(Origin(number, str(prefix), registry), prefix.prefixlen) for number in good]
