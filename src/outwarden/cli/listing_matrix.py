"""The matrix of a blocklist check: lists as rows, addresses as columns, listed first.

Rows that say "no" for every target are counted and not shown, and so are the targets of a network that
no list has.  A cell is a code, ``no``, or ``? why``; an empty one means that the list is not for such things.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from outwarden.cli.listing_words import cell
from outwarden.cli.rendering import Column, number, plain, table
from outwarden.detection.diagnosis import TargetListings
from outwarden.events import ListAnswer, ListAnswerKind

FEW_TARGETS = 10
_MOST_COLUMNS = 40
_GAP = 2


class Matrix(NamedTuple):
    """``rows`` begin with the list's id; ``left_out`` says in words what is not shown."""

    heads: list[str]
    rows: list[list[str]]
    left_out: list[str]


def matrix(results: Sequence[TargetListings], whole: bool) -> Matrix:
    """Return what the matrix shows; ``whole`` leaves nothing out."""
    listed = [one for one in results if whole or len(results) <= FEW_TARGETS or _any_listed(one.answers)]
    left_out = [] if whole else _targets_left_out(len(results), len(listed))
    shown = listed if whole else listed[:_MOST_COLUMNS]
    tallies = _tallies(results)
    lists = sorted(tallies, key=lambda name: tallies[name].rank(name))
    if not whole:
        telling = [name for name in lists if tallies[name].listed or tallies[name].not_asked]
        if silent := len(lists) - len(telling):
            every = "all" if len(results) > 1 else "it"
            left_out.append(f"no: {silent} more list{'s' if silent > 1 else ''} answered that for {every}")
        lists = telling
    columns = [{answer.list: answer for answer in one.answers} for one in shown]
    rows = [[plain(name), *(cell(column.get(name)) for column in columns)] for name in lists]
    return Matrix(["list", *(plain(one.target) for one in shown)], rows, left_out)


def matrix_lines(results: Sequence[TargetListings], whole: bool, width: int) -> list[str]:
    """Return the matrix for a terminal, in as many blocks as the width asks for."""
    shown = matrix(results, whole)
    lines: list[str] = []
    for first, last in _blocks(shown, width) if shown.rows else ():
        columns = [
            Column(shown.heads[0], right=False),
            *(Column(head, right=False) for head in shown.heads[first:last]),
        ]
        head, *rows = table(columns, ([row[0], *row[first:last]] for row in shown.rows), width)
        lines += [click.style(head, dim=True), *rows, ""]
    lines += [click.style(line, dim=True) for line in shown.left_out]
    return lines[:-1] if lines and not lines[-1] else lines


def _blocks(shown: Matrix, width: int) -> Iterator[tuple[int, int]]:
    """Yield from which column to which each block goes; one of targets without any columns is one block."""
    widths = [max(map(len, column)) + _GAP for column in zip(shown.heads, *shown.rows, strict=True)]
    first, used = 1, widths[0]
    for place in range(1, len(widths)):
        if used + widths[place] > width and place > first:
            yield first, place
            first, used = place, widths[0]
        used += widths[place]
    yield first, len(widths)


def _any_listed(answers: Iterable[ListAnswer]) -> bool:
    return any(answer.answer is ListAnswerKind.LISTED for answer in answers)


class _Tally:
    """How often a list answered what."""

    __slots__ = ("listed", "major", "not_asked")

    def __init__(self, major: bool) -> None:
        self.major = major
        self.listed = self.not_asked = 0

    def rank(self, name: str) -> tuple[int, bool, bool, str]:
        """Return where its row stands: most listings first, then not asked, majors before others."""
        return (-self.listed, not self.not_asked, not self.major, name)


def _tallies(results: Iterable[TargetListings]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = {}
    for one in results:
        for answer in one.answers:
            tally = tallies.get(answer.list)
            if tally is None:
                tally = tallies[answer.list] = _Tally(answer.major)
            tally.listed += answer.answer is ListAnswerKind.LISTED
            tally.not_asked += answer.answer is ListAnswerKind.COULD_NOT_ASK
    return tallies


def _targets_left_out(count: int, listed: int) -> list[str]:
    if count <= FEW_TARGETS:
        return []
    lines = [f"{number(listed)} of {number(count)} addresses are listed anywhere"]
    if listed > _MOST_COLUMNS:
        lines.append(f"the first {_MOST_COLUMNS} of them are shown; all: -v")
    return lines
