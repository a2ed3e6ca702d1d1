"""The token in a link to the page of an account's owner: what it is for, whose it is, until when, and good for once.

Sealed by the site's keys, the first of which makes tokens while all read them (as those of the mark, and never taken
for one): nobody else can make one or read whose it is.  It works for its own purpose only.  Who serves the page writes
the token's digest down when it is used; the store never holds a token, so that a stolen copy of it opens no page.

Known limit: a token does not know that it was used; that is for whoever keeps the digests.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

ID_BYTES = 16
_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES + ID_BYTES
_TIME_BYTES = 5
_LONGEST_NAME = 320
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,1024}")


class LinkPurpose(StrEnum):
    """What a link lets its reader do."""

    OWNER_PAGE = "owner-page"
    CONFIRM_BULK = "confirm-bulk"


class LinkFault(StrEnum):
    """Why a token opens nothing."""

    NOT_OURS = "not ours"
    EXPIRED = "expired"


class Link(NamedTuple):
    """What a token says; ``expires_at`` is UTC, in whole seconds; ``id`` is of chance and never comes twice."""

    purpose: LinkPurpose
    account: str
    case: str
    expires_at: datetime
    id: bytes


class LinkKeys:
    """The keys of a site: the first seals, all open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """``keys`` as for the mark, at least one."""
        if not keys:
            raise ValueError("at least one key is needed")
        self._seals = {
            blake2b(key=key, person=b"link key id", digest_size=_KEY_ID_BYTES).digest(): AESSIV(
                blake2b(key=key, person=b"link", digest_size=64).digest()
            )
            for key in keys
        }
        self._first = next(iter(self._seals))

    def token(self, link: Link) -> str:
        """Return the token of a link; its ``id`` has ``ID_BYTES`` of chance.  Raises ``ValueError`` where it cannot."""
        account, case = link.account.encode("utf-8", "backslashreplace"), link.case.encode("utf-8", "backslashreplace")
        if len(link.id) != ID_BYTES or max(len(account), len(case)) > _LONGEST_NAME:
            raise ValueError(f"an id has {ID_BYTES} bytes, account and case {_LONGEST_NAME} at most")
        head = _VERSION + self._first + link.id
        expiry = int(link.expires_at.timestamp()).to_bytes(_TIME_BYTES, "big")
        content = expiry + len(case).to_bytes(2, "big") + case + account
        return _written(head + self._seals[self._first].encrypt(content, [head, link.purpose.encode()]))

    def read(self, token: str, purpose: LinkPurpose, now: datetime) -> Link | LinkFault:
        """Return what a token for this purpose says, or why it opens nothing; another purpose's is none of ours."""
        octets = _unwritten(token)
        if octets is None or octets[:1] != _VERSION:
            return LinkFault.NOT_OURS
        head = octets[:_HEAD_BYTES]
        seal = self._seals.get(head[1 : 1 + _KEY_ID_BYTES])
        if seal is None:
            return LinkFault.NOT_OURS
        try:
            content = seal.decrypt(octets[_HEAD_BYTES:], [head, purpose.encode()])
        except (InvalidTag, ValueError):
            return LinkFault.NOT_OURS
        expires_at = datetime.fromtimestamp(int.from_bytes(content[:_TIME_BYTES], "big"), UTC)
        if now >= expires_at:
            return LinkFault.EXPIRED
        begin = _TIME_BYTES + 2
        end = begin + int.from_bytes(content[_TIME_BYTES:begin], "big")
        case, account = content[begin:end].decode(), content[end:].decode()
        return Link(purpose, account, case, expires_at, head[1 + _KEY_ID_BYTES :])


def token_digest(token: str) -> str:
    """Return what is kept of a token: enough to know it again, too little to use it."""
    return sha256(b"outwarden link " + token.encode("utf-8", "backslashreplace")).hexdigest()


def _written(octets: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _unwritten(token: str) -> bytes | None:
    if not _TOKEN.fullmatch(token):
        return None
    try:
        octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except Error:
        return None
    return octets if _written(octets) == token else None
