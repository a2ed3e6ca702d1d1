"""The parts of a message: one pass over its delimiter lines, bounded in depth, in parts and in lines looked at.

Written for hostile input: no recursion, nothing decoded, and no part looked at twice.  Where a message breaks
the rules of RFC 2046, what a client would show is kept: a multipart whose boundary is missing or never comes is text.
Known limits: a message or multipart that is itself encoded (forbidden by RFC 2045 section 6.4) is an attachment as
it stands; a boundary counts only as a whole line, white space after it apart.
"""

from bisect import bisect_left
from typing import NamedTuple

from outwarden.sources.message.decoding import IDENTITY
from outwarden.sources.message.examined import Fault
from outwarden.sources.message.header import MOST_HEADER_BYTES, Fields, first, parameters_of, read_fields

MOST_DEPTH = 16
MOST_PARTS = 300
MOST_DELIMITERS = 10_000
_MOST_DELIMITERS_IN_HEADER = 100
_LONGEST_DELIMITER = 2 + 2 + 200
_PLAIN: tuple[str, dict[str, str]] = ("text/plain", {})


class Part(NamedTuple):
    """A part that has no parts: its header, what it claims to be, and where its body lies in the message."""

    fields: Fields
    type: str
    parameters: dict[str, str]
    encoding: str
    start: int
    end: int


class Parts(NamedTuple):
    """The header of the whole message, the parts in order, and what was wrong."""

    fields: Fields
    parts: list[Part]
    faults: set[Fault]


def read_parts(message: bytes, *, enter_messages: bool = True) -> Parts:
    """Return the parts of a message; a message inside it is one part as it stands, unless it is entered."""
    reading = _Reading(message, enter_messages)
    return Parts(reading.begin(0), reading.finish(), reading.faults)


def read_header(message: bytes) -> tuple[Fields, int]:
    """Return the header of a message, and where its body begins."""
    return _Reading(message, enter_messages=True).header(0)


class _Level:
    """One open multipart."""

    __slots__ = ("body", "boundary", "met")

    def __init__(self, boundary: bytes, body: int) -> None:
        self.boundary = boundary
        self.body = body
        self.met = False


class _Reading:
    def __init__(self, message: bytes, enter_messages: bool) -> None:
        self.faults: set[Fault] = set()
        self._enter_messages = enter_messages
        self._message = message
        self._open: list[_Level] = []
        self._part: Part | None = None
        self._parts: list[Part] = []
        self._marks: list[int] | None = None

    def begin(self, start: int) -> Fields:
        """Begin an entity: read its header and see what follows.  Returns the header."""
        outermost: Fields | None = None
        depth = len(self._open)
        while True:
            fields, body = self.header(start)
            outermost = fields if outermost is None else outermost
            written = first(fields, b"content-type")
            kind, parameters = parameters_of(written) if written else _PLAIN
            encoding = first(fields, b"content-transfer-encoding").lower().partition(b";")[0].strip()
            encoded = encoding.decode("latin-1")
            depth += 1
            enters = self._enter_messages and encoded in IDENTITY and depth < MOST_DEPTH
            if enters and kind == "message/rfc822":
                start = body
                continue
            if kind.startswith("multipart/") and self._opened(parameters, body, depth):
                return outermost
            if kind.startswith("multipart/"):
                kind, parameters = _PLAIN
            self._part = Part(fields, kind, parameters, encoded, body, len(self._message))
            return outermost

    def _opened(self, parameters: dict[str, str], body: int, depth: int) -> bool:
        boundary = parameters.get("boundary", "").rstrip().encode("utf-8", "surrogatepass")
        if not boundary:
            self.faults.add(Fault.NO_BOUNDARY)
            return False
        if depth >= MOST_DEPTH:
            self.faults.add(Fault.TOO_DEEP)
            return False
        self._open.append(_Level(b"--" + boundary[:_LONGEST_DELIMITER], body))
        return True

    def header(self, start: int) -> tuple[Fields, int]:
        """Return the fields that stand at ``start``, and where the body begins."""
        message = self._message
        if message.startswith((b"\n", b"\r\n"), start):
            return {}, message.index(b"\n", start) + 1
        longest = start + MOST_HEADER_BYTES
        end = message.find(b"\n\r\n", start, longest)
        unix = message.find(b"\n\n", start, longest if end < 0 else end)
        if unix >= 0:
            end, body = unix, unix + 2
        elif end >= 0:
            body = end + 3
        else:
            end = body = min(longest, len(message))
            if longest < len(message):
                self.faults.add(Fault.HEADER_TOO_LONG)
        # A part may end before its header does: the delimiter counts.
        if self._open and (mark := self._next_mark(start, end)) is not None:
            end = body = mark
        return read_fields(message[start:end]), body

    def _next_mark(self, start: int, end: int) -> int | None:
        marks = self._delimiters()
        place = bisect_left(marks, start)
        for mark in marks[place : place + _MOST_DELIMITERS_IN_HEADER]:
            if mark >= end:
                return None
            if self._level_of(mark) is not None:
                return mark
        return None

    def finish(self) -> list[Part]:
        """Go through the delimiter lines and return the parts."""
        if self._open:
            for mark in self._delimiters():
                if len(self._parts) >= MOST_PARTS:
                    self.faults.add(Fault.TOO_MANY_PARTS)
                    return self._parts
                self._meet(mark)
        self._close(len(self._message))
        self._leave(0, len(self._message))
        return self._parts[:MOST_PARTS]

    def _delimiters(self) -> list[int]:
        """Return where each line begins that begins with two hyphens."""
        if self._marks is None:
            find = self._message.find
            place = 0 if self._message.startswith(b"--") else find(b"\n--") + 1
            marks: list[int] = []
            while (place > 0 or not marks) and self._message.startswith(b"--", place):
                if len(marks) >= MOST_DELIMITERS:
                    self.faults.add(Fault.TOO_MANY_DELIMITERS)
                    break
                marks.append(place)
                place = find(b"\n--", place) + 1
            self._marks = marks
        return self._marks

    def _line(self, mark: int) -> bytes:
        return self._message[mark : mark + _LONGEST_DELIMITER + 60].partition(b"\n")[0].rstrip()

    def _level_of(self, mark: int) -> int | None:
        """Return the innermost open multipart whose boundary stands here."""
        line = self._line(mark)
        for place in range(len(self._open) - 1, -1, -1):
            boundary = self._open[place].boundary
            if line.startswith(boundary) and line[len(boundary) :] in (b"", b"--"):
                return place
        return None

    def _meet(self, mark: int) -> None:
        if self._part is not None and mark < self._part.start:
            return
        place = self._level_of(mark)
        if place is None or mark < self._open[place].body:
            return
        self._close(mark)
        self._leave(place + 1, mark)
        level = self._open[place]
        level.met = True
        if self._line(mark) != level.boundary:
            del self._open[place]
            return
        after = self._message.find(b"\n", mark)
        if after >= 0:
            self.begin(after + 1)

    def _close(self, end: int) -> None:
        """End the open part; the line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1)."""
        if self._part is not None:
            if end < len(self._message):
                end -= 2 if self._message[end - 2 : end] == b"\r\n" else 1
            self._parts.append(self._part._replace(end=max(end, self._part.start)))
            self._part = None

    def _leave(self, place: int, end: int) -> None:
        """Leave the multiparts from ``place`` inwards; one whose boundary never came was text."""
        for level in self._open[place:]:
            if not level.met:
                self.faults.add(Fault.NO_BOUNDARY)
                self._parts.append(Part({}, *_PLAIN, "", level.body, end))
        del self._open[place:]
