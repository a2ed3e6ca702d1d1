"""One row of an Exchange message tracking log: its columns, who submitted, to whom, and the replies.

Two forms share it: the log files (CSV under a ``#Fields:`` line) and what ``Get-MessageTrackingLog |
Export-Csv`` writes, with other column names.  Columns are found by name, never by position.

Sources: the vendor's page "Message tracking" for fields and their meaning; for the mechanism numbers in
``message-info`` (``04I:`` is mechanism 4, taken as Internal), no page of the vendor's: only the values were taken, from
Exchange's decompiled source in public repositories.  They are believed, not documented.
"""

import csv
import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from outwarden.events import AccountKind, mailbox
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.exchange_replies import MAX_REPLY, exchange_reply, status_part

# Log field: the same column in an export of Get-MessageTrackingLog.  The order is that of ``Row``.
_COLUMNS = {
    "date-time": "Timestamp",
    "client-ip": "ClientIp",
    "client-hostname": "ClientHostname",
    "server-ip": "ServerIp",
    "server-hostname": "ServerHostname",
    "source-context": "SourceContext",
    "connector-id": "ConnectorId",
    "source": "Source",
    "message-id": "MessageId",
    "network-message-id": "NetworkMessageId",
    "recipient-address": "Recipients",
    "recipient-status": "RecipientStatus",
    "total-bytes": "TotalBytes",
    "recipient-count": "RecipientCount",
    "reference": "Reference",
    "message-subject": "MessageSubject",
    "sender-address": "Sender",
    "return-path": "ReturnPath",
    "message-info": "MessageInfo",
    "original-client-ip": "OriginalClientIp",
}
_EXPORTED_COLUMNS = {name.lower(): field for field, name in _COLUMNS.items()}

_MAPI_SUBMISSION = frozenset({"03", "04"})
_CLIENT_LOGIN = frozenset({"06", "07", "0A", "0B"})  # LOGIN over TLS, LOGIN, NTLM, GSSAPI
_DROP_FOLDERS = frozenset({"PICKUP", "REPLAY"})
_OWN_CONNECTORS = ("Intra-Organization", "EdgeSync - Inbound")
_ABOUT_THE_HEADER = frozenset({"To", "Cc", "Bcc"})
_BEGINS_STATUS = re.compile(r"\[\{|[245]\d\d[ -]")


class Row(NamedTuple):
    """The columns that matter; empty where the log has no such column."""

    stamp: str
    client_ip: str
    client_host: str
    server_ip: str
    server_host: str
    context: str
    connector: str
    source: str
    message_id: str
    network_id: str
    recipients: str
    status: str
    size: str
    recipient_count: str
    reference: str
    subject: str
    sender: str
    return_path: str
    message_info: str
    original_ip: str

    @property
    def key(self) -> str:
        """What all lines about one message share: the message-id alone before Exchange 2013."""
        return (self.network_id or self.message_id)[:MAX_REPLY]


class Header(NamedTuple):
    """Where a log has its columns: how many there are, which is the event, and ``pick`` for the rest.

    ``pick`` takes a row's fields with one empty field added at the end.  ``line`` is what all this was read from.
    """

    line: str
    width: int
    event: int
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    exported: bool


class Submitter(NamedTuple):
    """Who is behind a message."""

    account: str
    kind: AccountKind
    sender: str


def header(line: str) -> Header | None:
    """Return the columns that a line names, or None where it is no header of a tracking log."""
    logged = line.startswith("#Fields:")
    try:
        names = next(csv.reader((line.removeprefix("#Fields:").strip(),)), [])
    except csv.Error:
        return None
    names = [name.strip().lower() for name in names]
    event, stamp, sender = ("event-id", "date-time", "sender-address") if logged else ("eventid", "timestamp", "sender")
    if not {event, stamp, sender} <= set(names):
        return None
    fields = names if logged else [_EXPORTED_COLUMNS.get(name, name) for name in names]
    places = [fields.index(field) if field in fields else -1 for field in _COLUMNS]
    return Header(line, len(names), names.index(event), itemgetter(*places), not logged)


def submitter(row: Row) -> Submitter:
    """Return who handed a received message in, as well as the row shows it."""
    sender = mailbox(row.return_path or row.sender)
    source = row.source.upper()
    mechanism, taken_as = row.message_info[:2].upper(), row.message_info[2:4].upper()
    by_mapi = source == "STOREDRIVER" or (taken_as[1:] == ":" and mechanism in _MAPI_SUBMISSION)
    if by_mapi and row.sender not in ("", "<>"):
        return Submitter(mailbox(row.sender), AccountKind.LOGIN, sender)
    if sender == NULL_SENDER:
        return Submitter(sender, AccountKind.NULL, sender)
    if mechanism in _CLIENT_LOGIN and taken_as[1:] == ":" and taken_as != "A:":
        return Submitter(sender, AccountKind.LOGIN, sender)
    kind = AccountKind.LOCAL if source in _DROP_FOLDERS else AccountKind.ADDRESS
    return Submitter(sender, kind, sender)


def client_address(row: Row) -> str | None:
    """Return the address of the submitting client, without a zone index.

    For a mailbox submission client-ip is our own server's, and only original-client-ip is the client's.
    """
    own = row.source.upper() == "STOREDRIVER" or row.message_info[:2] in _MAPI_SUBMISSION
    address = row.original_ip or ("" if own else row.client_ip)
    return address.partition("%")[0][:45] or None


def between_own_servers(row: Row) -> bool:
    """Return whether a row's connector leads to a server of our own organisation."""
    return row.connector.startswith(_OWN_CONNECTORS)


def recipients_of(row: Row) -> list[str]:
    """Return the recipients; none where an export holds a .NET type's name in their place."""
    if row.recipients.startswith("System."):
        return []
    return [mailbox(one) for one in row.recipients.split(";") if one]


def statuses_of(row: Row, count: int) -> list[str]:
    """Return one status for each of ``count`` recipients, in their order.

    A status may hold a semicolon itself (``550 4.4.7 QUEUE.Expired;text``, and every bracketed one),
    so a piece that does not begin like a status belongs to the one before it.  Where the numbers still
    differ, each recipient gets the whole text.
    """
    statuses: list[list[str]] = []
    for piece in _pieces(row.status):
        if statuses and not _BEGINS_STATUS.match(piece) and statuses[-1][0] not in _ABOUT_THE_HEADER:
            statuses[-1].append(piece)
        else:
            statuses.append([piece])
    if len(statuses) == count:
        return [";".join(pieces) for pieces in statuses]
    return [row.status[: 4 * MAX_REPLY]] * count


def _pieces(text: str) -> list[str]:
    pieces, at = [], 0
    while at < len(text):
        if text.startswith("[{", at):
            closing = text.find("}]", at)
            end = len(text) if closing < 0 else closing + 2
        else:
            semicolon = text.find(";", at)
            end = len(text) if semicolon < 0 else semicolon
        pieces.append(text[at:end])
        at = end + 1
    return pieces


def reply_of(status: str) -> str:
    """Return the remote's words out of a recipient status or a source context; empty where it has none."""
    return "" if status in _ABOUT_THE_HEADER else exchange_reply(status)


def relay_of(status: str, row: Row) -> str | None:
    """Return ``host[address]`` of the server that answered, where the row names one."""
    if "{FQDN=" in status:
        host, address = status_part(status, "FQDN"), status_part(status, "IP")
    else:
        host, address = row.server_host, row.server_ip
    if not (host or address):
        return None
    return f"{host[:255]}[{address[:45]}]" if address else host[:255]


def count_of(text: str) -> int:
    """Return a count that a column holds; 0 where it holds none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
