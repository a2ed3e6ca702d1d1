"""What a complaint says: the report of a feedback loop (RFC 5965), a failure report (RFC 6591), or a form like it.

Fields that the report leaves out are taken from the message that it returns, and ``derived`` names them: Microsoft's
loop has no report part at all, and few reports have all fields.  The recipient is redacted or hashed in half of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address, ip_network

from outwarden.events import domain_of
from outwarden.sources.message.header import Fields, first, mailboxes_of, read_fields, readable
from outwarden.sources.refusals.services import services
from outwarden.sources.reports.addresses import typed_address
from outwarden.sources.reports.notifications import Notified
from outwarden.sources.reports.opened import MOST_STATUS_BYTES, Opened, body_of
from outwarden.sources.reports.original import envelope_sender, message_id_of, returned_fields, subject_of
from outwarden.sources.reports.records import Complaint

_MOST = 100
_LONGEST_VALUE = 1_000
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:(?:\d{1,3}\.){3}\d{1,3})?)"
)
_CLIENT_IP = re.compile(r"client-ip=([0-9A-Fa-f.:]{2,45})")
_SMTP_AUTH = re.compile(r"smtp\.auth=\"?([^\s;\"]{1,320})")
_FROM_CLAUSE = re.compile(r"\bby\s")
# Of a redacted recipient only a mark or a digest is left.
_REDACTED = re.compile(r"redact|undisclosed|x{4,}|\*{3,}|removed|[0-9a-f]{24,}", re.IGNORECASE)
_SOURCE_IN_WORDS = re.compile(
    r"^[ \t]*(?:sender ip(?: address)?|source[ -]ip|ip address)[ \t]*:[ \t]*(\S{2,60})", re.I | re.M
)
_NOT_PUBLIC = [
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
]


def read_complaint(report: Opened, otherwise_of: str) -> Complaint:
    """Return what a complaint or a failure report says; ``otherwise_of`` is its type where it names none."""
    fields = feedback_fields(report)
    returned = returned_fields(report.returned)
    derived: list[str] = []

    def told(name: str, said: str | None, otherwise: str | None) -> str | None:
        """Return what the report says, else what the message shows; note which."""
        if said is None and otherwise is not None:
            derived.append(name)
        return said if said is not None else otherwise

    source = told("source_address", _source(fields, report), _source_of_the_message(returned))
    sender = told("sender", _sender(fields), envelope_sender({}, {}, returned))
    at = _date(_value(fields, b"arrival-date") or _value(fields, b"received-date"))
    if at is None and (at := _date(_arrived(returned))) is not None:
        derived.append("arrived_at")
    recipients = _all(fields, b"original-rcpt-to") + _all(fields, b"redacted-address")
    if not recipients:
        recipients = _recipients_elsewhere(report.fields, returned)
        derived += ["original_recipients"] if recipients else []
    account = _SMTP_AUTH.search(" ".join(readable(value) for value in fields.get(b"authentication-results", ())[:10]))
    return Complaint(
        feedback_type=_value(fields, b"feedback-type").lower() or otherwise_of,
        source_address=source,
        arrived_at=at,
        original_recipients=recipients,
        redacted=bool(recipients) and all(_REDACTED.search(one.partition("@")[0]) for one in recipients),
        reported_domains=_domains(fields),
        reported_uris=_words(fields, b"reported-uri"),
        message_id=message_id_of(report.fields, fields, returned, report.text),
        sender=sender,
        subject=subject_of(returned, ""),
        provider=_provider(report.fields, fields),
        user_agent=_value(fields, b"user-agent") or None,
        version=_value(fields, b"version") or None,
        incidents=_number(fields),
        envelope_id=_value(fields, b"original-envelope-id") or None,
        removal_recipients=_all(fields, b"removal-recipient"),
        auth_failure=_value(fields, b"auth-failure").lower() or None,
        delivery_result=_value(fields, b"delivery-result").lower() or None,
        identity_alignment=_value(fields, b"identity-alignment").lower() or None,
        claimed_account=account[1] if account else None,
        derived=tuple(derived),
    )


def complaint_notified(notified: Notified) -> Complaint:
    """Return the complaint that a sending service's notification tells."""
    message_id = notified.message_id and f"<{notified.message_id.strip('<>')}>"
    return Complaint(
        feedback_type="abuse",
        original_recipients=tuple(one.address for one in notified.recipients),
        message_id=message_id,
        sender=notified.sender,
        subject=notified.subject,
    )


def feedback_fields(report: Opened) -> Fields:
    """Return the fields of the machine-readable part; none where there is none."""
    for part in report.parts:
        if part.type == "message/feedback-report":
            return read_fields(body_of(report.message, part, MOST_STATUS_BYTES).lstrip(b"\n"))
    return read_fields(report.text.encode("utf-8", "replace")) if "eedback-" in report.text[:20_000] else {}


def _value(fields: Fields, name: bytes) -> str:
    return readable(first(fields, name)).strip()[:_LONGEST_VALUE]


def _words(fields: Fields, name: bytes) -> tuple[str, ...]:
    values = (readable(value).strip()[:_LONGEST_VALUE] for value in fields.get(name, ())[:_MOST])
    return tuple(dict.fromkeys(filter(None, values)))


def _all(fields: Fields, name: bytes) -> tuple[str, ...]:
    found = (typed_address(value) or value.strip("<> ") for value in _words(fields, name))
    return tuple(dict.fromkeys(filter(None, found)))


def _domains(fields: Fields) -> tuple[str, ...]:
    # RFC 5965 section 3.2: a comment may follow.
    return tuple(value.partition(" ")[0].lower().rstrip(".") for value in _words(fields, b"reported-domain"))


def _number(fields: Fields) -> int | None:
    written = _value(fields, b"incidents")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _sender(fields: Fields) -> str | None:
    written = _value(fields, b"original-mail-from")
    if written in ("<>", ""):
        return written or None
    return typed_address(written) or written


def _date(written: str) -> datetime | None:
    """Return a date in UTC; one without a zone is taken for UTC."""
    try:
        found = parsedate_to_datetime(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _arrived(returned: Fields) -> str:
    return first(returned, b"received").decode("latin-1").rpartition(";")[2]


def _source(fields: Fields, report: Opened) -> str | None:
    """Return where the message came from, by its field, the subject, or a line in words."""
    in_words = _SOURCE_IN_WORDS.search(report.text)
    subject = readable(first(report.fields, b"subject"))
    for written in (_value(fields, b"source-ip"), subject, in_words[1] if in_words else ""):
        for one in _addresses_in(written):
            return one
    return None


def _source_of_the_message(returned: Fields) -> str | None:
    """Return where a message came from: what the provider noted, else the first public host that handed it on."""
    client = _CLIENT_IP.search(readable(first(returned, b"received-spf")))
    for written in (readable(first(returned, b"x-originating-ip")), client[1] if client else ""):
        for one in _addresses_in(written):
            return one
    for value in returned.get(b"received", ())[:20]:
        said = _FROM_CLAUSE.split(value.decode("latin-1"), 1)[0]
        for one in _addresses_in(said):
            if _is_public(one):
                return one
    return None


def _addresses_in(written: str) -> Iterator[str]:
    for found in _ADDRESS.finditer(written[:_LONGEST_VALUE]):
        try:
            yield str(ip_address(found[0]))
        except ValueError:
            continue


def _is_public(address: str) -> bool:
    at = ip_address(address)
    return not any(at in network for network in _NOT_PUBLIC if network.version == at.version)


def _recipients_elsewhere(fields: Fields, returned: Fields) -> tuple[str, ...]:
    for known, name in (
        *((fields, b"x-hmxmroriginalrecipient"), (returned, b"x-hmxmroriginalrecipient")),
        *((returned, b"x-original-to"), (returned, b"delivered-to"), (returned, b"to")),
    ):
        found = [one for value in known.get(name, ())[:5] for one in mailboxes_of(value) if "@" in one]
        if found:
            return tuple(dict.fromkeys(found[:_MOST]))
    return ()


def _provider(fields: Fields, feedback: Fields) -> str | None:
    """Return whose loop it is: the service of the reporter's domain, else that domain."""
    senders = mailboxes_of(first(fields, b"from"))
    reporter = domain_of(senders[0]) if senders else ""
    host = _value(feedback, b"reporting-mta").partition(";")[2].strip().lower()
    for name in (reporter, host):
        if name and (service := services().of(name)):
            return service
    return reporter or host or None
