"""An account's name inside a filter and inside a DN, with every sign that would mean something there escaped."""

from __future__ import annotations

import re
from collections.abc import Callable

_PLACE = re.compile(r"\{(account|local|domain)\}")


def places(template: str) -> set[str]:
    """Return which places a template has."""
    return set(_PLACE.findall(template))


def filter_for(template: str, account: str) -> str:
    """Return a filter with the account in it (RFC 4515 section 3)."""
    return _filled(template, account, _in_filter)


def dn_for(template: str, account: str) -> str:
    """Return a DN with the account in it (RFC 4514 section 2.4)."""
    return _filled(template, account, _in_dn)


def _filled(template: str, account: str, escaped: Callable[[str], str]) -> str:
    local, _, domain = account.rpartition("@")
    values = {"account": account, "local": local or account, "domain": domain if local else ""}
    # In one pass, so that an account which is itself called {domain} stays what it is.
    return _PLACE.sub(lambda place: escaped(values[place[1]]), template)


def _in_filter(value: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "@.-_+ ") else _hex(sign) for sign in value)


def _in_dn(value: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "@.-_") else _hex(sign) for sign in value)


def _hex(sign: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
