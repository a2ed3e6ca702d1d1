"""Exim: ``exim -bp`` lists the queue, ``exim -bpc`` only counts it (Exim specification, "Command line options").

A message is a line with its age, size, ID and sender (``25m  2.9K 0t5C4f-0000c8-00 <a@b>``), perhaps with the
local user in parentheses and ``*** frozen ***``; then its recipients, ``D`` before those already
delivered.  The age is rounded down by Exim, so an arrival is good to the minute, the hour or the day.
"""

import re
from datetime import datetime, timedelta

from outwarden.events import QueuedMessage, mailbox
from outwarden.sources.queue.reading import MAX_TEXT, MalformedQueue, QueueForm, QueueReading, Unknown, queue_of

# Exim shows an ID of 16 characters before 4.97, of 23 since.
_ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"
_MESSAGE = re.compile(r" *(\d{1,6})([mhd]) +(\d{1,12}(?:\.\d)?)([KMG]?) +(" + _ID + r") +<([^\n]*)")
_DELIVERED = re.compile(r"\+?D ")
_FROZEN = "*** frozen ***"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read_exim_bpc(text: str) -> QueueReading:
    """Return the count of ``exim -bpc``.  Raises ``MalformedQueue`` where the text is no count."""
    count = text.strip()
    if not (count.isascii() and count.isdigit() and len(count) < 12):
        raise MalformedQueue(f"exim -bpc: no count: {count[:40]!r}")
    return QueueReading(QueueForm.EXIM_BPC, int(count))


def read_exim_bp(text: str, now: datetime) -> QueueReading:
    """Return the queued messages, delivered recipients left out.

    Raises ``MalformedQueue`` where no line was understood.
    """
    messages: list[QueuedMessage] = []
    waiting: list[tuple[str, str]] = []
    head: QueuedMessage | None = None
    unknown = Unknown()
    for line in text.split("\n"):
        line = line.rstrip()
        if found := _MESSAGE.fullmatch(line):
            _close(head, waiting, messages)
            head, waiting = _head(found, now), []
        elif line and head is not None and line.startswith(" "):
            recipient = line.strip()
            if not _DELIVERED.match(recipient):
                waiting.append((mailbox(recipient[:MAX_TEXT]), ""))
        elif line:
            unknown.add(line)
    _close(head, waiting, messages)
    return queue_of(QueueForm.EXIM_BP, messages, unknown)


def _close(head: QueuedMessage | None, waiting: list[tuple[str, str]], messages: list[QueuedMessage]) -> None:
    if head is not None:
        messages.append(
            QueuedMessage(head.queue_id, head.queue, head.arrived_at, head.size, head.sender, tuple(waiting))
        )


def _head(found: re.Match[str], now: datetime) -> QueuedMessage:
    age, unit, size, factor, queue_id, rest = found.groups()
    try:
        arrived_at = now - timedelta(**{_UNITS[unit]: int(age)})
    except OverflowError:
        arrived_at = None
    queue = "frozen" if rest.endswith(_FROZEN) else "queue"
    sender = mailbox(rest.rpartition(">")[0][:MAX_TEXT])
    return QueuedMessage(queue_id, queue, arrived_at, int(float(size) * _FACTORS[factor]), sender)
