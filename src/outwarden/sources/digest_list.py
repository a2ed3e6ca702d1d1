"""The site's own list of files that nobody is to send: their SHA-256, one a line, as ``sha256sum`` writes them.

What follows the digest on its line is not read; empty lines and lines that begin with ``#`` are left out.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_DIGESTS = 1_000_000
_DIGITS = 64


class MalformedDigestList(ValueError):
    """No list of digests; the text says which line, what is wrong, and what would do."""


def read_digest_list(lines: Iterable[str]) -> frozenset[str]:
    """Return the digests in lower-case hexadecimal digits.  Raises ``MalformedDigestList``."""
    digests: set[str] = set()
    for number, line in enumerate(lines, 1):
        words = line.split(None, 1)
        if not words or words[0][0] == "#":
            continue
        # A name with a backslash in it makes sha256sum begin its line with another.
        digest = words[0].removeprefix("\\").lower()
        if len(digest) != _DIGITS or not digest.isascii() or not all(letter in "0123456789abcdef" for letter in digest):
            raise MalformedDigestList(f"line {number}: {words[0][:80]!r} is no SHA-256 of 64 hexadecimal digits")
        digests.add(digest)
        if len(digests) > MOST_DIGESTS:
            raise MalformedDigestList(f"line {number}: more than {MOST_DIGESTS} digests")
    return frozenset(digests)
