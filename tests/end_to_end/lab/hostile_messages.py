"""Messages made to cost whoever examines them: each a name and its bytes, with CRLF and without dots to stuff."""

import base64
from collections.abc import Iterator

_HEAD = b"From: jan@isp.example\r\nSubject: a bomb\r\nMIME-Version: 1.0\r\n"


def hostile_messages() -> Iterator[tuple[str, bytes]]:
    """Yield them one by one, as some are large."""
    yield "depth", _deep(3_000)
    yield "parts", _parts(100_000)
    yield "one boundary begins another", _prefixed_boundaries(2_000)
    yield "no boundary at all", _HEAD + b"Content-Type: multipart/mixed\r\n\r\n" + b"--\r\n\r\n" * 60_000
    yield "endless header", _HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 60) for n in range(9_000)) + b"\r\nHi\r\n"
    yield "one endless field", _HEAD + b"X-Long: a" + b"\r\n and more of it" * 40_000 + b"\r\n\r\nHello\r\n"
    yield "comments in comments", _HEAD + b"To: " + b"(" * 900 + b"\r\n " * 900 + b"\r\n\r\nHello\r\n"
    yield "links without end", _text(b"https://a%d.example/x?u=https%%3A%%2F%%2Fb%d.example%%2F \r\n", 60_000)
    yield "html without end", _html(60_000)
    yield "base64 that is none", _encoded(b"base64", (b"=" * 75 + b"\r\n") * 20_000)
    yield "quoted-printable that is none", _encoded(b"quoted-printable", (b"=" * 3 + b"=4" * 30 + b"=\r\n") * 20_000)
    yield "uuencode that is none", _encoded(b"x-uuencode", b"begin 644 a\r\n" + (b"M" + b"`" * 60 + b"\r\n") * 20_000)
    yield "a charset that lies", _charset(b"utf-16-le", b"\xd8\x00\xdc" * 25 + b"\r\n", 8_000)
    yield "a charset of nobody", _charset(b"x" * 3_000, b"\xff\xfe" * 35 + b"\r\n", 8_000)
    yield "ten megabytes", _large(10_000_000)
    yield "fifty megabytes", _large(50_000_000)


def _deep(levels: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(levels)
    )
    return _HEAD + opened + b"Content-Type: text/plain\r\n\r\nHello\r\n"


def _parts(number: int) -> bytes:
    return _HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * number + b"--b--\r\n"


def _prefixed_boundaries(levels: int) -> bytes:
    """Each boundary begins with the one around it, so that one line may end either."""
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (2 * (b"a" * (level % 60 + 1),))
        for level in range(levels)
    )
    return _HEAD + opened + b"\r\n" + b"--aaa\r\n\r\nx\r\n" * levels


def _text(line: bytes, lines: int) -> bytes:
    return _HEAD + b"Content-Type: text/plain\r\n\r\n" + b"".join(line % (number, number) for number in range(lines))


def _html(tags: int) -> bytes:
    return _HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a href='<b><!-- &#x41;\r\n" * tags


def _encoded(encoding: bytes, body: bytes) -> bytes:
    return _HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body


def _charset(charset: bytes, line: bytes, lines: int) -> bytes:
    body = base64.encodebytes(line * lines).replace(b"\n", b"\r\n")
    head = b"Content-Type: text/plain;\r\n charset=" + charset + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _HEAD + head + body


def _large(size: int) -> bytes:
    head = b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _HEAD + head + (b"UEsDBBQAAAAIAA" * 5 + b"AAAA\r\n") * (size // 76)
