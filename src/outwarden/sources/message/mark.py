"""The signed mark in what leaves: which account handed it in, on which host, and when, for our eyes alone.

A bounce or a complaint that comes back with the header of our message names the account; a forger cannot make a mark,
and nobody else can read one or tell whether two marks are of one account.  ``docs/reference/mark.md`` has the format.

Known limits: a mark proves that a message of ours carried it, not that this one is that message: whoever got one may
copy it.  So of several marks in one header the newest counts (``returned_marks``): a copied one is older than ours.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

# RFC 6648 section 3: a new name has no "X-".
HEADER = "Outwarden-Mark"
KEY_BYTES = 32
NONCE_BYTES = 12
LONGEST_ACCOUNT = 320
LONGEST_HOST = 255
"""Bytes in UTF-8."""

_VERSION = 1
_BLOCK = 16
_ID_BYTES = 4
_TIME_BYTES = 5
_HEAD_BYTES = 2 + _ID_BYTES
_SEALED_FROM = _HEAD_BYTES + NONCE_BYTES
_TAG_BYTES = 16
_MOST_BLOCKS = -(-(_TIME_BYTES + 3 + LONGEST_ACCOUNT + LONGEST_HOST) // _BLOCK)
LONGEST_TOKEN = -(-(_SEALED_FROM + _TAG_BYTES + _MOST_BLOCKS * _BLOCK) * 4 // 3)
# RFC 5322 section 2.1.1: a line should have at most 78 characters.
_LINE = 76
_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
_LAST_MOMENT = 253_402_300_799
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_FIRST_LETTERS = 4


class MalformedMarkKeys(ValueError):
    """Lines that are no keys; the text says which line and why, and never the key."""


class Unmarkable(ValueError):
    """An account or host whose name is longer than a mark can hold."""


class Marked(NamedTuple):
    """What a mark says; ``at`` is in whole seconds."""

    account: str
    host: str
    at: datetime


class _Key:
    """One key, and what is derived from it for each purpose."""

    def __init__(self, key: bytes) -> None:
        self.id = blake2b(key=key, person=b"mark key id", digest_size=_ID_BYTES).digest()
        self.seal = AESSIV(blake2b(key=key, person=b"mark", digest_size=64).digest())
        self.pseudonyms = blake2b(key=key, person=b"mark pseudonym", digest_size=32).digest()


class MarkKeys:
    """The keys of a site: the first signs, all verify."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Each key has ``KEY_BYTES``.  Raises ``MalformedMarkKeys``."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise MalformedMarkKeys(f"at least one key of {KEY_BYTES} bytes is needed, and none of another length")
        self._first = _Key(keys[0])
        self._by_id = {key.id: key for key in map(_Key, keys)}

    @classmethod
    def from_text(cls, text: str) -> MarkKeys:
        """Read keys as ``read_keys`` does.  Raises ``MalformedMarkKeys``."""
        return cls(read_keys(text))

    def sealed(self, content: bytes, nonce: bytes) -> bytes:
        """Return a content of whole blocks sealed by the first key, with what is needed to open it."""
        # AES-SIV (RFC 5297), because a nonce that comes twice then gives away no more than that two marks are alike.
        head = bytes((_VERSION, len(content) // _BLOCK)) + self._first.id
        return head + nonce + self._first.seal.encrypt(content, [head, nonce])

    def opened(self, sealed: bytes) -> bytes | None:
        """Return the content, None where it was not sealed by one of the keys or is not whole."""
        if len(sealed) < _SEALED_FROM or sealed[0] != _VERSION or len(sealed) != _length_of(sealed[1]):
            return None
        head, nonce = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:_SEALED_FROM]
        key = self._by_id.get(head[2:])
        if key is None:
            return None
        try:
            return key.seal.decrypt(sealed[_SEALED_FROM:], [head, nonce])
        except InvalidTag:
            return None

    def pseudonym(self, account: str) -> str:
        """Return a name of 12 letters for an account, the same as long as the first key is."""
        named = blake2b(account.encode("utf-8", "backslashreplace"), key=self._first.pseudonyms, digest_size=9)
        return _written(named.digest())


def read_keys(text: str) -> list[bytes]:
    """Read keys, one a line as ``key_line`` writes them; what follows a ``#`` is a comment.

    Raises ``MalformedMarkKeys``.
    """
    keys: list[bytes] = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        key = _unwritten(written)
        if key is None or len(key) != KEY_BYTES:
            raise MalformedMarkKeys(f"line {number} is no key; `outwarden mark new-key` prints one")
        if key in keys:
            raise MalformedMarkKeys(f"line {number} is the same key as one before it")
        keys.append(key)
    if not keys:
        raise MalformedMarkKeys("no key; `outwarden mark new-key` prints one")
    return keys


def key_line(key: bytes) -> str:
    """Return a key as a line of a keys file."""
    return _written(key)


def mark(keys: MarkKeys, account: str, host: str, at: datetime, nonce: bytes) -> str:
    """Return the value of the header, folded.  ``nonce`` is ``NONCE_BYTES`` of chance, new for each message.

    Raises ``Unmarkable``.
    """
    return folded(HEADER, mark_token(keys, account, host, at, nonce))


def mark_token(keys: MarkKeys, account: str, host: str, at: datetime, nonce: bytes) -> str:
    """Return the mark in one piece of letters, digits, ``-`` and ``_``.  Raises ``Unmarkable``."""
    whose, where = account.encode("utf-8", "backslashreplace"), host.encode("utf-8", "backslashreplace")
    if len(whose) > LONGEST_ACCOUNT or len(where) > LONGEST_HOST:
        raise Unmarkable(f"a name of {max(len(whose), len(where))} bytes")
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
    seconds = min(max((at - _EPOCH) // _SECOND, 0), _LAST_MOMENT)
    content = b"".join(
        (
            *(seconds.to_bytes(_TIME_BYTES, "big"), len(whose).to_bytes(2, "big"), whose),
            *(len(where).to_bytes(1, "big"), where),
        )
    )
    # Whole blocks, so that the length tells little of the name.
    return _written(keys.sealed(content + bytes(-len(content) % _BLOCK), nonce))


def folded(name: str, token: str) -> str:
    """Return a token as the value of the header ``name``, no line of it longer than RFC 5322 asks for."""
    first = _LINE - len(name) - 2
    rest = [token[place : place + _LINE - 1] for place in range(first, len(token), _LINE - 1)]
    return "\n ".join((token[:first], *rest))


def read_mark(keys: MarkKeys, value: str) -> Marked | None:
    """Return what a mark says, however its header is folded; None where it is none of ours, or not whole."""
    token = "".join(value[: 4 * LONGEST_TOKEN].split())
    sealed = _unwritten(token) if len(token) <= LONGEST_TOKEN else None
    content = None if sealed is None else keys.opened(sealed)
    if content is None:
        return None
    account, rest = _named(content[_TIME_BYTES:], 2)
    host, _ = _named(rest, 1)
    return Marked(account, host, datetime.fromtimestamp(int.from_bytes(content[:_TIME_BYTES], "big"), UTC))


def token_at_the_start(text: str) -> str:
    """Return the letters that a text begins with, as many as the mark says that it has; empty where there is none."""
    first = _unwritten(text[:_FIRST_LETTERS])
    if first is None or len(first) < 2 or first[0] != _VERSION or not 0 < first[1] <= _MOST_BLOCKS:
        return ""
    return text[: -(-_length_of(first[1]) * 4 // 3)]


def _length_of(blocks: int) -> int:
    return _SEALED_FROM + _TAG_BYTES + blocks * _BLOCK


def _named(content: bytes, length_bytes: int) -> tuple[str, bytes]:
    end = length_bytes + int.from_bytes(content[:length_bytes], "big")
    return content[length_bytes:end].decode("utf-8", "replace"), content[end:]


def _written(octets: bytes) -> str:
    """RFC 4648 section 5: letters that need no quoting anywhere; without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _unwritten(token: str) -> bytes | None:
    if not _TOKEN.fullmatch(token):
        return None
    try:
        octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except Error:
        return None
    # Bits that stand for nothing must be 0, or a changed letter would not be seen.
    return octets if _written(octets) == token else None
