"""What a notice can say: its kind, its language, and the facts, a closed set of types of which none holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec


class NoticeKind(StrEnum):
    """What happened."""

    STOLEN_ACCOUNT = "stolen-account"
    INFECTED_MACHINE = "infected-machine"
    SPAM_CONTENT = "spam-content"
    LIMIT_REACHED = "limit-reached"
    BLOCKED_BY_PERSON = "blocked-by-person"
    GIVEN_BACK = "given-back"
    HACKED_SITE = "hacked-site"
    BULK_TO_CONFIRM = "bulk-to-confirm"
    PASSWORD_RESET = "password-reset"  # noqa: S105
    RULES_FOUND = "rules-found"


class Language(StrEnum):
    """As in BCP 47."""

    ENGLISH = "en"
    ITALIAN = "it"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class Done(StrEnum):
    """What was done; each has its sentence in every language."""

    SENDING_REFUSED = "sending-refused"
    MAIL_HELD = "mail-held"
    MAIL_DELETED = "mail-deleted"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105
    PASSWORD_LOCKED = "password-locked"  # noqa: S105
    SESSIONS_ENDED = "sessions-ended"
    APP_PASSWORDS_REVOKED = "app-passwords-revoked"
    RULES_SWITCHED_OFF = "rules-switched-off"


class Counted(StrEnum):
    """What a limit counts."""

    MESSAGES = "messages"
    RECIPIENTS = "recipients"


class Period(StrEnum):
    """For how long a limit counts."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known; empty, 0 and None stand for what is not, and are left out of the text.

    ``happened_at`` and ``until`` are UTC.  ``machine`` is how the client called itself; ``place`` the script or site;
    ``subject`` that of the mail in question; ``rules`` the forwards and filters that were found, in words;
    ``words`` what a person wants to add; ``messages`` and ``recipients`` how many were sent; ``link`` the owner's page.
    """

    account: str
    happened_at: datetime
    reference: str
    done: tuple[Done, ...] = ()
    client_address: str = ""
    machine: str = ""
    listed_by: str = ""
    subject: str = ""
    place: str = ""
    words: str = ""
    rules: tuple[str, ...] = ()
    messages: int = 0
    recipients: int = 0
    limit: int = 0
    counted: Counted = Counted.MESSAGES
    period: Period = Period.HOUR
    until: datetime | None = None
    link: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What every notice of a site says: who writes, whom to turn to, where a password and second factor are set."""

    organisation: str
    contact: str
    password_page: str = ""
    second_factor_page: str = ""


NEEDED: Mapping[NoticeKind, tuple[str, ...]] = MappingProxyType(
    {
        NoticeKind.STOLEN_ACCOUNT: (),
        NoticeKind.INFECTED_MACHINE: ("client_address",),
        NoticeKind.SPAM_CONTENT: (),
        NoticeKind.LIMIT_REACHED: ("limit",),
        NoticeKind.BLOCKED_BY_PERSON: (),
        NoticeKind.GIVEN_BACK: (),
        NoticeKind.HACKED_SITE: (),
        NoticeKind.BULK_TO_CONFIRM: (),
        NoticeKind.PASSWORD_RESET: (),
        NoticeKind.RULES_FOUND: ("rules",),
    }
)
"""The facts without which a kind would say nothing, beside account, time and reference."""


class Incomplete(ValueError):
    """A notice lacks a fact that its kind cannot do without; the text names it."""


def require(kind: NoticeKind, facts: Facts) -> None:
    """Raise ``Incomplete`` where something is missing."""
    missing = [name for name in ("account", "reference", *NEEDED[kind]) if not getattr(facts, name)]
    if missing:
        raise Incomplete(f"a notice {kind} cannot do without: {', '.join(missing)}")
