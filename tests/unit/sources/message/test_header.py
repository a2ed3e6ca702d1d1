"""Headers, encoded words, parameters and mailboxes, the broken ones among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.message.decoding import content_of, text_of
from outwarden.sources.message.header import mailboxes_of, parameters_of, read_fields, readable

WORDS = [
    ("plain", b"Invoice", "Invoice"),
    ("quoted", b"=?utf-8?q?Gr=C3=BC=C3=9Fe_an?= alle", "Gr\u00fc\u00dfe an alle"),
    ("base64", b"=?UTF-8?B?R3LDvMOfZQ==?=", "Gr\u00fc\u00dfe"),
    ("base64 without padding", b"=?UTF-8?B?R3LDvMOfZQ?=", "Gr\u00fc\u00dfe"),
    ("a letter split between two words", b"=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Gr\u00fc\u00dfe"),
    ("two charsets", b"=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "\u00fc\u00fc"),
    ("with a language", b"=?iso-8859-1*de?q?=FC?=", "\u00fc"),
    ("a charset that lies", b"=?utf-8?q?=FC?=", "\u00fc"),
    ("a charset that nobody knows", b"=?x-none?q?a=C3=BC?=", "a\u00fc"),
    ("a codec that is no charset", b"=?punycode?q?a-b?=", "a-b"),
    ("not closed", b"=?utf-8?q?abc", "=?utf-8?q?abc"),
    ("an encoding that is none", b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
    ("UTF-8 without encoding", "Gr\u00fc\u00dfe".encode(), "Gr\u00fc\u00dfe"),
    ("bytes of no charset", b"Gr\xfc\xdfe", "Gr\u00fc\u00dfe"),
]


@pytest.mark.parametrize(("value", "words"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_readable(value: bytes, words: str) -> None:
    assert readable(value) == words


PARAMETERS = [
    ("quoted", b'text/HTML; charset="UTF-8"', ("text/html", {"charset": "UTF-8"})),
    ("bare, with spaces", b"text/plain ; charset = utf-8 ; x=y", ("text/plain", {"charset": "utf-8", "x": "y"})),
    ("the first of two", b"a/b; boundary=one; boundary=two", ("a/b", {"boundary": "one"})),
    ("escaped quotes", b'a/b; name="a\\"b;c"', ("a/b", {"name": 'a"b;c'})),
    ("not closed", b'a/b; name="abc', ("a/b", {"name": '"abc'})),
    ("RFC 2231", b"a/b; name*=utf-8'de'Gr%C3%BC%C3%9Fe.pdf", ("a/b", {"name": "Gr\u00fc\u00dfe.pdf"})),
    ("in sections", b"a/b; name*1=\"d.exe\"; name*0*=us-ascii''in%76oice.p", ("a/b", {"name": "invoice.pd.exe"})),
    ("encoded word", b'a/b; name="=?utf-8?q?=C3=BC.pdf?="', ("a/b", {"name": "\u00fc.pdf"})),
    ("nothing", b"", ("", {})),
]


@pytest.mark.parametrize(("value", "read"), [case[1:] for case in PARAMETERS], ids=[case[0] for case in PARAMETERS])
def test_parameters(value: bytes, read: tuple[str, dict[str, str]]) -> None:
    assert parameters_of(value) == read


MAILBOXES = [
    ("with a name", b'"Braun, Rosa" <rosa@ISP.example>', ["rosa@isp.example"]),
    ("bare", b"rosa@isp.example", ["rosa@isp.example"]),
    ("with a comment", b"rosa@isp.example (Rosa (x) <a@b.example>)", ["rosa@isp.example"]),
    ("several", b"a@b.example, C <d@e.example>", ["d@e.example", "a@b.example"]),
    ("a name that looks like a mailbox", b'"bank@bank.example" <thief@isp.example>', ["thief@isp.example"]),
    ("the same without quotes", b"bank@bank.example <thief@isp.example>", ["thief@isp.example"]),
    ("a name that closes the quotes", b"=?utf-8?q?=22?= <thief@isp.example> =?utf-8?q?=22?=", ["thief@isp.example"]),
    ("an encoded name with brackets", b"=?utf-8?q?=3Ca=40b.example=3E?= <thief@isp.example>", ["thief@isp.example"]),
    ("a name without quotes", b"Braun, Rosa <rosa@isp.example>", ["rosa@isp.example"]),
    ("nobody", b"undisclosed-recipients:;", []),
    ("empty", b"", []),
]


@pytest.mark.parametrize(("value", "found"), [case[1:] for case in MAILBOXES], ids=[case[0] for case in MAILBOXES])
def test_mailboxes(value: bytes, found: list[str]) -> None:
    assert mailboxes_of(value) == found


def test_fields() -> None:
    block = b"Subject: a\r\n b\r\nSUBJECT : c\nnonsense\n: empty\nX:\n\ty"
    assert read_fields(block) == {b"subject": [b"a b", b"c"], b"x": [b"y"]}


BODIES = [
    ("base64", "base64", b"SGVs\r\nbG8=\r\n", b"Hello", True),
    ("base64 without padding", "base64", b"SGVsbG8", b"Hello", True),
    ("base64 with rubbish", "base64", b"SG*Vs bG8=", b"Hello", True),
    ("base64 in pieces", "base64", b"SGVsbG8=\r\nIFdvcmxkIQ==\r\n", b"Hello World!", False),
    ("half a byte at the end", "base64", b"SGVsbG8hQ", b"Hello!", False),
    ("no base64 at all", "base64", b"<>!\xff", b"", True),
    ("soft line breaks", "quoted-printable", b"ht=\r\ntp=3A//x= \t\r\ny", b"http://xy", True),
    ("broken quoting", "quoted-printable", b"a=zz=4", b"a=zz=4", True),
    ("uuencode", "x-uuencode", b"begin 644 a.txt\n#0V%T\n`\nend\n", b"Cat", True),
    ("uuencode that is none", "x-uuencode", b"Cat", b"Cat", False),
    ("unknown", "gzip64", b"Cat", b"Cat", False),
]


@pytest.mark.parametrize(
    ("encoding", "body", "content", "whole"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_transfer_encodings(encoding: str, body: bytes, content: bytes, whole: bool) -> None:
    assert content_of(body, encoding) == (content, whole)


CHARSETS = [
    ("true", b"\xc3\xbc", "utf-8", "\u00fc", True),
    ("as Windows has it", b"\x93a\x94", "windows-1252", "\u201ca\u201d", True),
    ("not as it says", b"\xfc", "utf-8", "\u00fc", False),
    ("UTF-8 that is called ASCII", b"\xc3\xbc", "us-ascii", "\u00fc", False),
    ("sixteen bits", "a\u00fc".encode("utf-16"), "UTF-16", "a\u00fc", True),
    ("seven bits", b"+APw-", "utf-7", "\u00fc", True),
    ("Japanese", "\u65e5\u672c".encode("iso-2022-jp"), "iso-2022-jp", "\u65e5\u672c", True),
    ("in quotes", b"\xc3\xbc", '"UTF-8"', "\u00fc", True),
    ("a codec, not a charset", b"abc", "rot13", "abc", False),
    ("a codec of quadratic time", b"abc-\xff" * 9, "punycode", "abc-\u00ff" * 9, False),
    ("no charset", b"\xc3\xbc", "", "\u00fc", False),
]


@pytest.mark.parametrize(
    ("content", "charset", "text", "true"), [case[1:] for case in CHARSETS], ids=[case[0] for case in CHARSETS]
)
def test_charsets(content: bytes, charset: str, text: str, true: bool) -> None:
    assert text_of(content, charset) == (text, true)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes(content: bytes, name: str) -> None:
    readable(content)
    parameters_of(content)
    mailboxes_of(content)
    read_fields(content)
    text_of(content, name)
    for encoding in ("base64", "quoted-printable", "x-uuencode", name):
        content_of(content, encoding)
