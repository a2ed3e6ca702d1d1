"""A queue looked at again and again: what is kept of each look, and for how long.

Of each hour that is over, the look at which the median number of messages waited is kept, for a month: 744 looks, with
at most ten destinations and ten senders each, are some 400 kB.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby

import msgspec

from outwarden.detection.baseline.seasons import PAST_HOURS
from outwarden.detection.hours import hour_of

MOST_NAMED = 10
_MOST_IN_AN_HOUR = 60


class QueueSample(msgspec.Struct, frozen=True, array_like=True):
    """What waited at a time: messages, the oldest's age in minutes (None where unknown), and recipients by name.

    ``destinations`` and ``senders`` hold at most the ten largest.
    """

    at: datetime
    messages: int
    oldest_minutes: int | None = None
    destinations: dict[str, int] = {}
    senders: dict[str, int] = {}

    def waiting_for(self, destination: str) -> int:
        """Return how many recipients wait for a destination; of one not named, at most how many."""
        return _count(self.destinations, destination)

    def waiting_from(self, sender: str) -> int:
        """Return the same for a sender."""
        return _count(self.senders, sender)


def queue_sample(
    at: datetime,
    messages: int,
    oldest_seconds: int | None,
    destinations: Iterable[tuple[str, int]],
    senders: Iterable[tuple[str, int]],
) -> QueueSample:
    """Return a look at a queue, bounded."""
    oldest = None if oldest_seconds is None else oldest_seconds // 60
    return QueueSample(at, messages, oldest, _largest(destinations), _largest(senders))


class QueuePast:
    """The looks of the last month, in the order of time.  One that comes an hour late is left out."""

    __slots__ = ("_hour", "_of_hour", "samples")

    def __init__(self, samples: Iterable[QueueSample] = ()) -> None:
        self.samples: list[QueueSample] = []
        self._hour = -1
        self._of_hour = 0
        for sample in samples:
            self.add(sample)

    def add(self, sample: QueueSample) -> None:
        """Keep a look; the hours before it are over.  Of one hour at most sixty are kept."""
        hour = hour_of(sample.at)
        if hour > self._hour:
            over = len(self.samples) - self._of_hour
            self.samples[over:] = _closed(self.samples[over:])
            self.samples = [one for one in self.samples if hour_of(one.at) >= hour - PAST_HOURS]
            self._hour, self._of_hour = hour, 0
        if hour == self._hour and self._of_hour < _MOST_IN_AN_HOUR:
            self._of_hour += 1
            insort(self.samples, sample, key=lambda one: one.at)

    def merged(self, other: QueuePast) -> QueuePast:
        """Return both as one, each hour as over; of an hour that both know, the look with more waiting."""
        hours: dict[int, QueueSample] = {}
        for sample in (*_closed(self.samples), *_closed(other.samples)):
            hour = hour_of(sample.at)
            hours[hour] = max(sample, hours.get(hour, sample), key=_order)
        return QueuePast(hours[hour] for hour in sorted(hours))


def _closed(samples: Iterable[QueueSample]) -> list[QueueSample]:
    """Return of each hour the look with the median number of messages."""
    of_hours = (sorted(same, key=_order) for _, same in groupby(samples, key=lambda one: hour_of(one.at)))
    return [same[(len(same) - 1) // 2] for same in of_hours]


def _order(sample: QueueSample) -> tuple[int, int, datetime, bytes]:
    return sample.messages, sample.oldest_minutes or 0, sample.at, msgspec.msgpack.encode(sample, order="sorted")


def _largest(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    summed = Counter[str]()
    for name, count in counts:
        summed[name] += count
    return dict(sorted(summed.items(), key=lambda one: (-one[1], one[0]))[:MOST_NAMED])


def _count(counts: Mapping[str, int], name: str) -> int:
    unnamed = min(counts.values()) if len(counts) >= MOST_NAMED else 0
    return counts.get(name, unnamed)
