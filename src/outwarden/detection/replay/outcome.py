"""What a policy would have done on a tape: whom it would have stopped, when and why, and what it would have cost.

A tape knows no truth but the accounts that are named as stolen.  All others are honest; where none is named,
all that were not blocked are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from outwarden.events import AccountCause, AccountKind, Finding

DAY = 86_400


class What(StrEnum):
    """What happened to an account on the replay."""

    HELD = "held"
    LET_GO = "let go"
    """Nothing that was held waits any more: the judge let it go."""
    PASSED = "passed"
    """The desk released what was held."""
    BLOCKED = "blocked"
    GIVEN_BACK = "given back"


class Turn(msgspec.Struct, frozen=True):
    """One turn in the story of an account.

    ``by_desk``: a person did it.  The counts reach back to the account's first suspicious message, or to the time
    from which it is named as stolen: ``messages`` and ``recipients`` were handed in since, this one included, and
    ``left`` recipients of those had left before.
    """

    what: What
    at: datetime
    by_desk: bool
    messages: int
    recipients: int
    left: int
    points: float = 0.0
    findings: tuple[Finding, ...] = ()
    cause: AccountCause | None = None
    because: tuple[str, ...] = ()


class Fates(msgspec.Struct):
    """What became of messages or of their recipients: each is counted once, and they add up to ``submitted``.

    ``refused`` was not taken because the account was blocked, ``dropped`` waited when it was blocked, ``deferred``
    was told to come back and did not, ``waiting`` is still held at the end.
    """

    submitted: int = 0
    left: int = 0
    refused: int = 0
    dropped: int = 0
    deferred: int = 0
    waiting: int = 0


class Cost(msgspec.Struct):
    """What the mail of honest accounts paid, in messages.

    ``delayed`` did not leave at once, ``over_five_minutes`` are those of them that took longer than that, and
    ``never`` those that did not leave at all.  ``waited_seconds`` sums over those that left late.  ``hold_days``
    are days of an account with held mail.
    """

    messages: int = 0
    delayed: int = 0
    over_five_minutes: int = 0
    never: int = 0
    waited_seconds: float = 0.0
    blocks: int = 0
    hold_days: int = 0

    def add(self, other: Cost) -> None:
        """Add the cost of another account."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def mean_wait_seconds(self) -> float:
        """Mean wait of messages that left late."""
        late = self.delayed - self.never
        return self.waited_seconds / late if late else 0.0


class HourOfMail(msgspec.Struct, frozen=True, array_like=True):
    """Recipients of one hour, by what was said when they were handed in."""

    hour: int
    accepted: int
    held: int
    refused: int


class AccountOutcome(msgspec.Struct, frozen=True):
    """The story of one account after the learning period.

    ``stolen``: it was named so, ``stolen_from`` since when.  ``leaked`` recipients left since ``counted_from``:
    that time, or without one its first suspicious message; None where nothing was ever suspicious.
    ``cost`` is of its honest mail: all of it, or until it was stolen.
    """

    account: str
    kind: AccountKind
    stolen: bool
    stolen_from: datetime | None
    counted_from: datetime | None
    leaked: int
    turns: tuple[Turn, ...]
    more_turns: int
    messages: Fates
    recipients: Fates
    cost: Cost
    hours: tuple[HourOfMail, ...]

    def first(self, what: What) -> Turn | None:
        """Return when this happened for the first time."""
        return next((turn for turn in self.turns if turn.what is what), None)

    @property
    def stopped(self) -> bool:
        """Whether any of its mail was held, put off or refused."""
        return bool(self.turns) or bool(self.recipients.deferred)


class Outcome(msgspec.Struct, frozen=True):
    """What one policy would have done.

    ``accounts`` are those that were stopped or named as stolen, the blocked before the held, each by time.
    ``honest`` sums up ``honest_accounts`` accounts over ``days``; ``reviews`` is how often the desk had to look.
    ``truth_known``: at least one account was named as stolen.
    """

    policy: str
    learned_until: datetime
    days: float
    accounts: tuple[AccountOutcome, ...]
    honest: Cost
    honest_accounts: int
    messages: Fates
    recipients: Fates
    reviews: int
    truth_known: bool

    def account(self, name: str) -> AccountOutcome | None:
        """Return the story of one account, None where it was never stopped."""
        return next((one for one in self.accounts if one.account == name), None)

    @property
    def blocks_per_1000_account_days(self) -> float:
        """Blocks of honest accounts per 1,000 days of an account."""
        account_days = self.honest_accounts * self.days
        return 1000 * self.honest.blocks / account_days if account_days else 0.0


class Fate(msgspec.Struct, frozen=True):
    """What a policy did to one account: the worst of it, since when, and what left, came late and never left.

    ``left`` recipients left once the account was stolen or suspicious; ``late`` and ``never`` are honest messages.
    """

    would_be: str = "accepted"
    since: datetime | None = None
    left: int = 0
    late: int = 0
    never: int = 0


class Difference(msgspec.Struct, frozen=True):
    """One account that two policies treat differently."""

    account: str
    first: Fate
    second: Fate


def in_order(accounts: Iterable[AccountOutcome]) -> tuple[AccountOutcome, ...]:
    """Return accounts as they are told: blocked before held, by time; then stolen ones that nothing happened to."""

    def place(one: AccountOutcome) -> tuple[int, float, str]:
        turn = one.first(What.BLOCKED) or (one.turns[0] if one.turns else None)
        rank = 0 if one.first(What.BLOCKED) else 1 if one.stopped else 2
        return (rank if not one.stolen else min(rank, 1) - 1, turn.at.timestamp() if turn else 0.0, one.account)

    return tuple(sorted(accounts, key=place))


def honest_cost(accounts: Sequence[AccountOutcome], truth_known: bool) -> tuple[Cost, int]:
    """Return the cost of the honest accounts together, and how many they are."""
    whole, count = Cost(), 0
    for one in accounts:
        if not truth_known and one.first(What.BLOCKED):
            continue
        whole.add(one.cost)
        count += not one.stolen or one.cost.messages > 0
    return whole, count


def differences(first: Outcome, second: Outcome) -> tuple[Difference, ...]:
    """Return the accounts that two policies treat differently, in the order of the first policy's."""
    names = dict.fromkeys(one.account for one in (*first.accounts, *second.accounts))
    every = [Difference(name, _fate(first.account(name)), _fate(second.account(name))) for name in names]
    return tuple(one for one in every if one.first != one.second)


def worst(one: AccountOutcome | None) -> str:
    """Return the worst that happened to an account, in a word."""
    if one is None or not one.stopped:
        return "accepted"
    if one.first(What.BLOCKED):
        return What.BLOCKED.value
    return What.HELD.value if one.turns else "deferred"


def _fate(one: AccountOutcome | None) -> Fate:
    if one is None:
        return Fate()
    turn = one.first(What.BLOCKED) or (one.turns[0] if one.turns else None)
    return Fate(worst(one), None if turn is None else turn.at, one.leaked, one.cost.delayed, one.cost.never)
