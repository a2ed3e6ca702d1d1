"""A password's hash as Dovecot stores and accepts it, and whether a password fits one.

SHA512-CRYPT and BLF-CRYPT are made by the system's libcrypt, which is what Dovecot itself calls: the hash is right
wherever the mail server's own library is.  ARGON2ID is made by cryptography; with one lane, as libsodium, by which
Dovecot checks it, knows no other.
"""

from __future__ import annotations

import base64
import ctypes
import functools
import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum

from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from outwarden.responses.accounts.connector import OperatorFault
from outwarden.responses.accounts.secret import Secret


class Scheme(StrEnum):
    """The schemes that we write, by Dovecot's names."""

    SHA512_CRYPT = "SHA512-CRYPT"
    BLF_CRYPT = "BLF-CRYPT"
    ARGON2ID = "ARGON2ID"


_CRYPT_PREFIX = {Scheme.SHA512_CRYPT: (b"$6$", 0), Scheme.BLF_CRYPT: (b"$2y$", 10)}
_SALTED = {"SSHA": ("sha1", 20), "SSHA256": ("sha256", 32), "SSHA512": ("sha512", 64)}
_CRYPT_SETTING = re.compile(r"\$(?:5|6|2[aby]|y|1)\$")
_ROOM = 262144
"""For ``struct crypt_data``: 32 kB in libxcrypt, 131 kB in older libraries."""
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2")
"""Debian's and Fedora's name of libxcrypt."""


def hashed(secret: Secret, scheme: Scheme, prefix: bool = True) -> str:
    """Return what to store, as ``{SHA512-CRYPT}$6$...``; ``prefix`` False leaves the braces out.

    Raises ``OperatorFault`` where this machine's library lacks the scheme.
    """
    plain = secret.reveal().encode()
    text = _argon2id(plain) if scheme is Scheme.ARGON2ID else _crypt(plain, _new_setting(scheme))
    if text is None:
        raise OperatorFault(f'this machine\'s libraries do not know scheme = "{scheme}"; choose another')
    return f"{{{scheme}}}{text}" if prefix else text


def fits(secret: Secret, stored: str) -> bool | None:
    """Return whether a password fits a stored hash; None where we cannot tell, as with schemes that we do not write."""
    scheme, _, text = stored[1:].partition("}") if stored.startswith("{") else ("", "", stored)
    if salted := _SALTED.get(scheme.upper()):
        return _fits_salted(secret, *salted, text)
    plain = secret.reveal().encode()
    if text.startswith("$argon2id$"):
        return _fits_argon2id(plain, text)
    if _CRYPT_SETTING.match(text) is None or not text.isascii():
        return None
    again = _crypt(plain, text.encode())
    return None if again is None else secrets.compare_digest(again, text)


def _fits_salted(secret: Secret, digest: str, size: int, text: str) -> bool | None:
    """What directories store by default: base64 of a digest and then its salt."""
    try:
        stored = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    made = hashlib.new(digest, secret.reveal().encode() + stored[size:]).digest()
    return secrets.compare_digest(made, stored[:size])


def _argon2id(plain: bytes) -> str | None:
    try:
        kdf = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=3, lanes=1, memory_cost=65536)
    except UnsupportedAlgorithm:
        return None
    return kdf.derive_phc_encoded(plain)


def _fits_argon2id(plain: bytes, text: str) -> bool | None:
    try:
        Argon2id.verify_phc_encoded(plain, text)
    except InvalidKey:
        return False
    except (ValueError, UnsupportedAlgorithm):
        return None
    return True


@functools.cache
def _libcrypt() -> ctypes.CDLL:
    library = next(_loaded(), None)
    if library is None:
        raise OperatorFault('this system has no libxcrypt, which makes the hashes; choose scheme = "ARGON2ID"')
    library.crypt_r.restype = library.crypt_gensalt_rn.restype = ctypes.c_char_p
    library.crypt_r.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    text, number = ctypes.c_char_p, ctypes.c_int
    library.crypt_gensalt_rn.argtypes = [text, ctypes.c_ulong, text, number, text, number]
    return library


def _loaded() -> Iterator[ctypes.CDLL]:
    """Yield the libraries that can do it; glibc's own of old has no ``crypt_gensalt_rn``."""
    for name in _LIBRARIES:
        with suppress(OSError):
            library = ctypes.CDLL(name)
            if hasattr(library, "crypt_gensalt_rn"):
                yield library


def _new_setting(scheme: Scheme) -> bytes:
    prefix, cost = _CRYPT_PREFIX[scheme]
    room = ctypes.create_string_buffer(192)
    random = secrets.token_bytes(16)
    setting: bytes | None = _libcrypt().crypt_gensalt_rn(prefix, cost, random, len(random), room, len(room))
    return setting or b"*"


def _crypt(plain: bytes, setting: bytes) -> str | None:
    """Return the hash; None where the library cannot make it, for which it returns nothing or a text with a star."""
    room = ctypes.create_string_buffer(_ROOM)
    made: bytes | None = _libcrypt().crypt_r(plain, setting, room)
    return None if made is None or made.startswith(b"*") else made.decode("ascii")
