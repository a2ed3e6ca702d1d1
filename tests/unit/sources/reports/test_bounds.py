"""Hostile reports take bounded time and memory, and raise nothing."""

import time

import pytest

from outwarden.sources.reports import read_report

FROM = b"From: MAILER-DAEMON@far.example\nSubject: Undelivered\n"
REPORT = FROM + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n%b\n--b--\n"
STATUS = b"\n--b\nContent-Type: message/delivery-status\n\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("addresses", FROM + b"\n" + b"otto@far.example\n" * 500_000),
        ("at signs", FROM + b"\n" + b"@" * 4_000_000),
        ("letters and at signs", FROM + b"\n" + b"a@" * 2_000_000),
        ("one line of reply codes", FROM + b"\n" + b"550-" * 1_000_000),
        ("replies", FROM + b"\n" + b"550 5.1.1 nobody\n" * 200_000),
        ("brackets", FROM + b"Content-Type: text/html\n\n" + b"<" * 4_000_000),
        ("scripts", FROM + b"Content-Type: text/html\n\n" + b"<script><" * 400_000),
        ("white space", FROM + b"\n" + b" " * 4_000_000),
        ("quotes", FROM + b"\n" + b"> " * 2_000_000),
        ("groups", REPORT % (STATUS + b"Final-Recipient: rfc822; a@b.example\n\n" * 100_000)),
        ("fields of one group", REPORT % (STATUS + b"Final-Recipient: rfc822; a@b.example\n" * 100_000)),
        ("names without a domain", REPORT % (STATUS + b"Final-Recipient: x; otto\n\n" * 50_000)),
        ("reports in reports", FROM + (b"Content-Type: message/rfc822\n\n" + FROM) * 50_000),
        ("JSON", b'{"notificationType":"Bounce","bounce":' * 100_000),
        ("subject", b"Subject: " + b"deliver " * 500_000 + b"\n\n"),
    ],
)
def test_it_ends_soon(name: str, message: bytes) -> None:
    begun = time.process_time()
    read_report(message)
    assert time.process_time() - begun < 3
