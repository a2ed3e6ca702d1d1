"""Bytes as they come from a file, cut anywhere, become text of complete lines.

What it promises: the same text whatever the cuts were; a bounded memory, because a line longer than
``LONGEST_LINE`` is cut off there and counted; and no exception, because bytes that are not UTF-8
become backslash escapes.  A byte-order mark is taken off; UTF-16 is recognised by its mark (as
exports of Exchange's shell have it).  CRLF becomes LF, and NUL bytes go (a log that was truncated
under its writer begins with many).

Not done: UTF-16 without a mark, and a change of encoding in the middle of a file.
"""

import codecs

from outwarden.sources.logs.saved_state import SavedState

LONGEST_LINE = 65_536
_CUT = b"\n"
_MARKS_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class SavedLines(SavedState):
    """The line that is not complete yet; ``utf_16`` is the decoder's own state, where one is at work."""

    lines_cut_off: int
    unfinished: bytes
    utf_16: tuple[bytes, int] | None
    at_the_start: bool


class LineBlocks:
    """Cuts the bytes of one file into blocks of complete lines; ``begin`` starts the next file."""

    def __init__(self) -> None:
        self.lines_cut_off = 0
        self._unfinished = bytearray()
        self._utf_16: codecs.IncrementalDecoder | None = None
        self._at_the_start = True

    def feed(self, block: bytes) -> str:
        """Return the lines that this block completes, each ended by a newline; may be empty."""
        if self._at_the_start:
            block = self._without_mark(block)
        if self._utf_16 is not None:
            block = self._utf_16.decode(block).encode("utf-8", "backslashreplace")
        if b"\0" in block:
            block = block.replace(b"\0", b"")
        end = block.rfind(_CUT) + 1
        if not end:
            self._keep(block)
            return ""
        if self._unfinished:
            complete = bytes(self._unfinished + block[:end])
            self._unfinished.clear()
        else:
            complete = block[:end]
        self._keep(block[end:])
        return self._text(complete)

    def finish(self) -> str:
        """Return the last line where it has no newline (given one), and be ready for another file."""
        self._utf_16 = None
        rest = self.feed(_CUT) if self._unfinished else ""
        self._at_the_start = True
        return rest

    def saved(self) -> SavedLines:
        """Return what is known between two blocks."""
        utf_16 = None if self._utf_16 is None else self._utf_16.getstate()
        return SavedLines(self.lines_cut_off, bytes(self._unfinished), utf_16, self._at_the_start)

    def restore(self, saved: SavedLines) -> None:
        """Know what was saved, and nothing else."""
        self.lines_cut_off, self._at_the_start = saved.lines_cut_off, saved.at_the_start
        self._unfinished = bytearray(saved.unfinished)
        self._utf_16 = None
        if saved.utf_16 is not None:
            self._utf_16 = _utf_16_decoder()
            self._utf_16.setstate(saved.utf_16)

    def _without_mark(self, block: bytes) -> bytes:
        """Take off a byte-order mark, which may come in pieces itself."""
        head = bytes(self._unfinished) + block
        self._unfinished.clear()
        if len(head) < len(codecs.BOM_UTF8) and any(
            mark.startswith(head) for mark in (codecs.BOM_UTF8, *_MARKS_UTF_16)
        ):
            self._unfinished += head
            return b""
        self._at_the_start = False
        if head.startswith(_MARKS_UTF_16):
            self._utf_16 = _utf_16_decoder()
            return head
        return head.removeprefix(codecs.BOM_UTF8)

    def _keep(self, tail: bytes) -> None:
        """Keep an unfinished line, but never more of it than shows that it is too long."""
        self._unfinished += tail
        # One byte more would show it, but that byte may be the CR of a CRLF.
        del self._unfinished[LONGEST_LINE + 2 :]

    def _text(self, complete: bytes) -> str:
        if b"\r" in complete:
            complete = complete.replace(b"\r\n", _CUT)
        return self._cut_long_lines(complete).decode("utf-8", "backslashreplace")

    def _cut_long_lines(self, complete: bytes) -> bytes:
        """Return the block with each line at most ``LONGEST_LINE`` bytes.

        It looks only at the last newline of each stretch of that length, so that a block without
        long lines costs a handful of look-ups.
        """
        pieces, kept, at = [], 0, 0
        while at < len(complete):
            end = complete.rfind(_CUT, at, at + LONGEST_LINE + 1)
            if end < 0:
                pieces.append(complete[kept : at + LONGEST_LINE])
                self.lines_cut_off += 1
                kept = end = complete.index(_CUT, at + LONGEST_LINE)
            at = end + 1
        return b"".join((*pieces, complete[kept:])) if pieces else complete


def _utf_16_decoder() -> codecs.IncrementalDecoder:
    """Return a decoder that finds out the order of the bytes from the mark."""
    return codecs.getincrementaldecoder("utf-16")("replace")
