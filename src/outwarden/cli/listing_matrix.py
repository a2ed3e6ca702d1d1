"""The matrix of a blocklist check: lists as rows, addresses as columns, listed first.

Rows that say "no" for every target are counted and not shown, and so are the targets of a network that
no list has.  A cell is a code, ``no``, or ``? why``; an empty one means that the list is not for such things.
"""

from collections.abc import Iterator, Mapping, Sequence
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
    by_target = [{answer.list: answer for answer in one.answers} for one in results]
    shown = [place for place, row in enumerate(by_target) if whole or len(results) <= FEW_TARGETS or _any_listed(row)]
    left_out = [] if whole else _targets_left_out(len(results), len(shown))
    shown = shown if whole else shown[:_MOST_COLUMNS]
    lists = sorted(dict.fromkeys(name for row in by_target for name in row), key=lambda name: _rank(name, by_target))
    if not whole:
        silent = [name for name in lists if _rank(name, by_target)[0] == 2]
        lists = lists[: len(lists) - len(silent)]
        if silent:
            every = "all" if len(results) > 1 else "it"
            left_out.append(f"no: {len(silent)} more list{'s' if len(silent) > 1 else ''} answered that for {every}")
    rows = [[plain(name), *(cell(by_target[place].get(name)) for place in shown)] for name in lists]
    return Matrix(["list", *(plain(results[place].target) for place in shown)], rows, left_out)


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


def _any_listed(row: Mapping[str, ListAnswer]) -> bool:
    return any(answer.answer is ListAnswerKind.LISTED for answer in row.values())


def _targets_left_out(count: int, listed: int) -> list[str]:
    if count <= FEW_TARGETS:
        return []
    lines = [f"{number(listed)} of {number(count)} addresses are listed anywhere"]
    if listed > _MOST_COLUMNS:
        lines.append(f"the first {_MOST_COLUMNS} of them are shown; all: -v")
    return lines


def _rank(name: str, by_target: Sequence[Mapping[str, ListAnswer]]) -> tuple[int, int, bool, str]:
    """Return where a list's row stands: with listings, most first; not asked; said no everywhere."""
    answers = [row[name] for row in by_target if name in row]
    listed = sum(answer.answer is ListAnswerKind.LISTED for answer in answers)
    unasked = any(answer.answer is ListAnswerKind.COULD_NOT_ASK for answer in answers)
    return (0 if listed else 1 if unasked else 2, -listed, not answers[0].major, name)
