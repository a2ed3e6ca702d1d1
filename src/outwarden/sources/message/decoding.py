"""From the bytes of a part to its content: transfer encodings and charsets, and those that lie.

Nothing raises: what is broken is decoded as far as a mail client would, and the second value says that it was.
Only charsets that mail is written in are believed; any other name is a stranger's choice of one of Python's codecs,
some of which take quadratic time.
"""

import re
from binascii import Error, a2b_base64, a2b_qp, a2b_uu

_MOST_PIECES = 1_000
_MOST_UNIX_LINES = 100_000

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_PADDING = re.compile(rb"=+")
_SOFT_BREAK_WITH_SPACE = re.compile(rb"=[ \t]+(?=\r?\n)")
_UNIX_TO_UNIX = re.compile(rb"^begin [0-7]{3,4} [^\n]{0,200}\n", re.MULTILINE)

# RFC 2045 section 6.1 and the names that Outlook and old clients use for the same.
IDENTITY = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "none"))

_UNIX_NAMES = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))
ENCODINGS = IDENTITY | _UNIX_NAMES | {"base64", "quoted-printable"}

_CHARSETS = frozenset(
    "ascii us-ascii ansi_x3.110-1983 binary utf-8 utf8 utf-7 unicode-1-1-utf-7 utf-16 utf-16le utf-16be utf-32 "
    "big5 big5-hkscs gb2312 gbk gb18030 hz euc-jp euc-kr euc-tw shift_jis shift-jis sjis cp932 cp949 ks_c_5601-1987 "
    "iso-2022-jp iso-2022-jp-2 iso-2022-kr koi8-r koi8-u tis-620 viscii latin1 latin-1 macintosh "
    "windows-874 windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 "
    "windows-1257 windows-1258 cp437 cp850 cp866 cp1250 cp1251 cp1252 "
    "iso-8859-1 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-8-i "
    "iso-8859-9 iso-8859-10 iso-8859-11 iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16".split()
)
_CALLED = {
    "hz": "hz",
    "iso-8859-8-i": "iso-8859-8",
    "windows-874": "cp874",
    "euc-tw": "big5",
    "viscii": "cp1258",
    "unicode-1-1-utf-7": "utf-7",
    "ansi_x3.110-1983": "latin-1",
    "binary": "ascii",
}
# In these, bytes that look like ASCII are not.
_NOT_ASCII = frozenset(
    "utf-7 unicode-1-1-utf-7 utf-16 utf-16le utf-16be utf-32 hz iso-2022-jp iso-2022-jp-2 iso-2022-kr".split()
)


def text_of(content: bytes, charset: str) -> tuple[str, bool]:
    """Return the text, and whether the charset told the truth.

    An unknown or a wrong one gives way to UTF-8, and that to Windows' Western charset, as clients do it.
    """
    name = charset.strip("\"' ").lower()
    known = name in _CHARSETS
    if content.isascii() and name not in _NOT_ASCII:
        return content.decode("ascii"), known
    for one in (_CALLED.get(name, name) if known else "utf-8", "utf-8"):
        try:
            return content.decode(one), known
        except (UnicodeError, LookupError):
            known = False
    return content.decode("cp1252", "replace"), False


def content_of(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """Return the body without its transfer encoding, and whether it had the form that the encoding asks for."""
    if encoding in IDENTITY:
        return body, True
    if encoding == "base64":
        return base64_bytes(body)
    if encoding == "quoted-printable":
        if b"= " in body or b"=\t" in body:
            body = _SOFT_BREAK_WITH_SPACE.sub(b"=", body)
        return a2b_qp(body), True
    if encoding in _UNIX_NAMES:
        return _unix_to_unix(body)
    # RFC 2045 section 6.4: of an unknown encoding only the bytes themselves can be kept.
    return body, False


def base64_bytes(body: bytes) -> tuple[bytes, bool]:
    """Return what base64 stands for, and whether it was whole.

    What is not of the alphabet is passed over (RFC 2045 section 6.8), several pieces with padding each are taken one
    after the other, and half a byte at an end is lost.
    """
    body = body.rstrip()
    if b"=" not in body[:-2]:
        try:
            return a2b_base64(body), True
        except Error:
            pass
    *pieces, rest = _PADDING.split(_NOT_BASE64.sub(b"", body), _MOST_PIECES)
    # More pieces than that nobody makes honestly: what is left of them is taken for one.
    pieces = [piece for piece in (*pieces, rest.replace(b"=", b"")) if piece]
    whole = len(pieces) == 1 and len(pieces[0]) % 4 != 1
    kept = [piece[:-1] if len(piece) % 4 == 1 else piece for piece in pieces]
    return b"".join([a2b_base64(piece + b"=" * (-len(piece) % 4)) for piece in kept]), whole


def _unix_to_unix(body: bytes) -> tuple[bytes, bool]:
    start = _UNIX_TO_UNIX.search(body)
    if start is None:
        return body, False
    lines: list[bytes] = []
    whole = True
    for line in body[start.end() :].split(b"\n", _MOST_UNIX_LINES)[:_MOST_UNIX_LINES]:
        if line.startswith((b"end", b"`", b" ")):
            return b"".join(lines), whole
        try:
            lines.append(a2b_uu(line.rstrip()))
        except Error:
            whole = False
    return b"".join(lines), False
