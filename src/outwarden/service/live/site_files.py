"""Files of the site's own that are read again when they change, so that nobody has to restart the service.

A file that cannot be used at the start is a mistake in the configuration.  One that cannot be used later leaves what
was read before, and is shown among what does not work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from outwarden.service.settings import Configuration
from outwarden.sources.digest_list import read_digest_list
from outwarden.sources.network_table import Whereabouts, read_network_table

_LOOKED_AT_EVERY_SECONDS = 60.0

_Content = TypeVar("_Content")
Say = Callable[[str], None]


class SiteFile(Generic[_Content]):
    """``content`` is what was read last; ``fault`` says why the file as it is now could not be used."""

    def __init__(
        self, configuration: Configuration, key: str, path: str, read: Callable[[Iterable[str]], _Content]
    ) -> None:
        """``read`` takes the file's lines and raises ``ValueError``.  Raises ``ConfigurationError``."""
        self.fault = ""
        self._path, self._read = Path(path), read
        try:
            self._state = self._seen()
            self.content = self._contained()
        except (OSError, ValueError) as fault:
            raise configuration.wrong(key, self._words(fault)) from None

    def look(self) -> bool:
        """Read the file again where it has changed; return whether it was read, or could not be."""
        try:
            state = self._seen()
            if state == self._state and not self.fault:
                return False
            self.content = self._contained()
        except (OSError, ValueError) as fault:
            before, self.fault = self.fault, self._words(fault)
            return self.fault != before
        self._state, self.fault = state, ""
        return True

    def _seen(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _contained(self) -> _Content:
        with self._path.open(encoding="utf-8") as file:
            return self._read(file)

    def _words(self, fault: OSError | ValueError) -> str:
        if isinstance(fault, OSError):
            return f"{self._path}: {fault.strerror or fault}; name a file that the service can read"
        return f"{self._path}: {'not UTF-8 text' if isinstance(fault, UnicodeDecodeError) else fault}"


class SiteFiles:
    """The files that the settings name."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises ``ConfigurationError``."""
        networks = configuration.settings.gate.networks_file
        self._networks = (
            SiteFile(configuration, "gate.networks_file", networks, read_network_table) if networks else None
        )
        hashes = configuration.settings.gate.attachment_hashes_file
        self._hashes = (
            SiteFile(configuration, "gate.attachment_hashes_file", hashes, read_digest_list) if hashes else None
        )

    @property
    def find_network(self) -> Callable[[str], Whereabouts] | None:
        """In which AS and country an address is, None where the site has no table of that."""
        networks = self._networks
        return None if networks is None else lambda address: networks.content.find(address)

    def listed_files(self) -> frozenset[str]:
        """Return the SHA-256 of the files that nobody is to send."""
        return frozenset() if self._hashes is None else self._hashes.content

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each file as it is now, empty where nothing is."""
        return {name: file.fault for name, file in self._by_name().items()}

    async def look_after(self, say: Say) -> None:
        """Look at the files until cancelled; each is read in another thread."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOKED_AT_EVERY_SECONDS)
            for name, file in self._by_name().items():
                if await loop.run_in_executor(None, file.look):
                    say(f"{name}: {file.fault or 'read again'}")

    def _by_name(self) -> dict[str, SiteFile[Any]]:
        files = {"table of networks": self._networks, "list of attachments": self._hashes}
        return {name: file for name, file in files.items() if file is not None}
