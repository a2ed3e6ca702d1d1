"""What only the service may read of what the store keeps: hashes of passwords, sealed by a key in a file beside it.

The store may be read by a group and is copied by backups; the key is in a file of its own, for the owner of the store's
folder alone (and root).  Without it what was sealed is lost, which then can only not be undone any more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_KEY_BYTES = 64


class SealBroken(Exception):
    """The key is not the one that sealed it, or the text was changed; one line says so."""


class Seal:
    """Seals and opens by the key in ``file``, which is made at the first use."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._cipher: AESSIV | None = None

    def closed(self, content: bytes, name: str) -> bytes:
        """Return it sealed; it opens under the same name only.  Raises ``SealBroken`` where there can be no key."""
        return self._key(make=True).encrypt(content, [name.encode()])

    def opened(self, sealed: bytes, name: str) -> bytes:
        """Return what was sealed.  Raises ``SealBroken``."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._key(make=False).decrypt(sealed, [name.encode()])
        except (InvalidTag, ValueError):
            raise SealBroken(f"{self._file} is not the key that sealed this; it cannot be read any more") from None

    def _key(self, *, make: bool) -> AESSIV:
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV

            try:
                self._cipher = AESSIV(self._read(make))
            except OSError as fault:
                raise SealBroken(f"{self._file}: {fault.strerror}") from None
            except ValueError:
                raise SealBroken(f"{self._file} holds no key; move it away, a new one is made") from None
        return self._cipher

    def _read(self, make: bool) -> bytes:
        if make and not self._file.exists():
            # Whole on the disk before its name is there, so that nobody finds half a key.
            part = self._file.with_name(f".{self._file.name}.{os.getpid()}")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(os.urandom(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
                if os.geteuid() == 0:
                    # A command of root's must not shut the service out.
                    owner = self._file.parent.stat()
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            try:
                os.link(part, self._file)
            except FileExistsError:
                pass  # Another was first: his key holds.
            finally:
                part.unlink()
            handle = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        return self._file.read_bytes()
