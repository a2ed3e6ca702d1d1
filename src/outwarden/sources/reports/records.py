"""What is read out of the messages that an abuse desk gets, as frozen records."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from outwarden.events import RefusalClass


class Kind(StrEnum):
    """What a message is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DMARC_AGGREGATE = "dmarc-aggregate"
    DMARC_FAILURE = "dmarc-failure"
    TLS_REPORT = "tls-report"
    ABUSE_REPORT = "abuse-report"
    AUTO_REPLY = "auto-reply"
    MAIL = "mail"
    UNREADABLE = "unreadable"


class Action(StrEnum):
    """What became of a message for one recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class BouncedRecipient(msgspec.Struct, frozen=True, rename={"refusal_class": "class"}):
    """One recipient that a bounce speaks of.

    ``address`` is whom our side wrote to, where the report tells it, and ``final_address`` whom the reporter tried
    in its stead, None where that is the same.  ``status`` is the enhanced status code (RFC 3463) and ``reply`` the
    words of the host that refused, else the reporter's own; each is None where nothing is told.  ``refusal_class`` is
    None where nothing was refused or put off.
    """

    address: str
    action: Action
    status: str | None = None
    reply: str | None = None
    refusal_class: RefusalClass | None = None
    permanent: bool = False
    final_address: str | None = None


class Original(msgspec.Struct, frozen=True):
    """What a bounce tells of the message that it is about.

    ``sender`` is the envelope sender; ``queue_id`` and ``envelope_id`` (RFC 3461 section 4.4) are those that the
    reporter names, so ``queue_id`` is one of ours only where our own server wrote the report.
    """

    message_id: str | None = None
    sender: str | None = None
    subject: str | None = None
    queue_id: str | None = None
    envelope_id: str | None = None


class Bounce(msgspec.Struct, frozen=True):
    """A report about delivery: recipients in the order they are named, each once."""

    recipients: tuple[BouncedRecipient, ...]
    original: Original

    def having(self, action: Action) -> tuple[BouncedRecipient, ...]:
        """Return the recipients of which this is said."""
        return tuple(one for one in self.recipients if one.action is action)


class Complaint(msgspec.Struct, frozen=True):
    """A complaint (RFC 5965), or a failure report (RFC 6591), about one message.

    ``feedback_type`` is abuse, fraud, virus, opt-out, not-spam, auth-failure or another, in lower case.  All but it
    may be missing.  ``source_address`` is where the message came from, ``arrived_at`` when it came (UTC),
    ``original_recipients`` whom it was sent to, ``redacted`` where none of them is legible.  ``sender`` is the envelope
    sender, ``<>`` the null one; ``message_id`` and ``subject`` are those of the message; ``envelope_id`` is ours.
    ``provider`` is whose loop it is.  ``claimed_account`` is what a filter says that the sender logged in as: to be
    believed of our own filter alone.  ``derived`` names the fields that are not the report's but the message's own.
    """

    feedback_type: str
    source_address: str | None = None
    arrived_at: datetime | None = None
    original_recipients: tuple[str, ...] = ()
    redacted: bool = False
    reported_domains: tuple[str, ...] = ()
    reported_uris: tuple[str, ...] = ()
    message_id: str | None = None
    sender: str | None = None
    subject: str | None = None
    provider: str | None = None
    user_agent: str | None = None
    version: str | None = None
    incidents: int | None = None
    envelope_id: str | None = None
    removal_recipients: tuple[str, ...] = ()
    auth_failure: str | None = None
    delivery_result: str | None = None
    identity_alignment: str | None = None
    claimed_account: str | None = None
    derived: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What a message is, and what it says where it is a bounce, a complaint or a failure report."""

    kind: Kind
    bounce: Bounce | None = None
    complaint: Complaint | None = None
