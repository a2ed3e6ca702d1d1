"""Invented facts, with which a template is tried and a notice is shown before anything has happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from outwarden.responses.notices.facts import Counted, Done, Facts, NoticeKind, Period, Place

_AT = datetime(2026, 11, 25, 3, 12, tzinfo=UTC)
SAMPLE_PLACES = {
    True: Place(
        organisation="ISP Example",
        contact="the help desk, 555-0100",
        password_page="https://my.isp.example/password",  # noqa: S106
        second_factor_page="https://my.isp.example/second-factor",
    ),
    False: Place(organisation="ISP Example", contact="postmaster@isp.example"),
}
"""Of a site that has set everything, and of one that has set the least."""
SAMPLE_LINK = "https://my.isp.example/my/AQIDBAUGBwgJCgsMDQ4P"

_DONE: dict[NoticeKind, tuple[Done, ...]] = {
    NoticeKind.STOLEN_ACCOUNT: (Done.SENDING_REFUSED, Done.PASSWORD_LOCKED, Done.SESSIONS_ENDED, Done.MAIL_HELD),
    NoticeKind.INFECTED_MACHINE: (Done.SENDING_REFUSED, Done.MAIL_HELD),
    NoticeKind.SPAM_CONTENT: (Done.MAIL_HELD,),
    NoticeKind.BLOCKED_BY_PERSON: (Done.SENDING_REFUSED,),
    NoticeKind.HACKED_SITE: (Done.SENDING_REFUSED, Done.MAIL_DELETED),
    NoticeKind.BULK_TO_CONFIRM: (Done.MAIL_HELD,),
    NoticeKind.PASSWORD_RESET: (Done.PASSWORD_CHANGED, Done.APP_PASSWORDS_REVOKED, Done.SESSIONS_ENDED),
    NoticeKind.RULES_FOUND: (Done.RULES_SWITCHED_OFF,),
}
_RULES = ("forward to collector@bigmail.example", "filter: everything with 'invoice' to the folder RSS Feeds")
_MORE: dict[NoticeKind, dict[str, object]] = {
    NoticeKind.STOLEN_ACCOUNT: {"client_address": "203.0.113.77", "messages": 1840, "recipients": 5210},
    NoticeKind.INFECTED_MACHINE: {
        "client_address": "2001:db8:77::9",
        "machine": "DESKTOP-7F3A",
        "listed_by": "Spamhaus XBL",
        "messages": 310,
    },
    NoticeKind.SPAM_CONTENT: {"subject": "Your parcel is waiting", "messages": 96, "recipients": 96},
    NoticeKind.LIMIT_REACHED: {"messages": 500, "until": _AT + timedelta(hours=1)},
    NoticeKind.BLOCKED_BY_PERSON: {"words": "Please call us before noon.", "until": _AT + timedelta(days=7)},
    NoticeKind.GIVEN_BACK: {"words": "All is well again."},
    NoticeKind.HACKED_SITE: {"place": "/var/www/shop/contact.php", "messages": 12400},
    NoticeKind.BULK_TO_CONFIRM: {"subject": "News for November", "recipients": 4000, "client_address": "203.0.113.77"},
    NoticeKind.PASSWORD_RESET: {"client_address": "203.0.113.77"},
    NoticeKind.RULES_FOUND: {"client_address": "203.0.113.77"},
}
_NEEDED: dict[NoticeKind, dict[str, object]] = {
    NoticeKind.INFECTED_MACHINE: {"client_address": "203.0.113.77"},
    NoticeKind.LIMIT_REACHED: {"limit": 500, "counted": Counted.RECIPIENTS, "period": Period.HOUR},
    NoticeKind.RULES_FOUND: {"rules": _RULES},
}


def sample_facts(kind: NoticeKind, *, full: bool = True, link: str = "") -> Facts:
    """Return facts of a kind: with all that is usually known, or with no more than it needs."""
    told: dict[str, object] = {"account": "rosa@isp.example", "happened_at": _AT, "reference": "OW-2041", "link": link}
    told |= _NEEDED.get(kind, {})
    if full:
        told |= {"done": _DONE.get(kind, ()), **_MORE[kind]}
    return Facts(**told)  # type: ignore[arg-type] # a table of them has no one type
