"""The site's own table of networks: in which AS and country a client's address is.

Lines of ``network,as,country``: ``192.0.2.0/24,AS64500,IT``.  The AS may be written as a bare number, AS or country may
be empty; a heading, empty lines and lines that begin with ``#`` are left out.  The longest network counts.

The table is kept as the places where one network begins and another ends, some 12 bytes each for IPv4, 16 for
IPv6: a routing table of a million networks takes about 20 MB.  Networks of IPv6 longer than /64 are not kept.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

MOST_ROWS = 3_000_000
_AS = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_INDEX_BITS = 24
"""More than ``MOST_ROWS`` needs."""
_LENGTH_BITS = 7
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_LENGTH_MASK = (1 << _LENGTH_BITS) - 1
_BLOCK_BITS = 16
_MAPPED = "::ffff:"


class MalformedNetworkTable(ValueError):
    """No table of networks; the text says which line, what is wrong, and what would do."""


class Whereabouts(NamedTuple):
    """The AS of an address as ``AS64500``, and its country (ISO 3166-1 alpha-2); None where the table says nothing."""

    as_name: str | None
    country: str | None


_NOWHERE = Whereabouts(None, None)


class NetworkTable:
    """Made by ``read_network_table``; ``find`` looks an address up."""

    def __init__(self, places: list[Whereabouts], ipv4: _Ranges, ipv6: _Ranges, rows: int) -> None:
        self.rows = rows
        self._places, self._ipv4, self._ipv6 = places, ipv4, ipv6

    def find(self, address: str) -> Whereabouts:
        """Return where an address is; nothing is known of what is no address."""
        if ":" not in address or address.startswith(_MAPPED):
            number, ranges = _ipv4(address.removeprefix(_MAPPED)), self._ipv4
        else:
            number, ranges = _quick_ipv6(address), self._ipv6
        if number is None:
            return _NOWHERE
        block = number >> ranges.shift
        place = bisect_right(ranges.starts, number, ranges.blocks[block], ranges.blocks[block + 1])
        return self._places[ranges.indexes[place - 1]] if place else _NOWHERE


class _Ranges(NamedTuple):
    """From each start on, until the next, an address is where the index says.

    ``blocks`` are the places of the first start of each of 65,536 blocks, so that few are looked at; ``shift`` makes
    the number of its block of an address.
    """

    starts: array[int]
    indexes: array[int]
    blocks: array[int]
    shift: int


def read_network_table(lines: Iterable[str]) -> NetworkTable:
    """Read a table.  Raises ``MalformedNetworkTable``."""
    places = {_NOWHERE: 0}
    # The same AS and country come again and again: they are read once.
    indexes: dict[str, int] = {}
    ipv4: list[int] = []
    ipv6: list[int] = []
    rows = 0
    for number, line in enumerate(lines, 1):
        network, _, rest = line.partition(",")
        network = network.strip()
        if not network or network[0] == "#" or (number == 1 and network.lower() == "network"):
            continue
        rows += 1
        if rows > MOST_ROWS:
            raise MalformedNetworkTable(f"line {number}: more than {MOST_ROWS} networks; leave out what is nested")
        index = indexes.get(rest)
        if index is None:
            index = indexes[rest] = places.setdefault(_whereabouts(rest, number), len(places))
        _keep(network, index, number, ipv4, ipv6)
    return NetworkTable(list(places), _ranges(ipv4, 32, "I"), _ranges(ipv6, 64, "Q"), rows)


def _whereabouts(rest: str, number: int) -> Whereabouts:
    fields = [field.strip() for field in rest.split(",")]
    if len(fields) != 2:
        raise MalformedNetworkTable(f"line {number}: {len(fields) + bool(rest)} fields; write network,as,country")
    as_number, country = fields
    found = _AS.fullmatch(as_number)
    if as_number and found is None:
        raise MalformedNetworkTable(f"line {number}: {as_number!r} is no AS; write AS64500, or nothing")
    if country and _COUNTRY.fullmatch(country) is None:
        raise MalformedNetworkTable(f"line {number}: {country!r} is no country; write two letters, or nothing")
    return Whereabouts(f"AS{int(found[1])}" if found else None, country.upper() or None)


def _keep(network: str, index: int, number: int, ipv4: list[int], ipv6: list[int]) -> None:
    """Keep a network as one number that sorts as the sweep wants it: by its begin, the longest last."""
    address, _, length_text = network.partition("/")
    kept, most = (ipv6, 128) if ":" in address else (ipv4, 32)
    first = _ipv6(address) if most == 128 else _ipv4(address)
    length = int(length_text) if length_text.isdecimal() and len(length_text) < 4 else -1
    if first is None or not 0 <= length <= most:
        raise MalformedNetworkTable(f"line {number}: {network!r} is no network; write it as 192.0.2.0/24")
    if most == 128 and length > 64:
        return
    free = min(most, 64) - length
    kept.append((first >> free << free << _LENGTH_BITS | length) << _INDEX_BITS | index)


def _ranges(networks: list[int], bits: int, kind: str) -> _Ranges:
    """Return where one network begins and another ends.  Networks are nested or apart, never across each other."""
    networks.sort()
    starts, indexes = array(kind), array("I")
    # Those that the sweep is in, the innermost last: where each ends, and its index; around all is nothing.
    open_ones = [(1 << bits, 0)]

    def turn(at: int, index: int) -> None:
        if starts and starts[-1] == at:
            indexes[-1] = index
        else:
            starts.append(at)
            indexes.append(index)

    for network in networks:
        first = network >> _INDEX_BITS + _LENGTH_BITS
        while open_ones[-1][0] <= first:
            end, _ = open_ones.pop()
            turn(end, open_ones[-1][1])
        index = network & _INDEX_MASK
        turn(first, index)
        open_ones.append((first + (1 << bits - (network >> _INDEX_BITS & _LENGTH_MASK)), index))
    while open_ones[-1][0] < 1 << bits:
        end, _ = open_ones.pop()
        turn(end, open_ones[-1][1])
    blocks = array("I", (bisect_left(starts, block << bits - _BLOCK_BITS) for block in range(1 << _BLOCK_BITS)))
    blocks.append(len(starts))
    return _Ranges(starts, indexes, blocks, bits - _BLOCK_BITS)


def _ipv4(text: str) -> int | None:
    try:
        a, b, c, d = map(int, text.split("."))
    except ValueError:
        return None
    inside = 0 <= a < 256 and 0 <= b < 256 and 0 <= c < 256 and 0 <= d < 256
    return a << 24 | b << 16 | c << 8 | d if inside else None


def _quick_ipv6(text: str) -> int | None:
    """Return the upper 64 bits of what a mail server says is an address; what is none may be taken for one."""
    head, gap, tail = text.partition("::")
    groups = head.split(":") if head else []
    if gap:
        groups += ["0"] * (8 - len(groups) - (tail.count(":") + 1 if tail else 0) - ("." in tail)) + tail.split(":")
    try:
        a, b, c, d = [int(group, 16) for group in groups[:4]]
    except ValueError:
        return None
    return None if (a | b | c | d) >> 16 else a << 48 | b << 32 | c << 16 | d


def _ipv6(text: str) -> int | None:
    """Return the upper 64 bits."""
    try:
        return int(IPv6Address(text)) >> 64
    except AddressValueError:
        return None
