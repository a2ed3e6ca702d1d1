"""Sendmail: ``mailq`` (``sendmail -bp``), also with ``-v`` and ``-qQ``.

One message is a line with its queue ID (``*`` being delivered, ``-`` and ``X`` waiting for load, ``+`` expired, ``?``
quarantined), size, arrival without seconds (with ``-v``: a priority, and no weekday) and sender; then its
reason in parentheses, and its recipients.  Sendmail cuts a reason at the width of the line, but with ``-v``.

The submission queue and the mail queue are listed one after the other; a message that stands in both
listings is one message.
"""

import re
from datetime import UTC, datetime, tzinfo

from outwarden.events import QueuedMessage, mailbox
from outwarden.sources.queue.reading import MAX_TEXT, QueueForm, QueueReading, Unknown, arrival, queue_of

_MESSAGE = re.compile(
    r"([0-9A-Za-z]{8,24})([-*X+?]?) +(\d{1,15}) +(?:-?\d{1,12} )?(?:(\w{3}) )?(\w{3}) +(\d{1,2}) (\d\d:\d\d) +(\S.*)"
)
_FRAME = re.compile(r"M[ST][PA] Queue status\.\.\.|/\S* (?:is empty|\(\d+ requests?.*\))|-+Q-ID-.*|Total requests: \d+")
_BODY_TYPE = re.compile(r"(?:8BITMIME|7BIT) +")
_QUARANTINE = "QUARANTINE:"
_QUEUES = {"*": "active", "?": "quarantined"}


def read_mailq_sendmail(text: str, now: datetime, zone: tzinfo = UTC) -> QueueReading:
    """Return the queued messages; ``zone`` is that of the server that printed the listing.

    Raises ``MalformedQueue`` where no line was understood.
    """
    messages: dict[str, QueuedMessage] = {}
    unknown = Unknown()
    open_message: _Open | None = None
    for line in text.split("\n"):
        line = line.rstrip()
        if found := _MESSAGE.fullmatch(line):
            if open_message is not None:
                messages[open_message.queue_id] = open_message.close()
            open_message = _Open(found, now, zone)
        elif line and not _FRAME.fullmatch(line.strip()) and not (open_message and open_message.take(line)):
            # Among them a queue file that another process holds: its ID, and no more, is listed.
            unknown.add(line)
    if open_message is not None:
        messages[open_message.queue_id] = open_message.close()
    return queue_of(QueueForm.MAILQ_SENDMAIL, list(messages.values()), unknown)


class _Open:
    """A message whose recipients are still being read."""

    def __init__(self, found: re.Match[str], now: datetime, zone: tzinfo) -> None:
        self.queue_id, mark, size, weekday, month, day, clock, sender = found.groups()
        self._queue = _QUEUES.get(mark, "deferred")
        self._size = int(size)
        self._at = arrival(weekday, month, int(day), clock, now, zone)
        self._sender = mailbox(sender[:MAX_TEXT])
        self._reason = ""
        self._recipients: list[tuple[str, str]] = []

    def take(self, line: str) -> bool:
        """Read a reason or a recipient; False where the line is neither."""
        if not line.startswith((" ", "\t")):
            return False
        text = _BODY_TYPE.sub("", line.strip(), count=1)
        if text.startswith(_QUARANTINE):
            self._queue = "quarantined"
            self._reason = text.removeprefix(_QUARANTINE).strip()[:MAX_TEXT]
        elif text.startswith("("):
            self._reason = text.removeprefix("(").removesuffix(")")[:MAX_TEXT]
        elif " " in text and not text.startswith(("<", '"')):
            return False
        else:
            self._recipients.append((mailbox(text[:MAX_TEXT]), self._reason))
        return True

    def close(self) -> QueuedMessage:
        """Return the message with all that was read of it."""
        return QueuedMessage(self.queue_id, self._queue, self._at, self._size, self._sender, tuple(self._recipients))
