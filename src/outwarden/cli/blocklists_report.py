"""What ``blocklists`` prints when all answers are in: the matrix, and under it the diagnosis."""

from collections.abc import Sequence

import click

from outwarden.cli.listing_matrix import FEW_TARGETS, matrix_lines
from outwarden.cli.listing_words import diagnosis_lines, in_colour, sentence
from outwarden.cli.rendering import number, plain
from outwarden.detection.diagnosis import TargetListings
from outwarden.detection.diagnosis.rulebook import SEVERITIES

_MOST_NAMED = 8
_LEGEND = "a code: listed   no: not listed   ? why: could not be asked, so nothing is known"


def report(results: Sequence[TargetListings], whole: bool, width: int) -> list[str]:
    """Return the lines of the report."""
    lines = [*matrix_lines(results, whole, width), click.style(_LEGEND, dim=True)]
    for group in alike(results):
        diagnosis = group[0].diagnosis
        lines += ["", in_colour(diagnosis, group_sentence(group, len(results))), *diagnosis_lines(diagnosis, width)]
    return lines


def sentences(results: Sequence[TargetListings]) -> list[str]:
    """Return the diagnoses alone, one line each."""
    return [in_colour(group[0].diagnosis, group_sentence(group, len(results))) for group in alike(results)]


def alike(results: Sequence[TargetListings]) -> list[list[TargetListings]]:
    """Return the targets by diagnosis, the gravest first; a few targets each for itself."""
    if len(results) <= FEW_TARGETS:
        return [[one] for one in results]
    groups: dict[tuple[str, str], list[TargetListings]] = {}
    for one in results:
        groups.setdefault((one.diagnosis.severity, one.diagnosis.verdict), []).append(one)
    return [groups[key] for key in sorted(groups, key=lambda key: -SEVERITIES.index(key[0]))]


def group_sentence(group: Sequence[TargetListings], asked: int) -> str:
    """Return the diagnosis of a group in a sentence; of many it names some."""
    if len(group) == 1:
        return sentence(group[0])
    named = ", ".join(plain(one.target) for one in group[:_MOST_NAMED])
    more = f" and {number(len(group) - _MOST_NAMED)} more" if len(group) > _MOST_NAMED else ""
    return f"{number(len(group))} of {number(asked)}: {plain(group[0].diagnosis.verdict)} ({named}{more})"
