"""A letter becomes a mail: plain text and HTML, header fields that nothing can be put into, and whom its bounces go to.

``Auto-Submitted: auto-generated`` (RFC 3834 section 5) keeps other programs from answering, and so does the null sender
where bounces are of no use; ``Precedence`` says nothing that these do not.  Bounces that are of use, because another
contact can be told, come to a keyed address (``bounce_address``).

Known limit: an address with letters beyond ASCII left of the @ (SMTPUTF8, RFC 6531) is told to be unusable.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import NamedTuple

import msgspec

from outwarden.responses.notices.letter import Letter, Templates, html_page, plain_text
from outwarden.responses.notices.wording import one_line

# RFC 5322 section 3.4.1, a dot-atom on both sides; RFC 5321 section 4.5.3.1 limits both.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(
    rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}})+"
)


class Unaddressable(ValueError):
    """No mail can be sent to or from this address; the text names it."""


class SecretToMailbox(ValueError):
    """A link that opens the owner's page was about to go into the mailbox that somebody else may read."""


class TheMailboxItself(NamedTuple):
    """The mailbox of the account in question, which somebody else may read as well: it gets no link."""

    address: str


class AnotherMailbox(NamedTuple):
    """A second channel of the owner's, or the mailbox of whoever answers for the account."""

    address: str


Addressee = TheMailboxItself | AnotherMailbox


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes: name and address of ``From``, where replies go (empty: to ``From``)."""

    name: str
    address: str
    reply_to: str = ""


class OutgoingNotice(NamedTuple):
    """What is handed to the mail server.  ``sender`` is the envelope sender, empty for the null sender."""

    sender: str
    recipient: str
    message_id: str
    octets: bytes


def compose(
    letter: Letter,
    templates: Templates,
    to: Addressee,
    head: Letterhead,
    *,
    reference: str,
    message_id: str,
    at: datetime,
    sender: str = "",
    mark: str = "",
) -> OutgoingNotice:
    """Return the mail; ``at`` is UTC.

    ``message_id`` is its part left of the @, of letters and digits that never come twice; ``sender`` the envelope
    sender, empty for the null sender; ``mark`` the header field of our mark, folded, with its name (see
    ``sources.message.mark``), empty for none.  Raises ``Unaddressable`` and ``SecretToMailbox``.
    """
    if letter.has_link and isinstance(to, TheMailboxItself):
        raise SecretToMailbox(f"the link to the owner's page is not for {to.address}, which somebody else may read")
    recipient, ours = usable_address(to.address), usable_address(head.address)
    identity = f"<{_safe_id(message_id)}@{ours.rpartition('@')[2]}>"
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(ours, head.name)
    message["To"] = _mailbox(recipient)
    if head.reply_to:
        message["Reply-To"] = _mailbox(usable_address(head.reply_to))
    message["Subject"] = one_line(letter.subject)
    # RFC 5322 section 3.3.
    message["Date"] = at.astimezone(UTC)
    message["Message-ID"] = identity
    message["Auto-Submitted"] = "auto-generated"
    # Exchange asks for this one instead before it answers for an absent reader.
    message["X-Auto-Response-Suppress"] = "All"
    message["Outwarden-Notice"] = one_line(reference)
    # RFC 2045 section 6.7: so that no server on the way has to change anything.
    message.set_content(plain_text(letter), charset="utf-8", cte="quoted-printable")
    page = html_page(templates, letter, reference)
    message.add_alternative(page, subtype="html", charset="utf-8", cte="quoted-printable")
    # RFC 2046 section 5.1.1; never within quoted-printable text, where "=_" cannot stand.
    message.set_boundary(f"=_{sha256(identity.encode()).hexdigest()[:40]}")
    message["Content-Language"] = letter.language.value
    octets = message.as_bytes()
    if mark:
        octets = mark.replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii") + b"\r\n" + octets
    return OutgoingNotice(usable_address(sender) if sender else "", recipient, identity, octets)


def usable_address(address: str) -> str:
    """Return an address in the form in which it is mailed to.  Raises ``Unaddressable``."""
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_domain = ""
    made = f"{local}{at}{ascii_domain}"
    if not _ADDRESS.fullmatch(made):
        raise Unaddressable(f"{address[:80]!r} is no address that mail can be sent to")
    return made


def _mailbox(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(one_line(name), username=local, domain=domain)


def _safe_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", text):
        raise ValueError("a Message-ID is made of letters, digits, dots and hyphens")
    return text
