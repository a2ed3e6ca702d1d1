"""The checks of a domain in words: a line for each, and below what fails the record to publish."""

from collections import Counter
from collections.abc import Iterator

import click

from outwarden.authentication.report import Check, DomainReport, State
from outwarden.cli.rendering import plain

_COLOURS = {State.PASS: "green", State.WARN: "yellow", State.FAIL: "red", State.UNKNOWN: "cyan"}
_COUNTED = {State.FAIL: "failed", State.WARN: "could be better", State.UNKNOWN: "unknown", State.PASS: "passed"}


def headline(report: DomainReport) -> str:
    """Return the answer in one line."""
    counts = Counter(check.state for check in report.checks)
    parts = [f"{counts[state]} {words}" for state, words in _COUNTED.items() if counts[state]]
    return f"{plain(report.domain)}: {report.verdict}, {', '.join(parts)}"


def report_lines(report: DomainReport, verbose: bool) -> Iterator[str]:
    """Yield the lines of a report; ``verbose`` gives the reason and the standard of what passed, too."""
    yield click.style(headline(report), bold=True)
    width = max(len(check.name) for check in report.checks)
    shown: set[str] = set()
    for check in report.checks:
        severity = "" if check.state is State.PASS else str(check.severity)
        state = click.style(f"{check.state:<7}", fg=_COLOURS[check.state])
        yield f"  {state}  {severity:<8}  {check.name:<{width}}  {plain(check.text)}"
        yield from (f"    {line}" for line in _below(check, shown, verbose))


def _below(check: Check, shown: set[str], verbose: bool) -> Iterator[str]:
    if verbose or check.state is State.FAIL:
        yield f"why: {check.why} ({check.standard})"
    publish = check.record_to_publish
    if publish is None:
        return
    if publish in shown:
        yield "publish: the record shown above"
        return
    shown.add(publish)
    lines = [plain(line) for line in publish.splitlines()]
    if len(lines) == 1:
        yield f"publish: {lines[0]}"
    else:
        yield "publish:"
        yield from (f"  {line}" for line in lines)
