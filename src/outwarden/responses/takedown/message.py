"""A report as a mail: a letter for people, ARF (RFC 5965) where the evidence is a message, and XARF for programs.

Evidence that is a message goes out as ``multipart/report`` with its header, whose recipients are hidden, as the third
part; log lines are no message, so such a report has no feedback part.  Both have ``xarf.json`` beside.
"""

from __future__ import annotations

import json
from datetime import datetime
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address

import msgspec

from outwarden import __version__
from outwarden.dns.abuse_report import Reporter
from outwarden.responses.notices.message import OutgoingNotice, usable_address
from outwarden.responses.notices.wording import one_line


class TakedownReport(msgspec.Struct, frozen=True):
    """What is told of one incident: the letter, the XARF document, and the evidence with its recipients hidden."""

    target: str
    subject: str
    text: str
    xarf: dict[str, object]
    evidence: str
    is_message: bool
    occurred_at: datetime | None
    envelope_sender: str | None
    source_port: int | None


def compose_takedown(
    report: TakedownReport, report_id: str, reporter: Reporter, to: str, sender: str, now: datetime
) -> OutgoingNotice:
    """Return the mail to one contact; ``sender`` is the envelope sender.  Raises ``Unaddressable``."""
    for address in (to, reporter.contact, *((sender,) if sender else ())):
        usable_address(address)
    mail = (
        MIMEMultipart("report", policy=SMTP, report_type="feedback-report")
        if report.is_message
        else MIMEMultipart("mixed", policy=SMTP)
    )
    message_id = f"<takedown-{report_id}@{reporter.domain}>"
    mail["From"] = f"{_quoted(reporter.org)} <{reporter.contact}>"
    mail["To"] = to
    mail["Subject"] = one_line(report.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id
    # RFC 3834 section 5.  Who reads our reports by program shall answer none of them by program.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-XARF"] = "4"
    mail.attach(_text(report.text))
    if report.is_message:
        mail.attach(_feedback(report))
        mail.attach(_text(report.evidence, "rfc822-headers"))
    else:
        mail.attach(_text(report.evidence, name="evidence.log"))
    mail.attach(_json(report.xarf))
    return OutgoingNotice(sender, to, message_id, mail.as_bytes())


def _quoted(name: str) -> str:
    return '"{}"'.format(one_line(name, 120).replace("\\", "").replace('"', ""))


def _text(text: str, kind: str = "plain", name: str | None = None) -> EmailMessage:
    part = EmailMessage(policy=SMTP)
    part.set_content(text, subtype=kind, cte="quoted-printable", filename=name)
    return part


def _json(document: dict[str, object]) -> EmailMessage:
    part = EmailMessage(policy=SMTP)
    octets = json.dumps(document, indent=1, ensure_ascii=True).encode()
    part.set_content(octets, maintype="application", subtype="json", filename="xarf.json")
    return part


def _feedback(report: TakedownReport) -> MIMENonMultipart:
    """Return the feedback part (RFC 5965 section 3; the port: RFC 6692)."""
    fields = {
        "Feedback-Type": "abuse",
        "User-Agent": f"Outwarden/{__version__}",
        "Version": "1",
        "Original-Mail-From": f"<{one_line(report.envelope_sender)}>" if report.envelope_sender else "",
        "Arrival-Date": format_datetime(report.occurred_at) if report.occurred_at else "",
        "Source-IP" if _is_address(report.target) else "Reported-Domain": report.target,
        "Source-Port": str(report.source_port or ""),
    }
    part = MIMENonMultipart("message", "feedback-report", policy=SMTP)
    part.set_payload("".join(f"{name}: {value}\r\n" for name, value in fields.items() if value))
    return part


def _is_address(target: str) -> bool:
    try:
        ip_address(target)
    except ValueError:
        return False
    return True
