"""The shape of a queue: which domains, how old; and which senders are behind it.

The ages are those of Postfix's qshape(1), in minutes, because postmasters read that table at a glance:
a young queue that grows is being filled, an old one is stuck.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from outwarden.events import QueuedMessage, domain_of
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.refusals import classify_cached

AGES_MINUTES = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
"""Upper bounds of the ages, the bound itself included; one more column holds all that is older."""


class ShapeRow(msgspec.Struct, frozen=True):
    """One domain (or ``<>``, or empty where none is known): how many, per age, and of unknown age."""

    domain: str
    total: int
    ages: tuple[int, ...]
    unknown_age: int = 0


class Sender(msgspec.Struct, frozen=True):
    """One sender in the queue; ``share`` is of the waiting recipients, 0 to 1.

    ``refusal_class`` is the commonest class of the reasons given, None where none is given.
    """

    account: str
    messages: int
    recipients: int
    share: float
    oldest: datetime | None
    refusal_class: str | None


def recipient_shape(messages: Iterable[QueuedMessage], now: datetime) -> tuple[ShapeRow, ...]:
    """Return how many recipients wait for how long, per domain of the recipient, most first."""
    ages: dict[str, Counter[int | None]] = defaultdict(Counter)
    for message in messages:
        column = _column(message, now)
        for recipient, _ in message.recipients:
            ages[domain_of(recipient)][column] += 1
    return _rows(ages)


def sender_shape(messages: Iterable[QueuedMessage], now: datetime) -> tuple[ShapeRow, ...]:
    """Return how many messages wait for how long, per domain of the sender, most first."""
    ages: dict[str, Counter[int | None]] = defaultdict(Counter)
    for message in messages:
        domain = NULL_SENDER if message.sender == NULL_SENDER else domain_of(message.sender)
        ages[domain][_column(message, now)] += 1
    return _rows(ages)


def total_row(rows: Iterable[ShapeRow]) -> ShapeRow:
    """Return the sum of all rows."""
    rows = tuple(rows)
    columns = zip(*(row.ages for row in rows), strict=True) if rows else ((),) * (len(AGES_MINUTES) + 1)
    return ShapeRow(
        "TOTAL",
        sum(row.total for row in rows),
        tuple(sum(column) for column in columns),
        sum(row.unknown_age for row in rows),
    )


def senders_behind(messages: Iterable[QueuedMessage]) -> tuple[Sender, ...]:
    """Return who is behind the queue, by waiting recipients, most first."""
    by_sender: dict[str, list[QueuedMessage]] = defaultdict(list)
    for message in messages:
        by_sender[message.sender].append(message)
    waiting = {sender: sum(_waiting(one) for one in own) for sender, own in by_sender.items()}
    whole = sum(waiting.values())
    senders = [_sender(sender, own, waiting[sender], whole) for sender, own in by_sender.items()]
    return tuple(sorted(senders, key=lambda one: (-one.recipients, one.account)))


def _sender(account: str, own: list[QueuedMessage], recipients: int, whole: int) -> Sender:
    classes = Counter(
        classify_cached(reason).refusal_class.value for message in own for _, reason in message.recipients if reason
    )
    arrivals = [message.arrived_at for message in own if message.arrived_at is not None]
    commonest = classes.most_common(1)
    return Sender(
        account,
        len(own),
        recipients,
        recipients / whole if whole else 0.0,
        min(arrivals, default=None),
        commonest[0][0] if commonest else None,
    )


def _waiting(message: QueuedMessage) -> int:
    """Return how many recipients wait; at least one, for a form that does not list them."""
    return max(len(message.recipients), 1)


def _column(message: QueuedMessage, now: datetime) -> int | None:
    if message.arrived_at is None:
        return None
    return bisect_left(AGES_MINUTES, (now - message.arrived_at).total_seconds() / 60)


def _rows(ages: dict[str, Counter[int | None]]) -> tuple[ShapeRow, ...]:
    rows = [
        ShapeRow(
            domain,
            columns.total(),
            tuple(columns[column] for column in range(len(AGES_MINUTES) + 1)),
            columns[None],
        )
        for domain, columns in ages.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.total, row.domain)))
