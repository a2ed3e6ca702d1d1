"""Tells an alarm by mail, best by another mail server than the one that may be in trouble."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from outwarden.responses.alarms.message import AlarmMessage, CouldNotTell, Unknown
from outwarden.responses.notices.message import OutgoingNotice
from outwarden.responses.notices.smtp import Handover, hand_over
from outwarden.responses.notices.wording import one_line

_LONGEST_SUBJECT = 180


def tell_by_mail(message: AlarmMessage, server: str, sender: str, recipients: Sequence[str]) -> None:
    """Send one mail to each.  Raises ``CouldNotTell``, and ``Unknown`` where a receipt was not heard of."""
    host, _, port = server.rpartition(":")
    unsure = []
    for recipient in recipients:
        done = hand_over(_mail(message, sender, recipient), host.strip("[]"), int(port))
        if done.how is Handover.UNKNOWN:
            unsure.append(f"{recipient}: {done.words}")
        elif done.how is not Handover.TAKEN:
            raise CouldNotTell(f"{recipient}: {done.words}")
    if unsure:
        raise Unknown("; ".join(unsure))


def _mail(message: AlarmMessage, sender: str, recipient: str) -> OutgoingNotice:
    message_id = f"<alarm-{message.id}-{message.at:%Y%m%d%H%M%S}@{sender.rpartition('@')[2]}>"
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = f"[outwarden] {one_line(message.line, _LONGEST_SUBJECT)}"
    mail["Date"] = message.at
    # RFC 3834 section 5: no program answers.
    mail["Auto-Submitted"] = "auto-generated"
    mail["Message-ID"] = message_id
    if message.urgent:
        mail["Importance"] = "high"
    mail.set_content(message.body or message.line)
    return OutgoingNotice(sender, recipient, message_id, mail.as_bytes())
