"""The kind of a message by its parts and fields alone; what they hold is not read here."""

from __future__ import annotations

import re

from outwarden.sources.message.header import first, parameters_of, readable
from outwarden.sources.message.parts import Part
from outwarden.sources.reports.opened import Opened, body_of
from outwarden.sources.reports.records import Kind

_FEEDBACK = frozenset(("message/feedback-report",))
_MOST_FEEDBACK_BYTES = 65_536
_FEEDBACK_TYPE = re.compile(rb"^feedback-type[ \t]*:[ \t]*([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
# RFC 7489 section 7.2.1.1: the name of the file, and the subject.
_DMARC_FILE = re.compile(r"^[^!/\\]{1,255}![^!/\\]{1,255}!\d{1,20}!\d{1,20}", re.ASCII)
_DMARC_SUBJECT = re.compile(r"^\s*(?:\[[^\]]{1,40}\]\s*)?report[ -]domain:\s*\S+", re.IGNORECASE)
_DMARC_XML = re.compile(rb"<(?:[\w-]{1,40}:)?feedback\b")
_TLS_TYPES = ("application/tlsrpt+gzip", "application/tlsrpt+json")
# RFC 8460 section 5.3.
_TLS_FILE = re.compile(r"^[^!/\\]{1,255}![^!/\\]{1,255}!\d{1,20}!\d{1,20}(?:![\w.-]{1,80})?\.json(?:\.gz)?$", re.ASCII)
_XARF_FILE = re.compile(r"^(?:x-?arf|report)\.(?:json|ya?ml)$", re.IGNORECASE)
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
    _, parameters = parameters_of(first(report.fields, b"content-type"))
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
    delivery = report.statuses or report_type == "delivery-status" or b"x-failed-recipients" in report.fields
    return Kind.BOUNCE if delivery else None


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
