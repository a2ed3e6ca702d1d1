"""Domain names as an operator types them, and as the DNS is asked for them.

Names that this module returns are in lower case, without final dot, and with each internationalised
label in its ASCII form.  It does not ask whether a name exists.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

_LONGEST = 253  # Octets of a name in text, RFC 1035 section 2.3.4.
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
# IDNA 2003, which Python has built in, and IDNA 2008 (RFC 5894 section 7.2) write these differently.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")


class MalformedDomain(ValueError):
    """The text is no domain name; the message says why, for the operator."""


def parse_domain(text: str) -> str:
    """Return the name that ``text`` means.  Raises MalformedDomain."""
    name = text.strip().removesuffix(".")
    if not name:
        raise MalformedDomain("is empty; give a domain such as example.com")
    for sign, kind in (("@", "a mailbox"), ("/", "a URL or a network")):
        if sign in name:
            raise MalformedDomain(f"is {kind}, not a domain; give only the domain")
    if _is_address(name):
        raise MalformedDomain("is an address; give the domain, and the address with --address")
    name = _to_ascii(name).lower()
    if (fault := name_fault(name)) is not None:
        raise MalformedDomain(fault)
    if "." not in name:
        raise MalformedDomain("has no dot; give the whole domain, such as example.com")
    return name


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _to_ascii(name: str) -> str:
    if name.isascii():
        return name
    if not _DEVIATIONS.isdisjoint(name):
        raise MalformedDomain("has a letter that two standards write differently; give its xn-- form")
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        raise MalformedDomain("is no internationalised domain name") from None


def name_fault(name: str) -> str | None:
    """Return what is wrong with a name in ASCII, or None."""
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    for label in name.lower().split("."):
        if not label:
            return "has two dots in a row or begins with one"
        if len(label) > _LONGEST_LABEL:
            return f"has a label longer than {_LONGEST_LABEL} characters"
        if not _LABEL.fullmatch(label):
            return "has a character that no host name has; labels are letters, digits and hyphens"
    return None


def can_be_asked(name: str) -> bool:
    """Return whether a query can be made of ``name``: labels of 1 to 63 octets, 253 in all."""
    return 0 < len(name) <= _LONGEST and all(0 < len(label) <= _LONGEST_LABEL for label in name.split("."))


def is_within(name: str, domain: str) -> bool:
    """Return whether ``name`` is ``domain`` or below it; both in lower case without final dot."""
    return name == domain or name.endswith("." + domain)


def reverse_name(address: Address) -> str:
    """Return the name whose PTR record names the host of ``address``."""
    return address.reverse_pointer
