"""Networks of client addresses, from their text alone: /24 for IPv4, /48 for IPv6.

A /24 or /48 is about one customer line or one office; a mobile operator hands out many.  Text is
enough because log lines write addresses in one form; the full ``ipaddress`` module costs ten times as much.
"""

from __future__ import annotations

# RFC 1918, RFC 1122 section 3.2.1.3, RFC 3927.  Shared address space (RFC 6598) is not here: the
# subscribers of an access provider sit in it, and they are strangers to its mail server.
_PRIVATE = ("10.", "127.", "192.168.", "169.254.", *(f"172.{second}." for second in range(16, 32)))


def network_of(address: str) -> str:
    """Return the /24 or /48 of an address as text; anything else comes back as it is."""
    if ":" not in address:
        head, dot, _ = address.rpartition(".")
        return head + ".0/24" if dot else address
    if address.startswith("::ffff:") and "." in address:
        return network_of(address[7:])
    head, gap, _ = address.partition("::")
    groups = [group.lstrip("0") or "0" for group in head.split(":")[:3] if group]
    if gap:
        groups += ["0"] * (3 - len(groups))
    return ":".join(groups).lower() + "::/48"


def is_own(address: str | None) -> bool:
    """Say whether the address is loopback, link-local or private, so that its owner is ourselves."""
    if address is None:
        return True
    if ":" not in address:
        # All of them begin with the digit 1, and most others do not.
        return address[:1] == "1" and address.startswith(_PRIVATE)
    if address.startswith("::ffff:") and "." in address:
        return address[7:].startswith(_PRIVATE)
    # RFC 4193 and RFC 4291 sections 2.5.3 and 2.5.6.
    return address == "::1" or address[:2].lower() in ("fc", "fd") or address[:3].lower() == "fe8"
