"""Events: what a source tells us happened, each about one subject, each with an id of its own.

The types and field names are those of the contract that other programs read as JSON lines.
An event's id is made from what the event *is* (its type and content), never from when or how
often it was read, so a line that is read twice is one event.  It is computed when asked for,
because reading gigabytes of history needs the content and rarely the id.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
import xxhash

from outwarden.events.refusals import RefusalClass


class AccountKind(StrEnum):
    """How we know who submitted: the first of these that the source shows."""

    LOGIN = "login"
    LOCAL = "local"
    ADDRESS = "address"
    NULL = "null"


class Outcome(StrEnum):
    """What became of one delivery attempt."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    EXPIRED = "expired"


class LinkKind(StrEnum):
    """What a link leads to: a site's own domain, one page of many strangers on a shared host, or a file beside it."""

    DOMAIN = "domain"
    SHORTENER = "shortener"
    STORAGE = "storage"
    ATTACHMENT = "attachment"


class Link(msgspec.Struct, frozen=True, gc=False):
    """One link of a message.

    ``target`` is the registered domain, for a shortener or a storage service that very URL, for an attachment its
    SHA-256 in hexadecimal digits: an attachment is here only where it is ``listed``.  ``age_days`` is
    how long ago the domain was registered, None where that is unknown or says nothing.  ``listed``: on a
    blocklist of links, or on the site's own list of files, when the message was looked at.
    """

    kind: LinkKind
    target: str
    age_days: int | None = None
    listed: bool = False


class Submitted(msgspec.Struct, frozen=True, gc=False, tag="submitted", tag_field="type"):
    """A message was handed in and queued.

    ``recipients`` is how many envelope recipients the queue file has.  ``script`` names the
    local program or script where the log shows it.  ``line`` is the log line (or one of them)
    that shows it, as evidence; it is no part of the id.

    What only the filter sees, and a log does not: ``recipient_addresses``; ``fingerprint``, the same for
    nearly the same text; ``links``; ``filter_verdict``, True where a content filter calls it spam;
    ``reply``, that it says it answers something; ``foreign_from``, that the header From is none of the
    account's own addresses; of the client its ``network`` (the AS as ``AS64500``), ``country`` (ISO 3166-1
    alpha-2), and ``client_listed``, that its address is on a list of exploited hosts.
    """

    at: datetime
    host: str
    queue_id: str
    account: str
    kind: AccountKind
    client_address: str | None = None
    sender: str = ""
    recipients: int = 0
    size: int = 0
    message_id: str | None = None
    script: str | None = None
    subject: str | None = None
    line: str = ""
    recipient_addresses: tuple[str, ...] = ()
    fingerprint: str | None = None
    links: tuple[Link, ...] = ()
    filter_verdict: bool | None = None
    reply: bool = False
    foreign_from: bool = False
    network: str | None = None
    country: str | None = None
    client_listed: bool = False


class Attempted(
    msgspec.Struct, frozen=True, gc=False, tag="attempted", tag_field="type", rename={"refusal_class": "class"}
):
    """One delivery attempt for one recipient, or (recipient empty) the expiry of a message.

    ``account`` and ``kind`` are those of the submission that the attempt belongs to: the reader
    has joined them already.  ``account`` is empty where the log begins in mid-message.
    ``original_recipient`` is what the sender wrote, where an alias or forward changed it.
    ``status`` is the enhanced status code (RFC 3463).  ``reply`` is the remote's own words;
    ``listing`` and ``listed`` are the blocklist it names and what it says is listed.
    ``outbound`` is False for a delivery that stays on our own system (mailbox, LMTP, pipe).
    """

    at: datetime
    host: str
    queue_id: str
    account: str
    kind: AccountKind
    recipient: str
    outcome: Outcome
    refusal_class: RefusalClass | None = None
    reply: str = ""
    relay: str | None = None
    status: str | None = None
    original_recipient: str | None = None
    sender: str = ""
    listing: str | None = None
    listed: str | None = None
    outbound: bool = True
    line: str = ""


class BounceReturned(msgspec.Struct, frozen=True, gc=False, tag="bounce_received", tag_field="type"):
    """Our own server returned a non-delivery notification to the sender of a message."""

    at: datetime
    host: str
    queue_id: str
    account: str
    kind: AccountKind
    notification_queue_id: str = ""
    line: str = ""


class ComplaintReceived(msgspec.Struct, frozen=True, gc=False, tag="complaint_received", tag_field="type"):
    """A recipient called a message of the account spam (a feedback loop's report, RFC 5965)."""

    at: datetime
    host: str
    account: str
    kind: AccountKind
    queue_id: str = ""
    recipient: str = ""
    line: str = ""


class Login(msgspec.Struct, frozen=True, gc=False, tag="login", tag_field="type"):
    """Somebody logged in, or tried to: ``service`` is imap, pop3, submission, smtp, ..."""

    at: datetime
    host: str
    account: str
    ok: bool
    service: str
    client_address: str | None = None
    line: str = ""


class QueuedMessage(msgspec.Struct, frozen=True, gc=False, tag="queued", tag_field="type"):
    """One message found waiting in a queue.

    ``queue`` is the queue's own name (active, deferred, hold, frozen, or an Exchange queue).
    ``recipients`` pairs each waiting recipient with the reason given, which may be empty.
    """

    queue_id: str
    queue: str
    arrived_at: datetime | None
    size: int
    sender: str
    recipients: tuple[tuple[str, str], ...] = ()


Event = Submitted | Attempted | BounceReturned | ComplaintReceived | Login

_SEEN_BY_THE_FILTER = (
    "recipient_addresses",
    "fingerprint",
    "links",
    "filter_verdict",
    "reply",
    "foreign_from",
    "network",
    "country",
    "client_listed",
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def event_id(event: Event) -> str:
    """Return the event's id: 32 hexadecimal digits from its type and content."""
    raw = msgspec.to_builtins(event)
    del raw["line"]
    for name in _SEEN_BY_THE_FILTER:
        # What was not seen is no part of the event: a log line has the id it always had.
        if name in raw and not raw[name]:
            del raw[name]
    return xxhash.xxh3_128_hexdigest(_encoder.encode(raw))


def encode_event(event: Event) -> bytes:
    """Return the event as one JSON line without its newline, id first."""
    return b'{"id":"' + event_id(event).encode() + b'",' + _encoder.encode(event)[1:]


def decode_event(line: bytes | str) -> Event:
    """Read one JSON line back.  Raises ``msgspec.ValidationError`` or ``msgspec.DecodeError``."""
    return _decoder.decode(line)
