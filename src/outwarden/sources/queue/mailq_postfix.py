"""Postfix: ``mailq`` or ``postqueue -p``, the listing of showq(8).

One message is a line with its queue ID (``*`` active, ``!`` on hold, ``#`` to be expired), size, arrival and
sender; then, for each reason, the reason in parentheses and the recipients that wait for it; then a blank
line.  Messages without a mark are in the incoming or the deferred queue, which the listing does not tell
apart: those are taken as deferred where a reason stands, else as incoming.
"""

import re
from datetime import UTC, datetime, tzinfo

from outwarden.events import QueuedMessage, mailbox
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.queue.postqueue_json import POSTFIX_NULL_SENDER
from outwarden.sources.queue.reading import MAX_TEXT, QueueForm, QueueReading, Unknown, arrival, queue_of

_MESSAGE = re.compile(r"([0-9A-Za-z]{6,40})([*!#]?) +(\d{1,15}) (\w{3}) (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) +(\S.*)")
_QUEUES = {"*": "active", "!": "hold"}
_FRAME = re.compile(r"-+Queue ID-+ .*|-- \d+ \w+ in \d+ Requests?\.|Mail queue is empty")


def read_mailq_postfix(text: str, now: datetime, zone: tzinfo = UTC) -> QueueReading:
    """Return the queued messages; ``zone`` is that of the server that printed the listing.

    Raises ``MalformedQueue`` where no line was understood.
    """
    messages: list[QueuedMessage] = []
    unknown = Unknown()
    open_message: _Open | None = None
    for line in text.split("\n"):
        line = line.rstrip()
        if found := _MESSAGE.fullmatch(line):
            if open_message is not None:
                messages.append(open_message.close())
            open_message = _Open(found, now, zone)
        elif line and not _FRAME.fullmatch(line) and not (open_message is not None and open_message.take(line.strip())):
            unknown.add(line)
    if open_message is not None:
        messages.append(open_message.close())
    return queue_of(QueueForm.MAILQ_POSTFIX, messages, unknown)


class _Open:
    """A message whose recipients are still being read."""

    def __init__(self, found: re.Match[str], now: datetime, zone: tzinfo) -> None:
        self._id, self._mark, size, weekday, month, day, clock, sender = found.groups()
        self._size = int(size)
        self._at = arrival(weekday, month, int(day), clock, now, zone)
        self._sender = NULL_SENDER if sender == POSTFIX_NULL_SENDER else mailbox(sender[:MAX_TEXT])
        self._reason = ""
        self._recipients: list[tuple[str, str]] = []

    def take(self, line: str) -> bool:
        """Read a reason or a recipient; False where the line is neither."""
        if line.startswith("(") and line.endswith(")"):
            self._reason = line[1:-1][:MAX_TEXT]
            return True
        if " " in line and not line.startswith('"'):
            return False
        self._recipients.append((mailbox(line[:MAX_TEXT]), self._reason))
        return True

    def close(self) -> QueuedMessage:
        queue = _QUEUES.get(self._mark) or ("deferred" if self._reason else "incoming")
        return QueuedMessage(self._id, queue, self._at, self._size, self._sender, tuple(self._recipients))
