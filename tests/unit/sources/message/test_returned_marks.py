"""Marks are found wherever they come back: as headers, in returned messages of any encoding, and quoted by people."""

import quopri
import re
import time
from base64 import encodebytes
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.sources.message.mark import Marked, MarkKeys, mark
from outwarden.sources.message.parts import read_parts
from outwarden.sources.message.returned_marks import Carried, carried_marks

KEYS = MarkKeys([b"k" * 32])
OTHERS = MarkKeys([b"o" * 32])
ROSA = Marked("rosa@isp.example", "mx", datetime(2026, 11, 25, 3, tzinfo=UTC))
OTTO = Marked("otto@isp.example", "mx", datetime(2026, 11, 24, 3, tzinfo=UTC))
NONCE = b"twelve bytes"


def of(marked: Marked = ROSA, keys: MarkKeys = KEYS) -> str:
    return "Outwarden-Mark: " + mark(keys, *marked, NONCE)


HEADER = f"Received: from a\n by b\nFrom: rosa@isp.example\nMessage-ID: <1@isp.example>\n{of()}\nSubject: Hello\n"
BOUNCE = (
    "From: MAILER-DAEMON@far.example\nTo: rosa@isp.example\nMIME-Version: 1.0\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b1\n\n"
    "--b1\n\nNo such mailbox.\n--b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; far.example\n"
)
PLAIN = "From: otto@far.example\nTo: postmaster@isp.example\nSubject: spam from you\n"


def returned(kind: str, content: str, encoding: str = "7bit") -> str:
    return f"{BOUNCE}--b1\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{content}\n--b1--\n"


def base64(text: str) -> str:
    return encodebytes(text.encode()).decode()


def printable(text: str) -> str:
    return quopri.encodestring(text.encode(), quotetabs=True).decode()


def quoted(text: str, sign: str = "> ") -> str:
    return "".join(f"{sign}{line}\n" for line in text.splitlines())


def carried(message: str | bytes, keys: MarkKeys = KEYS) -> Carried:
    content = message if isinstance(message, bytes) else message.encode("utf-8", "surrogatepass")
    return carried_marks(keys, content, read_parts(content))


OURS = [
    ("our own message", HEADER + "\nHello\n"),
    ("with CRLF", (HEADER + "\nHello\n").replace("\n", "\r\n")),
    ("the name in capitals", (HEADER + "\nHello\n").replace("Outwarden-Mark", "OUTWARDEN-MARK")),
    ("a space before the colon", (HEADER + "\nHello\n").replace("Outwarden-Mark:", "Outwarden-Mark :")),
    ("folded after the name", (HEADER + "\nHello\n").replace("Outwarden-Mark: ", "Outwarden-Mark:\n\t")),
    ("the mark last in the header", f"From: rosa@isp.example\n{of()}\n\nHello\n"),
    ("the other header's name", HEADER.replace("Outwarden-Mark", "CFBL-Feedback-ID") + "\nHello\n"),
    ("returned whole", returned("message/rfc822", HEADER + "\nHello\n")),
    (
        "returned with parts",
        returned("message/rfc822", HEADER + "Content-Type: multipart/mixed; boundary=c\n\n--c\n\nx"),
    ),
    ("its header returned", returned("text/rfc822-headers", HEADER)),
    ("its header in base64", returned("text/rfc822-headers", base64(HEADER), "base64")),
    ("its header in quoted-printable", returned("text/rfc822-headers", printable(HEADER), "quoted-printable")),
    ("the message in base64", returned("message/rfc822", base64(HEADER + "\nHello"), "base64")),
    ("lines folded at 30", returned("text/rfc822-headers", re.sub(r"([\w-]{30})", r"\1\r\n ", HEADER))),
    ("white space at line ends", returned("text/rfc822-headers", HEADER.replace("\n", " \t\n"))),
    ("only the two fields that a complaint must have", returned("text/rfc822-headers", of())),
    ("quoted by a person", f"{PLAIN}\nThis is yours:\n{quoted(HEADER)}\nStop it."),
    ("quoted twice", f"{PLAIN}\n{quoted(quoted(HEADER), '>')}"),
    ("quoted in base64", f"{PLAIN}Content-Transfer-Encoding: base64\n\n{base64(quoted(HEADER))}"),
    (
        "quoted in quoted-printable",
        f"{PLAIN}Content-Transfer-Encoding: quoted-printable\n\n{printable(quoted(HEADER))}",
    ),
    ("indented, as qmail's friends do", f"{PLAIN}\nHi. This is the mailer:\n\n{quoted(HEADER, '    ')}"),
    (
        "in a page",
        f"{PLAIN}Content-Type: text/html\n\n<p>Returned:</p><pre>{HEADER.replace(chr(10), '<br>&gt; ')}</pre>",
    ),
    (
        "in a page in base64",
        f"{PLAIN}Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
        + base64(f"<td>{HEADER.replace(chr(10), '</td><td>')}</td>"),
    ),
    ("behind a forged one", f"{of(OTTO, OTHERS)}\n{HEADER}\nHello\n"),
    ("behind 1500 forged ones", f"{of(OTTO, OTHERS)}\n" * 1500 + f"{HEADER}\nHello\n"),
    ("before a copied one of another account", f"{HEADER}{of(OTTO)}\n\nHello\n"),
    ("behind a copied one of another account", f"{of(OTTO)}\n{HEADER}\nHello\n"),
    ("behind a copied one of the same second", f"{of(OTTO._replace(at=ROSA.at))}\n{HEADER}\nHello\n"),
    ("a copied one in the body", f"{HEADER}\n{of(OTTO)}\n"),
    ("a newer one in the body", f"{HEADER}\n{of(OTTO._replace(at=ROSA.at + timedelta(days=1)))}\n"),
]


@pytest.mark.parametrize(("name", "message"), OURS, ids=[name for name, _ in OURS])
def test_it_is_found(name: str, message: str) -> None:
    found = carried(message)
    assert found.marked == ROSA
    assert found.ours is True


NOT_OURS = [
    ("a bounce of a message that is not ours", returned("message/rfc822", "From: rosa@isp.example\n\nSpam"), False),
    ("the header of one", returned("text/rfc822-headers", "From: rosa@isp.example\n"), False),
    ("with a forged mark", returned("text/rfc822-headers", HEADER.replace(of(), of(ROSA, OTHERS))), False),
    ("with half a mark", returned("text/rfc822-headers", HEADER.replace(of(), of()[:60])), False),
    ("our message with a mark that was forged", f"{of(ROSA, OTHERS)}\n\nHello", False),
    ("a letter", f"{PLAIN}\nHello", None),
    ("a bounce that returns nothing", BOUNCE + "--b1--\n", None),
    ("a letter that speaks of marks", f"{PLAIN}\nWhat is Outwarden-Mark, and what does it say?", None),
    ("nothing", "", None),
]


@pytest.mark.parametrize(("name", "message", "ours"), NOT_OURS, ids=[name for name, _, _ in NOT_OURS])
def test_what_is_not_ours(name: str, message: str, ours: bool | None) -> None:
    found = carried(message)
    assert found.marked is None
    assert found.ours is ours


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(BOUNCE) + 500))
def test_any_bytes(noise: bytes, place: int) -> None:
    message = returned("text/rfc822-headers", HEADER).encode()
    carried(noise)
    carried(b"Outwarden-Mark:" + noise)
    carried(message[:place] + noise + message[place:])


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("names", b"outwarden-mark:"),
        ("names on lines", b"\nOutwarden-Mark: AQ"),
        ("marks of others", f"\n{of(ROSA, OTHERS)}".encode()),
        ("tags", b"<a"),
        ("types", b"\ncontent-type:\n "),
        ("lines", b"\n\r"),
    ],
)
def test_it_takes_bounded_time(name: str, piece: bytes) -> None:
    message = b"Content-Type: text/html\n\n" + piece * (4_000_000 // len(piece))
    began = time.monotonic()
    carried(message)
    assert time.monotonic() - began < 5
