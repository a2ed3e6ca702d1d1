"""What ``check`` prints: the verdict first, then who, why, the proof, and what to do.

On a terminal the report makes itself small enough for one screen where it can: it keeps the
verdict, the accounts, the reasons and the next steps, and gives up further accounts, evidence
and the plot before them.  In a pipe, and with ``-v``, it is whole.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import click

from outwarden.cli.hourly import hourly
from outwarden.cli.log_options import Screen
from outwarden.cli.plot import plot
from outwarden.cli.rendering import Column, cut, duration, hanging, listed, number, plain, stamp, table, wrapped
from outwarden.cli.verdict_words import (
    accused,
    clock,
    headline,
    next_in_line,
    period,
    refused_otherwise,
    unknown_recipients,
)
from outwarden.detection.assessment import AccountAssessment, Assessment
from outwarden.detection.queue_growth import QueueAssessment
from outwarden.events import Finding, Verdict
from outwarden.service.examine import Examination

_COLOURS = {Verdict.YES: "red", Verdict.MAYBE: "yellow", Verdict.NO: "green", Verdict.UNKNOWN: "magenta"}
ACCOUNT_COLUMNS = (
    Column("account", right=False),
    Column("standing", right=False),
    Column("points"),
    Column("messages", "msgs"),
    Column("recipients", "rcpts"),
    Column("refused"),
    Column("unknown"),
    Column("networks", "nets"),
    Column("since"),
)


_PLOT_WIDTH = 100
_HOURS = 7 * 24


class _Detail(NamedTuple):
    """How much of each part is shown."""

    accused: int
    others: int
    cases: int
    findings: int
    plot_height: int
    evidence: int
    server: int
    steps: int
    listings: int


_WHOLE = _Detail(50, 10, cases=50, findings=20, plot_height=6, evidence=6, server=20, steps=50, listings=10)
_SMALLER = (
    _Detail(10, 5, cases=4, findings=6, plot_height=5, evidence=3, server=4, steps=12, listings=3),
    _Detail(5, 3, cases=2, findings=5, plot_height=4, evidence=2, server=3, steps=6, listings=2),
    _Detail(5, 2, cases=1, findings=4, plot_height=3, evidence=2, server=2, steps=4, listings=1),
    _Detail(5, 0, cases=1, findings=4, plot_height=2, evidence=1, server=1, steps=2, listings=0),
    _Detail(4, 0, cases=1, findings=4, plot_height=0, evidence=1, server=0, steps=2, listings=0),
    _Detail(3, 0, cases=1, findings=3, plot_height=0, evidence=1, server=0, steps=1, listings=0),
)


def report(examination: Examination, screen: Screen) -> list[str]:
    """Return the lines of the report, the fullest that fits the screen."""
    if screen.height is None:
        return _compose(examination, screen, _WHOLE)
    for detail in _SMALLER:
        lines = _compose(examination, screen, detail)
        if _rows(lines, screen.width) < screen.height:
            break
    return lines


def _rows(lines: list[str], width: int) -> int:
    """Return how many rows of a terminal the lines take: a long line takes several."""
    return sum(max(-(-len(click.unstyle(line)) // width), 1) for line in lines)


def verdict_line(assessment: Assessment) -> str:
    """Return the first line of the report, its word in colour."""
    line = headline(assessment)
    return f"{click.style(line.word, fg=_COLOURS[assessment.verdict], bold=True)}, {line.sentence}"


def _compose(examination: Examination, screen: Screen, detail: _Detail) -> list[str]:
    assessment = examination.assessment
    suspects = accused(assessment)
    sections = [
        [verdict_line(assessment)],
        _accounts(assessment, suspects, detail, screen.width),
        *(_case(account, assessment, detail, screen) for account in suspects[: detail.cases]),
        _server(assessment, suspects, detail, screen.width),
        wrapped([*_listings(assessment, detail), *what_was_read(examination)], screen.width),
        wrapped([looked_at(examination)], screen.width) if detail is _WHOLE and examination.looked_at else [],
        _next_steps(assessment, detail, screen.width),
    ]
    lines = [line for section in sections if section for line in [*section, ""]]
    return lines[:-1]


def _accounts(
    assessment: Assessment, suspects: tuple[AccountAssessment, ...], detail: _Detail, width: int
) -> list[str]:
    named = suspects[: detail.accused]
    shown = [*named, *next_in_line(assessment, detail.others)]
    if not shown:
        return []
    head, *rows = table(ACCOUNT_COLUMNS, (account_row(account, assessment) for account in shown), width)
    lines = [click.style(head, dim=True)]
    lines += [click.style(row, bold=True) if place < len(named) else row for place, row in enumerate(rows)]
    if left := len(assessment.accounts) - len(shown):
        lines.append(click.style(f"and {number(left)} more account{'s' if left > 1 else ''}", dim=True))
    return lines


def account_row(account: AccountAssessment, assessment: Assessment) -> list[str]:
    """Return an account's cells, one for each of ``ACCOUNT_COLUMNS``."""
    return [
        plain(account.account),
        account.standing.value,
        f"{account.points:.1f}",
        number(account.messages),
        number(account.recipients),
        number(refused_otherwise(account)),
        number(unknown_recipients(account)),
        number(account.networks),
        clock(account.since, assessment.to_at),
    ]


def _case(account: AccountAssessment, assessment: Assessment, detail: _Detail, screen: Screen) -> list[str]:
    """Return why an account is accused: the ledger, its hours against its record, and the proof."""
    name = plain(account.account)
    lines = wrapped([f"{name}: {plain(account.cause)}" if account.cause else name], screen.width)
    for finding in heaviest_first(account.findings)[: detail.findings]:
        lines += hanging(f"{finding.points:+6.1f}  ", plain(finding.text), screen.width)
    hours = hourly(account, assessment.to_at, _HOURS) if detail.plot_height else None
    if hours is not None:
        record = "" if hours.record is None else f", own record {number(hours.record)}"
        lines.append(click.style(f"  {hours.what} per hour (UTC){record}", dim=True))
        bars = plot(hours, min(screen.width - 2, _PLOT_WIDTH), detail.plot_height, screen.blocks)
        lines += [f"  {line}" for line in bars]
    return lines + [
        "  " + (line if detail is _WHOLE else cut(line, screen.width - 2))
        for line in evidence_lines(account, detail.evidence)
    ]


def _server(assessment: Assessment, suspects: tuple[AccountAssessment, ...], detail: _Detail, width: int) -> list[str]:
    lines = []
    for finding in server_findings(assessment, suspects)[: detail.server]:
        lines += hanging(f"{finding.points:+6.1f}  ", plain(finding.text), width)
    return ["The server as a whole", *lines] if lines else []


def server_findings(assessment: Assessment, suspects: tuple[AccountAssessment, ...]) -> list[Finding]:
    """Return what is held against the server as a whole, and not already said of an account."""
    names = tuple(account.account for account in suspects)
    return [finding for finding in assessment.because if not finding.text.startswith(names)]


def heaviest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which they are told."""
    return sorted(findings, key=lambda finding: -finding.points)


def evidence_lines(account: AccountAssessment, most: int) -> list[str]:
    """Return log lines that prove the findings, one of each finding before the second of any."""
    heaviest = heaviest_first(account.findings)
    longest = max((len(finding.evidence) for finding in heaviest), default=0)
    lines: dict[str, None] = {}
    for place in range(longest):
        lines |= {plain(finding.evidence[place].strip()): None for finding in heaviest if place < len(finding.evidence)}
    return list(lines)[:most]


def _listings(assessment: Assessment, detail: _Detail) -> list[str]:
    return [
        f"{listed(seen.address)} is on {plain(seen.list)}, say {number(seen.count)} refusals until {stamp(seen.last)}."
        for seen in assessment.listings_seen[: detail.listings]
    ]


def what_was_read(examination: Examination) -> list[str]:
    """Return what the answer rests on: files, lines, what was not understood, the period."""
    names = ", ".join(plain(file.name) for file in examination.files[:3])
    if len(examination.files) > 3:
        names += f" and {len(examination.files) - 3} more files"
    formats = f" ({', '.join(examination.formats)})" if examination.formats else ""
    lines = [
        f"Read {names}{formats}: {number(examination.lines)} lines, "
        f"{number(examination.lines_not_understood)} not understood; {period(examination.assessment)}."
    ]
    lines += [f"{plain(damage)}." for damage in examination.damage]
    if examination.queue is not None:
        lines.append(_queue(examination.queue))
    if examination.clock_set_back:
        lines.append(f"The clock of the log went back {number(examination.clock_set_back)} times.")
    return lines


def _queue(queue: QueueAssessment) -> str:
    oldest = f", the oldest {duration(timedelta(seconds=queue.oldest_seconds))}" if queue.oldest_seconds else ""
    return f"In the queue: {number(queue.total)} messages{oldest}."


def looked_at(examination: Examination) -> str:
    """Return where a log and a queue were looked for; empty where they were named."""
    if not examination.looked_at:
        return ""
    return f"Looked at {plain('; '.join(examination.looked_at))}."


def _next_steps(assessment: Assessment, detail: _Detail, width: int) -> list[str]:
    lines = []
    for place, step in enumerate(assessment.next_steps[: detail.steps], start=1):
        lines += hanging(f"{place}. ", plain(step.text), width)
        if step.command:
            lines.append(click.style(f"   {plain(step.command)}", bold=True))
    if not lines:
        return []
    more = len(assessment.next_steps) - detail.steps
    return [f"What to do next ({more} more, and all the proof: -v)" if more > 0 else "What to do next", *lines]
