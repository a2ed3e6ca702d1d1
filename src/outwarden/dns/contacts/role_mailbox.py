"""The mailbox abuse@ that every domain should have (RFC 2142 section 4), and on which of several names it is.

A host is called ``mx1.pool.isp.example``; its organisation takes mail at ``isp.example``.  The shortest name above the
host that takes mail is taken.  Known limit: under a suffix that takes mail itself, that suffix is taken.
"""

from collections.abc import Mapping

_MOST_NAMES = 8


def names_above(name: str) -> tuple[str, ...]:
    """Return the name and those above it, without the top-level domain, the shortest first."""
    labels = name.split(".")
    return tuple(".".join(labels[-count:]) for count in range(2, min(len(labels), _MOST_NAMES) + 1))


def organisation(name: str, exchangers: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the shortest name above ``name`` with mail exchangers (MX records as text); None where there is none.

    A domain whose only exchanger is the root takes no mail (RFC 7505 section 3).
    """
    for above in names_above(name):
        found = exchangers.get(above, ())
        if any(record.split(" ")[-1].strip(".") for record in found):
            return above
    return None


def abuse_mailbox(domain: str) -> str:
    """Return the domain's mailbox for abuse reports."""
    return f"abuse@{domain}"
