"""The thread that reads one log: what is written, the events it completes, and where a restart is to begin.

From time to time the reader's open state is saved together with the place it has come to.  A restart begins there, so
some events come twice; whoever takes them knows by the store which (``known``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from math import inf
from typing import NamedTuple, Protocol

import msgspec

from outwarden.events import Event
from outwarden.sources.files import UnreadableLog, log_files, read_blocks
from outwarden.sources.following import (
    FileFollower,
    JournalFollower,
    JournalPosition,
    MalformedPosition,
    Piece,
    Position,
    restored,
    saved,
)
from outwarden.sources.logs.reading import MixedLog
from outwarden.sources.logs.saved_state import MalformedState

_LOOKS_EVERY_SECONDS = 0.1
_SAVED_EVERY_SECONDS = 10.0
_SETTLED_AFTER_SECONDS = 60.0
"""So long nothing more is written: what a reader holds back, as a filter might give the message back, has happened."""
_MOST_UNHEARD = 4
"""So many batches may wait to be heard: what comes after them waits in the log."""


class Batch(NamedTuple):
    """What one piece of a log brought; ``place`` is where a restart may begin, None where that has not moved on.

    ``caught_up``: nothing more stands in the log at the moment.
    """

    log: str
    events: list[Event]
    place: bytes | None
    caught_up: bool
    heard: Callable[[], None]


class LogFacts(msgspec.Struct):
    """How far the reading of a log is."""

    log: str
    lines: int = 0
    lines_not_understood: int = 0
    newest_at: datetime | None = None
    caught_up: bool = False
    remark: str = ""


class Follower(Protocol):
    """A ``FileFollower`` or a ``JournalFollower``."""

    def read(self, most: int = ...) -> Piece | None:
        """Return what is new, None where nothing is."""

    def remarks(self) -> list[str]:
        """Return what happened since this was last asked."""

    def close(self) -> None:
        """Close it."""


class _Place(msgspec.Struct, array_like=True):
    position: bytes
    reader: bytes


FollowerAt = Callable[[Position | JournalPosition | None], Follower]


class LogThread:
    """Reads one log until it is told to stop; ``deliver`` is called in its thread and must not wait for long."""

    def __init__(
        self,
        log: str,
        follower_at: FollowerAt,
        place: bytes | None,
        history: Sequence[str],
        deliver: Callable[[Batch], None],
        say: Callable[[str], None],
        zone: tzinfo = UTC,
    ) -> None:
        """``history`` are files to read before the log itself, oldest first."""
        self.facts = LogFacts(log)
        self._history = history
        self._deliver, self._say, self._zone = deliver, say, zone
        position, self._reader = self._begin(place)
        self._follower = follower_at(position)
        self._unheard = threading.Semaphore(_MOST_UNHEARD)
        self._stop = threading.Event()
        self._at_a_lines_end = True
        self._thread = threading.Thread(target=self._read, name=f"log {log}", daemon=True)
        self.fault: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was read and not delivered is read again another time."""
        self._stop.set()
        self._thread.join()
        self._follower.close()

    def _begin(self, place: bytes | None) -> tuple[Position | JournalPosition | None, MixedLog]:
        newest = datetime.now(UTC)
        if place is not None:
            try:
                kept = msgspec.msgpack.decode(place, type=_Place)
                return restored(kept.position), MixedLog.restored(kept.reader, newest, self._zone)
            except (msgspec.MsgspecError, MalformedPosition, MalformedState) as fault:
                self._say(f"{self.facts.log}: where the reading was cannot be told ({fault}); it begins anew")
        return None, MixedLog(newest, self._zone)

    def _read(self) -> None:
        try:
            self._read_history()
            self._follow()
        except BaseException as fault:
            # A reader that fails is our fault, and a service that goes on without its eyes would hide it.
            self.fault = fault
            raise

    def _read_history(self) -> None:
        for path in self._history:
            try:
                for file in log_files([path]):
                    self._say(f"reads {path}")
                    self._hand_over(self._reader.next_file(file.newest), None, caught_up=False)
                    for block in read_blocks(file):
                        if self._stop.is_set():
                            return
                        self._hand_over(self._reader.feed(block), None, caught_up=False)
            except UnreadableLog as fault:
                self._say(f"the past is read without this: {fault}")

    def _follow(self) -> None:
        save_at = time.monotonic() + _SAVED_EVERY_SECONDS
        unsaved = True
        settle_at = inf
        position: Position | JournalPosition | None = None
        while not self._stop.is_set():
            piece = self._follower.read()
            for remark in self._follower.remarks():
                self.facts.remark = remark
                self._say(remark)
            now = time.monotonic()
            if piece is None:
                place = None
                if now >= settle_at and self._at_a_lines_end:
                    settle_at, unsaved = inf, position is not None
                    self._hand_over(self._reader.finish(), None, caught_up=False)
                if unsaved and position is not None and now >= save_at:
                    place, unsaved, save_at = self._place(position), False, now + _SAVED_EVERY_SECONDS
                if place is not None or not self.facts.caught_up:
                    self._hand_over([], place, caught_up=True)
                self._stop.wait(_LOOKS_EVERY_SECONDS)
                continue
            events = self._events_of(piece)
            position, unsaved, place = piece.position, True, None
            settle_at = now + _SETTLED_AFTER_SECONDS
            self._at_a_lines_end = piece.octets.endswith(b"\n")
            if now >= save_at:
                place, unsaved, save_at = self._place(position), False, time.monotonic() + _SAVED_EVERY_SECONDS
            self._hand_over(events, place, caught_up=False)

    def _events_of(self, piece: Piece) -> list[Event]:
        events = [] if piece.next_file is None else self._reader.next_file(piece.next_file)
        events += self._reader.feed(piece.octets)
        facts = self.facts
        facts.lines, facts.lines_not_understood = self._reader.lines, self._reader.lines_not_understood
        if events:
            facts.newest_at = events[-1].at
        return events

    def _place(self, position: Position | JournalPosition) -> bytes:
        return msgspec.msgpack.encode(_Place(saved(position), self._reader.saved()))

    def _hand_over(self, events: list[Event], place: bytes | None, *, caught_up: bool) -> None:
        self.facts.caught_up = caught_up
        if not events and place is None and not caught_up:
            return
        while not self._unheard.acquire(timeout=_LOOKS_EVERY_SECONDS):
            if self._stop.is_set():
                return
        self._deliver(Batch(self.facts.log, events, place, caught_up, self._unheard.release))


__all__ = ["Batch", "FileFollower", "JournalFollower", "LogFacts", "LogThread"]
