"""Where a declared bulk sender sends from: networks (CIDR), for which the client address is enough, and AS numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_AS = re.compile(r"AS[0-9]{1,10}")
_KEPT = 1_024
"""Bulk senders whose networks are read once."""


def is_network_or_as(text: str) -> bool:
    """Say whether this is a network (``192.0.2.0/24``, ``2001:db8::/32``, one address) or an AS (``AS64500``)."""
    return _AS.fullmatch(text) is not None or _network(text) is not None


def is_declared(networks: frozenset[str], address: str | None, as_name: str | None) -> bool | None:
    """Say whether a client is in one of the declared networks, None where nobody can tell.

    That is so where no network has its address, an AS is declared, and which AS it is in is not known.
    """
    as_names, ranges = _read(networks)
    if as_name in as_names:
        return True
    client = None if address is None else _address(address)
    if client is not None and any(client in each for each in ranges):
        return True
    if (as_names and as_name is None) or (ranges and client is None):
        return None
    return False


@lru_cache(_KEPT)
def _read(networks: frozenset[str]) -> tuple[frozenset[str], tuple[IPv6Network, ...]]:
    """Return the AS names, and the networks as IPv6."""
    ranges = [network for text in networks if (network := _network(text)) is not None]
    return frozenset(filter(_AS.fullmatch, networks)), tuple(map(_as_ipv6, ranges))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _as_ipv6(network: IPv4Network | IPv6Network) -> IPv6Network:
    # RFC 4291 section 2.5.5.2: a mail server that listens on IPv6 may name an IPv4 client so.
    return network if network.version == 6 else IPv6Network((_MAPPED | int(network[0]), 96 + network.prefixlen))


def _address(text: str) -> IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address if address.version == 6 else IPv6Address(_MAPPED | int(address))


_MAPPED = 0xFFFF << 32
