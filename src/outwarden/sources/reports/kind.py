"""What a message is.  Structure decides before words, and words only where nothing else does."""

from __future__ import annotations

from outwarden.sources.reports.bare import kind_of_bare
from outwarden.sources.reports.bounce import read_bounce, read_notified, returns_a_report
from outwarden.sources.reports.complaint import complaint_notified, read_complaint
from outwarden.sources.reports.notifications import Notified, read_notification
from outwarden.sources.reports.opened import Opened, one_line_end, opened
from outwarden.sources.reports.records import Bounce, Kind, Report
from outwarden.sources.reports.signs import Signs
from outwarden.sources.reports.structure import kind_by_structure, kind_by_subject

_FILES = (b"{", b"<", b"PK\x03\x04", b"\xef\xbb\xbf")


def read_report(message: bytes) -> Report:
    """Return what a message is, and of a bounce what it says; ``message`` may be a bare file, too.

    The line that mbox puts before a message, and white space, count for nothing.
    """
    message = message.lstrip()
    if message.startswith(_FILES):
        return _bare(message)
    if message.startswith((b"From ", b">From ")):
        message = one_line_end(message).partition(b"\n")[2]
    return report_of(opened(one_line_end(message)))


def report_of(report: Opened) -> Report:
    """Return what an opened message is, and of a bounce what it says."""
    kind = kind_by_structure(report)
    if kind not in (None, Kind.BOUNCE, Kind.AUTO_REPLY):
        return _other(kind, report)
    if (notified := read_notification(report.text)) is not None:
        return _notified(notified)
    signs = Signs(report)
    if kind is Kind.AUTO_REPLY and not signs.rejects:
        return Report(kind)
    if kind is None and not signs.bounce_subject and (named := kind_by_subject(report)) is not None:
        return _other(named, report)
    if kind is Kind.BOUNCE or signs.bounces:
        bounce = read_bounce(report)
        if kind is None and not signs.machine_like and (not bounce.recipients or returns_a_report(report)):
            # A parcel is delivered, too; and a person asks what the report means that he attaches.
            return Report(Kind.MAIL)
        return Report(Kind.AUTO_REPLY) if _only_asks(bounce, signs) else Report(Kind.BOUNCE, bounce)
    return Report(Kind.AUTO_REPLY if signs.answers else Kind.MAIL)


def _other(kind: Kind, report: Opened) -> Report:
    if kind is Kind.DMARC_FAILURE:
        return Report(kind, complaint=read_complaint(report, "auth-failure"))
    if kind is Kind.COMPLAINT:
        # Apple's mail asks in the name of its user to be left out.
        otherwise = "opt-out" if b"x-apple-unsubscribe" in report.fields else "abuse"
        return Report(kind, complaint=read_complaint(report, otherwise))
    return Report(kind)


def _only_asks(bounce: Bounce, signs: Signs) -> bool:
    """Return whether it is a challenge in the form of a report: an answer that says of nobody that it is over."""
    says_so = signs.bounce_subject or signs.bounce_words or any(one.permanent for one in bounce.recipients)
    return signs.reply and not says_so


def _bare(message: bytes) -> Report:
    kind = kind_of_bare(message)
    if kind is None and message.startswith(b"{"):
        notified = read_notification(message.decode("utf-8", "replace"))
        if notified is not None:
            return _notified(notified)
    return Report(kind or Kind.UNREADABLE)


def _notified(notified: Notified) -> Report:
    if notified.kind == "complaint":
        return Report(Kind.COMPLAINT, complaint=complaint_notified(notified))
    return Report(Kind.BOUNCE, read_notified(notified))
