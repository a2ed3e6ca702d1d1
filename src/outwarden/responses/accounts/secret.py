"""A password that no message, log or traceback can show by accident, and new ones that a person can type.

Not covered: the bytes stay in the memory of the process until Python reuses them.
"""

from __future__ import annotations

import hmac
import math
import secrets
from typing import NoReturn

_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_SIGNS = _LETTERS + "23456789"
"""What no font makes look like another: no i, l, o, 0, 1."""
_GROUP = 4
_LEAST_BITS = 60


class Secret:
    """A secret: shown by nothing but ``reveal``, never pickled or copied, compared in constant time."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text or "\0" in text:
            # C libraries end a text at a zero: two different secrets would be the same to them.
            raise ValueError("a secret is a text without zero bytes")
        self._text = text

    def reveal(self) -> str:
        """Return it, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return format("<secret>", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret is no key of a table")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


def new_secret(bits: int = 80) -> Secret:
    """Return a new password of at least so many bits of chance, such as ``Kmp4-x7tz-9bqd-w3rf-hq2n``.

    It begins with a capital letter and holds a digit and a hyphen, which satisfies the rules that directories and
    panels have about kinds of signs.  Raises ``ValueError`` under 60 bits.
    """
    if bits < _LEAST_BITS:
        raise ValueError(f"{bits} bits are too few for a password; ask for {_LEAST_BITS} or more")
    # One bit more pays for the texts without a digit that are thrown away.
    length = 1 + math.ceil((bits + 1 - math.log2(len(_LETTERS))) / math.log2(len(_SIGNS)))
    length += -length % _GROUP
    while True:
        text = secrets.choice(_LETTERS).upper() + "".join(secrets.choice(_SIGNS) for _ in range(length - 1))
        if any(sign.isdigit() for sign in text):
            return Secret("-".join(text[start : start + _GROUP] for start in range(0, length, _GROUP)))
