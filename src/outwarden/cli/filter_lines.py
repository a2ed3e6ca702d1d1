"""What ``status --filter`` prints for people: what the filter missed and what it stopped wrongly, rising first."""

from collections.abc import Sequence

import click

from outwarden.cli.log_options import Screen
from outwarden.cli.rendering import Column, cut, number, plain, stamp, table
from outwarden.detection.filter_report import FilterReport, Mistakes

_COLUMNS = (
    Column("accepted", "acc"),
    Column("missed"),
    Column("stopped", "stop"),
    Column("wrong"),
    Column("late"),
    Column("not asked", "n/a"),
)
_MOST_EVIDENCE = 4
_MOST = 12


def filter_lines(report: FilterReport, screen: Screen) -> list[str]:
    """Return the lines of the screen, the fullest that fits."""
    if screen.height is None:
        return _compose(report, screen.width, None)
    for most in range(_MOST, 0, -1):
        lines = _compose(report, screen.width, most)
        if len(lines) < screen.height:
            break
    return lines


def _compose(report: FilterReport, width: int, most: int | None) -> list[str]:
    parts = (
        ("rule", report.rules),
        ("list", report.lists),
        ("account", report.accounts),
        ("day", report.days),
    )
    rising = [each for each in (report.whole, *(one for _, part in parts for one in part)) if each.rising]
    lines = [_headline(report, rising), *_rising(rising, most, width)]
    for title, part in parts:
        if part:
            lines += _table(title, part, most, width)
    return lines


def _headline(report: FilterReport, rising: Sequence[Mistakes]) -> str:
    whole = report.whole
    since = "nothing yet" if report.since is None else f"since {stamp(report.since)}"
    word = click.style("RISING", fg="yellow", bold=True) if rising else click.style("AS USUAL", fg="green", bold=True)
    return (
        f"{word}, {since}: {number(whole.missed)} of {number(whole.accepted or 0)} accepted were spam elsewhere, "
        f"{number(whole.wrong)} of {number(whole.stopped)} stopped were released"
    )


def _rising(rising: Sequence[Mistakes], most: int | None, width: int) -> list[str]:
    lines = []
    for each in rising[:most]:
        of = "the filter" if each.of == "filter" else f"{each.of} {each.name}"
        lines += [click.style(cut(plain(f"! {of}: {words}"), width), fg="yellow") for words in each.rising]
        if each.evidence:
            lines.append(cut(plain(f"    {' '.join(each.evidence[:_MOST_EVIDENCE])}"), width))
    more = len(rising) - len(rising[:most])
    return [*lines, *([f"and {number(more)} more that rise"] if more else [])]


def _table(title: str, part: Sequence[Mistakes], most: int | None, width: int) -> list[str]:
    columns = (Column(title, right=False), *_COLUMNS)
    head, *body = table(columns, [_row(each) for each in part[:most]], width)
    more = len(part) - len(part[:most])
    return [
        click.style(head, dim=True),
        *body,
        *([click.style(f"and {number(more)} more (all of them: -v)", dim=True)] if more else []),
    ]


def _row(each: Mistakes) -> list[str]:
    counts = (each.accepted, each.missed, each.stopped, each.wrong, each.late, each.could_not_ask)
    return [plain(each.name), *(number(count) if count else "" for count in counts)]
