"""What is asked about: addresses, networks, domains and URLs, read from an operator's own words.

Read once, here; a text that is none of them is answered with what is wrong and what would do.
Networks stay unfolded until somebody walks through them: a /16 costs nothing to hold.
Known limit: domains beyond ASCII are encoded by Python's IDNA (RFC 3490), not by RFC 5891.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

MOST_ADDRESSES = 65_536
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")


class UnusableTarget(ValueError):
    """The operator's text is no address, network, domain or URL; the message says why."""


class TargetKind(StrEnum):
    """What a target is, which decides the lists that can be asked about it."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DOMAIN = "domain"
    URL = "url"


class WebAddress(NamedTuple):
    """The parts of a URL that hash lists are made of, as written but for the host.

    ``host`` is lower-case: an A-label domain, an IPv4 address or an IPv6 address in brackets.
    ``port`` is None where the URL names none.  ``query`` and ``fragment`` carry no ``?`` and ``#``.
    """

    host: str
    port: int | None
    path: str
    query: str
    fragment: str


class Target(NamedTuple):
    """One thing to ask about.

    ``name`` is its form inside a query: octets or nibbles reversed (RFC 5782 sections 2.1 and 2.4),
    or the domain in lower-case A-labels; for a URL, that of its host.
    """

    text: str
    kind: TargetKind
    name: str
    url: WebAddress | None = None


class Targets:
    """All that was asked for, in order; networks are walked through lazily, as often as wanted."""

    __slots__ = ("_parts",)

    def __init__(self, texts: Iterable[str]) -> None:
        """Reads every text at once; raises UnusableTarget for the first that cannot be used."""
        self._parts = tuple(_read(text) for text in texts)

    def __len__(self) -> int:
        return sum(1 if isinstance(part, Target) else part.num_addresses for part in self._parts)

    def __iter__(self) -> Iterator[Target]:
        for part in self._parts:
            if isinstance(part, Target):
                yield part
            else:
                for address in part:
                    yield address_target(address)


def address_target(address: IPv4Address | IPv6Address) -> Target:
    """An address as a target; an IPv4 address written inside IPv6 is the IPv4 one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    text = str(address)
    if isinstance(address, IPv4Address):
        return Target(text, TargetKind.IPV4, reversed_address(address))
    return Target(text, TargetKind.IPV6, reversed_address(address))


def reversed_address(address: IPv4Address | IPv6Address) -> str:
    """Octets (RFC 5782 section 2.1) or nibbles (section 2.4) from the last to the first."""
    if isinstance(address, IPv4Address):
        first, second, third, fourth = str(address).split(".")
        return f"{fourth}.{third}.{second}.{first}"
    return ".".join(reversed(f"{int(address):032x}"))


def read_domain(text: str) -> str:
    """A domain name as lower-case A-labels without the root's dot; raises UnusableTarget."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise UnusableTarget(f"{text!r} cannot be written as an internationalised domain name") from None
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise UnusableTarget(f"{text!r} is no domain name, address, network or URL")
    if len(labels) < 2 or labels[-1].isdigit():
        raise UnusableTarget(f"{text!r} is no address and no domain name; write it in full")
    return name


def _read(text: str) -> Target | IPv4Network | IPv6Network:
    shown = text.strip()
    if not shown or len(shown) > 65_536 or any(ord(letter) < 33 for letter in shown):
        raise UnusableTarget(f"{text[:80]!r} is no address, network, domain or URL")
    if _SCHEME.match(shown):
        return _read_url(shown, shown)
    before, slash, _ = shown.partition("/")
    if slash:
        return _read_network(shown) if _looks_like_an_address(before) else _read_url(shown, f"http://{shown}")
    bare = shown.removeprefix("[").removesuffix("]").rstrip(".")
    if _looks_like_an_address(bare):
        try:
            address = ip_address(bare)
        except ValueError:
            raise UnusableTarget(f"{shown!r} is no address: {_what_is_wrong(bare)}") from None
        if isinstance(address, IPv6Address) and address.scope_id:
            raise UnusableTarget(f"{shown!r} names an interface; write the address without %{address.scope_id}")
        return address_target(address)
    return Target(shown, TargetKind.DOMAIN, read_domain(shown))


def _looks_like_an_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()


def _what_is_wrong(text: str) -> str:
    return "an IPv6 address has eight groups or one ::" if ":" in text else "four numbers from 0 to 255 are needed"


def _read_network(text: str) -> Target | IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UnusableTarget(f"{text!r} is no network; write it like 192.0.2.0/24 or 2001:db8::/64") from None
    if str(ip_address(text.partition("/")[0])) != str(network.network_address):
        raise UnusableTarget(f"{text!r} has bits set right of its prefix; did you mean {network}?")
    if isinstance(network, IPv6Network) and network.prefixlen == 64:
        # The unit in which lists list IPv6: asked by its sixteen nibbles.
        return Target(str(network), TargetKind.IPV6, half_name(reversed_address(network.network_address)))
    if network.num_addresses > MOST_ADDRESSES:
        largest = "/16" if isinstance(network, IPv4Network) else "/112, or a /64 as a whole"
        raise UnusableTarget(f"{text!r} is too large; the largest network that can be asked about is a {largest}")
    return network


def half_name(nibbles: str) -> str:
    """The reversed name of an IPv6 address's /64."""
    return nibbles[-31:]


def _read_url(shown: str, text: str) -> Target:
    try:
        parts = urlsplit(_slashes_straightened(text))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UnusableTarget(f"{_without_credentials(shown)!r} is no URL that can be read") from None
    try:
        name, written = _read_host(unquote(host))
    except UnusableTarget:
        raise UnusableTarget(f"{_without_credentials(shown)!r} is no URL with a usable host name") from None
    url = WebAddress(written, port, parts.path, parts.query, parts.fragment)
    return Target(_without_credentials(shown), TargetKind.URL, name, url)


def _read_host(host: str) -> tuple[str, str]:
    """The host inside a query, and as it stands in the URL."""
    if _looks_like_an_address(host):
        try:
            target = address_target(ip_address(host))
        except ValueError:
            raise UnusableTarget(host) from None
        written = f"[{target.text}]" if target.kind is TargetKind.IPV6 else target.text
        return target.name, written
    name = read_domain(host)
    return name, name


def _slashes_straightened(text: str) -> str:
    """Browsers take a backslash before the query for a slash, and so do those who hide a host behind one."""
    before, mark, after = text.partition("?")
    return before.replace("\\", "/") + mark + after


def _without_credentials(text: str) -> str:
    """The URL as it may be shown: a password in it is nobody's business."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    end = min((at for at in map(rest.find, "/?#\\") if at >= 0), default=len(rest))
    return scheme + mark + rest[:end].rpartition("@")[2] + rest[end:]
