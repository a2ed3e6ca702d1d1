"""Looks at the mail server's queue from time to time, so that its growth is told from what is usual here."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from outwarden.detection.baseline.queue_samples import QueueSample
from outwarden.detection.queue_growth import QueueAssessment, assess_reading, sample_of_reading
from outwarden.service.local_mta import Programs, queue_listing
from outwarden.sources.queue.reading import MalformedQueue
from outwarden.sources.queue.recognise import queue_text, read_queue


class QueueLook(NamedTuple):
    """One look: what is kept of it, and what it says."""

    sample: QueueSample
    assessment: QueueAssessment


class QueueWatch:
    """Asks the mail server's own program; ``fault`` says why it had no answer the last time."""

    def __init__(self, postfix_config: str, zone: tzinfo) -> None:
        self.fault = ""
        self._programs = Programs()
        self._postfix_config = postfix_config
        self._zone = zone

    def look(self, now: datetime) -> QueueLook | None:
        """Return what waits, None where nobody says; takes as long as that program does."""
        listing = self._listing()
        if listing is None:
            self.fault = "no program lists the queue, or this user has no right to"
            return None
        try:
            reading = read_queue(queue_text(listing), now, self._zone)
        except MalformedQueue as fault:
            self.fault = str(fault)
            return None
        self.fault = ""
        return QueueLook(sample_of_reading(reading, now), assess_reading(reading, now))

    def _listing(self) -> bytes | None:
        if self._postfix_config:
            return self._programs.answer("postqueue", "-c", self._postfix_config, "-j")
        found = queue_listing(self._programs)
        return None if found is None else found[1]
