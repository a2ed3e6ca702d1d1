"""Pages of registries, kept on disk with their entity tags, so that nobody is asked twice for the same.

One file for each URL, in a directory that only its owner can read: the pages name persons.  A file that cannot be
read is as good as none, and what is older than a month is deleted.
"""

import contextlib
import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

_KEPT_FOR = timedelta(days=30)
_ENDING = ".page"


class Kept(msgspec.Struct, frozen=True):
    """A page: who gave it (after redirects), its entity tag (RFC 9110 section 8.8.3), and when."""

    url: str
    answered_by: str
    etag: str
    stored_at: datetime
    body: bytes


class PageCache:
    """The directory, made at the first page.  ``trouble`` says, in one line, why pages could not be kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.trouble: str | None = None

    def find(self, url: str, now: datetime) -> Kept | None:
        """Return the page kept for the URL, None where there is none that can be read or that is too old."""
        try:
            kept = msgspec.json.decode(self._path(url).read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        fresh_enough = kept.stored_at.tzinfo is not None and now - _KEPT_FOR <= kept.stored_at <= now
        return kept if kept.url == url and fresh_enough else None

    def keep(self, kept: Kept) -> None:
        """Keep a page, in one step, and forget old ones."""
        path = self._path(kept.url)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.write_bytes(msgspec.json.encode(kept))
            unfinished.replace(path)
            self._forget_before(kept.stored_at - _KEPT_FOR)
        except OSError as fault:
            self.trouble = f"{self._directory}: answers cannot be kept there ({fault.strerror})"

    def _path(self, url: str) -> Path:
        return self._directory / (hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest() + _ENDING)

    def _forget_before(self, at: datetime) -> None:
        for path in self._directory.glob(f"*{_ENDING}"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < at.timestamp():
                    path.unlink()
