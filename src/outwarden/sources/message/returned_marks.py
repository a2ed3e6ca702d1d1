"""The marks that a message carries, wherever they stand: its own header, that of a message returned in it, quoted text.

A bounce may return the whole message, its header alone, in a part of any encoding, or quoted line by line; in between
anybody may have folded the lines anew.  So the name of the header is looked for everywhere, and a mark says itself how
long it is.  Nothing raises, and what is looked at is bounded.

Of the marks in one header the newest that verifies counts: who hands a message in may have put a copied one there
before ours was added, and a copied one is older.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from outwarden.sources.message.decoding import IDENTITY, content_of
from outwarden.sources.message.mark import HEADER, LONGEST_TOKEN, Marked, MarkKeys, read_mark, token_at_the_start
from outwarden.sources.message.parts import Part, Parts

MOST_MARKS = 2_000
"""So many are tried in one text: more than anybody may put before ours to hide it."""

MOST_DECODED_BYTES = 2_097_152
_NAMES = (HEADER.lower().encode("ascii"), b"cfbl-feedback-id")
# Folds, and what stands at the beginning of a quoted line or, in quoted-printable, at the end of a broken one.
_BETWEEN = b" \t\r\n>|=*"
_LONGEST_WRITTEN = 4 * LONGEST_TOKEN
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_TAG = re.compile(rb"<[a-zA-Z/!][^<>]*>|&gt;|&nbsp;")
_RETURNED_TYPES = ("text/rfc822-headers", "message/rfc822", "message/global")
_RETURNED = re.compile(
    rb"^content-type:[ \t]*(?:\r?\n[ \t]+)?(?:text/rfc822-headers|message/(?:rfc822|global)(?:-headers)?)\b",
    re.MULTILINE | re.IGNORECASE,
)


class Carried(NamedTuple):
    """What a message says of whose it is.

    ``marked`` is the mark that counts, ``claimed`` whether the name of a header with a mark stands in it at all,
    ``returns`` whether it holds another message or the header of one.
    """

    marked: Marked | None
    claimed: bool
    returns: bool

    @property
    def ours(self) -> bool | None:
        """Whether it is ours or returns one of ours; None where nothing says so and nothing had to."""
        if self.marked is not None:
            return True
        return False if self.claimed or self.returns else None


def carried_marks(keys: MarkKeys, message: bytes, parts: Parts) -> Carried:
    """Return what marks say; ``parts`` are those of the message."""
    returns = _RETURNED.search(message) is not None or any(one.type.startswith(_RETURNED_TYPES) for one in parts.parts)
    claimed = False
    for text in (message, *_decoded(message, parts.parts)):
        written = list(_written_marks(text))
        claimed = claimed or bool(written)
        marked = _newest_of_one_header(keys, text, written)
        if marked is not None:
            return Carried(marked, claimed, returns)
    return Carried(None, claimed, returns)


def _newest_of_one_header(keys: MarkKeys, text: bytes, written: list[tuple[int, str]]) -> Marked | None:
    """Return the newest mark of the first header that has one."""
    newest: Marked | None = None
    ends = len(text)
    for place, token in written:
        if place > ends:
            break
        marked = read_mark(keys, token)
        if marked is None:
            continue
        if newest is None:
            end = _HEADER_END.search(text, place)
            ends = end.start() if end else ends
        # Ours is added at the end, so of two of one second it is the last.
        if newest is None or marked.at >= newest.at:
            newest = marked
    return newest


def _written_marks(text: bytes) -> Iterator[tuple[int, str]]:
    """Yield where the name of a header with a mark ends, and what follows it, cut where a mark would end."""
    lower = text.lower()
    for place in sorted(place for name in _NAMES for place in _ends_of(lower, name))[:MOST_MARKS]:
        written = text[place : place + _LONGEST_WRITTEN].lstrip(b" \t")
        if written.startswith(b":"):
            letters = written[1:].translate(None, _BETWEEN)
            yield place, token_at_the_start(letters.decode("latin-1"))


def _ends_of(lower: bytes, name: bytes) -> Iterator[int]:
    place = lower.find(name)
    for _ in range(MOST_MARKS):
        if place < 0:
            return
        yield place + len(name)
        place = lower.find(name, place + len(name))


def _decoded(message: bytes, parts: list[Part]) -> Iterator[bytes]:
    """Yield the text of each part that does not stand in the message as it is read."""
    left = MOST_DECODED_BYTES
    for part in parts:
        is_page = part.type == "text/html"
        if not part.type.startswith(("text", "message/")) or (part.encoding in IDENTITY and not is_page):
            continue
        body = message[part.start : min(part.end, part.start + left)]
        left -= len(body)
        content, _ = content_of(body, part.encoding)
        yield _TAG.sub(b"\n", content) if is_page else content
