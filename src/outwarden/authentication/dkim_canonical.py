"""A message as DKIM signs it: header fields, and the four canonical forms (RFC 6376 section 3.4).

Every function takes time in proportion to the message, whatever is in it.
"""

import re
from typing import NamedTuple

_BLANKS = re.compile(rb"[ \t]++")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_END_OF_FIELD = re.compile(rb"\r\n(?![ \t])")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_SIGNATURE_VALUE = re.compile(rb"((?:\A|;)[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")


class Field(NamedTuple):
    """One header field: its name in lower case, and all its bytes without the last line end."""

    name: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """What stands after the colon."""
        return self.raw.partition(b":")[2]


class Message(NamedTuple):
    """A message, its line ends made CRLF."""

    fields: tuple[Field, ...]
    body: bytes


def read_message(raw: bytes) -> Message:
    """Split a message.  Lines of the header that are no fields are left out."""
    raw = _BARE_LF.sub(b"\r\n", raw)
    header, _, body = (b"", b"", raw[2:]) if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")
    lines = _END_OF_FIELD.split(header)
    return Message(tuple(field for line in lines if (field := _field(line))), body)


def _field(line: bytes) -> Field | None:
    name, colon, _ = line.partition(b":")
    name = name.rstrip(b" \t")
    # RFC 5322 section 2.2: a name is printable ASCII without space or colon.
    if not colon or not name or any(not 33 <= byte <= 126 for byte in name):
        return None
    return Field(name.decode("ascii").lower(), line)


def canonical_field(field: Field, relaxed: bool) -> bytes:
    """Return one header field without its line end (RFC 6376 sections 3.4.1 and 3.4.2)."""
    if not relaxed:
        return field.raw
    value = _BLANKS.sub(b" ", _FOLD.sub(b"", field.body)).strip(b" ")
    return field.name.encode("ascii") + b":" + value


def canonical_body(body: bytes, relaxed: bool) -> bytes:
    """Return the body without empty lines at its end (RFC 6376 sections 3.4.3 and 3.4.4)."""
    if relaxed:
        body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n")
        body = body.removesuffix(b" ")
    end = len(body)
    while body[end - 2 : end] == b"\r\n":
        end -= 2
    if end == 0:
        return b"" if relaxed else b"\r\n"
    return body[:end] + b"\r\n"


def without_signature(field: Field) -> Field:
    """Return a signature's field with the value of ``b=`` taken out (RFC 6376 section 3.7)."""
    name, colon, value = field.raw.partition(b":")
    return Field(field.name, name + colon + _SIGNATURE_VALUE.sub(rb"\1", value, count=1))


def signed_fields(message: Message, names: tuple[str, ...]) -> list[Field]:
    """Return the fields that a signature names, each name taking the lowest not yet taken (section 5.4.2)."""
    waiting: dict[str, list[Field]] = {}
    for field in message.fields:
        waiting.setdefault(field.name, []).append(field)
    return [waiting[name].pop() for name in names if waiting.get(name)]
