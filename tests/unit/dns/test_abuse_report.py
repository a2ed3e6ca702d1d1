"""The report: what it proves, whom it hides, and what it says is missing."""

import base64
import hashlib
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.dns.abuse_report import (
    HIDDEN,
    LONGEST_EVIDENCE,
    MalformedEvidence,
    Reporter,
    read_evidence,
    write_report,
)

TARGET = "192.0.2.10"
ID = "00000000-0000-4000-8000-000000000000"
US = Reporter("Example Provider", "abuse@us.example", "us.example")

LOG = f"""\
2026-11-24T09:10:11.123456+01:00 mx postfix/smtpd[7]: 4jYg: client=unknown[{TARGET}]:50213
2026-11-24T09:10:12+01:00 mx postfix/qmgr[8]: 4jYg: from=<spam@bad.example>, size=900, nrcpt=2 (queue active)
2026-11-24T09:10:13+01:00 mx postfix/smtp[9]: 4jYg: to=<rosa@us.example>, orig_to=<alias@us.example>, status=sent
2026-11-24T09:10:14+01:00 mx exim: <= spam@bad.example H=(x) [{TARGET}]:50213 for tim@us.example
2026-11-24T09:10:15+01:00 mx exim: => eva@us.example R=local; rosa@us.example was there, to=max@us.example
"""
MESSAGE = f"""\
Return-Path: <spam@bad.example>
Delivered-To: rosa@us.example
Received: from bad.example (unknown [{TARGET}]:50213)
\tby mx.us.example with ESMTP id 4jYg
\tfor <Rosa.Silva@us.example>; Tue, 24 Nov 2026 09:10:11 +0100
Received: from forged ([203.0.113.1]) by bad.example; Mon, 23 Nov 2026 01:01:01 +0000
To: "Rosa" <rosa@us.example>,
 tim@us.example
Subject: dear rosa@us.example, tim@us.example
X-Seen: Rosa.Silva@us.example

The body names rosa@us.example.
""".replace("\n", "\r\n")


@pytest.mark.parametrize(("content", "is_message"), [(LOG, False), (MESSAGE, True)], ids=["log lines", "a message"])
def test_what_the_evidence_says(content: str, is_message: bool) -> None:
    evidence = read_evidence(content.encode(), TARGET)
    assert evidence.is_message is is_message
    assert evidence.names_target
    assert evidence.occurred_at is not None
    assert evidence.occurred_at.astimezone(UTC) == datetime(2026, 11, 24, 8, 10, 11, tzinfo=UTC)
    assert evidence.envelope_sender == "spam@bad.example"
    assert evidence.source_port == 50213


@pytest.mark.parametrize("content", [LOG, MESSAGE], ids=["log lines", "a message"])
def test_recipients_are_hidden(content: str) -> None:
    text = read_evidence(content.encode(), TARGET).text.lower()
    assert not [name for name in ("rosa", "tim@", "eva", "alias", "max") if name in text]
    assert f"{HIDDEN}@us.example" in text
    assert "spam@bad.example" in text


def test_of_a_message_the_body_is_left_out() -> None:
    assert "The body" not in read_evidence(MESSAGE.encode(), TARGET).text


def test_a_report_that_is_fit_to_be_sent() -> None:
    report = write_report(TARGET, US, read_evidence(LOG.encode(), TARGET), ID)
    assert report.missing == ()
    evidence: Any = report.xarf.pop("evidence")
    payload = base64.b64decode(evidence[0]["payload"])
    assert evidence[0]["hash"] == f"sha256:{hashlib.sha256(payload).hexdigest()}"
    assert evidence[0]["size"] == len(payload)
    us = {"org": "Example Provider", "contact": "abuse@us.example", "domain": "us.example"}
    assert report.xarf == {
        "xarf_version": "4.2.0",
        "report_id": ID,
        "timestamp": "2026-11-24T08:10:11Z",
        "reporter": us,
        "sender": us,
        "source_identifier": TARGET,
        "category": "messaging",
        "type": "spam",
        "protocol": "smtp",
        "smtp_from": "spam@bad.example",
        "source_port": 50213,
    }
    assert report.subject == f"Abuse report: spam from {TARGET}"
    for said in (TARGET, "2026-11-24 08:10:11 UTC", "Answers to abuse@us.example are read.", ID, "client=unknown"):
        assert said in report.text


MISSING = [
    ("nothing known", None, None, ["who reports", "evidence"]),
    ("another address", US, LOG.replace(TARGET, "192.0.2.1"), ["proof", "the client's port"]),
    ("an address that only begins so", US, LOG.replace(TARGET, "192.0.2.100"), ["proof", "the client's port"]),
    ("no time zone", US, f"Nov 24 09:10:11 mx smtpd[7]: client=x[{TARGET}]:50213, from=<a@b.example>", ["when it"]),
    ("no port", US, LOG.replace(":50213", ""), ["the client's port"]),
    ("the null sender", US, LOG.replace("spam@bad.example", ""), ["the envelope sender"]),
    ("an impossible port", US, LOG.replace("50213", "70000"), ["the client's port"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reporter", "content", "said"), [case[1:] for case in MISSING], ids=[case[0] for case in MISSING]
)
def test_what_is_missing_is_said(reporter: Reporter | None, content: str | None, said: list[str]) -> None:
    evidence = read_evidence(content.encode(), TARGET) if content is not None else None
    missing = write_report(TARGET, reporter, evidence, ID).missing
    assert len(missing) == len(said)
    assert all(lack.startswith(begin) for lack, begin in zip(missing, said, strict=True))


@pytest.mark.parametrize(
    ("target", "text", "names"),
    [
        ("shop.example", "see www.Shop.example now", True),
        ("shop.example", "see notshop.example", False),
        ("shop.example", "see shop.example.org", False),
        ("shop.example", "see shop.example.", True),
        ("2001:db8::1", "[2001:db8::1]:25", True),
        ("2001:db8::1", "[2001:db8::1:2]", False),
        (TARGET, f"{TARGET}:50213 and", True),
        (TARGET, f"4.{TARGET}", False),
    ],
)
def test_the_target_must_stand_in_the_evidence(target: str, text: str, names: bool) -> None:
    assert read_evidence(text.encode(), target).names_target is names


@pytest.mark.parametrize("content", [b"", b"\n \n", b"x" * (LONGEST_EVIDENCE + 1)])
def test_what_is_no_evidence(content: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        read_evidence(content, TARGET)


def test_an_mbox_line_before_the_header() -> None:
    assert read_evidence(f"From spam@bad.example Tue Nov 24\n{MESSAGE}".encode(), TARGET).is_message


def test_only_the_first_lines_are_in_the_letter() -> None:
    letter = write_report(TARGET, US, read_evidence((LOG * 20).encode(), TARGET), ID).text
    assert "(60 more lines are in the attachment)" in letter


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"Received: x; {text}".encode("utf-8", "ignore"))
)
def test_any_bytes_are_read_or_malformed(content: bytes) -> None:
    try:
        evidence = read_evidence(content, TARGET)
    except MalformedEvidence:
        return
    write_report(TARGET, US, evidence, ID)


@pytest.mark.parametrize("part", ["a", "a@", "@", "to=<", "from=<", "a=", " for ", "\n", "x@y ", "to=<a@b"])
def test_hostile_lines_take_no_longer(part: str) -> None:
    content = (part * LONGEST_EVIDENCE)[:LONGEST_EVIDENCE].encode()
    began = time.process_time()
    try:
        read_evidence(content, TARGET)
        read_evidence(b"Received: " + content[:-10], TARGET)
    except MalformedEvidence:
        pass
    assert time.process_time() - began < 3
