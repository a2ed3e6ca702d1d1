"""Has the queue grown beyond its own past: as a whole, in age, or for one destination, and who is behind it?

One finding for one trouble: where the whole queue has grown, the destinations and senders behind it are named in it;
where only one destination's part has, that is said of it alone.  A queue alone proves no spam, so the points
are few: a newsletter fills it, and so does a receiver that is down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import log2
from statistics import median

from outwarden.detection.baseline.levels import SHORTEST_PAST, Growth, growing
from outwarden.detection.baseline.queue_samples import QueueSample
from outwarden.detection.baseline.words import clock, named, span
from outwarden.events import Finding

QUEUE_GROWTH = "queue-growth"
QUEUE_AGE = "queue-age"
DESTINATION_GROWTH = "queue-destination-growth"

HIGHEST = 2.5
_FLOOR = 20.0
_FLOOR_MINUTES = 240.0
_POINTS_OF_AGE = 0.5
_HIGHEST_OF_ONE = 1.5
_LARGE_SHARE = 0.25
_MOST_NAMED = 3
_EVIDENCE_LINES = 3


def queue_growth(samples: Sequence[QueueSample]) -> tuple[Finding, ...]:
    """Return what of the newest look stands above the past, most points first; looks come in the order of time.

    Eight or more looks are judged as a series; fewer by the last one against the median of those before, which it must
    at least double.
    """
    if len(samples) < 2:
        return ()
    whole = _growth([(one.at, float(one.messages)) for one in samples], _FLOOR)
    found = [_whole(whole, samples)] if whole is not None else list(_of_destinations(samples))
    age = _growth(
        [(one.at, float(one.oldest_minutes)) for one in samples if one.oldest_minutes is not None], _FLOOR_MINUTES
    )
    if age is not None:
        found.append(_age(age))
    return tuple(sorted(found, key=lambda one: (-one.points, one.rule, one.text)))


def _growth(series: Sequence[tuple[datetime, float]], floor: float) -> Growth | None:
    if len(series) < 2:
        return None
    return growing(series, floor) if len(series) >= 2 * SHORTEST_PAST else _doubled(series, floor)


def _doubled(series: Sequence[tuple[datetime, float]], floor: float) -> Growth | None:
    usual = median(value for _, value in series[:-1])
    at, last = series[-1]
    limit = usual + max(usual, floor)
    return Growth(usual, limit, last, series[-2][0], at, True) if last >= limit else None


def growth_points(growth: Growth, highest: float = HIGHEST) -> float:
    """Return log2 of how far the limit's ground is exceeded, capped: growth alone proves no spam."""
    return round(min(highest, log2(growth.peak / max(growth.limit / 2, 1.0))), 1)


def _whole(growth: Growth, samples: Sequence[QueueSample]) -> Finding:
    text = f"queue grew from its usual {growth.usual:.0f} messages to {growth.peak:.0f} since {clock(growth.since)}"
    last, before = samples[-1], [one for one in samples if one.at < growth.since] or samples[:-1]
    for_whom = _behind(last.destinations, before, QueueSample.waiting_for)
    from_whom = _behind(last.senders, before, QueueSample.waiting_from)
    if for_whom:
        text += "; waiting for " + named(for_whom)
    if from_whom:
        text += "; behind it " + named(from_whom)
    return Finding(QUEUE_GROWTH, growth_points(growth), text, growth.since, _evidence(samples))


def _of_destinations(samples: Sequence[QueueSample]) -> list[Finding]:
    """Return the destinations for which more waits than ever, though the whole queue is as always."""
    found = []
    for name, count in samples[-1].destinations.items():
        if count < _FLOOR:
            continue
        growth = _growth([(one.at, float(one.waiting_for(name))) for one in samples], _FLOOR)
        if growth is not None:
            text = f"{name}: recipients waiting grew from the usual {growth.usual:.0f} to {growth.peak:.0f}"
            text += f" since {clock(growth.since)}"
            points = growth_points(growth, _HIGHEST_OF_ONE)
            found.append(Finding(DESTINATION_GROWTH, points, text, growth.since, _evidence(samples, name)))
    return sorted(found, key=lambda one: (-one.points, one.text))[:_MOST_NAMED]


def _age(growth: Growth) -> Finding:
    now, usual = span(timedelta(minutes=growth.peak)), span(timedelta(minutes=growth.usual))
    text = f"the oldest message waits {now}, usually {usual}"
    return Finding(QUEUE_AGE, _POINTS_OF_AGE, text, growth.since)


def _behind(
    now: dict[str, int], before: Sequence[QueueSample], count: Callable[[QueueSample, str], int]
) -> list[tuple[str, float]]:
    """Return up to three names with at least a quarter of the growth, and their share of it."""
    more = {name: waiting - median([count(one, name) for one in before]) for name, waiting in now.items()}
    whole = sum(growth for growth in more.values() if growth > 0)
    shares = [(name, growth / whole) for name, growth in more.items() if growth > 0]
    large = [one for one in shares if one[1] >= _LARGE_SHARE]
    return sorted(large, key=lambda one: (-one[1], one[0]))[:_MOST_NAMED]


def _evidence(samples: Sequence[QueueSample], destination: str | None = None) -> tuple[str, ...]:
    shown = samples[-_EVIDENCE_LINES:]
    if destination is None:
        return tuple(f"{clock(one.at)} {one.messages} messages queued" for one in shown)
    return tuple(f"{clock(one.at)} {one.waiting_for(destination)} recipients wait for {destination}" for one in shown)
