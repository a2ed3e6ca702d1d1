"""What is remembered of each day: counts of messages by rule, list and account, and some messages as evidence.

A day (UTC) keeps the first 1,000 accounts that there is anything to tell of, and the first 200 rules and lists; those
beyond are counted in the day's own sums alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

LONGEST_NAME = 320
MOST_ACCOUNTS = 1_000
_MOST_NAMES = 200
MOST_EVIDENCE = 5

_T = TypeVar("_T")


class Tally(msgspec.Struct, array_like=True):
    """Messages that were stopped, stopped wrongly, and missed."""

    stopped: int = 0
    wrong: int = 0
    missed: int = 0


class AccountDay(msgspec.Struct, array_like=True):
    """One account on one day: its messages, and those of them that a rule or list speaks of."""

    own: Tally = msgspec.field(default_factory=Tally)
    rules: dict[str, Tally] = {}
    lists: dict[str, Tally] = {}


class Day(msgspec.Struct, array_like=True):
    """One day.  ``evidence`` has the last queue IDs, by ``wrong`` and ``missed``, and by these and a rule or list."""

    accepted: int = 0
    own: Tally = msgspec.field(default_factory=Tally)
    rules: dict[str, Tally] = {}
    lists: dict[str, Tally] = {}
    accounts: dict[str, AccountDay] = {}
    late: dict[str, int] = {}
    could_not_ask: dict[str, int] = {}
    evidence: dict[str, list[str]] = {}

    def about(self, account: str, rules: Iterable[str] = (), lists: Iterable[str] = ()) -> Iterator[Tally]:
        """Return every tally that a message of this account counts in."""
        yield self.own
        of = _at(self.accounts, account, AccountDay, MOST_ACCOUNTS)
        if of is not None:
            yield of.own
        for name in rules:
            yield from _tallies(name, self.rules, None if of is None else of.rules)
        for name in lists:
            yield from _tallies(name, self.lists, None if of is None else of.lists)

    def note(self, queue_id: str, what: str, names: Iterable[str] = ()) -> None:
        """Keep a message as evidence of ``what``, also by each rule or list."""
        for key in (what, *(f"{what} {name}" for name in names)):
            kept = _at(self.evidence, key, list, 2 * _MOST_NAMES)
            if kept is not None:
                kept.append(queue_id)
                del kept[:-MOST_EVIDENCE]


def count(counts: dict[str, int], name: str) -> None:
    """Count one more of a name."""
    name = name[:LONGEST_NAME]
    if name in counts or len(counts) < _MOST_NAMES:
        counts[name] = counts.get(name, 0) + 1


def _tallies(name: str, *places: dict[str, Tally] | None) -> Iterator[Tally]:
    for place in places:
        found = None if place is None else _at(place, name, Tally, _MOST_NAMES)
        if found is not None:
            yield found


def _at(place: dict[str, _T], name: str, kind: Callable[[], _T], most: int) -> _T | None:
    """Return what stands under a name, begun where it does not yet; None where there is no room for it."""
    found = place.get(name)
    if found is None and len(place) < most:
        found = place[name] = kind()
    return found
