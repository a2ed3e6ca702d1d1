"""The drawing of an account's hours under a policy: recipients accepted, held and refused, one on another."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from outwarden.cli.chart import Tick
from outwarden.cli.rendering import number
from outwarden.detection.replay.outcome import AccountOutcome, HourOfMail

_WIDTH, _HEIGHT = 400, 150
_LEFT, _TOP, _BASE = 44, 10, 128
_LABEL_WIDTH = 44
_LEAST_HEIGHT = 2
_HOUR = 3600
_HOURS_SHOWN = 5 * 24
_HOURS_BEFORE = 24


class HourBars(NamedTuple):
    """Stacked bars in user units of their viewBox; ``bars`` pairs a class of the style sheet with an SVG path."""

    title: str
    bars: list[tuple[str, str]]
    ticks: list[Tick]
    most: str
    says: str
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    top: int = _TOP
    base: int = _BASE


class Span(NamedTuple):
    """The hours that are shown, and the most recipients in one of them: one scale for all policies."""

    first: int
    hours: int
    most: int


def span_of(stories: Sequence[AccountOutcome]) -> Span:
    """Return the hours around the first turn that any policy brought the account, at most five days."""
    turns = [int(one.turns[0].at.timestamp()) // _HOUR for one in stories if one.turns]
    hours = sorted({row.hour for one in stories for row in one.hours})
    around = min(turns) if turns else hours[-1]
    first = max(hours[0], around - _HOURS_BEFORE)
    last = max(hour for hour in hours if hour < first + _HOURS_SHOWN)
    most = max(
        row.accepted + row.held + row.refused for one in stories for row in one.hours if first <= row.hour <= last
    )
    return Span(first, max(last - first + 1, 12), max(most, 1))


def all_accepted(hours: Sequence[HourOfMail]) -> tuple[HourOfMail, ...]:
    """Return the same mail as it would be had nobody stopped it."""
    return tuple([HourOfMail(row.hour, row.accepted + row.held + row.refused, 0, 0) for row in hours])


def hour_bars(hours: Sequence[HourOfMail], span: Span, policy: str, account: str) -> HourBars:
    """Return the drawing of what a policy did to an account's mail, hour by hour."""
    rows = [row for row in hours if span.first <= row.hour < span.first + span.hours]
    sums = [sum(getattr(row, name) for row in rows) for name in ("accepted", "held", "refused")]
    return HourBars(
        title=policy,
        bars=_bars(rows, span),
        ticks=_ticks(span),
        most=number(span.most),
        says=f"recipients per hour of {account} by {policy}: {number(sums[0])} accepted, {number(sums[1])} held, "
        f"{number(sums[2])} refused",
    )


def _bars(rows: Sequence[HourOfMail], span: Span) -> list[tuple[str, str]]:
    pitch = (_WIDTH - _LEFT) / span.hours
    broad = round(max(pitch - (1 if pitch > 4 else 0.3), 0.5), 1)
    paths = {"accepted": "", "held": "", "refused": ""}
    for row in rows:
        x, below = _LEFT + (row.hour - span.first) * pitch, float(_BASE)
        for name in paths:
            count = getattr(row, name)
            if count:
                # One recipient among thousands is still seen.
                above = round(max(below - max(count / span.most * (_BASE - _TOP), _LEAST_HEIGHT), 0.0), 1)
                paths[name] += f"M{x:.1f} {below:g}V{above:g}h{broad:g}V{below:g}z"
                below = above
    return [(name, path) for name, path in paths.items() if path]


def _ticks(span: Span) -> list[Tick]:
    """Return the midnights, or every six hours where few are shown, as far apart as a label is wide."""
    pitch = (_WIDTH - _LEFT) / span.hours
    every = 6 if span.hours <= 48 else 24
    ticks: list[Tick] = []
    for hour in range(span.first, span.first + span.hours):
        at = datetime.fromtimestamp(hour * _HOUR, UTC)
        x = round(_LEFT + (hour - span.first) * pitch, 1)
        if at.hour % every == 0 and (not ticks or x - ticks[-1].x >= _LABEL_WIDTH) and x <= _WIDTH - 0.8 * _LABEL_WIDTH:
            ticks.append(Tick(x, f"{at:%b} {at.day}" if at.hour == 0 else f"{at:%H:%M}"))
    return ticks
