"""Which resolver is asked: the one that is named, or those of ``/etc/resolv.conf``.

What cannot be used is an ``UnusableResolver`` whose text is one line with the cure.
"""

import ipaddress
import socket
from pathlib import Path
from typing import NamedTuple

DNS_PORT = 53
RESOLV_CONF = Path("/etc/resolv.conf")
# RESOLV.CONF(5): the system's own library looks at no more than three.
_MOST_NAMESERVERS = 3
_LONGEST_FILE = 1 << 16


class UnusableResolver(Exception):
    """No resolver can be asked: what is wrong and what to do, in one line."""


class Resolver(NamedTuple):
    """A recursive resolver, or a name server that holds the lists itself.

    ``address`` is IPv4 or IPv6, perhaps with a scope.  ``remote``: packets to it leave this machine, so answers
    can be forged and are guarded against that.
    """

    address: str
    port: int = DNS_PORT
    remote: bool = True

    def __str__(self) -> str:
        """Return ``ADDRESS:PORT``, with brackets where they are needed."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def system_resolvers(path: Path = RESOLV_CONF) -> tuple[Resolver, ...]:
    """Return the system's resolvers, in its order.  Raises ``UnusableResolver`` when it names none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST_FILE)
    except OSError as error:
        raise UnusableResolver(f"{path}: {error.strerror}; name a resolver with --resolver HOST[:PORT]") from error
    resolvers = read_resolv_conf(text)
    if not resolvers:
        raise UnusableResolver(f"{path} names no nameserver; name one with --resolver HOST[:PORT]")
    return resolvers


def read_resolv_conf(text: str) -> tuple[Resolver, ...]:
    """Return the nameservers of a ``resolv.conf``; lines that name no address are passed over, as the system does."""
    resolvers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and _is_address(words[1]):
            resolvers.append(_resolver(words[1], DNS_PORT))
    return tuple(resolvers[:_MOST_NAMESERVERS])


def parse(text: str) -> Resolver:
    """Return the resolver that ``HOST[:PORT]`` names; IPv6 with a port as ``[::1]:53``.

    A host that is not an address is looked up with the system's own means.  Raises ``UnusableResolver``.
    """
    host, port = _host_and_port(text.strip())
    if _is_address(host):
        return _resolver(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise UnusableResolver(f"resolver {text!r}: no address is known for {host!r}; name it by its address") from None
    return _resolver(str(found[0][4][0]), port)


def _host_and_port(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        wrong = not bracket or (rest and colon != ":") or not _is_address(host) or ":" not in host
    elif text.count(":") > 1:
        host, colon, port = text, "", ""
        wrong = not _is_address(host)
    else:
        host, colon, port = text.partition(":")
        wrong = not host or any(letter.isspace() for letter in host)
    if wrong:
        raise UnusableResolver(f"resolver {text!r}: expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT")
    if not colon:
        return host, DNS_PORT
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 1 << 16):
        raise UnusableResolver(f"resolver {text!r}: {port!r} is not a port; expected 1 to 65535")
    return host, int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _resolver(address: str, port: int) -> Resolver:
    return Resolver(address, port, not ipaddress.ip_address(address).is_loopback)
