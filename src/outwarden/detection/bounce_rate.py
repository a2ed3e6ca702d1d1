"""Bounce and deferral rates, of the whole server and of each destination, against their own past.

An hour is compared with all hours before it, never with a fixed number: a server of mailing lists
bounces 8 % on its best day.  Not seen here: an hour of the day or the week that is always worse
(a nightly newsletter) counts once, until it is in the past itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours, start_of
from outwarden.detection.odds import log_odds, with_record
from outwarden.events import Finding

BOUNCE_RATE = "bounce-rate"
DEFERRAL_RATE = "deferral-rate"

HIGHEST = 3.0
_ENOUGH_ATTEMPTS = 20
_ENOUGH_BAD = 10
_ENOUGH_BEFORE = 60
_TIMES_ITS_PAST = 2.5


class _Rate(NamedTuple):
    rule: str
    said: str
    usual: float
    """Drawn towards this share where the past is short."""
    troubled: tuple[float, float]
    """Beta (bad, good) of an hour in trouble."""


_BOUNCES = _Rate(BOUNCE_RATE, "bounced", 0.04, (1.5, 4.5))
_DEFERRALS = _Rate(DEFERRAL_RATE, "deferred", 0.10, (2.0, 2.0))


class Jump(NamedTuple):
    """The worst hour of a rate, as a finding, which hour it was, and how many were bad in it."""

    finding: Finding
    hour: int
    bad: int


def jumps(where: str, hours: Hours) -> list[Jump]:
    """Return the worst jump of the bounce rate and of the deferral rate, if there is one.

    ``where`` begins the text: "all destinations", or a domain.
    """
    delivered = hours.column(Flow.DELIVERED)
    deferred = hours.column(Flow.DEFERRED)
    bounced = hours.column(Flow.BOUNCED)
    at = hours.column(0)
    answers = [one + other for one, other in zip(delivered, bounced, strict=True)]
    attempts = [one + other for one, other in zip(answers, deferred, strict=True)]
    found = (
        _worst(where, _BOUNCES, zip(at, bounced, answers, strict=True)),
        _worst(where, _DEFERRALS, zip(at, deferred, attempts, strict=True)),
    )
    return [jump for jump in found if jump is not None]


def _worst(where: str, rate: _Rate, rows: Iterable[tuple[int, int, int]]) -> Jump | None:
    worst: Jump | None = None
    bad_before = total_before = most_before = 0
    for hour, bad, total in rows:
        # More in number too: by night retries to dead hosts are a large share of very little.
        if bad >= max(_ENOUGH_BAD, most_before + 1) and total >= _ENOUGH_ATTEMPTS and total_before >= _ENOUGH_BEFORE:
            past = bad_before / total_before
            if bad / total >= _TIMES_ITS_PAST * max(past, 0.01):
                honest = with_record(max(past, rate.usual), 20.0, bad_before, total_before)
                points = round(min(HIGHEST, log_odds(bad, total, honest, rate.troubled)), 1)
                if points > (worst.finding.points if worst else 0.9):
                    worst = Jump(_finding(where, rate, hour, bad, total, past, points), hour, bad)
        bad_before += bad
        most_before = max(most_before, bad)
        total_before += total
    return worst


def _finding(where: str, rate: _Rate, hour: int, bad: int, total: int, past: float, points: float) -> Finding:
    return Finding(
        rule=rate.rule,
        points=points,
        text=f"{where}: {100 * bad / total:.0f} % of {total} {rate.said} in an hour (before that {100 * past:.1f} %)",
        at=start_of(hour),
    )
