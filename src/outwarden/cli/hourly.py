"""How many messages an account sent in each hour, as a plot needs it.

The *record* is the most that the account sent in any hour before the trouble began: the bar that
it set itself, and the measure of everything after.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from outwarden.detection.assessment import AccountAssessment

_HOUR = timedelta(hours=1)


class Hourly(NamedTuple):
    """Counts of consecutive hours; ``trouble`` is the index of the first hour of the accusation."""

    start: datetime
    counts: tuple[int, ...]
    what: str
    record: int | None
    trouble: int | None

    @property
    def most(self) -> int:
        """The highest count, at least 1, so that a scale can be made of it."""
        return max(*self.counts, 1, 1)

    @property
    def end(self) -> datetime:
        """The end of the last hour."""
        return self.start + len(self.counts) * _HOUR


def hourly(account: AccountAssessment, until: datetime | None, most_hours: int) -> Hourly | None:
    """Return the last hours of an account up to ``until``, or None where nothing is known.

    Recipients are counted instead of messages where messages carry so many that the number of
    messages would hide the trouble (one blast to a thousand blind copies).
    """
    if not account.hours:
        return None
    what = "recipients" if account.recipients > 4 * account.messages else "messages"
    by_hour = {_whole(hour.at): getattr(hour, what) for hour in account.hours}
    last = max(max(by_hour), _whole(until) if until else min(by_hour))
    start = max(min(by_hour), last - (most_hours - 1) * _HOUR)
    counts = tuple(by_hour.get(start + number * _HOUR, 0) for number in range((last - start) // _HOUR + 1))
    record = trouble = None
    if account.since is not None:
        began = _whole(account.since)
        before = [count for at, count in by_hour.items() if at < began]
        record = max(before, default=None)
        trouble = max((began - start) // _HOUR, 0)
    return Hourly(start, counts, what, record, trouble)


def _whole(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
