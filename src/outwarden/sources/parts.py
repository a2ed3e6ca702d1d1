"""A plain log file cut at its lines, so that several processes can read it side by side."""

import codecs
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from outwarden.sources.compression import decompressor_for

_BLOCK = 1 << 16
_SMALLEST = 4 << 20
_LONGEST_LINE = 1 << 20


class Part(NamedTuple):
    """A stretch of a file, in bytes, that begins at a line and ends after one."""

    path: str
    begin: int
    end: int


def is_plain(path: str) -> bool:
    """Return whether this is a regular file of uncompressed text in one byte a letter."""
    if not os.path.isfile(path):
        return False
    with Path(path).open("rb") as file:
        head = file.read(64)
    return decompressor_for(head) is None and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def cut_at_lines(path: str, pieces: int) -> list[Part]:
    """Cut a file into that many parts of about one size, or fewer where they would be small."""
    size = os.stat(path).st_size
    pieces = max(1, min(pieces, size // _SMALLEST))
    edges = [0]
    with Path(path).open("rb") as file:
        for piece in range(1, pieces):
            file.seek(max(edges[-1], size * piece // pieces))
            file.readline()
            edges.append(file.tell())
    edges.append(size)
    return [Part(path, begin, end) for begin, end in pairwise(edges) if end > begin]


def read_part(part: Part) -> Iterator[bytes]:
    """Yield the part in blocks of whole lines; of a line over a megabyte, the rest is passed over.

    Each block is read from where the last whole line ended, which costs less than joining what is cut.
    """
    at, size = part.begin, _BLOCK
    file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while at < part.end and (block := os.pread(file, min(size, part.end - at), at)):
            end = block.rfind(b"\n") + 1
            if end:
                yield block[:end]
                at += end
                size = _BLOCK
            elif at + len(block) >= part.end or size >= _LONGEST_LINE:
                yield block + b"\n"
                at = _after_line(file, at + len(block), part.end)
            else:
                size *= 2
    finally:
        os.close(file)


def _after_line(file: int, at: int, end: int) -> int:
    """Return where the line ends that goes on at ``at``."""
    while at < end and (block := os.pread(file, _BLOCK, at)):
        newline = block.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(block)
    return end
