"""Messages made to take long: each is read in a time that its length explains, and says what was left unread."""

import random
from collections.abc import Callable
from time import process_time

import pytest

from outwarden.sources.message import Fault, TextClusters, examine
from outwarden.sources.message.examination import MOST_ATTACHMENTS, MOST_LINKS
from outwarden.sources.message.parts import MOST_DEPTH, read_parts

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
BASE64 = b"--b\nContent-Transfer-Encoding: base64\n\n"
LONG = ("\ufdfa" * 60 + "." + "\u0130" * 60).encode()
UNIX = b"--b\nContent-Type: a/b\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n"
PAGE = b"Content-Type: text/html\n\n"
# A hundred times what the slowest takes on two busy cores; quadratic time would be minutes.
MOST_SECONDS = 5.0


def nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)) + b"\nx"


HOSTILE: list[tuple[str, Callable[[], bytes], Fault | None]] = [
    ("multiparts in multiparts", lambda: nested(10_000), Fault.TOO_DEEP),
    ("messages in messages", lambda: b"Content-Type: message/rfc822\n\n" * 10_000, None),
    ("parts", lambda: MIXED + b"--b\n\nx\n" * 10_000, Fault.TOO_MANY_PARTS),
    ("attachments", lambda: MIXED + b"--b\nContent-Type: a/b\n\nx\n" * 10_000, Fault.TOO_MANY_ATTACHMENTS),
    ("one endless field", lambda: b"Subject: " + b"a" * 20_000_000, Fault.HEADER_TOO_LONG),
    ("endless fields", lambda: b"A: b\n" * 4_000_000, Fault.HEADER_TOO_LONG),
    ("fields in each part", lambda: MIXED + (b"--b\n" + b"A: b\n" * 5_000 + b"\n") * 400, Fault.TOO_MANY_PARTS),
    ("delimiters", lambda: MIXED + b"--\n" * 6_000_000, Fault.TOO_MANY_DELIMITERS),
    ("delimiters in headers", lambda: MIXED + (b"--b\n" + b"--c\n" * 50) * 5_000, Fault.TOO_MANY_DELIMITERS),
    ("a large text", lambda: b"\n" + b"a " * 10_000_000, Fault.TEXT_TOO_LONG),
    (
        "a large attachment",
        lambda: MIXED + b"--b\nContent-Type: a/b\n\n" + b"a" * 20_000_000,
        Fault.ATTACHMENT_TOO_LARGE,
    ),
    ("parameters", lambda: b"Content-Type: a/b" + b';a="\\' * 100_000 + b"\n\nx", None),
    ("encoded words", lambda: b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\n\nx", None),
    ("From", lambda: b"From: " + b'"<(' * 300_000 + b"\n\nx", None),
    ("brackets", lambda: PAGE + b"<" * 500_000, None),
    ("elements", lambda: PAGE + b"<div>" * 100_000, None),
    ("tags that do not end", lambda: PAGE + b"<a " * 170_000 + b"<blockquote", None),
    ("tags that do not end, before one that does", lambda: PAGE + b"<p" * 260_000 + b"<b>", None),
    ("tags in a row that do not end", lambda: PAGE + b"<p>" + b" <p" * 170_000 + b"<b>", None),
    ("tags before a quotation", lambda: PAGE + b"<b><a " * 80_000 + b"<blockquote>", None),
    ("comments", lambda: PAGE + b"<!--" * 120_000, None),
    ("scripts", lambda: PAGE + b"<script></script>" * 30_000, None),
    ("hidden", lambda: PAGE + b"<a display:none>" * 30_000, None),
    ("hidden, in one tag", lambda: PAGE + b"<a " + b"display:none " * 30_000 + b">", None),
    ("attributes without end", lambda: PAGE + b"<a href='\"" * 50_000, None),
    ("white space", lambda: PAGE + b"<a href" + b" " * 500_000, None),
    ("references", lambda: PAGE + b"&#0000000065" * 40_000, None),
    ("schemes", lambda: b"\n" + b"http://" * 70_000, None),
    ("dots", lambda: b"\n" + b".a" * 250_000, None),
    ("dots apart", lambda: b"\n" + b"(.a" * 170_000, None),
    ("links", lambda: b"\n" + b"".join(b"http://a%d.example/\n" % n for n in range(20_000)), Fault.TOO_MANY_LINKS),
    ("base64 in pieces", lambda: b"Content-Transfer-Encoding: base64\n\n" + b"Y=Q" * 500_000, Fault.BAD_ENCODING),
    ("base64 in pieces in parts", lambda: MIXED + (BASE64 + b"YQ=" * 500_000 + b"\n") * 20, Fault.TEXT_TOO_LONG),
    ("base64 in pieces, attached", lambda: MIXED + b"--b\nContent-Type: a/b\n" + BASE64[4:] + b"YQ=" * 6_000_000, None),
    ("uuencode", lambda: MIXED + (UNIX + b"#0V%T\n" * 300_000) * 8, Fault.BAD_ENCODING),
    ("parts of dots", lambda: MIXED + (b"--b\n\n" + b"(.com" * 340 + b"\n") * 299, None),
    ("long hosts", lambda: b"\n" + b"".join(b"http://" + LONG + b"%d.example/ " % n for n in range(1_400)), None),
    (
        "parameters of parts",
        lambda: MIXED + (b"--b\nContent-Type: a/b" + b"; name*1=x" * 1_000 + b"\n\n\n") * 299,
        None,
    ),
]


@pytest.mark.parametrize(("make", "fault"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile(make: Callable[[], bytes], fault: Fault | None) -> None:
    message = make()
    begun = process_time()
    found = examine(message, trusted=["X-Spam-Flag"])
    assert process_time() - begun < MOST_SECONDS
    assert fault is None or fault in found.faults
    assert len(found.links) <= MOST_LINKS
    assert len(found.attachments) <= MOST_ATTACHMENTS


def test_what_is_too_deep_is_read_as_text() -> None:
    deep = nested(MOST_DEPTH * 2)[:-1] + b"https://shop.example/x"
    assert [link.target for link in examine(deep).links] == ["shop.example"]


def test_a_depth_that_is_allowed_is_read() -> None:
    assert read_parts(nested(MOST_DEPTH - 2)).faults == set()


def test_many_texts_cost_no_more_than_a_few() -> None:
    clusters = TextClusters(most=500)
    draw = random.Random(1)
    begun = process_time()
    for _ in range(3_000):
        # All share one number, as texts that are made to collide would.
        clusters.name((1, *sorted(draw.sample(range(2, 2**32), 23))))
    assert process_time() - begun < MOST_SECONDS
    assert len(clusters) == 500
