"""The kind of a message by its parts and fields alone; what they hold is not read here."""

from __future__ import annotations

import re

from outwarden.sources.message.header import first, parameters_of, readable
from outwarden.sources.message.parts import Part
from outwarden.sources.reports.opened import RETURNED, Opened, body_of
from outwarden.sources.reports.phrases import phrases
from outwarden.sources.reports.records import Kind
from outwarden.sources.reports.signs import from_a_machine

_FEEDBACK = frozenset(("message/feedback-report",))
_MOST_FEEDBACK_BYTES = 65_536
_FEEDBACK_TYPE = re.compile(rb"^feedback-type[ \t]*:[ \t]*([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
# RFC 7489 section 7.2.1.1: the name of the file, and the subject.
_DMARC_FILE = re.compile(r"^[^!/\\]{1,255}![^!/\\]{1,255}!\d{1,20}!\d{1,20}", re.ASCII)
_DMARC_SUBJECT = re.compile(r"^\s*(?:\[[^\]]{1,40}\]\s*)?report[ -]domain:\s*\S+", re.IGNORECASE)
_TLS_TYPES = ("application/tlsrpt+gzip", "application/tlsrpt+json")
# RFC 8460 section 5.3.
_TLS_FILE = re.compile(r"^[^!/\\]{1,255}![^!/\\]{1,255}!\d{1,20}!\d{1,20}(?:![\w.-]{1,80})?\.json(?:\.gz)?$", re.ASCII)
_XARF_FILE = re.compile(r"^(?:x-?arf|report)\.(?:json|ya?ml)$", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)|(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]{1,20}(?![\w:])",
    re.IGNORECASE,
)
# The Automated Copyright Notice System's XML.
_INFRINGEMENT = re.compile(r"<infringement\b[^<>]{0,500}>", re.IGNORECASE)
_LOOKED_AT = 20_000
_ARCHIVES = (
    "application/zip",
    "application/gzip",
    "application/x-gzip",
    "application/x-zip-compressed",
    "application/octet-stream",
    "application/xml",
    "text/xml",
    "application/x-zip",
)


def kind_by_structure(report: Opened) -> Kind | None:
    """Return what the parts show a message to be; None where they show nothing."""
    form, parameters = parameters_of(first(report.fields, b"content-type"))
    report_type = parameters.get("report-type", "").lower()
    for part in report.parts:
        found = _kind_by_part(report, part)
        if found is not None:
            return found
    if report_type == "feedback-report":
        return _by_feedback(report.text.encode("utf-8", "replace"))
    if report_type == "tlsrpt" or b"tls-report-domain" in report.fields:
        return Kind.TLS_REPORT
    if report_type == "disposition-notification":
        return Kind.AUTO_REPLY
    if b"x-xarf" in report.fields or b"x-arf" in report.fields:
        return Kind.ABUSE_REPORT
    if _DMARC_SUBJECT.match(readable(first(report.fields, b"subject"))) and _has_a_file(report):
        return Kind.DMARC_AGGREGATE
    if report.statuses or report_type == "delivery-status" or b"x-failed-recipients" in report.fields:
        return Kind.BOUNCE
    returns = form == "multipart/report" and any(part.type in RETURNED for part in report.parts)
    return Kind.BOUNCE if returns and from_a_machine(report.fields) else None


def kind_by_subject(report: Opened) -> Kind | None:
    """Return what a message without a form of its own reports, by its subject and what stands beside it."""
    subject = readable(first(report.fields, b"subject"))[:500].lower()
    if b"x-hmxmroriginalrecipient" in report.fields or b"x-apple-unsubscribe" in report.fields:
        # Microsoft's loop of old returned the message alone; Apple writes in the name of its user.
        return Kind.COMPLAINT
    if phrases("complaint-subject").search(subject) and any(part.type in RETURNED for part in report.parts):
        return Kind.COMPLAINT
    if phrases("dmarc-failure-subject").search(subject):
        return Kind.DMARC_FAILURE
    names_a_source = _ADDRESS.search(subject) or _ADDRESS.search(report.text[:_LOOKED_AT])
    if _ADDRESS.fullmatch(subject.strip()) or _INFRINGEMENT.search(report.text):
        return Kind.ABUSE_REPORT
    if phrases("abuse-subject").search(subject) and (names_a_source or len(report.parts) > 1):
        return Kind.ABUSE_REPORT
    return None


def _has_a_file(report: Opened) -> bool:
    return any(part.type in _ARCHIVES for part in report.parts)


def _kind_by_part(report: Opened, part: Part) -> Kind | None:
    if part.type in _FEEDBACK:
        return _by_feedback(body_of(report.message, part, _MOST_FEEDBACK_BYTES))
    if part.type.startswith(_TLS_TYPES):
        return Kind.TLS_REPORT
    if part.type == "message/disposition-notification":
        return Kind.AUTO_REPLY
    name = _file_name(part)
    if _XARF_FILE.match(name):
        return Kind.ABUSE_REPORT
    if _TLS_FILE.match(name):
        return Kind.TLS_REPORT
    if _DMARC_FILE.match(name) and not name.lower().endswith((".json", ".json.gz")):
        return Kind.DMARC_AGGREGATE
    return None


def _file_name(part: Part) -> str:
    disposition = first(part.fields, b"content-disposition")
    written = parameters_of(disposition)[1].get("filename") if disposition else None
    return (written or part.parameters.get("name", "")).strip()


def _by_feedback(written: bytes) -> Kind:
    found = _FEEDBACK_TYPE.search(written)
    named = found[1].lower() if found else b""
    if named == b"auth-failure":
        return Kind.DMARC_FAILURE
    return Kind.ABUSE_REPORT if named == b"xarf" else Kind.COMPLAINT
