"""The answer of ``check`` as one page that can be mailed to a manager, kept, or printed.

It says the same as the terminal, in the same words, with charts as SVG; ``page_frame.py`` has what all
our pages promise.
"""

from typing import NamedTuple

from outwarden.cli.chart import Chart, chart
from outwarden.cli.hourly import hourly
from outwarden.cli.page_frame import framed
from outwarden.cli.rendering import cut, listed, number, plain, stamp
from outwarden.cli.report import (
    ACCOUNT_COLUMNS,
    account_row,
    evidence_lines,
    heaviest_first,
    looked_at,
    server_findings,
    what_was_read,
)
from outwarden.cli.verdict_words import accused, headline, next_in_line
from outwarden.detection.assessment import AccountAssessment, Assessment
from outwarden.events import Finding
from outwarden.service.examine import Examination

_ACCUSED = 30
_CASES = 5
_OTHER_ACCOUNTS = 5
_LISTINGS = 20
_EVIDENCE_LINES = 5
_LINE_LENGTH = 400
_HOURS = 7 * 24


class _Case(NamedTuple):
    account: str
    cause: str
    chart: Chart | None
    findings: list[dict[str, str]]
    evidence: list[str]


def page(examination: Examination) -> str:
    """Return the page as HTML.  It stays small however long the log: what repeats is cut off."""
    assessment = examination.assessment
    suspects = accused(assessment)
    named = suspects[:_ACCUSED]
    shown = [*named, *next_in_line(assessment, _OTHER_ACCOUNTS)]
    return framed(
        "page.html",
        verdict=assessment.verdict.value,
        read=[*what_was_read(examination), looked_at(examination)],
        caution="This page holds account names and log lines: treat it as you treat the log.",
        headline=headline(assessment),
        heads=[column.head for column in ACCOUNT_COLUMNS],
        accounts=[
            {"cells": account_row(account, assessment), "accused": place < len(named)}
            for place, account in enumerate(shown)
        ],
        more_accounts=max(len(assessment.accounts) - len(shown), 0),
        cases=[_case(account, assessment) for account in suspects[:_CASES]],
        server_findings=_ledger(server_findings(assessment, suspects)),
        listings=[
            [listed(seen.address), plain(seen.list), number(seen.count), stamp(seen.first), stamp(seen.last)]
            for seen in assessment.listings_seen[:_LISTINGS]
        ],
        next_steps=[{"text": plain(step.text), "command": plain(step.command or "")} for step in assessment.next_steps],
    )


def _case(account: AccountAssessment, assessment: Assessment) -> _Case:
    hours = hourly(account, assessment.to_at, _HOURS)
    return _Case(
        account=plain(account.account),
        cause=plain(account.cause or ""),
        chart=None if hours is None else chart(hours, plain(account.account)),
        findings=_ledger(account.findings),
        evidence=[cut(line, _LINE_LENGTH) for line in evidence_lines(account, _EVIDENCE_LINES)],
    )


def _ledger(findings: tuple[Finding, ...] | list[Finding]) -> list[dict[str, str]]:
    return [{"points": f"{one.points:+.1f}", "text": plain(one.text)} for one in heaviest_first(findings)]
