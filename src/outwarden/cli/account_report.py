"""What ``account`` prints for people: the report on one account, its history, the list of offenders."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from outwarden.cli.rendering import Column, hanging, number, plain, stamp, table
from outwarden.service.control.status import AccountReport, FindingTold, HistoryEntry, Offender, Waiting

_COLOURS = {"blocked": "red", "held": "yellow", "watched": "yellow", "probation": "cyan", "normal": "green"}
_COUNTS = {
    "messages": "messages",
    "recipients": "recipients",
    "new_recipients": "of them new",
    "unknown_recipients": "unknown",
    "refused": "refused as spam",
    "complaints": "complaints",
}
_MOST_EVIDENCE = 3


def report_lines(report: AccountReport, width: int) -> list[str]:
    """Return the lines about one account: how it stands, why, what it did, what is to do."""
    lines = [*_standing(report), *(f"  because {plain(each)}" for each in report.because)]
    for finding in report.findings:
        lines += _finding(finding, width)
    lines += _counts(report)
    if report.usual:
        lines += hanging("usual     ", plain("; ".join(report.usual)), width)
    if report.networks:
        lines += hanging("networks  ", plain(", ".join(report.networks)), width)
    if report.held_messages:
        lines.append(
            f"waiting   {number(report.held_messages)} messages to {number(report.held_recipients)} recipients"
        )
    if report.offences:
        lines.append(f"offences  {number(report.offences)}")
    for step in report.next_steps:
        lines += _step(step)
    return lines


def history_lines(entries: Sequence[HistoryEntry]) -> list[str]:
    """Return a line for each thing that happened."""
    return [_entry(each) for each in entries] or ["nothing was done about it"]


def offence_lines(remembered: Mapping[str, Any]) -> list[str]:
    """Return what is remembered of an account in 30, 90 and 365 days, and what its next offence leads to."""
    lines = []
    for name in ("offences", "resets"):
        counts = remembered[name]
        days = ", ".join(f"{counts[f'within_{each}_days']} in {each} days" for each in (30, 90, 365))
        lines.append(f"{'new passwords' if name == 'resets' else name}: {days}")
    return [*lines, plain(remembered["explained"]), ""]


def offender_lines(offenders: Sequence[Offender], width: int) -> list[str]:
    """Return the table of accounts that were blocked."""
    if not offenders:
        return ["no account was blocked"]
    columns = (
        Column("account", right=False),
        Column("blocked"),
        Column("30 days"),
        Column("90 days"),
        Column("365 days"),
        Column("resets"),
        Column("next", right=False),
        Column("last", right=False),
        Column("stands", right=False),
    )
    rows = [
        [
            plain(each.account),
            *map(number, (each.offences, each.within_30_days, each.within_90_days, each.within_365_days, each.resets)),
            each.next_measure,
            stamp(each.last_at),
            each.standing,
        ]
        for each in offenders
    ]
    head, *body = table(columns, rows, width)
    return [click.style(head, dim=True), *body]


def _standing(report: AccountReport) -> list[str]:
    would = "" if report.in_force or report.standing not in ("held", "blocked") else "would be "
    word = click.style(would + report.standing, fg=_COLOURS[report.standing], bold=True)
    since = "" if report.since is None else f" since {stamp(report.since)}"
    reference = f" ({plain(report.reference)})" if report.reference else ""
    cause = f": {plain(report.cause)}" if report.cause else ""
    first = "" if report.first_seen is None else f"; first seen {stamp(report.first_seen)}"
    return [
        f"{plain(report.account)} is {word}{since}{reference}{cause}",
        f"{report.points:.1f} points; {report.kind}{first}",
    ]


def _finding(finding: FindingTold, width: int) -> list[str]:
    lines = hanging(f"  {finding.points:+5.1f}  ", plain(finding.text), width)
    return lines + [f"         {plain(each)}" for each in finding.evidence[:_MOST_EVIDENCE]]


def _counts(report: AccountReport) -> list[str]:
    known = [(words, getattr(report, name)) for name, words in _COUNTS.items()]
    said = ", ".join(f"{number(count)} {words}" for words, count in known if count is not None)
    return [f"24 hours  {said}"] if said else []


def _step(step: Waiting) -> list[str]:
    why = f": {step.why}" if step.why else ""
    return [plain(f"next      {step.what}{why}"), *([plain(f"          {step.command}")] if step.command else [])]


def _entry(entry: HistoryEntry) -> str:
    reference = f" ({entry.reference})" if entry.reference else ""
    by = f", by {entry.by}" if entry.by else ""
    why = f": {entry.why}" if entry.why else ""
    return plain(f"{stamp(entry.at)}  {entry.what}{reference}{by}{why}")
