"""From logs to an assessment: the one place where reading and detection are joined."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

import msgspec
from msgspec.structs import replace

from outwarden.detection.assessment import Assessment
from outwarden.detection.diagnosis.joining import TargetListings, joined
from outwarden.detection.history import Histories
from outwarden.detection.queue_growth import QueueAssessment, assess_growth
from outwarden.detection.verdict import assess
from outwarden.events import Verdict
from outwarden.service.log_reading import FileRead, LogReading
from outwarden.sources.queue.recognise import queue_text, read_queue


class Examination(msgspec.Struct, frozen=True):
    """An assessment, and what it rests on.

    ``clock_set_back`` counts events that carry a stamp more than half an hour before their predecessor
    in the same file.  ``damage`` says of which files only the beginning could be read, or
    nothing was understood; ``looked_at`` says where a log was looked for when none was named.
    ``blocklists`` is what lists say of the addresses and domains that were named.
    """

    assessment: Assessment
    files: tuple[FileRead, ...]
    formats: tuple[str, ...]
    lines: int
    lines_not_understood: int
    clock_set_back: int
    queue: QueueAssessment | None = None
    damage: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()
    blocklists: tuple[TargetListings, ...] = ()


def examine(reading: LogReading, queue: QueueAssessment | None = None, looked_at: Sequence[str] = ()) -> Examination:
    """Read everything and judge it.  Raises ``UnreadableLog`` and ``NothingUnderstood``."""
    histories = Histories()
    for events in reading.events():
        histories.record_all(events)
    assessment = assess(histories, queue)
    if reading.damage and assessment.verdict is Verdict.NO:
        # Nobody can say of what was not read that no spam is in it.
        assessment = replace(assessment, verdict=Verdict.UNKNOWN)
    return Examination(
        assessment=assessment,
        files=tuple(reading.files),
        formats=tuple(reading.log.formats),
        lines=reading.log.lines,
        lines_not_understood=reading.log.lines_not_understood,
        clock_set_back=reading.clock_set_back,
        queue=queue,
        damage=tuple(reading.damage),
        looked_at=tuple(looked_at),
    )


def with_blocklists(examination: Examination, listings: Iterable[TargetListings]) -> Examination:
    """Join what blocklists say of the server's own addresses and domains."""
    every = tuple(listings)
    return replace(examination, assessment=joined(examination.assessment, every), blocklists=every)


def judge_queue(listings: Sequence[tuple[datetime, bytes]], zone: tzinfo = UTC) -> QueueAssessment:
    """Read listings of a queue, each with when it was written, and judge the newest, also against the others.

    Raises ``MalformedQueue``.
    """
    return assess_growth([(at, read_queue(queue_text(listing), at, zone)) for at, listing in listings])
