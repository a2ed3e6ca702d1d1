"""Messages out of an mbox: the file in which one follows the other, each after a line that begins with ``From ``.

A line counts only where it stands at the beginning or after an empty line, ends in a year or a zone, and a field
follows it; so that what somebody quotes in a message begins no other (RFC 4155, which knows how little is sure).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BEGINS = re.compile(
    rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\r\n]{1,400}(?:\d{4}|[A-Z]{2,5}|[+-]\d{4})[ \t]*\r?\n"
    rb"(?=>?[A-Za-z][A-Za-z0-9-]{0,60}[ :])"
)
# So far before the end of what has been read a line may still be the beginning of one.
_KEPT_BACK = 1_024


def messages_in_mbox(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield the messages, each with its ``From `` line, cut off after ``most`` bytes and one."""
    held = b""
    searched = 1
    cut = False
    for piece in pieces:
        held += piece
        while found := _BEGINS.search(held, searched, max(0, len(held) - _KEPT_BACK)):
            if not cut:
                yield held[: found.start()][: most + 1]
            held = held[found.start() :]
            searched = 1
            cut = False
        searched = max(1, len(held) - 2 * _KEPT_BACK)
        if len(held) > most and not cut:
            yield held[: most + 1]
            cut = True
        if cut:
            held = held[-2 * _KEPT_BACK :]
            searched = 1
    while found := _BEGINS.search(held, searched):
        if not cut:
            yield held[: found.start()][: most + 1]
        held = held[found.start() :]
        searched = 1
        cut = False
    if held and not cut:
        yield held[: most + 1]


def is_mbox(head: bytes) -> bool:
    """Return whether a file that begins so may be an mbox."""
    return _BEGINS.match(head) is not None
