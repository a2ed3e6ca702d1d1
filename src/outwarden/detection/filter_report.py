"""What is known of the filter's own mistakes: per rule, list, account and day."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Of = Literal["filter", "rule", "list", "account", "day"]


class Mistakes(msgspec.Struct, frozen=True):
    """How a rule, a list, an account's mail or a day went.

    Counts are of messages, ``late`` and ``could_not_ask`` of look-ups.
    ``stopped``: held or refused, or in the mode *observe* would have been.  ``wrong``: stopped, then released by a
    person, a probe or the owner.  ``missed``: accepted, then refused by a remote as spam or because of a listing, or
    complained about.  ``rising`` says in words what stands above its own past, ``evidence`` names queue IDs, the
    newest first.
    """

    of: Of
    name: str
    accepted: int | None = None
    stopped: int = 0
    wrong: int = 0
    missed: int = 0
    late: int = 0
    could_not_ask: int = 0
    rising: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class FilterReport(msgspec.Struct, frozen=True):
    """All that is remembered, at most 35 days; in each list what rises comes first, then what has most mistakes."""

    since: datetime | None
    to: datetime
    whole: Mistakes
    rules: tuple[Mistakes, ...] = ()
    lists: tuple[Mistakes, ...] = ()
    accounts: tuple[Mistakes, ...] = ()
    days: tuple[Mistakes, ...] = ()
