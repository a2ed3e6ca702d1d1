"""The bytes of the message that is just handed in: a little of it in memory, the rest in a file without a name.

Bounded three times: what a message may take of memory, what is kept of one message at all, and what all messages
together may take on disk.  What is beyond is counted and not kept; so is what the disk does not take.  A file
that nobody else can open disappears with the process, however that ends.
"""

from contextlib import suppress
from io import BytesIO, FileIO
from pathlib import Path
from tempfile import TemporaryFile

MEMORY_BYTES = 256 << 10
MESSAGE_BYTES = 64 << 20
ALL_BYTES = 1 << 30


class SpoolSpace:
    """What all spools share: the folder, and how many bytes may lie in it at once."""

    def __init__(
        self,
        folder: Path,
        memory_bytes: int = MEMORY_BYTES,
        message_bytes: int = MESSAGE_BYTES,
        all_bytes: int = ALL_BYTES,
    ) -> None:
        self.folder = folder
        self.memory_bytes, self.message_bytes, self.all_bytes = memory_bytes, message_bytes, all_bytes
        self.taken = 0


class Spool:
    """One message at a time: ``size`` bytes were handed in, the first ``kept`` of them can be read."""

    def __init__(self, space: SpoolSpace) -> None:
        self.size = 0
        self.kept = 0
        self._space = space
        self._memory = bytearray()
        self._file: FileIO | None = None
        self._taken = 0

    @property
    def complete(self) -> bool:
        """Whether every byte was kept."""
        return self.kept == self.size

    def write(self, octets: bytes | bytearray) -> None:
        """Take the next bytes of the message.  Nothing more is kept once something was not."""
        complete = self.complete
        self.size += len(octets)
        if not complete:
            return
        octets = octets[: self._space.message_bytes - self.kept]
        if self._file is None and self.kept + len(octets) <= self._space.memory_bytes:
            self._memory += octets
            self.kept += len(octets)
            return
        # Whatever ails the disk: the message goes on with what is kept of it.
        with suppress(OSError):
            self._write_to_disk(octets)

    def _write_to_disk(self, octets: bytes | bytearray) -> None:
        """Put the bytes into the file, which begins with what was in memory.  Raises ``OSError``."""
        unwritten = octets if self._file else self._memory + octets
        if self._space.taken + len(unwritten) > self._space.all_bytes:
            return
        file = self._file or TemporaryFile(dir=self._space.folder, buffering=0)
        written = file.write(unwritten)
        if written == len(unwritten):
            self._file, self._memory = file, bytearray()
            self.kept += len(octets)
            self._taken += written
            self._space.taken += written
        elif self._file is None:
            file.close()

    def read(self, most: int | None = None) -> bytes:
        """Return the message from its beginning, or its first ``most`` bytes."""
        wanted = self.kept if most is None else min(most, self.kept)
        return self.open().read(wanted) or b""

    def open(self) -> BytesIO | FileIO:
        """Return the message as a file to be read from its beginning; not to be closed by the reader."""
        if self._file is None:
            return BytesIO(self._memory)
        self._file.seek(0)
        return self._file

    def clear(self) -> None:
        """Forget the message, and give back what it took."""
        self.size = self.kept = 0
        if self._memory:
            self._memory = bytearray()
        if self._file is not None:
            self._file.close()
            self._file = None
            self._space.taken -= self._taken
            self._taken = 0
