"""Who is behind the bad results of an hour, and lines that show it; for the loud hours only.

The largest accounts of an hour are followed with sixteen counters (Misra and Gries, "Finding repeated elements",
1982): whoever has more than a seventeenth is among them, though counted a little short where there are many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

_COUNTERS = 16
_NAMES = 3
_LINES_FROM, _LINES_TO = 4, 6
"""Which bad results of an hour leave their lines: so that the many quiet destinations keep none."""
_LOUD = 10
_MOST_HOURS = 48
_MOST_OF_A_LINE = 500


class HourBehind(msgspec.Struct, array_like=True):
    """Bad results of one hour by account, and three lines of them."""

    hour: int
    bad: int = 0
    accounts: dict[str, int] = {}
    lines: list[str] = []

    def add(self, account: str, line: str) -> None:
        """Count one bad result."""
        self.bad += 1
        if _LINES_FROM <= self.bad <= _LINES_TO and line:
            self.lines.append(line[:_MOST_OF_A_LINE])
        accounts = self.accounts
        if account in accounts or len(accounts) < _COUNTERS:
            accounts[account] = accounts.get(account, 0) + 1
        else:
            self.accounts = {name: count - 1 for name, count in accounts.items() if count > 1}

    def added(self, other: HourBehind) -> HourBehind:
        """Return the same hour of two, a new one, with the largest accounts of both."""
        accounts = Counter(self.accounts) + Counter(other.accounts)
        lines = [*self.lines, *other.lines][: _LINES_TO - _LINES_FROM + 1]
        return HourBehind(self.hour, self.bad + other.bad, _largest(accounts, _COUNTERS), lines)


class Behind(msgspec.Struct, array_like=True):
    """The hour that runs, and the last 48 loud ones before it."""

    current: HourBehind
    loud: dict[int, HourBehind] = {}

    def add(self, hour: int, account: str, line: str) -> None:
        """Count a bad result of an account."""
        if hour != self.current.hour:
            self._turn(hour)
        self.current.add(account, line)

    def of(self, hours: Iterable[int]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return the accounts behind some hours, with their bad results, and up to three lines of the loudest hour."""
        known = [one for hour in hours if (one := self._at(hour)) is not None]
        accounts = Counter[str]()
        for one in known:
            accounts.update(one.accounts)
        accounts.pop("", None)
        lines = max(known, key=lambda one: one.bad).lines if known else ()
        return dict(accounts), tuple(lines)

    def since(self, hour: int) -> Behind:
        """Return what is known from an hour on."""
        return Behind(self.current, {at: one for at, one in self.loud.items() if at >= hour})

    def added(self, other: Behind) -> Behind:
        """Return both as one; the later of the two current hours runs on."""
        earlier, later = sorted((self, other), key=lambda one: one.current.hour)
        both = Behind(later.current.added(HourBehind(later.current.hour)), dict(later.loud))
        for one in (*earlier.loud.values(), earlier.current):
            if one.hour == both.current.hour:
                both.current = both.current.added(one)
            elif one.bad >= _LOUD:
                known = both.loud.get(one.hour, HourBehind(one.hour))
                both.loud[one.hour] = known.added(one)
        for hour in sorted(both.loud)[:-_MOST_HOURS]:
            del both.loud[hour]
        return both

    def _at(self, hour: int) -> HourBehind | None:
        return self.current if hour == self.current.hour else self.loud.get(hour)

    def _turn(self, hour: int) -> None:
        last = self.current
        if last.bad >= _LOUD:
            self.loud[last.hour] = HourBehind(last.hour, last.bad, _largest(last.accounts, _NAMES), last.lines)
            if len(self.loud) > _MOST_HOURS:
                del self.loud[min(self.loud)]
        self.current = self.loud.pop(hour) if hour in self.loud else HourBehind(hour)


def _largest(accounts: dict[str, int], most: int) -> dict[str, int]:
    return dict(sorted(accounts.items(), key=lambda one: (-one[1], one[0]))[:most])
