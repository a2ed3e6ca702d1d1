"""Logs read one after another through one reader, with count kept of what they were.

A message which a rotation cut in two stays one message.  A log in which nothing at all was understood
is an error and never an empty answer; one such file among others is named in what was read.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import NamedTuple

from outwarden.events import Event
from outwarden.sources.files import DamagedLog, log_files, read_blocks
from outwarden.sources.logs.reading import MixedLog

Watcher = Callable[[int, int], None]
"""Told how many bytes have been read, and of how many (0: nobody knows)."""

_STANDARD_INPUT = "standard input"
_SET_BACK = timedelta(minutes=30)
"""More than a reader holds an event back, less than the hour that the end of summer time gives."""


class NothingUnderstood(Exception):
    """No line of a log was of a form that we know; the message says so in one line."""


class FileRead(NamedTuple):
    """One file that was read, and how much of it made sense."""

    name: str
    lines: int
    lines_not_understood: int


class LogSource(NamedTuple):
    """One stretch of log: its name, when it was last written, its size on disk if that is known.

    ``blocks`` opens it, and tells the function it is given how many bytes it has read from the disk.
    """

    name: str
    written_at: datetime
    size: int | None
    blocks: Callable[[Callable[[int], None]], Iterator[bytes]]


def log_sources(paths: Sequence[str]) -> list[LogSource]:
    """Return the files to read, in order.  Raises ``UnreadableLog`` where there are none."""
    return [
        LogSource(
            _STANDARD_INPUT if file.path == "-" else file.path, file.newest, file.size, partial(read_blocks, file)
        )
        for file in log_files(paths)
    ]


class LogReading:
    """Reads logs in order, once, and keeps count of what they were.

    ``watch`` is told of progress.  ``show_unknown`` is handed each line that was not understood; the
    log is then read line by line, which takes several times longer.  ``damage`` says which files
    were cut off or broken (of those the beginning was read), or were no mail log at all.
    """

    def __init__(
        self,
        sources: Sequence[LogSource],
        zone: tzinfo = UTC,
        watch: Watcher | None = None,
        show_unknown: Callable[[str], None] | None = None,
    ) -> None:
        self.log = MixedLog(sources[0].written_at, zone)
        self.files: list[FileRead] = []
        self.clock_set_back = 0
        self.damage: list[str] = []
        self._sources = sources
        self._watch = watch
        self._show_unknown = show_unknown
        sizes = [source.size for source in sources]
        self._bytes = 0 if None in sizes else sum(size or 0 for size in sizes)
        self._bytes_read = 0

    def events(self) -> Iterator[list[Event]]:
        """Yield the events of each block.

        Raises ``UnreadableLog`` where a file cannot be read, ``NothingUnderstood`` at the end.
        """
        for source, following in zip(self._sources, [*self._sources[1:], None], strict=True):
            lines, unknown = self.log.lines, self.log.lines_not_understood
            last: datetime | None = None
            for block in self._blocks(source):
                for events in self._feed(block):
                    last = self._count_set_back(events, last)
                    yield events
            yield self.log.finish() if following is None else self.log.next_file(following.written_at)
            self.files.append(FileRead(source.name, self.log.lines - lines, self.log.lines_not_understood - unknown))
            self._note_gibberish(self.files[-1])
        self._refuse_gibberish()

    def _blocks(self, source: LogSource) -> Iterator[bytes]:
        try:
            yield from source.blocks(self._count_read)
        except DamagedLog as damage:
            self.damage.append(str(damage))

    def _count_read(self, read: int) -> None:
        self._bytes_read += read
        if self._watch is not None:
            self._watch(self._bytes_read, self._bytes)

    def _feed(self, block: bytes) -> Iterator[list[Event]]:
        if self._show_unknown is None:
            yield self.log.feed(block)
            return
        for line in block.splitlines(keepends=True):
            yield self._feed_shown(line, self._show_unknown)

    def _feed_shown(self, line: bytes, show: Callable[[str], None]) -> list[Event]:
        unknown = self.log.lines_not_understood
        events = self.log.feed(line)
        if self.log.lines_not_understood > unknown:
            show(line.decode(errors="backslashreplace").rstrip("\r\n"))
        return events

    def _count_set_back(self, events: list[Event], last: datetime | None) -> datetime | None:
        for event in events:
            if last is not None and event.at < last and last - event.at > _SET_BACK:
                self.clock_set_back += 1
            last = event.at
        return last

    def _note_gibberish(self, file: FileRead) -> None:
        if len(self._sources) > 1 and 0 < file.lines == file.lines_not_understood:
            self.damage.append(_nothing_in(file.name, file.lines))

    def _refuse_gibberish(self) -> None:
        names = ", ".join(file.name for file in self.files)
        if self.log.lines == 0:
            raise NothingUnderstood(f"{names}: there is no line in it; name a log in which something stands")
        if self.log.lines_understood == 0:
            raise NothingUnderstood(_nothing_in(names, self.log.lines))


def _nothing_in(names: str, lines: int) -> str:
    return (
        f"nothing in {names} was understood as a mail log ({lines:,} line{'s' if lines > 1 else ''}); "
        "name the log of the mail server, or look at the lines with --show-unknown"
    )
