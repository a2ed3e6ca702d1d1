"""Mailboxes and domains: text from outside, brought once into the form the house uses.

Local parts keep their case (RFC 5321 section 2.4: only the receiving host may interpret
them); domains are lower-cased (RFC 4343), so that ``Rosa@ISP.example`` and
``Rosa@isp.example`` are one account.
"""

from typing import NewType

Domain = NewType("Domain", str)
Mailbox = NewType("Mailbox", str)

NULL_SENDER = Mailbox("<>")


def mailbox(text: str) -> Mailbox:
    """Return ``text`` as a mailbox: angle brackets off, domain lower-cased, ``<>`` when empty."""
    bare = text.strip()
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1]
    if not bare:
        return NULL_SENDER
    local, at, domain = bare.rpartition("@")
    return Mailbox(local + at + domain.lower()) if at else Mailbox(bare)


def domain_of(address: str) -> Domain:
    """Return the domain of a mailbox, lower-cased; empty where it has none."""
    return Domain(address.rpartition("@")[2].lower()) if "@" in address else Domain("")
