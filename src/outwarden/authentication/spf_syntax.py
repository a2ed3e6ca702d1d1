"""The text of an SPF record into its terms (RFC 7208 sections 4.6.1 and 12).

An error anywhere makes the whole record useless, as section 4.6 demands, so it is found here and
never during evaluation.  Macros are checked and left as they are: they need a message to expand.
"""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple

from outwarden.authentication.spf_macros import MalformedMacro, check_domain_spec, check_macro_string

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9._-]*+")
_PREFIXES = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_NO_PREFIX = (32, 128)
MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})


class MalformedSpf(ValueError):
    """The record breaks the syntax: every receiver answers "permerror"."""


class Mechanism(NamedTuple):
    """One directive.

    ``domain`` is its domain-spec before macros are expanded, empty for the domain itself;
    ``prefix4`` and ``prefix6`` are the lengths of networks around the addresses that are found.
    """

    qualifier: str
    name: str
    text: str
    domain: str = ""
    prefix4: int = 32
    prefix6: int = 128
    network: IPv4Network | IPv6Network | None = None


class SpfRecord(NamedTuple):
    """One record, its terms in order, its modifiers apart."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str | None = None
    explanation: str | None = None


def is_spf(text: str) -> bool:
    """Return whether a TXT record calls itself SPF (RFC 7208 section 4.5)."""
    return text[:6].lower() == "v=spf1" and text[6:7] in {"", " "}


def parse_spf(text: str) -> SpfRecord:
    """Return the terms of a record.  Raises MalformedSpf, which names the term."""
    if not is_spf(text):
        raise MalformedSpf('does not begin with "v=spf1" and a space')
    if not text.isascii():
        raise MalformedSpf("has a character beyond ASCII")
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in filter(None, text[6:].split(" ")):
        name = _NAME.match(term)
        if name and term[name.end() : name.end() + 1] == "=":
            _add_modifier(modifiers, name[0].lower(), term[name.end() + 1 :], term)
        else:
            mechanisms.append(_mechanism(term))
    return SpfRecord(tuple(mechanisms), modifiers.get("redirect"), modifiers.get("exp"))


def _add_modifier(modifiers: dict[str, str], name: str, value: str, term: str) -> None:
    if name not in {"redirect", "exp"}:
        _checked(check_macro_string, value, term)  # Unknown modifiers are ignored, RFC 7208 section 6.
        return
    if name in modifiers:
        raise MalformedSpf(f'has "{name}=" twice')
    _checked(check_domain_spec, value, term)
    modifiers[name] = value


def _mechanism(term: str) -> Mechanism:
    qualifier, rest = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
    match = _NAME.match(rest)
    name = match[0].lower() if match else ""
    if name not in MECHANISMS:
        raise MalformedSpf(f'has the unknown term "{term}"')
    return _READERS[name](qualifier, name, term, rest[len(name) :])


def _all(qualifier: str, name: str, term: str, rest: str) -> Mechanism:
    if rest:
        raise MalformedSpf(f'"{term}": "all" takes nothing after it')
    return Mechanism(qualifier, name, term)


def _with_domain(qualifier: str, name: str, term: str, rest: str) -> Mechanism:
    if not rest and name == "ptr":
        return Mechanism(qualifier, name, term)
    if not rest.startswith(":"):
        raise MalformedSpf(f'"{term}": "{name}" needs ":" and a domain')
    _checked(check_domain_spec, rest[1:], term)
    return Mechanism(qualifier, name, term, rest[1:])


def _with_prefixes(qualifier: str, name: str, term: str, rest: str) -> Mechanism:
    domain, prefix4, prefix6 = rest, *_NO_PREFIX
    if found := _prefixes(rest):
        domain = rest[: found.start()]
        prefix4, prefix6 = (int(given or whole) for given, whole in zip(found.groups(), _NO_PREFIX, strict=True))
    if prefix4 > _NO_PREFIX[0] or prefix6 > _NO_PREFIX[1]:
        raise MalformedSpf(f'"{term}": no network has such a length')
    if not domain:
        return Mechanism(qualifier, name, term, "", prefix4, prefix6)
    if not domain.startswith(":"):
        raise MalformedSpf(f'"{term}": what follows "{name}" is neither a domain nor a network length')
    _checked(check_domain_spec, domain[1:], term)
    return Mechanism(qualifier, name, term, domain[1:], prefix4, prefix6)


def _prefixes(rest: str) -> re.Match[str] | None:
    # The lengths are at most seven characters, so only the end is searched: the domain may be long.
    found = _PREFIXES.search(rest, max(len(rest) - 8, 0))
    return found if found and found[0] else None


def _with_network(qualifier: str, name: str, term: str, rest: str) -> Mechanism:
    address, slash, length = rest.removeprefix(":").partition("/")
    kind, whole = (IPv4Address, 32) if name == "ip4" else (IPv6Address, 128)
    if not rest.startswith(":") or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", length, re.ASCII)):
        raise MalformedSpf(f'"{term}" is no network')
    if slash and int(length) > whole:
        raise MalformedSpf(f'"{term}": no network has such a length')
    try:
        start = kind(address)
    except AddressValueError:
        raise MalformedSpf(f'"{term}": "{address}" is no {name} address') from None
    if getattr(start, "scope_id", None):
        raise MalformedSpf(f'"{term}": an address with a zone is nobody else\'s')
    network = ip_network(f"{start}/{length or whole}", strict=False)
    return Mechanism(qualifier, name, term, network=network)


_READERS = {
    "all": _all,
    "include": _with_domain,
    "exists": _with_domain,
    "ptr": _with_domain,
    "a": _with_prefixes,
    "mx": _with_prefixes,
    "ip4": _with_network,
    "ip6": _with_network,
}


def _checked(check: Callable[[str], None], text: str, term: str) -> None:
    try:
        check(text)
    except MalformedMacro as fault:
        raise MalformedSpf(f'"{term}": {fault}') from None
