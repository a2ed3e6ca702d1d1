"""A mailbox that takes abuse reports, where we have it from, and the order in which such mailboxes are written to."""

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from outwarden.dns.targets import UnusableTarget, read_domain

# RFC 5322 section 3.2.3: what a local part without quotes is made of.  Nothing in it can end a header line.
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_LONGEST = 254


class ContactSource(StrEnum):
    """Who says that a mailbox answers for the target, the most trusted first."""

    OWN_TABLE = "own-table"
    RDAP = "rdap"
    CONTACT_ZONE = "contact-zone"
    AS = "as"
    ROLE_MAILBOX = "role-mailbox"


class Contact(msgspec.Struct, frozen=True):
    """``answers_for`` is the network, AS or domain of which the source says it; ``bounces``: the site found it dead."""

    email: str
    source: ContactSource
    answers_for: str
    bounces: bool = False


class MalformedMailbox(ValueError):
    """The text is no mailbox that a report could be sent to."""


def read_mailbox(text: str) -> str:
    """Return a mailbox, its domain in lower-case A-labels; raises ``MalformedMailbox``.

    Quoted local parts and those beyond ASCII are refused: no abuse desk has one, and a forger may.
    """
    local, at, domain = text.strip().removeprefix("mailto:").rpartition("@")
    if not at or len(text) > _LONGEST or not _LOCAL_PART.fullmatch(local):
        raise MalformedMailbox(f"{text[:80]!r} is no mailbox")
    try:
        return f"{local}@{read_domain(domain)}"
    except UnusableTarget:
        raise MalformedMailbox(f"{text[:80]!r} is no mailbox") from None


def in_order(contacts: Iterable[Contact], bounced: frozenset[str]) -> tuple[Contact, ...]:
    """Return each mailbox once, at its best place; those in ``bounced`` (lower case) last, and marked.

    The first that does not bounce is written to; when it bounces, the next.
    """
    once: dict[str, Contact] = {}
    for contact in contacts:
        once.setdefault(contact.email.lower(), contact)
    alive = tuple(contact for email, contact in once.items() if email not in bounced)
    dead = (contact for email, contact in once.items() if email in bounced)
    return alive + tuple(msgspec.structs.replace(contact, bounces=True) for contact in dead)
