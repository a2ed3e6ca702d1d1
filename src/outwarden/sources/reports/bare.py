"""Reports that come without a mail around them, as files: known by their first letters and what must stand in them."""

from __future__ import annotations

import re

from outwarden.sources.reports.records import Kind

_LOOKED_AT = 65_536
_FEEDBACK_ROOT = re.compile(rb"<(?:[\w-]{1,40}:)?feedback\b")
_ZIP = b"PK\x03\x04"
_NAME_IN_ZIP = 30
_LONGEST_NAME = 512
# RFC 8460 section 4, and what every version of XARF asks for.
_IN_TLS_REPORTS = (b'"policies"', b'"organization-name"')
_IN_XARF = ((b'"xarf_version"',), (b'"ReporterInfo"', b'"Report"'), (b'"Report"', b'"ReportType"'))


def kind_of_bare(message: bytes) -> Kind | None:
    """Return what a file is that is no mail; None where nothing shows it."""
    head = message[:_LOOKED_AT]
    if head.startswith(_ZIP):
        # The first name in it: archives are opened where their content is read.
        name = head[_NAME_IN_ZIP : _NAME_IN_ZIP + _LONGEST_NAME].lower()
        return Kind.DMARC_AGGREGATE if b".xml" in name else Kind.TLS_REPORT if b".json" in name else None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return Kind.DMARC_AGGREGATE if _FEEDBACK_ROOT.search(head) else None
    if start != b"{":
        return None
    if all(name in head for name in _IN_TLS_REPORTS):
        return Kind.TLS_REPORT
    return Kind.ABUSE_REPORT if any(all(name in head for name in names) for names in _IN_XARF) else None
