"""What ``check`` reads when no file is named: this machine's own log and queue."""

from datetime import datetime, tzinfo
from functools import partial
from typing import NamedTuple

from outwarden.detection.queue_growth import QueueAssessment
from outwarden.service.examine import judge_queue
from outwarden.service.local_mta import Programs, find_local_mta, journal_blocks, queue_listing
from outwarden.service.log_reading import LogSource, log_sources
from outwarden.sources.queue.reading import MalformedQueue


class NoMailServer(Exception):
    """No log of a mail server was found on this machine; the message says where it was looked for."""


class OwnServer(NamedTuple):
    """The log and the queue that were found, and what was looked at for them."""

    sources: list[LogSource]
    queue: QueueAssessment | None
    looked_at: tuple[str, ...]


def own_server(now: datetime, zone: tzinfo) -> OwnServer:
    """Find this machine's log and queue.  Raises ``NoMailServer`` and ``UnreadableLog``."""
    programs = Programs()
    mta = find_local_mta(now, programs)
    if mta.log_files:
        sources = log_sources(mta.log_files)
    elif mta.journal:
        sources = [LogSource("the journal", now, None, partial(journal_blocks, mta.journal))]
    else:
        looked_at = "; ".join(mta.looked_at)
        raise NoMailServer(f"no mail log was found on this machine (looked at {looked_at}); name the log")
    queue, looked = _queue(programs, now, zone)
    return OwnServer(sources, queue, (*mta.looked_at, looked))


def _queue(programs: Programs, now: datetime, zone: tzinfo) -> tuple[QueueAssessment | None, str]:
    listing = queue_listing(programs)
    if listing is None:
        return None, "queue: no program that lists it, or no right to"
    command, printed = listing
    try:
        return judge_queue([(now, printed)], zone), f"queue: {command}"
    except MalformedQueue as fault:
        return None, f"queue: {command}: {fault}"
