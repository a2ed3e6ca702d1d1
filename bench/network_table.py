"""How long it takes to find in which AS and country an address is, in a table as large as the whole routing table.

A million invented networks of IPv4 and two hundred thousand of IPv6, nested as real ones are.  Beside it what the
standard library alone would do: one dictionary of networks for each prefix length, asked from the longest down.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from outwarden.sources.network_table import read_network_table

_IPV4, _IPV6, _LOOKUPS = 1_000_000, 200_000, 100_000


def invented(chance: Random) -> list[str]:
    """Return the lines of a table."""
    lines = []
    for _ in range(_IPV4):
        length = chance.choices((24, 23, 22, 20, 16, 12), (60, 12, 12, 8, 7, 1))[0]
        first = chance.getrandbits(32) >> 32 - length << 32 - length
        lines.append(f"{IPv4Address(first)}/{length},AS{chance.randrange(1, 80_000)},{chance.choice(('IT', 'DE', ''))}")
    for _ in range(_IPV6):
        length = chance.choice((29, 32, 40, 44, 48))
        first = (0x2 << 125 | chance.getrandbits(125)) >> 128 - length << 128 - length
        lines.append(f"{IPv6Address(first)}/{length},AS{chance.randrange(1, 80_000)},FR")
    return lines


def by_dictionaries(lines: list[str]) -> Callable[[str], object]:
    """Return a look-up as the standard library alone would make it."""
    tables: dict[tuple[int, int], dict[int, str]] = {}
    for line in lines:
        network, _, place = line.partition(",")
        address, _, length = network.partition("/")
        first = ip_address(address)
        tables.setdefault((first.version, int(length)), {})[int(first) >> first.max_prefixlen - int(length)] = place
    lengths = sorted(tables, reverse=True)

    def find(text: str) -> object:
        address = ip_address(text)
        for version, length in lengths:
            if version == address.version:
                place = tables[version, length].get(int(address) >> address.max_prefixlen - length)
                if place is not None:
                    return place
        return None

    return find


def microseconds(find: Callable[[str], object], addresses: list[str]) -> float:
    """Return how long one look-up takes: the median of three rounds."""
    rounds = []
    for _ in range(3):
        begun = time.process_time()
        for address in addresses:
            find(address)
        rounds.append((time.process_time() - begun) / len(addresses) * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """Print the figures."""
    chance = Random(1)
    lines = invented(chance)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    table = read_network_table(lines)
    took = time.process_time() - begun
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    kept = sum(len(part) * part.itemsize for ranges in (table._ipv4, table._ipv6) for part in ranges[:3]) / 1e6
    print(
        f"{table.rows:,} networks read in {took:.1f} s of processor time, {peak:.0f} MB at the most, {kept:.0f} MB kept"
    )
    ipv4 = [str(IPv4Address(chance.getrandbits(32))) for _ in range(_LOOKUPS)]
    ipv6 = [str(IPv6Address(0x2 << 125 | chance.getrandbits(125))) for _ in range(_LOOKUPS)]
    plain = by_dictionaries(lines)
    for what, addresses in (("IPv4", ipv4), ("IPv6", ipv6)):
        ours, theirs = microseconds(table.find, addresses), microseconds(plain, addresses)
        print(f"{what}: {ours:.2f} us a look-up, the standard library alone {theirs:.2f} us")


if __name__ == "__main__":
    main()
