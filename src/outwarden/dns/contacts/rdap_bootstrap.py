"""Which RDAP server is asked about an address or a domain: IANA's bootstrap files (RFC 9224).

A copy of each file is in the package, for the first run and for when IANA cannot be reached.  Those copies are a
subset that was written by hand: all /8 networks and the IPv6 blocks of the five registries, and the top-level domains
that are met most in mail.  A site's own kept copy of IANA's file goes before them.
"""

from collections.abc import Iterable
from enum import StrEnum
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec


class MalformedBootstrap(ValueError):
    """The text is no bootstrap file."""


class BootstrapKind(StrEnum):
    """The files of RFC 9224 section 4 and 5 that we read."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DNS = "dns"

    @property
    def url(self) -> str:
        """Where IANA publishes the file."""
        return f"https://data.iana.org/rdap/{self}.json"


REGISTRIES = {
    "afrinic": "https://rdap.afrinic.net/rdap/",
    "apnic": "https://rdap.apnic.net/",
    "arin": "https://rdap.arin.net/registry/",
    "lacnic": "https://rdap.lacnic.net/rdap/",
    "ripencc": "https://rdap.db.ripe.net/",
}
"""The servers of the regional registries, by the names that are used beside AS numbers."""


class Service(NamedTuple):
    """What a server is asked about, as written in the file, and its base URLs: HTTPS only, each ends in a slash."""

    entries: tuple[str, ...]
    servers: tuple[str, ...]


def shipped(kind: BootstrapKind) -> tuple[Service, ...]:
    """Return the services of the copy in the package."""
    return read_bootstrap(files(__package__).joinpath("rdap_servers", f"{kind}.json").read_bytes())


def read_bootstrap(document: bytes) -> tuple[Service, ...]:
    """Read a bootstrap file; services without an HTTPS server are left out.  Raises ``MalformedBootstrap``."""
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise MalformedBootstrap(f"no JSON: {fault}") from None
    services = found.get("services") if isinstance(found, dict) else None
    if not isinstance(services, list):
        raise MalformedBootstrap("no list of services")
    read = (_service(service) for service in services)
    return tuple(service for service in read if service.servers)


def _service(service: object) -> Service:
    # RFC 9224 section 3: two lists of strings; in other files of the kind there is a list before them.
    match service:
        case [*_, list() as entries, list() as servers]:
            return Service(tuple(_texts(entries)), tuple(url for url in _texts(servers) if _is_base(url)))
    raise MalformedBootstrap("a service is not a list of entries and a list of servers")


def _texts(values: list[Any]) -> Iterable[str]:
    return (value for value in values if isinstance(value, str))


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and url.endswith("/")


def servers_of_address(services: Iterable[Service], address: IPv4Address | IPv6Address) -> tuple[str, ...]:
    """Return the servers of the longest prefix that holds the address (RFC 9224 section 5)."""
    best: tuple[str, ...] = ()
    longest = -1
    for service in services:
        for entry in service.entries:
            try:
                network = ip_network(entry)
            except ValueError:
                continue
            if address in network and network.prefixlen > longest:
                best, longest = service.servers, network.prefixlen
    return best


def servers_of_domain(services: Iterable[Service], name: str) -> tuple[str, tuple[str, ...]]:
    """Return the longest entry that ends the name, and its servers (RFC 9224 section 4); two empty ones for none."""
    best: tuple[str, tuple[str, ...]] = ("", ())
    for service in services:
        for entry in service.entries:
            suffix = entry.lower().rstrip(".")
            if suffix and name.endswith(f".{suffix}") and len(suffix) > len(best[0]):
                best = (suffix, service.servers)
    return best
