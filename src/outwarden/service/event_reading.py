"""Recorded events from files of any form: JSON lines of events, logs of any format, or both in one file.

A line that begins a JSON object with one of our fields is an event, or a broken one that is counted and shown; all
other lines go to the readers of logs, the journal's JSON among them (its fields are capitals).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from functools import partial

import msgspec
from msgspec.structs import replace

from outwarden.detection.replay.joining import EARLIEST_YEAR, LATEST_YEAR
from outwarden.events import Event, decode_event
from outwarden.service.log_reading import FileRead, LogReading, LogSource, NothingUnderstood, Watcher

_EVENT = re.compile(rb'\{ ?"[a-z]')
_LONGEST_LINE = 16 << 20
"""An event with a hundred thousand recipients is about 4 MB."""


class EventReading:
    """Reads files in order, once, and yields their events.

    ``lines`` counts all lines, ``lines_not_understood`` those that are neither events nor of a log that we know;
    ``show_unknown`` is handed each of them.  ``files``, ``formats`` and ``damage`` are those of the logs and events.
    """

    def __init__(
        self,
        sources: Sequence[LogSource],
        zone: tzinfo = UTC,
        watch: Watcher | None = None,
        show_unknown: Callable[[str], None] | None = None,
    ) -> None:
        self._lines = [_EventLines(source, show_unknown) for source in sources]
        self._logs = LogReading([one.rest for one in self._lines], zone, watch, show_unknown)
        self._sources = sources

    def events(self) -> Iterator[list[Event]]:
        """Yield events as they are read.  Raises ``UnreadableLog``, and ``NothingUnderstood`` at the end."""
        try:
            for events in self._logs.events():
                for one in self._lines:
                    if one.events:
                        yield one.taken()
                yield events
        except NothingUnderstood as fault:
            if self.events_broken and not any(one.understood for one in self._lines):
                raise _no_event(self._sources, self.lines) from fault
            if not any(one.understood for one in self._lines):
                raise
        for one in self._lines:
            if one.events:
                yield one.taken()

    @property
    def lines(self) -> int:
        """How many lines there were."""
        return self._logs.log.lines + sum(one.understood + one.broken for one in self._lines)

    @property
    def lines_not_understood(self) -> int:
        """How many of them nobody knew what to make of."""
        return self._logs.log.lines_not_understood + self.events_broken

    @property
    def events_broken(self) -> int:
        """How many lines began like an event and were none."""
        return sum(one.broken for one in self._lines)

    @property
    def broken(self) -> list[str]:
        """Where the first broken event of each file is, and what is wrong with it."""
        return [one.first_broken for one in self._lines if one.first_broken]

    @property
    def files(self) -> list[FileRead]:
        """The files that were read."""
        return [
            FileRead(
                file.name,
                file.lines + one.understood + one.broken,
                file.lines_not_understood + one.broken,
            )
            for file, one in zip(self._logs.files, self._lines, strict=False)
        ]

    @property
    def formats(self) -> tuple[str, ...]:
        """What the files held."""
        events = ("events",) if any(one.understood for one in self._lines) else ()
        return (*events, *self._logs.log.formats)

    @property
    def damage(self) -> list[str]:
        """Which files were cut off or broken, or were nothing that we read."""
        return self._logs.damage


class _EventLines:
    """Takes the events out of one file; ``rest`` is the file without them."""

    def __init__(self, source: LogSource, show_unknown: Callable[[str], None] | None) -> None:
        self.rest = source._replace(blocks=partial(self._split, source))
        self.events: list[Event] = []
        self.understood = self.broken = 0
        self.first_broken = ""
        self._name = source.name
        self._show_unknown = show_unknown
        self._line = 0

    def taken(self) -> list[Event]:
        """Return the events read so far, and forget them."""
        events, self.events = self.events, []
        return events

    def _split(self, source: LogSource, on_read: Callable[[int], None]) -> Iterator[bytes]:
        begun = b""
        too_long = False
        for block in source.blocks(on_read):
            text = begun + block
            end = text.rfind(b"\n") + 1
            begun = text[end:]
            if too_long and end:
                # The rest of a line whose beginning was given up.
                text, too_long = text[text.index(b"\n") + 1 :], False
                end = text.rfind(b"\n") + 1
            yield self._without_events(text[:end])
            if len(begun) > _LONGEST_LINE:
                if not too_long:
                    self._line += 1
                    self._note_broken(begun[:200], "the line is too long")
                begun, too_long = b"", True
        if begun and not too_long:
            yield self._without_events(begun)

    def _without_events(self, text: bytes) -> bytes:
        if b"{" not in text or not (_EVENT.match(text) or b"\n{" in text):
            self._line += text.count(b"\n")
            return text
        others = []
        for line in text.split(b"\n"):
            self._line += 1
            if _EVENT.match(line):
                self._read(line.rstrip(b"\r"))
            else:
                others.append(line)
        # After the last newline comes nothing, which is no line.
        self._line -= text.endswith(b"\n")
        return b"\n".join(others)

    def _read(self, line: bytes) -> None:
        try:
            event = decode_event(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            self._note_broken(line, str(fault))
            return
        if event.at.tzinfo is None:
            self._note_broken(line, "its time names no zone")
        elif not EARLIEST_YEAR <= event.at.year <= LATEST_YEAR:
            self._note_broken(line, "its time is not one of mail")
        else:
            self.understood += 1
            self.events.append(event if event.at.tzinfo is UTC else replace(event, at=event.at.astimezone(UTC)))

    def _note_broken(self, line: bytes, why: str) -> None:
        self.broken += 1
        if not self.first_broken:
            self.first_broken = f"{self._name}: line {self._line} is no event: {why}"
        if self._show_unknown is not None:
            self._show_unknown(line.decode(errors="backslashreplace"))


def _no_event(sources: Sequence[LogSource], broken: int) -> NothingUnderstood:
    names = ", ".join(source.name for source in sources)
    return NothingUnderstood(
        f"nothing in {names} was understood as an event or a mail log ({broken:,} line{'s' if broken > 1 else ''}); "
        "name a file that outwarden logs --events wrote, or a log, or look at the lines with --show-unknown"
    )
