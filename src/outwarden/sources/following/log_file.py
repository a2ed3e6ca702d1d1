"""One file of a log, open: what stands after an offset, and whether it is still the file that it was.

A file that is written to is a ``PlainFile``.  One that was compressed after its rotation is a ``PackedFile``, and its
offset counts decompressed bytes.  Both pass over NUL bytes at the beginning: a writer that did not open its file
for appending leaves them when the file is truncated under it.
"""

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from outwarden.sources.compression import DamagedCompression, decompressed, decompressor_for
from outwarden.sources.following.position import HEAD, Position, digest_of

_BLOCK = 1 << 16
_LONGEST_MAGIC = 16


class Truncated(Exception):
    """The file has become shorter than what was read of it, or begins with other bytes."""


class FileId(NamedTuple):
    """What names a file as long as it is not deleted."""

    device: int
    inode: int


class _LogFile:
    """What both kinds have: where the file lies, how far it was read, and its first bytes."""

    def __init__(self, path: str, file: int, offset: int, head_at: int) -> None:
        status = os.fstat(file)
        self.path = path
        self.id = FileId(status.st_dev, status.st_ino)
        self.offset = offset
        self.head = b""
        self.head_at = head_at
        self.written_ns = status.st_mtime_ns
        self._file = file

    def position(self) -> Position:
        """Return the position after what was read."""
        return Position(
            self.path, *self.id, self.offset, len(self.head), digest_of(self.head), self.head_at, self.written_ns
        )

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


class PlainFile(_LogFile):
    """A file as its writer writes it.

    Each ``read`` looks at the head as well: there alone it shows that a file was truncated and has grown beyond the
    offset since.
    """

    def __init__(self, path: str, file: int, offset: int = 0, head_at: int = 0) -> None:
        super().__init__(path, file, offset, head_at)
        self._find_head()

    def read(self, most: int) -> bytes:
        """Return at most so many bytes; none where nothing is there now.  Raises ``Truncated``, ``OSError``."""
        if not self.head:
            self._find_head()
        if not self.head:
            return b""
        octets = os.pread(self._file, most, self.offset)
        # Only after the bytes were read: they are those of the file whose head this is.
        head = os.pread(self._file, HEAD, self.head_at)
        status = os.fstat(self._file)
        if status.st_size < self.offset or not head.startswith(self.head):
            raise Truncated
        self.head = head
        self.written_ns = status.st_mtime_ns
        self.offset += len(octets)
        return octets

    def is_behind(self) -> bool:
        """Return whether something stands there that was not read."""
        return os.fstat(self._file).st_size > self.offset

    def is_at_a_line(self) -> bool:
        """Return whether what was read ends with a line's end."""
        return self.offset == self.head_at or os.pread(self._file, 1, self.offset - 1) == b"\n"

    def _find_head(self) -> None:
        """Pass over NUL bytes, those that are on the disk and those that are a hole in the file."""
        try:
            self.head_at = os.lseek(self._file, self.head_at, os.SEEK_DATA)
        except OSError:
            # Nothing was written there yet (ENXIO).
            return
        while block := os.pread(self._file, _BLOCK, self.head_at):
            rest = block.lstrip(b"\0")
            self.head_at += len(block) - len(rest)
            if rest:
                self.head = os.pread(self._file, HEAD, self.head_at)
                self.offset = max(self.offset, self.head_at)
                return


class PackedFile(_LogFile):
    """A file that was compressed.  ``damaged`` says at its end that it was cut off or broken there."""

    def __init__(self, path: str, file: int, offset: int = 0, head_at: int = 0) -> None:
        super().__init__(path, file, 0, head_at)
        self.damaged = False
        self._blocks = self._decompressed()
        self._waiting = memoryview(b"")
        self._find_head()
        self._pass_over(offset)

    def read(self, most: int) -> bytes:
        """Return at most so many bytes; none at the end.  Raises ``OSError``."""
        if not self._waiting:
            self._waiting = memoryview(next(self._blocks, b""))
        octets = bytes(self._waiting[:most])
        self._waiting = self._waiting[most:]
        self.offset += len(octets)
        return octets

    def is_behind(self) -> bool:
        """Return whether something stands there that was not read."""
        self._waiting = self._waiting or memoryview(next(self._blocks, b""))
        return bool(self._waiting)

    def is_at_a_line(self) -> bool:
        """Return True: nobody goes on with its last line."""
        return True

    def _pass_over(self, octets: int) -> None:
        while self.offset < octets and self.read(min(_BLOCK, octets - self.offset)):
            pass

    def _find_head(self) -> None:
        for block in self._blocks:
            rest = block.lstrip(b"\0")
            self.offset += len(block) - len(rest)
            if rest:
                more = _joined(rest, self._blocks, HEAD)
                self.head, self.head_at, self._waiting = more[:HEAD], self.offset, memoryview(more)
                return

    def _decompressed(self) -> Iterator[bytes]:
        head = os.pread(self._file, _LONGEST_MAGIC, 0)
        begin = decompressor_for(head)
        if begin is None:
            return
        try:
            yield from filter(None, decompressed(self._on_disk(), begin))
        except DamagedCompression:
            self.damaged = True

    def _on_disk(self) -> Iterator[bytes]:
        at = 0
        while block := os.pread(self._file, _BLOCK, at):
            at += len(block)
            yield block


LogFile = PlainFile | PackedFile


def opened(path: str, offset: int = 0, head_at: int = 0) -> LogFile:
    """Open a file of a log.  Raises ``OSError``."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "this is no file with lines in it", path)
        packed = decompressor_for(os.pread(file, _LONGEST_MAGIC, 0)) is not None
        return PackedFile(path, file, offset, head_at) if packed else PlainFile(path, file, offset, head_at)
    except BaseException:
        os.close(file)
        raise


def _joined(first: bytes, more: Iterator[bytes], least: int) -> bytes:
    """Return the first block and as many after it as make up the least length."""
    length = len(first)
    blocks = [first]
    while length < least and (block := next(more, b"")):
        blocks.append(block)
        length += len(block)
    return b"".join(blocks)
