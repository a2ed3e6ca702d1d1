"""Bodies met lately, so that what goes to many in the same words is examined once.

A newsletter reaches the gate as one message for each recipient: its header differs, its body often does not.  Which
body it is is never guessed from a digest: the bytes themselves are held against those met before.  Only what was read
whole and without a fault is remembered, so no strange header can have kept anything from being seen.

Bounded: so many bodies of so many bytes; the one that was met first makes room.
"""

from collections.abc import Collection

from outwarden.events import Link
from outwarden.sources.message.examined import Attachment
from outwarden.sources.message.header import Fields, first
from outwarden.sources.message.text_sketch import sketch_of, words_of

SMALLEST_BYTES, LARGEST_BYTES = 4_096, 65_536
"""A smaller body is examined nearly as fast as it is found."""
MOST_BODIES = 64
_ENDING_BYTES = 64
# What of a header says how the body is to be read.
_ABOUT_BODY = (b"content-type", b"content-transfer-encoding", b"content-disposition")

Key = tuple[int, bytes, tuple[bytes, ...]]


class Body:
    """What one body says and carries; ``texts`` are the texts of which the first that has a sketch gives it."""

    def __init__(
        self,
        links: tuple[Link, ...],
        urls: tuple[str, ...],
        attachments: tuple[Attachment, ...],
        texts: tuple[str, ...],
    ) -> None:
        self.links, self.urls, self.attachments = links, urls, attachments
        self._texts = texts
        self._asked = 0
        self._words: frozenset[bytes] | None = None
        self._sketch: tuple[int, ...] = ()

    def sketch(self, names: Collection[str]) -> tuple[int, ...]:
        """Return the sketch; ``names`` are the recipients', which hardly ever stand in what goes to many."""
        self._asked += 1
        if self._asked == 1:
            return first_sketch(self._texts, names)
        if self._words is None:
            self._words = frozenset(word for text in self._texts for word in words_of(text))
            self._sketch = first_sketch(self._texts, ())
        if self._words.isdisjoint([name.encode() for name in names]):
            return self._sketch
        return first_sketch(self._texts, names)


class BodiesMet:
    """Finds a body again."""

    def __init__(self, most: int = MOST_BODIES) -> None:
        self._most = most
        self._bodies: dict[Key, tuple[bytes, Body]] = {}

    def find(self, fields: Fields, octets: bytes) -> Body | None:
        """Return what is known of exactly this body under a header that has it read the same."""
        met, body = self._bodies.get(_key(fields, octets), (b"", None))
        return body if met == octets else None

    def remember(self, fields: Fields, octets: bytes, body: Body) -> None:
        """Remember a body that was read whole and without a fault."""
        if len(self._bodies) >= self._most:
            del self._bodies[next(iter(self._bodies))]
        self._bodies[_key(fields, octets)] = octets, body


def first_sketch(texts: Collection[str], names: Collection[str]) -> tuple[int, ...]:
    """Return the sketch of the first text that says enough to have one."""
    return next((sketch for text in texts if (sketch := sketch_of(text, names))), ())


def _key(fields: Fields, octets: bytes) -> Key:
    return len(octets), octets[-_ENDING_BYTES:], tuple([first(fields, name) for name in _ABOUT_BODY])
