"""Whole messages: parts, attachments, links from everywhere, and what lies."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message import Fault, examine

HTML = b'<p>see <a href="https://shop.example/x">this</a></p>'


def message(*lines: str | bytes) -> bytes:
    return b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines)


def multipart(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    whole = f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    for header, body in parts:
        whole += f"--{boundary}\r\n{header}\r\n\r\n".encode() + body + b"\r\n"
    return whole + f"--{boundary}--\r\n".encode()


def test_headers() -> None:
    found = examine(
        message(
            "From: Rosa <rosa@isp.example>",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            "Message-ID: <1@isp.example>",
            "List-Id: <club.isp.example>",
            "Auto-Submitted: auto-generated",
            "X-Spam-Flag: YES",
            "",
            "hello",
        ),
        trusted=["X-Spam-Flag"],
    )
    assert (found.subject, found.message_id) == ("Gr\u00fc\u00dfe", "<1@isp.example>")
    assert found.from_addresses == ("rosa@isp.example",)
    assert (found.list_mail, found.automatic, found.reply, found.filter_verdict) == (True, True, False, True)
    assert found.faults == ()


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("In-Reply-To: <1@x>", True),
        ("References: <1@x>", True),
        ("Subject: Re: yes", True),
        ("Subject: AW[2]: yes", True),
        ("Subject: Fwd: yes", False),
        ("Subject: Regarding: yes", False),
        ("In-Reply-To:", False),
    ],
)
def test_reply(line: str, reply: bool) -> None:
    assert examine(message(line, "", "x")).reply is reply


def test_a_verdict_is_believed_only_where_the_site_says_so() -> None:
    assert examine(b"X-Spam-Flag: YES\n\nx").filter_verdict is None


def test_several_from_are_all_named() -> None:
    found = examine(message("From: a@isp.example", "From: b@isp.example", "", "x"))
    assert found.from_addresses == ("a@isp.example", "b@isp.example")
    assert found.faults == (Fault.FIELD_TWICE,)


QP = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
LINKED = [
    ("plain", message("", "see https://shop.example/x")),
    ("broken softly", message("Content-Transfer-Encoding: quoted-printable", "", "see https://sh=", "op.example/x")),
    ("flowed", message("Content-Type: text/plain; format=flowed; delsp=yes", "", "see https://sh ", "op.example/x")),
    ("base64", message("Content-Transfer-Encoding: base64", "", base64.b64encode(b"see https://shop.example/x"))),
    ("HTML", message("Content-Type: text/html", "", HTML)),
    ("HTML in entities", message("Content-Type: text/html", "", '<a href="ht&#116;ps://shop&#46;example/x">')),
    ("HTML that calls itself plain", message("Content-Type: text/plain", "", b"<html><body>" + HTML)),
    ("sixteen bits", message("Content-Type: text/html; charset=utf-16", "", HTML.decode().encode("utf-16"))),
    ("in a part", multipart(("Content-Type: text/plain", b"a"), ("Content-Type: text/html", HTML))),
    ("in a part in a part", multipart(("Content-Type: multipart/related; boundary=c", b"--c\r\n\r\nhttps://shop.example/x"))),
    ("in a part that begins like another", multipart(
        ("Content-Type: multipart/mixed; boundary=bb", b"--bb\r\n\r\na\r\n--bb--"), ("", b"https://shop.example/x"))),
    ("in a part without an end", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhttps://shop.example/x"),
    ("in a part of a message", multipart(("Content-Type: message/rfc822", b"Content-Type: text/html\r\n\r\n" + HTML))),
    ("in an attached page", multipart(
        ("Content-Disposition: attachment; filename=a.html\r\nContent-Type: application/octet-stream", HTML))),
    ("in a page for AMP", multipart(("Content-Type: text/x-amp-html", HTML))),
    ("in an attached drawing", multipart(("Content-Type: image/svg+xml; name=a.svg", HTML))),
    ("the boundary never comes", message("Content-Type: multipart/mixed; boundary=b", "", "https://shop.example/x")),
    ("no boundary", message("Content-Type: multipart/mixed", "", "https://shop.example/x")),
    ("a part without a blank line", b"Content-Type: multipart/mixed; boundary=b\n\n--b\nA: b\n--b\n\nhttps://shop.example/x\n"),
    ("a wrapper", message("", "https://www.google.com/url?q=https%3A%2F%2Fshop.example%2Fx")),
    ("no header", b"\nhttps://shop.example/x"),
    ("the charset is nobody's", message("Content-Type: text/plain; charset=x", "", "https://shop.example/x")),
    ("NULs", message("", "https://sh\0op.example/x")),
]  # fmt: skip


@pytest.mark.parametrize("content", [case[1] for case in LINKED], ids=[case[0] for case in LINKED])
def test_the_link_is_found(content: bytes) -> None:
    for whole in (content, content.replace(b"\r\n", b"\n")) if b"utf-16" not in content else (content,):
        found = examine(whole)
        assert [link.target for link in found.links] == ["shop.example"]
        assert found.urls == ("shop.example/x",)


def test_attachments() -> None:
    content = b"MZ" + bytes(300)
    found = examine(
        multipart(
            ("Content-Type: text/plain", b"hello"),
            (
                "Content-Type: Application/PDF; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
                "Content-Disposition: attachment; filename*=utf-8''..%2Ftmp%2Finv%C3%B6ice.pdf.exe",
                base64.encodebytes(content),
            ),
            ("Content-Type: image/png\r\nContent-ID: <1@x>\r\nContent-Transfer-Encoding: 8bit", b"\x89PNG"),
        )
    )
    first, second = found.attachments
    assert (first.name, first.type, first.size) == ("inv\u00f6ice.pdf.exe", "application/pdf", len(content))
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert (second.name, second.type, second.sha256) == ("", "image/png", hashlib.sha256(b"\x89PNG").hexdigest())
    assert found.faults == ()


FAULTS = [
    ("a charset that lies", message("Content-Type: text/plain; charset=utf-8", "", b"\xfc"), Fault.WRONG_CHARSET),
    ("a charset of nobody", message("Content-Type: text/plain; charset=x", "", b"a"), Fault.UNKNOWN_CHARSET),
    ("an encoding of nobody", message("Content-Transfer-Encoding: x", "", b"a"), Fault.UNKNOWN_ENCODING),
    ("broken base64", message("Content-Transfer-Encoding: base64", "", b"YQ==YQ==YQ"), Fault.BAD_ENCODING),
    ("no boundary", message("Content-Type: multipart/mixed", "", "a"), Fault.NO_BOUNDARY),
    ("a zip that is none", multipart(("Content-Type: application/zip", b"PK\x03\x04")), Fault.BAD_ARCHIVE),
]


@pytest.mark.parametrize(("content", "fault"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_faults(content: bytes, fault: Fault) -> None:
    assert examine(content).faults == (fault,)


def test_both_halves_of_an_alternative_give_one_text() -> None:
    text = b"we are glad to tell you that the parcel waits for you at our office since Monday"
    page = b"<html><style>p{}</style><p>" + text.replace(b"glad", b"<b>gl</b>ad") + b"</p></html>"
    both = examine(multipart(("Content-Type: text/plain", b"noise " * 40), ("Content-Type: text/html", page)))
    assert both.sketch == examine(b"\n" + text).sketch != ()


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    found = examine(content, trusted=["X-Spam-Flag"])
    assert found.size == len(content)
    examine(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + content + b"\n--b\n" + content)
