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
    """Yield the part in blocks of whole lines; of a line over a megabyte, the rest is passed over."""
    unfinished = b""
    with Path(part.path).open("rb", buffering=0) as file:
        file.seek(part.begin)
        left = part.end - part.begin
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            end = block.rfind(b"\n") + 1
            if end:
                yield unfinished + block[:end]
                unfinished = block[end:]
            elif len(unfinished) < _LONGEST_LINE:
                unfinished += block
    if unfinished:
        yield unfinished + b"\n"
