"""What the detection room hands back: the verdict, and everything it rests on.

Plain frozen records.  The commands print them, the desk will store them, and nothing in here
decides anything: who decides stands in ``verdict.py``.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from outwarden.events import AccountKind, Finding, Standing, Verdict


class HourCount(msgspec.Struct, frozen=True):
    """What one account handed in during one hour; ``at`` is the start of the hour, UTC."""

    at: datetime
    messages: int
    recipients: int


class AccountAssessment(msgspec.Struct, frozen=True):
    """One account: how it stands, the ledger that says why, and its plain counts.

    ``findings`` is the ledger of the worst stretch of time found, and ``points`` its sum; both are
    empty where nothing was worth a ledger.  ``since`` and ``cause`` are given from *held* upwards.
    ``refused`` counts final bounces by class.  ``networks`` are /24 for IPv4 and /48 for IPv6.
    ``hours`` is sparse and ascending; it is there for accounts with a ledger, the ones that anybody
    will want drawn, because a provider's accounts times a week's hours are most of the memory.
    ``ours`` is False for senders that are not ours to judge (mail that came in from outside), of
    whom at most 8 client addresses are told apart.
    """

    account: str
    kind: AccountKind
    standing: Standing
    points: float
    findings: tuple[Finding, ...]
    since: datetime | None
    cause: str | None
    messages: int
    recipients: int
    delivered: int
    deferred_attempts: int
    bounced: int
    expired: int
    bounces_returned: int
    refused: dict[str, int]
    client_addresses: int
    networks: int
    hours: tuple[HourCount, ...] = ()
    ours: bool = True


class DestinationAssessment(msgspec.Struct, frozen=True):
    """One domain that our mail left for, and what it said; local deliveries are not in it."""

    destination: str
    delivered: int
    deferred_attempts: int
    bounced: int
    refused: dict[str, int]
    findings: tuple[Finding, ...] = ()


class ListingSeen(msgspec.Struct, frozen=True):
    """A blocklist and the address or domain that remotes said is on it."""

    list: str
    address: str
    first: datetime
    last: datetime
    count: int


class NextStep(msgspec.Struct, frozen=True):
    """Something to do now, in words, and the command for it where one line does it."""

    text: str
    command: str | None


class Assessment(msgspec.Struct, frozen=True):
    """Is this server sending spam, since when, because of whom, and what to do.

    ``accounts`` has most points first, then most recipients.  ``because`` has the findings of the
    accused accounts first, each beginning with the account's name, then those about the server.
    """

    verdict: Verdict
    since: datetime | None
    because: tuple[Finding, ...]
    accounts: tuple[AccountAssessment, ...]
    destinations: tuple[DestinationAssessment, ...]
    listings_seen: tuple[ListingSeen, ...]
    from_at: datetime | None
    to_at: datetime | None
    next_steps: tuple[NextStep, ...]
