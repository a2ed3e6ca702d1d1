"""Postfix: ``postqueue -j``, one JSON object per message and line (postqueue(1), "JSON OBJECT FORMAT")."""

from datetime import UTC, datetime

import msgspec

from outwarden.events import QueuedMessage, mailbox
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.queue.reading import MAX_TEXT, QueueForm, QueueReading, Unknown, queue_of

POSTFIX_NULL_SENDER = "MAILER-DAEMON"
"""How Postfix shows the null sender in a queue."""


class _Recipient(msgspec.Struct):
    address: str
    delay_reason: str = ""


class _Message(msgspec.Struct):
    queue_name: str
    queue_id: str
    arrival_time: int
    sender: str
    recipients: list[_Recipient]
    message_size: int = 0


_decode = msgspec.json.Decoder(_Message).decode


def read_postqueue_json(text: str) -> QueueReading:
    """Return the queued messages.  Raises ``MalformedQueue`` where no line was understood."""
    messages: list[QueuedMessage] = []
    unknown = Unknown()
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            messages.append(_queued(_decode(line)))
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            unknown.add(line)
    return queue_of(QueueForm.POSTQUEUE_JSON, messages, unknown)


def _queued(found: _Message) -> QueuedMessage:
    sender = NULL_SENDER if found.sender == POSTFIX_NULL_SENDER else mailbox(found.sender[:MAX_TEXT])
    return QueuedMessage(
        found.queue_id[:MAX_TEXT],
        found.queue_name[:MAX_TEXT],
        datetime.fromtimestamp(found.arrival_time, UTC),
        found.message_size,
        sender,
        tuple((mailbox(one.address[:MAX_TEXT]), one.delay_reason[:MAX_TEXT]) for one in found.recipients),
    )
