"""What a message is.  Structure decides before words, and words only where nothing else does."""

from __future__ import annotations

from outwarden.sources.reports.bounce import read_bounce, read_notified
from outwarden.sources.reports.notifications import read_notification
from outwarden.sources.reports.opened import Opened, one_line_end, opened
from outwarden.sources.reports.records import Kind, Report
from outwarden.sources.reports.signs import Signs
from outwarden.sources.reports.structure import kind_by_structure


def read_report(message: bytes) -> Report:
    """Return what a message is, and of a bounce what it says."""
    return report_of(opened(one_line_end(message)))


def report_of(report: Opened) -> Report:
    """Return what an opened message is, and of a bounce what it says."""
    kind = kind_by_structure(report)
    if kind not in (None, Kind.BOUNCE, Kind.AUTO_REPLY):
        return Report(kind)
    notified = read_notification(report.text)
    if notified is not None:
        return Report(Kind.COMPLAINT) if notified.kind == "complaint" else Report(Kind.BOUNCE, read_notified(notified))
    signs = Signs(report.fields, report.text)
    if kind is Kind.AUTO_REPLY and not signs.rejects:
        return Report(kind)
    if kind is Kind.BOUNCE or signs.bounces:
        return Report(Kind.BOUNCE, read_bounce(report))
    return Report(Kind.AUTO_REPLY if signs.answers else Kind.MAIL)
