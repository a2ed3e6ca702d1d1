"""What is usual on this server: the record of all other accounts, as a prior for each one.

Every account counts with at most fifty results, and a refusal rate is the smaller of two: the share
of results and the share of accounts.  So one spammer, or ten, cannot make spamming look usual.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from outwarden.detection.account_history import AccountHistory, Column
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours

_UNKNOWN_RATE = 0.04
_UNKNOWN_WEIGHT = 200.0
_REFUSED_RATE = 0.01
_REFUSED_WEIGHT = 50.0
_MOST_UNKNOWN_RATE = 0.10
_RESULTS_PER_ACCOUNT = 50
_MESSAGES_THAT_SHOW_NETWORKS = 5
_ACCOUNTS_THAT_SHOW_NETWORKS = 10


class Population:
    """The rates of all accounts, from which each one's own part can be taken out again."""

    def __init__(self, accounts: Sequence[AccountHistory], server: Hours) -> None:
        self._unknown = self._results = 0.0
        for account in accounts:
            unknown, results = _contribution(account)
            self._unknown += unknown
            self._results += results
        self.networks_a_day = _networks_a_day(accounts)
        self._hours = server.column(0)
        self._refused = _sums(server.column(Flow.REFUSED))
        delivered, bounced = server.column(Flow.DELIVERED), server.column(Flow.BOUNCED)
        self._answers = _sums([one + other for one, other in zip(delivered, bounced, strict=True)])
        self._refused_accounts = _sums(server.column(Flow.REFUSED_ACCOUNTS))
        self._active_accounts = _sums(server.column(Flow.ACTIVE_ACCOUNTS))

    def unknown_rate_without(self, account: AccountHistory) -> float:
        """Return the share of unknown recipients among all others, drawn towards 4 %, at most 10 %."""
        unknown, results = _contribution(account)
        rate = (self._unknown - unknown + _UNKNOWN_RATE * _UNKNOWN_WEIGHT) / (self._results - results + _UNKNOWN_WEIGHT)
        return min(rate, _MOST_UNKNOWN_RATE)

    def refused_rate_without(self, first_hour: int, last_hour: int, refused: int, results: int, active: int) -> float:
        """Return the share refused as spam of all others in these hours, drawn towards 1 %.

        ``refused`` and ``results`` are the account's own in these hours, ``active`` its hours with results.
        """
        first = bisect_left(self._hours, first_hour)
        last = bisect_right(self._hours, last_hour)
        own_refused_hours = min(active, refused)
        of_results = _drawn(
            self._refused[last] - self._refused[first] - refused, self._answers[last] - self._answers[first] - results
        )
        of_accounts = _drawn(
            self._refused_accounts[last] - self._refused_accounts[first] - own_refused_hours,
            self._active_accounts[last] - self._active_accounts[first] - active,
        )
        return min(of_results, of_accounts)


def _drawn(refused: int, of: int) -> float:
    return (max(0, refused) + _REFUSED_RATE * _REFUSED_WEIGHT) / (max(0, of) + _REFUSED_WEIGHT)


def _sums(column: list[int]) -> list[int]:
    return [0, *accumulate(column)]


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
