"""The envelope sender of a notice: an address that names the notice, and that only we can make.

What comes back to it is a bounce of this notice, whatever it looks like inside; what comes to a forged one is nothing.
The site gives a pattern, ``notices+{token}@isp.example`` or ``{token}@notices.isp.example``; letters are small, because
some servers make them so.  Known limit: a copied address proves no bounce of *today*: one notice has one address.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest

from outwarden.responses.notices.message import usable_address

_NUMBER_BYTES = 6
_PROOF_BYTES = 9
# RFC 4648 section 6: 15 bytes are 24 letters, without padding.
_TOKEN = "([a-z2-7]{24})"  # noqa: S105
_PLACE = "{token}"


class UnusablePattern(ValueError):
    """A pattern that makes no address; the text says what would."""


class BounceAddresses:
    """The pattern and the keys of a site: the first makes addresses, all recognise them."""

    def __init__(self, pattern: str, keys: Sequence[bytes]) -> None:
        """``keys`` as for the mark, at least one.  Raises ``UnusablePattern``."""
        try:
            usable_address(pattern.replace(_PLACE, "a" * 24))
        except ValueError:
            pattern = ""
        if pattern.count(_PLACE) != 1 or not keys:
            raise UnusablePattern("write an address with {token} once in it, as notices+{token}@isp.example; and a key")
        self._pattern = pattern
        before, _, after = pattern.partition(_PLACE)
        self._shape = re.compile(re.escape(before) + _TOKEN + re.escape(after), re.IGNORECASE)
        self._keys = [blake2b(key=key, person=b"notice bounces", digest_size=32).digest() for key in keys]

    def of(self, notice: int) -> str:
        """Return the address for bounces of a notice, by its number."""
        number = notice.to_bytes(_NUMBER_BYTES, "big")
        token = b32encode(number + _proof(self._keys[0], number)).decode("ascii").lower()
        return self._pattern.replace(_PLACE, token)

    def notice(self, address: str) -> int | None:
        """Return the number of the notice whose bounces come to an address, None where it is none of ours."""
        found = self._shape.fullmatch(address.strip())
        if found is None:
            return None
        octets = b32decode(found[1].upper())
        number, proof = octets[:_NUMBER_BYTES], octets[_NUMBER_BYTES:]
        if not any(compare_digest(_proof(key, number), proof) for key in self._keys):
            return None
        return int.from_bytes(number, "big")


def _proof(key: bytes, number: bytes) -> bytes:
    return blake2b(number, key=key, digest_size=_PROOF_BYTES).digest()
