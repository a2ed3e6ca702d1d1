"""Exchange message tracking logs become events.

Read are the log files themselves (``MSGTRK*.LOG``: CSV under a ``#Fields:`` header, UTC) and what
``Get-MessageTrackingLog | Export-Csv`` writes.  The vendor's page "Message tracking" is the source
for the event types; no log with real FAIL, DEFER or DSN lines was to be had, so a line that does not
fit what the page says is counted, never guessed at.

One message is one ``Submitted``, however many services and servers log it (the mailbox's RECEIVE and
SUBMIT, transport's RECEIVE, the next server's): they share the network-message-id, and before Exchange
2013 the message-id.  Who submitted it:

- known: a RECEIVE by STOREDRIVER is a mailbox's own submission, so ``login``;
- believed: an SMTP RECEIVE says in message-info how its client was taken (``exchange_rows``).  The log
  never names the login itself; the account is then the envelope sender, because Exchange lets an
  authenticated client choose only a sender for which it has the right to send;
- else the envelope sender, as kind ``address``.

Known limits: SEND over a connector of our own organisation is a hop and no delivery, which is told by
the connector's name, so where that name is localised hops count as deliveries; with an Edge server's log
beside the hub's, a message that leaves is a delivery on both; a 2010 mailbox server's log alone shows no
submissions, its hub's does.
"""

import csv
import re
from collections import OrderedDict
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    Event,
    Outcome,
    Refusal,
    Submitted,
    domain_of,
    mailbox,
)
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.exchange_replies import MAX_REPLY
from outwarden.sources.logs.exchange_rows import (
    Header,
    Row,
    Submitter,
    between_own_servers,
    client_address,
    count_of,
    header,
    recipients_of,
    relay_of,
    reply_of,
    statuses_of,
    submitter,
)
from outwarden.sources.logs.saved_state import MalformedState, SavedState, decoded, encoded
from outwarden.sources.powershell_stamps import MalformedPowerShellStamp, powershell_stamp
from outwarden.sources.refusals import classify_cached

_MAX_LINE = 1 << 20
_MAX_JOINED_LINES = 50
_MAX_EVIDENCE = 2_000
_REMEMBERED_MESSAGES = 40_000
_REMEMBERED_FAILURES = 4_000

# Understood, and no step of a message's life that we count.  HA* are shadow copies; EXPAND, REDIRECT,
# RESOLVE and TRANSFER change or fork recipients, whose outcome has a line of its own.
_WITHOUT_EVENT = frozenset(
    """AGENTINFO BADMAIL CLIENTSUBMISSION DELIVERFAIL DROP DUPLICATEDELIVER DUPLICATEEXPAND DUPLICATEREDIRECT EXPAND
    HADISCARD HARECEIVE HAREDIRECT HAREDIRECTFAIL INITMESSAGECREATED LOAD MODERATIONEXPIRE MODERATORAPPROVE
    MODERATORREJECT MODERATORSALLNDR NOTIFYMAPI NOTIFYSHADOW POISONMESSAGE PROCESS PROCESSMEETINGMESSAGE REDIRECT
    RESOLVE RESUBMIT RESUBMITDEFER RESUBMITFAIL SUBMIT SUBMITDEFER SUBMITFAIL SUPPRESSED SUSPEND THROTTLE
    TRANSFER""".split()
)
# A line that may name the columns; the byte order mark stands before the first line of some files.
_HEADERS = re.compile(r"^\ufeff?(#Fields:[^\n]*date-time[^\n]*|[^#\n]{0,400}\bEventId\b[^\n]*)", re.M)
_COMMENTS = ("#Software:", "#Version:", "#Log-type:", "#Log-Type:", "#Date:", "#TYPE ")
_REMOTE_SOURCES = frozenset({"SMTP", "DNS", "QUEUE"})
_ENHANCED_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")  # RFC 3463 section 2

_Value = TypeVar("_Value")


class _NotUnderstood(Exception):
    """The line is Exchange's, but not of a form that is known."""


def is_exchange(block: str) -> bool:
    """Return whether the block shows a tracking log's header, in either form."""
    if "#Fields:" not in block and "EventId" not in block:
        return False
    return any(header(line) is not None for line in _HEADERS.findall(block))


# A failed message and its submitter; a notification's time, host and message.
_Failure = tuple[str, Submitter]
_Notification = tuple[datetime, str, str]


class _State(SavedState):
    lines_understood: int
    lines_not_understood: int
    header: str | None
    messages: dict[str, Submitter]
    failed: dict[str, _Failure]
    notified: dict[str, _Notification]
    open_record: list[str]


class ExchangeTrackingLog:
    """The reader of message tracking logs; see ``LogReader`` for what it promises."""

    def __init__(self) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self._header: Header | None = None
        self._messages: _Recent[Submitter] = _Recent(_REMEMBERED_MESSAGES)
        self._failed: _Recent[_Failure] = _Recent(_REMEMBERED_FAILURES)
        self._notified: _Recent[_Notification] = _Recent(_REMEMBERED_FAILURES)
        self._open_record: list[str] = []

    def feed(self, block: str) -> list[Event]:
        """Return the events of this block's lines."""
        events: list[Event] = []
        for line in block.removesuffix("\n").split("\n"):
            if self._open_record or '"' in line or self._header is None or line[:1] in ("#", "\ufeff"):
                self._read_with_care(line.removesuffix("\r"), events)
            elif self._is_own(line):
                line = line.removesuffix("\r")
                self._read_fields(line.split(","), line, events)
        return events

    def finish(self) -> list[Event]:
        """Return nothing, because no event is held back; count a record that never ended."""
        self._give_up_record()
        return []

    def saved(self) -> bytes:
        """Return the columns in force, a record that goes on, and the messages remembered."""
        state = _State(
            self.lines_understood, self.lines_not_understood, self._header.line if self._header else None,
            self._messages.known, self._failed.known, self._notified.known, self._open_record,
        )  # fmt: skip
        return encoded(state)

    def restore(self, saved: bytes) -> None:
        """Know what was saved, and nothing else.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        self._header = None if state.header is None else header(state.header)
        if state.header is not None and self._header is None:
            raise MalformedState(f"no header of a tracking log: {state.header[:40]}")
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood
        self._messages.known = OrderedDict(state.messages)
        self._failed.known = OrderedDict(state.failed)
        self._notified.known = OrderedDict(state.notified)
        self._open_record = state.open_record

    def _is_own(self, line: str) -> bool:
        """Return whether a line may be a row under the header that we have."""
        if self._header is None:
            return False
        if self._header.exported:
            return line.count(",") >= self._header.width - 1 or line.startswith('"')
        return line[10:11] == "T" and "Z," in line[:32]

    def _read_with_care(self, line: str, events: list[Event]) -> None:
        """Read a line that may be a header, have quotes, or go on a quoted field begun before it."""
        if self._open_record:
            self._continue_record(line, events)
        elif not self._read_header(line.removeprefix("\ufeff")) and self._header is not None and self._is_own(line):
            if self._header.exported and line.count('"') % 2:
                self._open_record = [line]
            else:
                self._read_quoted(line, events)

    def _read_header(self, line: str) -> bool:
        """Return whether the line is a header or a comment; another log's ``#Fields`` ends ours."""
        if not line.startswith("#") and "EventId" not in line:
            return False
        found = header(line)
        if found is not None or line.startswith("#Fields:"):
            self._header = found
        self.lines_understood += found is not None or line.startswith(_COMMENTS)
        return found is not None or line.startswith("#")

    def _continue_record(self, line: str, events: list[Event]) -> None:
        """Add a line to a record of an export whose quoted field holds a line break."""
        self._open_record.append(line)
        if line.count('"') % 2:
            record, self._open_record = "\n".join(self._open_record), []
            self._read_quoted(record, events)
        elif len(self._open_record) >= _MAX_JOINED_LINES:
            self._give_up_record()

    def _give_up_record(self) -> None:
        self.lines_not_understood += len(self._open_record)
        self._open_record = []

    def _read_quoted(self, record: str, events: list[Event]) -> None:
        # A reader for each record: a stray quote must not swallow the lines after it.
        try:
            fields = next(csv.reader((record,)), [])
        except csv.Error:
            self.lines_not_understood += 1 + record.count("\n")
        else:
            self._read_fields(fields, record, events)

    def _read_fields(self, fields: list[str], line: str, events: list[Event]) -> None:
        header_ = self._header
        try:
            if header_ is None or len(fields) != header_.width or len(line) > _MAX_LINE:
                raise _NotUnderstood
            event = fields[header_.event].upper()
            if event not in _WITHOUT_EVENT:
                # Picked for a column that this version lacks.
                fields.append("")
                self._read_event(event, Row._make(header_.pick(fields)), line, events)
        except (_NotUnderstood, MalformedPowerShellStamp):
            self.lines_not_understood += 1 + line.count("\n")
        else:
            self.lines_understood += 1 + line.count("\n")

    def _read_event(self, event: str, row: Row, line: str, events: list[Event]) -> None:
        at = powershell_stamp(row.stamp)
        if event == "RECEIVE":
            self._received(at, row, line, events)
        elif event == "DELIVER":
            self._attempted(at, row, Outcome.DELIVERED, False, line, events)
        elif event == "SENDEXTERNAL" or (event == "SEND" and row.connector and not between_own_servers(row)):
            self._attempted(at, row, Outcome.DELIVERED, True, line, events)
        elif event in ("DEFER", "FAIL"):
            self._refused(event, at, row, line, events)
        elif event == "DSN":
            self._notification(at, row, line, events)
        elif event != "SEND":
            raise _NotUnderstood

    def _received(self, at: datetime, row: Row, line: str, events: list[Event]) -> None:
        if self._messages.find(row.key) is not None:
            return
        account, kind, sender = found = submitter(row)
        self._messages.remember(row.key, found)
        events.append(
            Submitted(
                at,
                row.server_host,
                row.key,
                account,
                kind,
                client_address=client_address(row),
                sender=sender,
                recipients=count_of(row.recipient_count) or len(recipients_of(row)),
                size=count_of(row.size),
                message_id=row.message_id[:MAX_REPLY] or None,
                subject=row.subject[:MAX_REPLY] or None,
                line=line[:_MAX_EVIDENCE],
            )
        )

    def _submitter_of(self, row: Row) -> Submitter:
        """Return who is behind a message; its own sender where the log begins in its middle."""
        found = self._messages.find(row.key)
        if found is not None:
            return found
        sender = mailbox(row.return_path or row.sender)
        return Submitter(sender, AccountKind.NULL if sender == NULL_SENDER else AccountKind.ADDRESS, sender)

    def _refused(self, event: str, at: datetime, row: Row, line: str, events: list[Event]) -> None:
        outbound = row.source.upper() in _REMOTE_SOURCES and not between_own_servers(row)
        if event == "DEFER":
            self._attempted(at, row, Outcome.DEFERRED, outbound, line, events)
            return
        outcome = Outcome.EXPIRED if "QUEUE.Expired" in row.status else Outcome.BOUNCED
        self._attempted(at, row, outcome, outbound, line, events)
        failed = (row.key, self._submitter_of(row))
        self._failed.remember(row.message_id, failed)
        notified = self._notified.take(row.message_id)
        if notified is not None:
            events.append(_bounce_returned(*notified, failed, line))

    def _attempted(
        self, at: datetime, row: Row, outcome: Outcome, outbound: bool, line: str, events: list[Event]
    ) -> None:
        recipients = recipients_of(row)
        if not recipients:
            raise _NotUnderstood
        found = self._submitter_of(row)
        host, evidence = row.client_host or row.server_host, line[:_MAX_EVIDENCE]
        delivered = outcome is Outcome.DELIVERED
        answers: dict[str, _Answer] = {}
        for recipient, status in zip(recipients, statuses_of(row, len(recipients)), strict=True):
            answer = answers.get(status)
            if answer is None:
                answer = answers[status] = _answer(status, row, None if delivered else domain_of(found.sender))
            refusal = answer.refusal
            events.append(
                Attempted(
                    at,
                    host,
                    row.key,
                    found.account,
                    found.kind,
                    recipient,
                    outcome,
                    refusal_class=refusal.refusal_class if refusal else None,
                    reply=answer.reply,
                    relay=answer.relay,
                    status=answer.status,
                    sender=found.sender,
                    listing=refusal.list if refusal else None,
                    listed=refusal.listed if refusal else None,
                    outbound=outbound,
                    line=evidence,
                )
            )

    def _notification(self, at: datetime, row: Row, line: str, events: list[Event]) -> None:
        """Read a DSN, of which the log does not say whether it tells of a failure, a delay or a success.

        It is a bounce where the message that its ``reference`` names has a FAIL.  Which of the two
        lines comes first is not documented, so either waits for the other.
        """
        self._messages.remember(row.key, Submitter(NULL_SENDER, AccountKind.NULL, NULL_SENDER))
        notified = (at, row.server_host or row.client_host, row.key)
        failed = self._failed.find(row.reference)
        if failed is None:
            self._notified.remember(row.reference, notified)
        else:
            events.append(_bounce_returned(*notified, failed, line))


class _Answer(NamedTuple):
    """What the server at the other end said of one recipient."""

    reply: str
    relay: str | None
    status: str | None
    refusal: Refusal | None


def _answer(status: str, row: Row, refused_sender: str | None) -> _Answer:
    """Return the answer; ``refused_sender`` is our sender's domain where it was a refusal."""
    reply = reply_of(status) or reply_of(row.context.partition(";ClientSubmitTime:")[0])
    code = _ENHANCED_STATUS.search(reply)
    refusal = classify_cached(reply, refused_sender) if reply and refused_sender is not None else None
    return _Answer(reply, relay_of(status, row), code[0] if code else None, refusal)


def _bounce_returned(
    at: datetime, host: str, notification: str, failed: tuple[str, Submitter], line: str
) -> BounceReturned:
    key, found = failed
    return BounceReturned(at, host, key, found.account, found.kind, notification, line[:_MAX_EVIDENCE])


class _Recent(Generic[_Value]):
    """What was remembered last, by name, at most ``limit`` of it: an Exchange log never says that a
    message is done with."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.known: OrderedDict[str, _Value] = OrderedDict()

    def find(self, name: str) -> _Value | None:
        return self.known.get(name)

    def take(self, name: str) -> _Value | None:
        return self.known.pop(name, None)

    def remember(self, name: str, value: _Value) -> None:
        if not name:
            return
        self.known[name] = value
        if len(self.known) > self._limit:
            self.known.popitem(last=False)
