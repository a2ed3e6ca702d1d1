"""Requests of Postfix's policy delegation: lines of ``name=value``, ended by an empty one.

The protocol has no standard.  Its layout is that of Postfix's SMTPD_POLICY_README.
"""

from collections.abc import Mapping

import msgspec

from outwarden.events import Mailbox, mailbox
from outwarden.filter.conversation import MalformedQuestion
from outwarden.filter.envelope import Envelope
from outwarden.filter.lines import text

MOST_BYTES = 1 << 16
"""The longest request; Postfix's have less than a tenth of it."""

_REQUEST = "smtpd_access_policy"


class Request(msgspec.Struct, frozen=True):
    """What Postfix asks about, and how far the client has come.

    ``stage`` is ``RCPT``, ``DATA``, ``END-OF-MESSAGE`` or another of Postfix's words; ``instance`` is the same for
    all requests about one message.  The ``envelope`` has the recipient that is named here and no other.
    """

    stage: str
    instance: str
    envelope: Envelope


def attribute(line: bytes) -> tuple[str, str]:
    """Return an attribute's name and value.  Raises ``MalformedQuestion``."""
    name, equals, value = line.partition(b"=")
    if not name or not equals or b"\0" in line:
        raise MalformedQuestion(f"a line that is no attribute: {text(line[:80])!r}")
    return text(name), text(value)


def request(attributes: Mapping[str, str]) -> Request:
    """Return the request that these attributes make.  Raises ``MalformedQuestion``."""
    told = attributes.get
    if told("request") != _REQUEST or not told("protocol_state"):
        raise MalformedQuestion("no request for an access policy")
    recipients: tuple[Mailbox, ...] = (mailbox(attributes["recipient"]),) if told("recipient") else ()
    envelope = Envelope(
        sender=mailbox(told("sender", "")),
        recipients=recipients,
        recipient_count=max(_number(told("recipient_count", "")), len(recipients)),
        login=told("sasl_username", ""),
        login_mechanism=told("sasl_method", ""),
        client_address=told("client_address", ""),
        client_name=told("client_name", ""),
        helo=told("helo_name", ""),
        queue_id=told("queue_id", ""),
        announced_size=_number(told("size", "")),
    )
    return Request(attributes["protocol_state"], told("instance", ""), envelope)


def _number(digits: str) -> int:
    """Return a number that Postfix says, 0 where it says none.  Raises ``MalformedQuestion``."""
    if not digits:
        return 0
    if len(digits) > 18 or not (digits.isascii() and digits.isdigit()):
        raise MalformedQuestion(f"no number: {digits[:80]!r}")
    return int(digits)
