"""The drawing of an account's hours for the page: where each stroke of the SVG goes."""

from datetime import timedelta
from typing import NamedTuple

from outwarden.cli.hourly import Hourly
from outwarden.cli.rendering import number, stamp

_WIDTH, _HEIGHT = 720, 170
_LEFT, _TOP, _BASE = 48, 12, 148
_LABEL_WIDTH = 44
_LEAST_HEIGHT = 2


class Tick(NamedTuple):
    """A time on the axis."""

    x: float
    label: str


class Chart(NamedTuple):
    """A bar chart in user units of its viewBox; ``before`` and ``after`` are SVG paths."""

    before: str
    after: str
    ticks: list[Tick]
    what: str
    most: str
    record: str
    record_y: float | None
    says: str
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    top: int = _TOP
    base: int = _BASE


def chart(hours: Hourly, account: str) -> Chart:
    """Return the chart of an account's hours.  ``account`` is for those who hear it read out."""
    trouble = len(hours.counts) if hours.trouble is None else hours.trouble
    record = "" if hours.record is None else number(hours.record)
    return Chart(
        before=_bars(hours, 0, trouble),
        after=_bars(hours, trouble, len(hours.counts)),
        ticks=_ticks(hours),
        what=hours.what.capitalize(),
        most=number(hours.most),
        record=record,
        record_y=None if hours.record is None else _height_of(hours.record, hours.most),
        says=f"{hours.what} per hour of {account}, {stamp(hours.start)} to {stamp(hours.end)}: at most "
        f"{number(hours.most)} in an hour" + (f", own record {record}" if record else ""),
    )


def _bars(hours: Hourly, begin: int, end: int) -> str:
    pitch = (_WIDTH - _LEFT) / len(hours.counts)
    broad = round(max(pitch - (1 if pitch > 4 else 0.3), 0.5), 1)
    return "".join(
        f"M{_LEFT + place * pitch:.1f} {_BASE}V{_height_of(hours.counts[place], hours.most)}h{broad}V{_BASE}z"
        for place in range(begin, end)
        if hours.counts[place]
    )


def _height_of(count: int, most: int) -> float:
    """Return where a bar ends; one message among thousands is still seen."""
    return round(_BASE - max(min(count, most) / most * (_BASE - _TOP), _LEAST_HEIGHT), 1)


def _ticks(hours: Hourly) -> list[Tick]:
    """Return the midnights, or every six hours where the chart is short, as far apart as a label is wide."""
    pitch = (_WIDTH - _LEFT) / len(hours.counts)
    every = 6 if len(hours.counts) <= 72 else 24
    ticks: list[Tick] = []
    for place in range(len(hours.counts)):
        at = hours.start + timedelta(hours=place)
        x = round(_LEFT + place * pitch, 1)
        if at.hour % every == 0 and (not ticks or x - ticks[-1].x >= _LABEL_WIDTH) and x <= _WIDTH - _LABEL_WIDTH / 2:
            ticks.append(Tick(x, f"{at:%b} {at.day}" if at.hour == 0 else f"{at:%H:%M}"))
    return ticks
