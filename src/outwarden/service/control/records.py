"""What the verbs about pauses and the queue answer, in the form in which it goes through the socket and is printed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outwarden.service.queue_changes import Changed
    from outwarden.store.responses import Response


class ResponseRecord(msgspec.Struct, frozen=True):
    """A response as it stands; ``response`` is its number, ``kind`` and ``state`` are those of ``store.responses``."""

    response: int
    kind: str
    subject: str
    state: str
    reason: str
    asked_by: str
    since: datetime
    until: datetime | None
    remarks: tuple[str, ...] = ()


class ChangeRecord(ResponseRecord, frozen=True):
    """A change of the queue: the messages it was done to, and of those deleted the archive and its digest."""

    queue_ids: tuple[str, ...] = ()
    archive: str | None = None
    sha256: str | None = None


class Resumed(msgspec.Struct, frozen=True):
    """The pauses that ended, and those that still stand."""

    ended: tuple[ResponseRecord, ...]
    others: tuple[ResponseRecord, ...]


def record_of(response: Response, remarks: Sequence[str] = ()) -> ResponseRecord:
    """Return a response's record."""
    return ResponseRecord(
        response=response.id,
        kind=response.kind.value,
        subject=response.subject,
        state=response.state.value,
        reason=response.reason,
        asked_by=response.asked_by,
        since=response.intended_at,
        until=response.expires_at,
        remarks=tuple(remarks),
    )


def standing_record(response: Response) -> ResponseRecord:
    """Return the record of a response with what was last remarked about it."""
    return record_of(response, [response.remark] if response.remark else [])


def change_record(changed: Changed) -> ChangeRecord:
    """Return the record of a change of the queue."""
    return ChangeRecord(
        **msgspec.structs.asdict(record_of(changed.response, changed.remarks)),
        queue_ids=changed.queue_ids,
        archive=None if changed.archive is None else str(changed.archive),
        sha256=changed.sha256,
    )
