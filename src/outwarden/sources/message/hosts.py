"""Hosts as the DNS and blocklists know them, from whatever a link calls them.

Browsers take a host in many spellings: escaped, in any script, an IPv4 address as one number or in hexadecimal.
All of them come out as one: lower-case A-labels, a dotted IPv4 address, or an IPv6 address in brackets.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from unicodedata import normalize
from urllib.parse import unquote

from outwarden.events.public_suffixes import public_suffixes

_LONGEST = 253  # RFC 1035 section 2.3.4.
# Encoding takes Python time that grows with the square; real names are far shorter.
_LONGEST_BEYOND_ASCII = 100
_LONGEST_LABEL = 63
_LONGEST_WRITTEN = 1024
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_NUMBER = re.compile(r"0x[0-9a-f]{0,16}|[0-9]{1,16}")
# IDNA 2003, which Python has built in, would write these as others; browsers keep them (RFC 5894 section 7.2).
_DEVIATIONS = frozenset("\u00df\u03c2")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_NOWHERE = str.maketrans("", "", "\u00ad\u200b\u200c\u200d\u2060\ufeff")


@lru_cache(maxsize=8192)
def host_name(written: str) -> str | None:
    """Return the host that is meant, None where it is no name with a dot and no address."""
    if len(written) > _LONGEST_WRITTEN:
        return None
    if "%" in written:
        written = unquote(written)
    if written.startswith("["):
        return _address6(written)
    name = written.strip(". ").lower()
    if not name.isascii():
        name = _to_ascii(name.translate(_DOTS).translate(_NOWHERE)).strip(".")
    last = name.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        return _address4(name)
    return name if len(name) <= _LONGEST and _NAME.fullmatch(name) else None


def _address6(written: str) -> str | None:
    try:
        return f"[{IPv6Address(written.strip('[]'))}]"
    except ValueError:
        return None


def _address4(name: str) -> str | None:
    """Read an IPv4 address as the URL standard does: one to four numbers, decimal, octal or hexadecimal."""
    numbers = [_number(one) for one in name.split(".", 4)]
    *leading, last = numbers
    if len(numbers) > 4 or any(not 0 <= one <= 255 for one in leading) or not 0 <= last < 256 ** (5 - len(numbers)):
        return None
    return str(IPv4Address(sum(one << (24 - 8 * place) for place, one in enumerate(leading)) + last))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        return -1
    try:
        return int(text[2:] or "0", 16) if text.startswith("0x") else int(text, 8 if text.startswith("0") else 10)
    except ValueError:
        return -1


def _to_ascii(name: str) -> str:
    if len(name) > _LONGEST_BEYOND_ASCII:
        return ""
    try:
        return ".".join([_label(label) for label in name.split(".")])
    except UnicodeError:
        return ""


def _label(label: str) -> str:
    if len(normalize("NFKC", label)) > _LONGEST_LABEL:
        # Python would find that out only after a long time.
        raise UnicodeError(label)
    if _DEVIATIONS.isdisjoint(label):
        # Letters of full width and the like become plain ones here (RFC 3490 section 4.1).
        return label.encode("idna").decode("ascii") if label else ""
    return "xn--" + label.encode("punycode").decode("ascii")


@lru_cache(maxsize=8192)
def registered_domain(host: str) -> str:
    """Return the domain that somebody registered; an address stays itself."""
    if host.startswith("[") or host.rpartition(".")[2].isdigit():
        return host
    return public_suffixes().privatesuffix(host) or host


@lru_cache(maxsize=8192)
def is_below_a_known_suffix(host: str) -> bool:
    """Return whether the host's last labels are a public suffix that the list has, not any word."""
    return public_suffixes().privatesuffix(host, accept_unknown=False) is not None
