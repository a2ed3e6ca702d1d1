"""Whether a notice may be sent: our own notices must become neither a loop nor a storm, nor help the thief.

It only thinks: what was sent, and what came back, are arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from outwarden.responses.notices.facts import NoticeKind
from outwarden.responses.notices.message import Addressee, TheMailboxItself

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
ONLY_ELSEWHERE = frozenset({NoticeKind.PASSWORD_RESET})
"""Kinds that are of no use in the mailbox itself: its owner cannot open it, and whoever can is the thief."""

_Cap = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many notices are sent at most."""

    to_address_a_day: _Cap = 5
    about_account_a_day: _Cap = 8
    of_kind_about_account_a_day: _Cap = 2
    altogether_an_hour: _Cap = 200


class Sent(NamedTuple):
    """A notice that was sent, or begun and not known how it ended; ``at`` is UTC."""

    kind: NoticeKind
    account: str
    to: str
    at: datetime


class History(NamedTuple):
    """What is known: notices of the last day, addresses that bounced or answered by themselves, addresses of ours."""

    sent: Sequence[Sent] = ()
    bounced: Collection[str] = ()
    answered_by_itself: Collection[str] = ()
    ours: Collection[str] = ()


class Hindrance(StrEnum):
    """Why a notice is not sent."""

    OUR_OWN_ADDRESS = "this is an address of our own notices"
    BOUNCED = "mail to this address came back"
    ANSWERS_BY_ITSELF = "a program answers at this address"
    WHOEVER_READS_IT = "whoever can read this mailbox is not its owner"
    ENOUGH_FOR_ADDRESS = "this address got as many notices today as it may"
    ENOUGH_OF_KIND = "enough was said of this about the account today"
    ENOUGH_FOR_ACCOUNT = "enough was said about the account today"
    ENOUGH_ALTOGETHER = "as many notices as may be sent within an hour were sent"


def may_send(
    history: History, caps: Caps, kind: NoticeKind, account: str, to: Addressee, now: datetime
) -> Hindrance | None:
    """Return why not, None where it may be sent."""
    address, account = same_mailbox(to.address), account.casefold()
    today = [each for each in history.sent if now - each.at < _DAY]
    about = [each for each in today if each.account.casefold() == account]
    reasons = (
        (Hindrance.OUR_OWN_ADDRESS, address in _all(history.ours)),
        (Hindrance.BOUNCED, address in _all(history.bounced)),
        (Hindrance.ANSWERS_BY_ITSELF, address in _all(history.answered_by_itself)),
        (Hindrance.WHOEVER_READS_IT, isinstance(to, TheMailboxItself) and kind in ONLY_ELSEWHERE),
        (
            Hindrance.ENOUGH_FOR_ADDRESS,
            sum(same_mailbox(each.to) == address for each in today) >= caps.to_address_a_day,
        ),
        (Hindrance.ENOUGH_OF_KIND, sum(each.kind is kind for each in about) >= caps.of_kind_about_account_a_day),
        (Hindrance.ENOUGH_FOR_ACCOUNT, len(about) >= caps.about_account_a_day),
        (Hindrance.ENOUGH_ALTOGETHER, sum(now - each.at < _HOUR for each in today) >= caps.altogether_an_hour),
    )
    return next((reason for reason, holds in reasons if holds), None)


def same_mailbox(address: str) -> str:
    """Return an address as it is compared: in small letters, and without what stands behind a plus."""
    local, at, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def _all(addresses: Collection[str]) -> set[str]:
    return {same_mailbox(each) for each in addresses}
