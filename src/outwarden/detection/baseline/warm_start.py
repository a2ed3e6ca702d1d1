"""The server's record as its logs have it, so that the service knows on its first day what is usual here."""

from __future__ import annotations

from outwarden.detection.baseline.flow_rows import hours_of, newest, rows_in
from outwarden.detection.baseline.server_record import FlowRecord, ServerRecord
from outwarden.detection.history import Histories


def server_record(histories: Histories) -> ServerRecord:
    """Return the record of all that was read; ``merged`` joins it to that of later mail."""
    record = ServerRecord()
    now = newest(histories.server)
    record.whole = FlowRecord(hours_of(rows_in(histories.server, now)))
    for destination in histories.destinations.values():
        # Rows begin with the twentieth attempt: who got less than that tells nothing by the hour.
        if destination.hours is not None:
            record.adopt(
                destination.domain,
                FlowRecord(hours_of(rows_in(destination.hours, now)), destination.bounced_by, destination.deferred_by),
            )
    return record.bounded()
