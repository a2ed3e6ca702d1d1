"""Compressed bytes become plain bytes, as a stream: gzip, bzip2, xz and zstd.

The kind is told from the first bytes.  Several compressed parts one after the other are one stream
(as ``cat a.gz b.gz`` or a writer that appends makes them), and zeros after a part are padding.
However small the input, at most about ``STEP`` bytes of output (for zstd sixteen times that) are made at once,
and xz or zstd input that asks for an outsized window is refused.

Not done: ``.Z``, ``.lz4`` and others, and archives.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

STEP = 1 << 20
_MOST_WINDOW = 1 << 27
# An xz file made with -9 needs 65 MiB.
_MOST_XZ_MEMORY = 1 << 28
# 128 KiB may come of four bytes of zstd (RFC 8878 section 3.1.1.2), so 512 bytes give 16 MiB at most.
_ZSTD_PIECE = 512


class DamagedCompression(Exception):
    """The compressed stream is cut off or broken; what came before was delivered."""


class Decompressor(Protocol):
    """What ``bz2`` and ``lzma`` offer, and what the two classes below make of the others."""

    @property
    def eof(self) -> bool:
        """Whether the compressed part has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing more can come out before more is put in."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was put in beyond the end of the part."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Put ``data`` in and take out about ``max_length`` bytes at most."""
        ...


class _Gzip:
    """``zlib`` in the manner of ``bz2``."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


class _Zstd:
    """``zstandard`` in the manner of ``bz2``.  It has no limit on its output, so it is given little at a time."""

    def __init__(self) -> None:
        # Python has zstd of its own from 3.14 on; imported here because few logs need it.
        import zstandard

        self._stream = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW).decompressobj()
        self._waiting = b""
        self._fault = zstandard.ZstdError

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data + self._waiting

    def decompress(self, data: bytes, max_length: int) -> bytes:
        waiting, at, made, pieces = self._waiting + data, 0, 0, []
        try:
            while at < len(waiting) and made < max_length and not self._stream.eof:
                pieces.append(self._stream.decompress(waiting[at : at + _ZSTD_PIECE]))
                made += len(pieces[-1])
                at += _ZSTD_PIECE
        except self._fault as fault:
            raise DamagedCompression from fault
        self._waiting = waiting[at:]
        return b"".join(pieces)


_KINDS: tuple[tuple[bytes, Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b\x08", _Gzip),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_XZ_MEMORY)),
    (b"\x28\xb5\x2f\xfd", _Zstd),
)


def decompressor_for(head: bytes) -> Callable[[], Decompressor] | None:
    """Return what undoes the compression that a file with these first bytes has; None if it has none."""
    return next((begin for magic, begin in _KINDS if head.startswith(magic)), None)


def decompressed(pieces: Iterable[bytes], begin: Callable[[], Decompressor]) -> Iterator[bytes]:
    """Yield what the pieces decompress to.  Raises ``DamagedCompression`` at the place of the damage."""
    part: Decompressor | None = None
    for piece in pieces:
        left = piece
        while left := left if part else left.lstrip(b"\0"):
            part = part or begin()
            yield from _part_of(part, left)
            left = part.unused_data if part.eof else b""
            part = None if part.eof else part
    if part is not None:
        raise DamagedCompression


def _part_of(part: Decompressor, data: bytes) -> Iterator[bytes]:
    try:
        yield part.decompress(data, STEP)
        while not (part.needs_input or part.eof):
            yield part.decompress(b"", STEP)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as fault:
        raise DamagedCompression from fault
