"""What shows that a message is a bounce, and what shows that a person's mailbox answered by itself.

Words count for less than structure: a bounce is sent by a machine, with the null sender, in the form of RFC 3464, or
quotes a host; an answer is sent in the name of a person, marked as RFC 3834 asks, and mostly says so in its subject.
"""

from __future__ import annotations

import re

from outwarden.sources.message.header import Fields, first, mailboxes_of, readable
from outwarden.sources.reports.addresses import is_a_machine
from outwarden.sources.reports.opened import RETURNED, Opened
from outwarden.sources.reports.phrases import phrases

_REPLY_OF_A_HOST = re.compile(
    r"(?:^|[\s:<\"'(#>])[45]\d\d[ -](?:#?[45]\.\d|[A-Za-z<])|(?<![\w.])[45]\.\d{1,2}\.\d{1,3}(?![\w.])",
    re.MULTILINE,
)
# RFC 3834 section 5 knows Auto-Submitted alone; these are what was written before it, and still is.
_ANSWERS_BY_ITSELF = frozenset(
    (
        *(b"x-autoreply", b"x-autorespond", b"x-auto-response", b"x-autoreply-from", b"x-mail-autoreply"),
        *(b"x-vacation", b"x-apple-action"),
    )
)
_PRECEDENCE = frozenset((b"auto_reply", b"auto-reply", b"autoreply"))
_FORWARD = re.compile(r"^\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|i|転送|转发)\s?:", re.IGNORECASE)
_REPLY = re.compile(r"^\s*(?:re|aw|sv|antw|odp|回复|返信)\s?(?:\[\d{1,3}\])?:", re.IGNORECASE)
_MACHINE_NAME = re.compile(
    r"mail(?:er)?[ -]?(?:daemon|delivery|system|router|admin|gateway|server|subsystem|package|transport)"
    r"|postmaster|mta\b|delivery (?:sub)?system|system admin|mdaemon|virus ?wall|internet mail|e-?mail interconnect"
    r"|notification|bounce"
    r"|message (?:router|transfer)|メール|系统",
    re.IGNORECASE,
)
_LOOKED_AT = 6_000
_ENOUGH = 3
_LEAST_RETURNED = 40
# Who writes more than that writes to somebody.
_LONGEST_ANSWER = 3_000


class Signs:
    """What the header and the words of a message show."""

    __slots__ = (
        *("answers", "bounce_subject", "bulk", "bounce_words", "by_machine", "forward", "machine_name", "null_sender"),
        *("quotes_a_host", "reply", "returns"),
    )

    def __init__(self, report: Opened) -> None:
        fields, text = report.fields, report.text
        subject = readable(first(fields, b"subject"))[:500]
        sender = readable(first(fields, b"from"))[:500]
        shown = text[:_LOOKED_AT]
        paths = [path.decode("latin-1").strip("<> ") for path in fields.get(b"return-path", ())[:10]]
        self.null_sender = any(not path or is_a_machine(path) for path in paths)
        self.by_machine = from_a_machine(fields)
        self.returns = len(report.returned.strip()) > _LEAST_RETURNED or any(
            part.type in RETURNED for part in report.parts
        )
        self.bulk = b"list-unsubscribe" in fields or b"list-id" in fields
        self.machine_name = bool(_MACHINE_NAME.search(sender))
        self.bounce_subject = bool(phrases("bounce-subject").search(subject.lower()))
        self.bounce_words = bool(phrases("bounce").search(shown.lower()))
        self.quotes_a_host = bool(_REPLY_OF_A_HOST.search(shown))
        self.answers = _answers(fields, subject.lower(), shown.lower())
        self.forward = bool(_FORWARD.match(subject))
        # Some gateways answer so that they did not deliver; who answers himself quotes.
        self.reply = bool(_REPLY.match(subject)) and not (
            self.bounce_subject and self.bounce_words and "\n>" not in text
        )

    @property
    def machine_like(self) -> bool:
        """Whether something says that a program wrote it."""
        return self.by_machine or self.machine_name or self.null_sender

    @property
    def rejects(self) -> bool:
        """Whether a mailbox answers by itself that it took the message not: a filter's rejection (RFC 5429)."""
        return (self.by_machine or self.machine_name) and self.bounce_subject and self.bounce_words

    @property
    def bounces(self) -> bool:
        """Whether a message without a machine-readable part reads like a bounce."""
        if not self.machine_like and (self.forward or self.reply or (self.bulk and not self.returns)):
            return False
        if self.answers and not self.rejects and not self.quotes_a_host:
            return False
        if not (self.bounce_subject or self.bounce_words or self.quotes_a_host):
            # Postmasters write mail, too.
            return False
        structure = 2 * self.by_machine + self.machine_name + self.null_sender + self.quotes_a_host + self.returns
        return structure + 2 * self.bounce_subject + self.bounce_words >= _ENOUGH


def from_a_machine(fields: Fields) -> bool:
    """Return whether a message says that a mail server wrote it."""
    sender = first(fields, b"from")
    return not sender or b"<>" in sender or any(map(is_a_machine, mailboxes_of(sender)))


def _answers(fields: Fields, subject: str, text: str) -> bool:
    submitted = first(fields, b"auto-submitted").lower()
    marked = (
        # Postfix and Exim mark their bounces so, too.
        (submitted.startswith(b"auto-replied") and not from_a_machine(fields))
        or not _ANSWERS_BY_ITSELF.isdisjoint(fields)
        or first(fields, b"precedence").lower() in _PRECEDENCE
    )
    if marked or phrases("answer-subject").search(subject):
        return True
    return len(text) <= _LONGEST_ANSWER and bool(phrases("answer").search(text))
