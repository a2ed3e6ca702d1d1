"""What ``outwarden status`` and ``outwarden account`` are answered with.

The service fills these in, the commands show them and print them as JSON; so names and meanings stay, and what is new
comes with a default.  All times are UTC.  Nothing here is worked out but the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from outwarden.service.control.records import ResponseRecord

Mode = Literal["observe", "ask", "act"]
SendingSpam = Literal["no", "maybe", "yes", "unknown"]
StandingWord = Literal["normal", "watched", "held", "blocked", "probation"]


class DoorStatus(msgspec.Struct, frozen=True):
    """A door of the gate since the service began.

    ``undecided`` messages got no verdict in time; ``turned_away`` are connections beyond what it can serve.
    """

    kind: str
    address: str
    connections: int = 0
    messages: int = 0
    undecided: int = 0
    turned_away: int = 0


class GateStatus(msgspec.Struct, frozen=True):
    """What became of the messages at the gate since the service began, whichever door they came by.

    ``strangers`` are messages from outside, which are not looked at.  ``refused_early`` were refused by their sender,
    before their text.  The milliseconds are what the gate added to each of the last messages.
    """

    doors: tuple[DoorStatus, ...]
    messages: int = 0
    strangers: int = 0
    accepted: int = 0
    held: int = 0
    deferred: int = 0
    refused: int = 0
    refused_early: int = 0
    undecided: int = 0
    late_lists: int = 0
    p50_milliseconds: float | None = None
    p99_milliseconds: float | None = None


class LogStatus(msgspec.Struct, frozen=True):
    """How far a log has been read; a lag is None where it is not known."""

    log: str
    caught_up: bool
    lag_bytes: int | None = None
    lag_seconds: float | None = None
    lines: int = 0
    lines_not_understood: int = 0
    remark: str = ""


class QueueStatus(msgspec.Struct, frozen=True):
    """The queue when it was last looked at; ``trend`` says in words how it stands against its own past."""

    messages: int
    looked_at: datetime
    oldest_minutes: int | None = None
    on_hold: int | None = None
    trend: str = ""


class AccountStatus(msgspec.Struct, frozen=True):
    """An account that is held, blocked or watched.

    ``in_force``: it is so at the gate; else this is what would be done.  ``finding`` is the heaviest one's text,
    ``reference`` what its owner was told.  ``held_messages`` and ``held_recipients`` wait in the mail server's queue.
    """

    account: str
    standing: StandingWord
    in_force: bool
    points: float = 0.0
    cause: str | None = None
    since: datetime | None = None
    reference: str = ""
    finding: str = ""
    held_messages: int = 0
    held_recipients: int = 0


class Deed(msgspec.Struct, frozen=True):
    """What the service did by itself: ``undo`` is the command that takes it back, empty where nothing does."""

    at: datetime
    what: str
    whom: str
    why: str = ""
    reference: str = ""
    undo: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a person: what it is about, why, and the command to type."""

    what: str
    why: str = ""
    command: str = ""
    since: datetime | None = None


class OpenListing(msgspec.Struct, frozen=True):
    """A listing of ours that has not ended; ``major`` lists weigh with receivers."""

    list: str
    target: str
    since: datetime
    major: bool = False


class FaultStatus(msgspec.Struct, frozen=True):
    """What does not work: the store cannot be written, the resolver does not answer, a log cannot be read."""

    what: str
    text: str
    since: datetime | None = None


class Status(msgspec.Struct, frozen=True):
    """The one screen.

    ``modes`` has the mode of each kind of response (``hold``, ``block``).  ``accounts`` are the gravest first, at most
    some hundreds; ``accounts_in_all`` counts them.  ``done_by_itself`` is the newest first.
    """

    at: datetime
    running_since: datetime
    version: str
    sending_spam: SendingSpam
    because: tuple[str, ...] = ()
    modes: dict[str, Mode] = {}
    gate: GateStatus | None = None
    logs: tuple[LogStatus, ...] = ()
    queue: QueueStatus | None = None
    pauses: tuple[ResponseRecord, ...] = ()
    accounts: tuple[AccountStatus, ...] = ()
    accounts_in_all: int = 0
    done_by_itself: tuple[Deed, ...] = ()
    waits_for_me: tuple[Waiting, ...] = ()
    listings: tuple[OpenListing, ...] = ()
    faults: tuple[FaultStatus, ...] = ()


class FindingTold(msgspec.Struct, frozen=True):
    """A finding, as ``check`` gives it."""

    rule: str
    points: float
    text: str
    at: datetime | None = None
    evidence: tuple[str, ...] = ()


class AccountReport(msgspec.Struct, frozen=True):
    """All that is known of one account; a count is None where it is not kept.

    The counts are of the last 24 hours.  ``usual`` says in words what it does on other days.  ``offences`` counts its
    blocks that stood.
    """

    account: str
    kind: str
    standing: StandingWord
    in_force: bool = False
    points: float = 0.0
    cause: str | None = None
    because: tuple[str, ...] = ()
    since: datetime | None = None
    reference: str = ""
    findings: tuple[FindingTold, ...] = ()
    first_seen: datetime | None = None
    messages: int | None = None
    recipients: int | None = None
    new_recipients: int | None = None
    refused: int | None = None
    unknown_recipients: int | None = None
    complaints: int | None = None
    networks: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    held_messages: int = 0
    held_recipients: int = 0
    offences: int = 0
    responses: tuple[ResponseRecord, ...] = ()
    next_steps: tuple[Waiting, ...] = ()


class HistoryEntry(msgspec.Struct, frozen=True):
    """One thing that happened to an account: a response and each turn of it, by whom and why."""

    at: datetime
    what: str
    why: str = ""
    by: str = ""
    reference: str = ""


class Offender(msgspec.Struct, frozen=True):
    """An account that was blocked, and how often: ever, and within so many days; ``resets`` new passwords in a year.

    ``next_measure`` is what the next offence leads to: ``warn``, ``lock`` or ``end-service``.
    """

    account: str
    offences: int
    last_at: datetime
    standing: StandingWord = "normal"
    cause: str | None = None
    within_30_days: int = 0
    within_90_days: int = 0
    within_365_days: int = 0
    resets: int = 0
    next_measure: str = "warn"


class AccountChange(msgspec.Struct, frozen=True):
    """What became of a command about an account, or with ``dry_run`` what would; ``what`` says it in words.

    ``undo`` is the command that takes it back.
    """

    account: str
    what: str
    reference: str = ""
    remarks: tuple[str, ...] = ()
    undo: str = ""
    dry_run: bool = False


def verdict(
    accounts: Iterable[AccountStatus], listings: Iterable[OpenListing], server: Sequence[str], *, learning: bool = False
) -> tuple[SendingSpam, tuple[str, ...]]:
    """Return whether spam is leaving now, and because of what.

    ``server`` are findings about the server as a whole, in words; ``learning``: nobody is judged yet.  Who is stopped
    in force sends nothing more, so only what goes on speaks against us: a block that is only observed is *yes*; a hold
    that is, a major listing or a finding about the server is *maybe*.
    """
    yes: list[str] = []
    maybe: list[str] = []
    for each in accounts:
        if each.in_force or each.standing not in ("blocked", "held"):
            continue
        words = f"{each.account}: {each.finding or each.cause or 'looks as if it sends spam'}"
        (yes if each.standing == "blocked" else maybe).append(f"{words}; it is not stopped")
    maybe += [f"{each.list} has {each.target}" for each in listings if each.major]
    maybe += server
    if yes:
        return "yes", (*yes, *maybe)
    if maybe:
        return "maybe", tuple(maybe)
    return ("unknown", ("the past is still being read; nobody is judged yet",)) if learning else ("no", ())
