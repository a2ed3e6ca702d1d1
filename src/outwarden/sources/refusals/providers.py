"""Which service wrote a refusal, as far as its text shows."""

import re
from functools import cache

from outwarden.sources.refusals.needles import Needles
from outwarden.sources.refusals.rulebook import read_table
from outwarden.sources.refusals.services import HOST, services

# A link, a host after a dash or bracket as services sign their replies, or the greeting's name.
_SIGNATURE = re.compile(
    r"(?:https?://(?:www\.)?|[-(\[,] ?|\b(?:by|to|using) |^\W{0,3}(?:[45]\.\d\.\d{1,3} )?<?"
    r"|\b(?:postmaster|abuse|tosa|toda)@)"
    rf"({HOST})(?=[/\])?:>; ,.=]|$)(?!\.?\[)"
)
_MAILBOX = re.compile(r"@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4})")


@cache
def _marks() -> Needles[str]:
    table = read_table("providers.toml")
    return Needles((mark, service) for service, entry in table.items() for mark in entry["marks"])


def author(reply: str, service_of_speaker: str | None) -> str | None:
    """Return who wrote a reply (masked, lower-case), as its wording, a signature, a link or its speaker tells."""
    marked = _marks().found_in(reply)
    if marked:
        return marked[0][2]
    known = services()
    for host in _SIGNATURE.finditer(reply):
        service_of_host = known.of(host[1])
        if service_of_host is not None:
            return service_of_host
    return service_of_speaker


def keeper(reply: str) -> str | None:
    """Return who keeps the mailbox that a reply (masked, lower-case) names first."""
    mailbox = _MAILBOX.search(reply)
    return services().of(mailbox[1]) if mailbox else None
