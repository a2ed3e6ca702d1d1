"""What is usual on this server: the record of all other accounts, as a prior for each one.

Every account counts with at most fifty results, and a refusal rate is the smaller of two: the share
of results and the share of accounts.  So one spammer, or ten, cannot make spamming look usual.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from outwarden.detection.account_history import AccountHistory, Column
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours
from outwarden.detection.window import Window

_UNKNOWN_RATE = 0.04
_UNKNOWN_WEIGHT = 200.0
_REFUSED_RATE = 0.01
_REFUSED_WEIGHT = 50.0
_LEAST_UNKNOWN_RATE = 0.02
_MOST_UNKNOWN_RATE = 0.10
_RESULTS_PER_ACCOUNT = 50
_MESSAGES_THAT_SHOW_NETWORKS = 5
_ACCOUNTS_THAT_SHOW_NETWORKS = 10


class Population:
    """The rates of all accounts, from which each one's own part can be taken out again."""

    def __init__(self, accounts: Sequence[AccountHistory], server: Hours) -> None:
        self._accounts = accounts
        self._server = server
        self._unknown = self._results = 0.0
        for account in accounts:
            unknown, results = _contribution(account)
            self._unknown += unknown
            self._results += results
        self.networks_a_day = _networks_a_day(accounts)
        self._without: frozenset[int] = frozenset()
        self._hours = server.column(0)
        delivered, bounced = server.column(Flow.DELIVERED), server.column(Flow.BOUNCED)
        self._sum_up(
            server.column(Flow.REFUSED),
            [one + other for one, other in zip(delivered, bounced, strict=True)],
            server.column(Flow.REFUSED_ACCOUNTS),
            server.column(Flow.ACTIVE_ACCOUNTS),
        )

    def without(self, accused: Sequence[AccountHistory]) -> Population:
        """Return the population that is left when some accounts are taken out of it."""
        numbers = frozenset(account.number for account in accused)
        rest = Population([one for one in self._accounts if one.number not in numbers], self._server)
        rest._without = numbers
        row = {hour: number for number, hour in enumerate(rest._hours)}
        columns = [_differences(sums) for sums in rest._hourly]
        for account in accused:
            hours = account.hours
            for hour, refused, results in zip(
                hours.column(0), hours.column(Column.REFUSED), hours.column(Column.RESULTS), strict=True
            ):
                if results and hour in row:
                    for column, part in zip(columns, (refused, results, min(1, refused), 1), strict=True):
                        column[row[hour]] -= part
        rest._sum_up(*columns)
        return rest

    def _sum_up(self, refused: list[int], answers: list[int], refused_accounts: list[int], active: list[int]) -> None:
        self._hourly = (_sums(refused), _sums(answers), _sums(refused_accounts), _sums(active))

    def unknown_rate_without(self, account: AccountHistory) -> float:
        """Return the share of unknown recipients among all others, drawn towards 4 %, from 2 to 10 %."""
        unknown, results = (0.0, 0.0) if account.number in self._without else _contribution(account)
        rate = (self._unknown - unknown + _UNKNOWN_RATE * _UNKNOWN_WEIGHT) / (self._results - results + _UNKNOWN_WEIGHT)
        return max(_LEAST_UNKNOWN_RATE, min(rate, _MOST_UNKNOWN_RATE))

    def refused_rate_without(self, account: AccountHistory, window: Window, active_hours: int) -> float:
        """Return the share refused as spam of all others in the window's hours, drawn towards 1 %.

        ``active_hours`` is in how many of them the account itself got an answer.
        """
        first = bisect_left(self._hours, window.first_hour)
        last = bisect_right(self._hours, window.last_hour)
        refused, answers, refused_accounts, active = (sums[last] - sums[first] for sums in self._hourly)
        if account.number not in self._without:
            refused -= window.refused
            answers -= window.results
            refused_accounts -= min(active_hours, window.refused)
            active -= active_hours
        return min(_drawn(refused, answers), _drawn(refused_accounts, active))


def _drawn(refused: int, of: int) -> float:
    return (max(0, refused) + _REFUSED_RATE * _REFUSED_WEIGHT) / (max(0, of) + _REFUSED_WEIGHT)


def _sums(column: list[int]) -> list[int]:
    return [0, *accumulate(column)]


def _differences(sums: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(sums)]


def _contribution(account: AccountHistory) -> tuple[float, float]:
    results = sum(account.hours.column(Column.RESULTS))
    if not results:
        return 0.0, 0.0
    part = min(1.0, _RESULTS_PER_ACCOUNT / results)
    return sum(account.hours.column(Column.UNKNOWN)) * part, results * part


def _networks_a_day(accounts: Sequence[AccountHistory]) -> int:
    """Return how many networks nine tenths of the accounts stay within on a day."""
    seen = []
    for account in accounts:
        if account.networks and account.messages >= _MESSAGES_THAT_SHOW_NETWORKS:
            networks = len(account.networks)
            if networks > 1:
                days = len({hour // 24 for hour in account.hours.column(0)})
                networks = -(-networks // max(1, days))
            seen.append(networks)
    if len(seen) < _ACCOUNTS_THAT_SHOW_NETWORKS:
        return 1
    seen.sort()
    return max(1, seen[len(seen) * 9 // 10])
