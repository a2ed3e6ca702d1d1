"""A plot of an account's hours on the terminal: bars against the account's own record.

One column is one hour, or the fullest of several hours where the terminal is too narrow.  The
hours since the trouble began are red; the record is a line across the earlier part of the plot.
"""

from datetime import timedelta

import click

from outwarden.cli.hourly import Hourly
from outwarden.cli.rendering import number

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:#"


def plot(hours: Hourly, width: int, height: int, blocks: bool) -> list[str]:
    """Return the lines of a plot: ``height`` lines of bars, a line of times below them."""
    margin = max(len(number(hours.most)), len(number(hours.record or 0))) + 2
    step = -(-len(hours.counts) // max(width - margin, 1))
    columns = [max(hours.counts[begin : begin + step]) for begin in range(0, len(hours.counts), step)]
    trouble = len(columns) if hours.trouble is None else hours.trouble // step
    broad = 2 if 2 * len(columns) <= width - margin else 1
    steps = _BLOCKS if blocks else _ASCII
    record_level = None
    if hours.record is not None:
        # The line in which a bar as high as the record would end.
        record_level = max(-(-hours.record * height // hours.most) - 1, 0)
    lines = []
    for level in reversed(range(height)):
        is_record = level == record_level
        empty = ("┄" if blocks else "-") if is_record else " "
        bars = [_cell(count, hours.most, level, height, steps, empty) * broad for count in columns]
        before, after = "".join(bars[:trouble]), "".join(bars[trouble:]).rstrip()
        label = _label(level, height, hours, is_record).rjust(margin - 2)
        lines.append(f"{label}  {before}{click.style(after, fg='red') if after else ''}".rstrip())
    return [*lines, " " * margin + _times(hours, step, len(columns), broad)]


def _cell(count: int, most: int, level: int, height: int, steps: str, empty: str) -> str:
    full = len(steps) - 1
    filled = -(-count * height * full // most) - level * full
    return empty if filled <= 0 else steps[min(filled, full)]


def _label(level: int, height: int, hours: Hourly, is_record: bool) -> str:
    if level == height - 1:
        return number(hours.most)
    return number(hours.record or 0) if is_record else ""


def _times(hours: Hourly, step: int, columns: int, broad: int) -> str:
    """Return the axis: the day at midnight, and every six hours where the plot is short."""
    every = 6 if columns * step <= 96 else 24
    axis = ""
    for column in range(columns):
        at = hours.start + timedelta(hours=column * step)
        upcoming = -at.hour % every
        if upcoming < step and len(axis) <= column * broad:
            at += timedelta(hours=upcoming)
            axis = axis.ljust(column * broad) + (f"{at:%m-%d}" if at.hour == 0 else f"{at:%H:%M}") + " "
    return axis.rstrip()
