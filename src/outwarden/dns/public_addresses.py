"""Which addresses may be connected to only because somebody's DNS says so: the guard against SSRF.

Used by whoever fetches a page or probes a mailbox at a name that a stranger chose.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Return whether an address is everybody's: no loopback, no private network, also not one in disguise."""
    return address.is_global and not address.is_multicast and all(inner.is_global for inner in _inner(address))


def _inner(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses to which an IPv6 address leads: mapped, by 6to4, Teredo, or NAT64."""
    if isinstance(address, IPv4Address):
        return []
    inner = [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each is not None]
    return [*inner, IPv4Address(int(address) & 0xFFFFFFFF)] if address in _NAT64 else inner
