"""What a registry's RDAP answer says (RFC 9083): which network, AS or domain it is about, and who takes reports.

Entities are walked level by level, so that a contact of the object itself comes before one of its holder.  An entity
counts when ``abuse`` is among its roles; a mailbox whose jCard type (RFC 7095) is ``abuse`` counts in any entity,
against the standard: RIPE's server writes it so and strips all other mailboxes.  Entities that are only named, not
contained, are not asked for: registries count such queries against a daily limit.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, summarize_address_range
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from outwarden.dns.contacts.contact import MalformedMailbox, read_mailbox

LONGEST_ANSWER = 1_000_000
_MOST_ENTITIES = 256
_DEEPEST = 8
_MOST_EMAILS = 8
_LONGEST_NAME = 120


class MalformedRdap(ValueError):
    """The answer is no RDAP object."""


class Registration(NamedTuple):
    """``what`` is a network, ``AS64500`` or a domain; ``emails`` take abuse reports; ``parent`` is the URL above."""

    what: str
    emails: tuple[str, ...]
    first: IPv4Address | IPv6Address | None = None
    last: IPv4Address | IPv6Address | None = None
    parent: str | None = None

    def holds(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether the address is in the network; True where the answer does not say its bounds."""
        if self.first is None or self.last is None:
            return True
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)


def read_rdap(answer: bytes) -> Registration:
    """Read an IP network, AS or domain object.  Raises ``MalformedRdap`` for anything else."""
    if len(answer) > LONGEST_ANSWER:
        raise MalformedRdap(f"the answer has more than {LONGEST_ANSWER} bytes")
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise MalformedRdap(f"no JSON: {fault}") from None
    if not isinstance(found, dict):
        raise MalformedRdap("no JSON object")
    kind = found.get("objectClassName")
    if kind not in ("ip network", "autnum", "domain"):
        said = found.get("title") or kind
        raise MalformedRdap(f"no network, AS or domain but {str(said)[:_LONGEST_NAME]!r}")
    first, last = _bound(found, "startAddress"), _bound(found, "endAddress")
    if first is None or last is None or first.version != last.version or int(first) > int(last):
        first = last = None
    emails = tuple(dict.fromkeys(_abuse_mailboxes(found)))[:_MOST_EMAILS]
    return Registration(_what(found, first, last), emails, first, last, _parent(found))


def _bound(found: dict[str, Any], key: str) -> IPv4Address | IPv6Address | None:
    value = found.get(key)
    try:
        return ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _what(
    found: dict[str, Any], first: IPv4Address | IPv6Address | None, last: IPv4Address | IPv6Address | None
) -> str:
    if first is not None and last is not None:
        networks = list(summarize_address_range(first, last))
        return str(networks[0]) if len(networks) == 1 else f"{first} - {last}"
    number = found.get("startAutnum")
    if isinstance(number, int) and not isinstance(number, bool):
        return f"AS{number}"
    named = (found.get(key) for key in ("ldhName", "handle", "name"))
    return next((name[:_LONGEST_NAME].lower() for name in named if isinstance(name, str) and name), "?")


def _abuse_mailboxes(found: dict[str, Any]) -> Iterator[str]:
    level = _list(found.get("entities"))
    seen = 0
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for entity in level:
            seen += 1
            if seen > _MOST_ENTITIES:
                return
            if isinstance(entity, dict):
                yield from _of_entity(entity)
                below += _list(entity.get("entities"))
        level = below


def _of_entity(entity: dict[str, Any]) -> Iterator[str]:
    in_charge = "abuse" in _words(entity.get("roles"))
    card = _list(entity.get("vcardArray"))
    for line in _list(card[1]) if len(card) > 1 else ():
        # RFC 7095 section 3.3: name, parameters, type, value.
        match line:
            case [str() as name, parameters, _, *values] if name.lower() == "email":
                types = _words(parameters.get("type")) if isinstance(parameters, dict) else []
                if in_charge or "abuse" in types:
                    yield from _readable(values)


def _readable(values: list[Any]) -> Iterator[str]:
    for value in values:
        for text in _list(value) or [value]:
            if isinstance(text, str):
                try:
                    yield read_mailbox(text)
                except MalformedMailbox:
                    continue


def _words(value: object) -> list[str]:
    """Return words in lower case; one alone is as good as a list of one."""
    return [word.lower() for word in (_list(value) or [value]) if isinstance(word, str)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _parent(found: dict[str, Any]) -> str | None:
    """Return the link to the network above (RFC 9083 section 4.2, relation ``up``)."""
    for link in _list(found.get("links")):
        if isinstance(link, dict) and link.get("rel") == "up" and isinstance(href := link.get("href"), str):
            try:
                if urlsplit(href).scheme == "https":
                    return href
            except ValueError:
                continue
    return None
