"""Exchange: exported ``Get-Queue`` and ``Get-Message`` output, as CSV or JSON.

``Get-Queue | Export-Csv`` tells of each queue how many messages wait, where for and the last error;
``Get-Message | Export-Csv`` tells of each waiting message its sender.  ``ConvertTo-Json`` writes enumerations as
numbers and identities as objects; both are taken.  The properties are those of the vendor's pages "Queue
properties" and "Message properties"; columns are found by name.

Not done: recipients of a message, which ``Get-Message`` exports only as a .NET type's name; a message
counts as one waiting recipient without an address.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

import msgspec

from outwarden.events import QueuedMessage, mailbox
from outwarden.sources.exchange_replies import exchange_reply
from outwarden.sources.powershell_stamps import MalformedPowerShellStamp, powershell_stamp
from outwarden.sources.queue.reading import (
    MAX_TEXT,
    MalformedQueue,
    QueueCount,
    QueueForm,
    QueueReading,
    Unknown,
    queue_of,
)

_Record: TypeAlias = Mapping[str, str]

# A shadow queue keeps copies of messages until the other server has delivered them: nothing waits in it.
_COPIES = "ShadowRedundancy"
_STATUS_NUMBERS = {"0": "None", "1": "Active", "2": "Ready", "3": "Retry", "4": "Suspended", "5": "Connecting"}


def read_exchange_csv(text: str, zone: tzinfo = UTC) -> QueueReading:
    """Return the queues or messages of an export, written by a server in ``zone``.

    Raises ``MalformedQueue`` where there is no header.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    while lines and (lines[0].startswith("#TYPE") or not lines[0].strip()):
        del lines[0]
    unknown = Unknown()
    names = [name.strip() for name in _fields(lines[0])] if lines else []
    if "MessageCount" not in names and "FromAddress" not in names:
        raise MalformedQueue("Get-Queue export: line 1 names neither MessageCount nor FromAddress")
    records = []
    for line in _records(lines[1:], unknown):
        fields = _fields(line)
        if len(fields) == len(names):
            records.append(dict(zip(names, fields, strict=True)))
        else:
            unknown.add(line)
    return _reading("MessageCount" in names, records, unknown, zone)


def read_exchange_json(text: str, zone: tzinfo = UTC) -> QueueReading:
    """Return the queues or messages of an export, written by a server in ``zone``.

    Raises ``MalformedQueue`` where it is no such JSON.
    """
    try:
        found = msgspec.json.decode(text.removeprefix("\ufeff"))
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise MalformedQueue(f"Get-Queue export: no JSON: {fault}") from fault
    unknown = Unknown()
    records = []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and ("MessageCount" in one or "FromAddress" in one):
            records.append({str(name): _as_text(value) for name, value in one.items()})
        else:
            unknown.add(str(one)[:200])
    if not records and unknown.count:
        raise MalformedQueue("Get-Queue export: JSON without MessageCount or FromAddress")
    return _reading(all("MessageCount" in record for record in records), records, unknown, zone)


def _fields(line: str) -> list[str]:
    try:
        return next(csv.reader((line,)), [])
    except csv.Error:
        return []


def _records(lines: Iterable[str], unknown: Unknown) -> list[str]:
    """Return one text per record: a quoted error may hold line breaks, but not more than fifty."""
    records: list[str] = []
    unfinished: list[str] = []
    for line in lines:
        line = line.removesuffix("\r")
        if not line and not unfinished:
            continue
        unfinished.append(line)
        odd = line.count('"') % 2
        if odd == (len(unfinished) > 1):
            records.append("\n".join(unfinished))
            unfinished = []
        elif len(unfinished) > 50:
            for lost in unfinished:
                unknown.add(lost)
            unfinished = []
    for lost in unfinished:
        unknown.add(lost)
    return records


def _as_text(value: object) -> str:
    """Return a JSON value as the CSV would have it; of an identity, its next hop."""
    if isinstance(value, dict):
        parts = [value.get("NextHopDomain"), value.get("RowId"), value.get("InternalId"), value.get("Address")]
        return next((str(part) for part in parts if part not in (None, "")), "")
    return "" if value is None else str(value)


def _reading(of_queues: bool, records: list[dict[str, str]], unknown: Unknown, zone: tzinfo) -> QueueReading:
    if not of_queues:
        return queue_of(QueueForm.EXCHANGE_MESSAGES, [_queued(record, zone) for record in records], unknown)
    queues = []
    for record in records:
        count = record.get("MessageCount", "")
        if record.get("DeliveryType") == _COPIES:
            continue
        if count.isascii() and count.isdigit() and len(count) < 12:
            queues.append(_queue(record, int(count)))
        else:
            unknown.add(str(record)[:200])
    return QueueReading(
        QueueForm.EXCHANGE_QUEUES,
        sum(queue.messages for queue in queues),
        queues=tuple(queues),
        lines_not_understood=unknown.count,
        unknown_lines=tuple(unknown.lines),
    )


def _queue(record: _Record, count: int) -> QueueCount:
    status = record.get("Status", "")
    destination = record.get("NextHopDomain", "")
    return QueueCount(
        (record.get("Identity", "") or destination)[:MAX_TEXT],
        destination[:MAX_TEXT],
        _STATUS_NUMBERS.get(status, status)[:MAX_TEXT],
        count,
        exchange_reply(record.get("LastError", "")),
    )


def _queued(record: _Record, zone: tzinfo) -> QueuedMessage:
    identity = record.get("Identity", "")
    queue = record.get("Queue", "") or identity.rpartition("\\")[0]
    return QueuedMessage(
        identity[:MAX_TEXT],
        queue[:MAX_TEXT],
        _time(record.get("DateReceived", ""), zone),
        _bytes(record.get("Size", "")),
        mailbox(record.get("FromAddress", "")[:MAX_TEXT]),
        (("", exchange_reply(record.get("LastError", ""))),),
    )


def _time(text: str, zone: tzinfo) -> datetime | None:
    try:
        return powershell_stamp(text, zone)
    except MalformedPowerShellStamp:
        return None


def _bytes(size: str) -> int:
    """Return the bytes of ``12.5 KB (12,800 bytes)``, in whatever culture's digits groups."""
    inside = size.partition("(")[2].partition(" ")[0] or size
    digits = "".join(one for one in inside[:30] if one in "0123456789")
    return int(digits) if digits else 0
