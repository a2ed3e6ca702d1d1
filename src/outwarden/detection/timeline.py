"""An account's rows laid out so that any window over them is judged in a few steps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from outwarden.detection import ledger
from outwarden.detection.account_history import AccountHistory, Column
from outwarden.detection.population import Population
from outwarden.detection.streams import volume
from outwarden.detection.window import Window

LENGTHS = (1, 3, 8, 24)
"""Hours.  Evidence older than a day has left the ledger."""

_MOST_ENDS = 96


def most_points(account: AccountHistory) -> float:
    """Return what no window of this account can exceed; most accounts need no timeline."""
    hours = account.hours
    new = hours.column(Column.NEW)
    # Neither the best hour nor the best day can be beaten by a window.
    loudest = max(max(new, default=0), sum(new) // 2)
    return ledger.at_most(
        volume.at_most(loudest, max(hours.column(Column.RECIPIENTS), default=0), 0, 0),
        sum(hours.column(Column.UNKNOWN)),
        sum(hours.column(Column.REFUSED)),
        sum(r > b for r, b in zip(hours.column(Column.RETURNED), hours.column(Column.BOUNCED), strict=True)),
        sum(hours.column(Column.SAME)),
        max(0, len(account.networks) - 1),
    )


class Timeline:
    """One account over the whole history, beside the population it belongs to."""

    def __init__(self, account: AccountHistory, population: Population) -> None:
        self.account = account
        self.hours = account.hours.column(0)
        self.new = account.hours.column(Column.NEW)
        self.recipients = account.hours.column(Column.RECIPIENTS)
        self.unknown = account.hours.column(Column.UNKNOWN)
        self.refused = account.hours.column(Column.REFUSED)
        self.returned = account.hours.column(Column.RETURNED)
        self._population = population
        self._unknown_rate = population.unknown_rate_without(account)
        results = account.hours.column(Column.RESULTS)
        self._sums = {
            Column.MESSAGES: _sums(account.hours.column(Column.MESSAGES)),
            Column.RECIPIENTS: _sums(self.recipients),
            Column.NEW: _sums(self.new),
            Column.RESULTS: _sums(results),
            Column.UNKNOWN: _sums(self.unknown),
            Column.REFUSED: _sums(self.refused),
            Column.BOUNCED: _sums(account.hours.column(Column.BOUNCED)),
            Column.RETURNED: _sums(self.returned),
            Column.SAME: _sums(account.hours.column(Column.SAME)),
        }
        self._active = _sums([1 if one else 0 for one in results])
        self._records = {
            Column.NEW: _highest(self.new),
            Column.RECIPIENTS: _highest(self.recipients),
            Column.SAME: _highest(account.hours.column(Column.SAME)),
        }
        self._record_day = _highest_day(self.hours, self.new)
        self.networks = sorted(use.first_hour for use in account.networks.values())
        self._networks_until = [0, *(bisect_right(self.networks, hour) for hour in self.hours)]
        self._network_record = _most_a_day(self.networks)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Return first and last row of every window that ends in an hour with something to say."""
        for end in self._ends():
            before = -1
            for length in LENGTHS:
                start = bisect_left(self.hours, self.hours[end] - length + 1)
                if start != before:
                    yield start, end
                before = start

    def most_points(self, start: int, end: int) -> float:
        """Return what the window from one row to another cannot exceed."""
        sums, after = self._sums, end + 1
        new, recipients = sums[Column.NEW], sums[Column.RECIPIENTS]
        unknown, refused = sums[Column.UNKNOWN], sums[Column.REFUSED]
        returned, bounced, same = sums[Column.RETURNED], sums[Column.BOUNCED], sums[Column.SAME]
        return ledger.at_most(
            volume.at_most(
                new[after] - new[start],
                recipients[after] - recipients[start],
                self._records[Column.NEW][start],
                self._records[Column.RECIPIENTS][start],
            ),
            unknown[after] - unknown[start],
            refused[after] - refused[start],
            returned[after] - returned[start] - bounced[after] + bounced[start],
            same[after] - same[start],
            self._networks_until[after] - self._networks_until[start],
        )

    def window(self, start: int, end: int) -> Window:
        """Return the window from one row to another, both included."""
        window = Window(self.hours[start], self.hours[end])
        after = end + 1
        for column, name in _OF_WINDOW:
            sums = self._sums[column]
            setattr(window, name, sums[after] - sums[start])
        window.busiest_new = max(self.new[start:after])
        window.busiest_recipients = max(self.recipients[start:after])
        window.hours_before = start
        window.results_before = self._sums[Column.RESULTS][start]
        window.unknown_before = self._sums[Column.UNKNOWN][start]
        window.refused_before = self._sums[Column.REFUSED][start]
        window.record_new = self._records[Column.NEW][start]
        window.record_recipients = self._records[Column.RECIPIENTS][start]
        window.record_same = self._records[Column.SAME][start]
        window.record_new_day = self._record_day[start]
        window.networks_before = bisect_left(self.networks, window.first_hour)
        window.new_networks = bisect_right(self.networks, window.last_hour) - window.networks_before
        window.network_record = self._network_record[window.networks_before]
        window.others_networks = self._population.networks_a_day
        window.others_unknown_rate = self._unknown_rate
        active = self._active[after] - self._active[start]
        window.others_refused_rate = self._population.refused_rate_without(self.account, window, active)
        return window

    def _ends(self) -> list[int]:
        """Return the rows with bad results, much mail or a new network; the worst where there are very many."""
        fresh = set(self.networks[1:])
        ends = [
            row
            for row, hour in enumerate(self.hours)
            if self.unknown[row]
            or self.refused[row]
            or self.returned[row]
            or self.new[row] > volume.FLOOR_NEW_PER_HOUR
            or self.recipients[row] > volume.FLOOR_RECIPIENTS_PER_HOUR
            or hour in fresh
        ]
        if len(ends) > _MOST_ENDS:
            ends.sort(key=lambda row: (-2 * self.unknown[row] - 2 * self.refused[row] - self.new[row], row))
            ends = sorted(ends[:_MOST_ENDS])
        return ends


_OF_WINDOW = (
    (Column.MESSAGES, "messages"),
    (Column.RECIPIENTS, "recipients"),
    (Column.NEW, "new"),
    (Column.RESULTS, "results"),
    (Column.UNKNOWN, "unknown"),
    (Column.REFUSED, "refused"),
    (Column.BOUNCED, "bounced"),
    (Column.RETURNED, "returned"),
    (Column.SAME, "same"),
)


def _sums(column: list[int]) -> list[int]:
    return [0, *accumulate(column)]


def _highest(column: list[int]) -> list[int]:
    """Return for each row the highest value in the rows before it."""
    return [0, *accumulate(column, max)]


def _highest_day(hours: list[int], column: list[int]) -> list[int]:
    """Return for each row the highest sum of a calendar day (UTC) in the rows before it."""
    records = [0]
    record = of_day = 0
    day = -1
    for hour, value in zip(hours, column, strict=True):
        if hour // 24 != day:
            day, of_day = hour // 24, 0
        of_day += value
        record = max(record, of_day)
        records.append(record)
    return records


def _most_a_day(first_hours: list[int]) -> list[int]:
    """Return for the first n networks the most that one day added; the very first is no addition."""
    records = [0]
    record = of_day = 0
    day = -1
    for number, hour in enumerate(first_hours):
        if hour // 24 != day:
            day, of_day = hour // 24, 0
        of_day += 1 if number else 0
        record = max(record, of_day)
        records.append(record)
    return records
