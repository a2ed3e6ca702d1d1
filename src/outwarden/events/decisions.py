"""Decisions: what to do with a message of an account, and why."""

from datetime import datetime
from enum import StrEnum

import msgspec

from outwarden.events.findings import Finding


class Action(StrEnum):
    """What to do with one message.

    *accept* lets it go, *hold* keeps it in our own queue, *defer* answers 451 so that the client keeps it (for
    servers that cannot hold), *block* refuses it and everything else the account hands in.
    """

    ACCEPT = "accept"
    HOLD = "hold"
    DEFER = "defer"
    BLOCK = "block"


class AccountCause(StrEnum):
    """What has probably happened to an account; response and notice differ by it."""

    STOLEN_PASSWORD = "stolen-password"  # noqa: S105
    INFECTED_MACHINE = "infected-machine"
    HIJACKED_SITE = "hijacked-site"
    HIJACKED_BULK_SENDER = "hijacked-bulk-sender"
    BULK_MAILER = "bulk-mailer"
    FORWARDER = "forwarder"
    LATERAL_PHISHING = "lateral-phishing"


class Decision(msgspec.Struct, frozen=True):
    """What to do, and the whole ledger that led to it, heaviest entry first.

    The findings' points add up to ``points``.  An *accept* has no findings: they are not worked out.
    ``because`` gives the reasons for ``cause`` in words.
    """

    account: str
    action: Action
    at: datetime
    points: float = 0.0
    findings: tuple[Finding, ...] = ()
    cause: AccountCause | None = None
    because: tuple[str, ...] = ()
