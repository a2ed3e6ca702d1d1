"""Grades for the reading of complaints: each field beside what the public collections say it is."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from tests.corpus.bounce_grades import COLLECTIONS, Grades, rows_of

from outwarden.sources.reports import Complaint, read_report

# Our field, and theirs where it holds one word.
_WORDS = {
    "source_address": "source_ip",
    "user_agent": "user_agent",
    "version": "version",
    "auth_failure": "auth_failure",
    "envelope_id": "original_envelope_id",
    "incidents": "incidents",
}
_LISTS = {
    "original_recipients": "original_rcpt_to",
    "reported_domains": "reported_domain",
    "reported_uris": "reported_uri",
    "removal_recipients": "removal_recipient",
}


def complaints() -> list[dict[str, Any]]:
    """Return the rows that are complaints or failure reports."""
    rows = rows_of("truth_arf.jsonl")
    return [row for row in rows if row["format"] in ("arf", "jmrp") and row["feedback_type"] != "xarf"]


def grade() -> Grades:
    """Return the grades of each field that the labels have."""
    grades = Grades()
    for row in complaints():
        found = read_report((COLLECTIONS / row["file"]).read_bytes()).complaint
        grades.count("arf", "recognised", found is not None, row["file"])
        if found is not None:
            _grade_one(grades, row, found)
    return grades


def _grade_one(grades: Grades, row: dict[str, Any], found: Complaint) -> None:
    def count(field: str, right: bool) -> None:
        grades.count("arf", field, right, row["file"])
        grades.count("arf", "all fields", right, f"{row['file']}: {field}")

    count("feedback_type", found.feedback_type == row["feedback_type"])
    for ours, theirs in _WORDS.items():
        if row.get(theirs):
            count(ours, str(getattr(found, ours)).lower() == str(row[theirs]).lower())
    for ours, theirs in _LISTS.items():
        if row.get(theirs):
            count(ours, [one.lower() for one in getattr(found, ours)] == [one.lower() for one in row[theirs]])
    if senders := [one for one in row.get("original_mail_from") or () if one]:
        count("sender", found.sender == senders[0])
    if row.get("arrival_date"):
        asked = parsedate_to_datetime(row["arrival_date"])
        count("arrived_at", found.arrived_at == (asked if asked.tzinfo else asked.replace(tzinfo=UTC)))
    message_id = (row.get("original") or {}).get("message_id")
    if message_id:
        count("message_id", (found.message_id or "").strip("<>") == message_id.strip("<> "))
    if row.get("recipient_redacted") in ("hashed", "redacted", "present"):
        count("redacted", found.redacted is (row["recipient_redacted"] != "present"))
