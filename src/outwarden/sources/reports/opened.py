"""A report opened: its header, what it says to people, what it says to machines, and what it returns.

The line ends CRLF, CR and LF are one, so that what differs in them alone reads alike.  Bounds: ``MOST_TEXT_BYTES`` of
text and ``MOST_STATUS_BYTES`` of each machine-readable part are looked at, and ``parts.MOST_PARTS`` parts.
"""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

from outwarden.sources.message.decoding import content_of, text_of
from outwarden.sources.message.header import Fields
from outwarden.sources.message.parts import Part, read_parts
from outwarden.sources.reports.seam import cut_at_the_original

MOST_TEXT_BYTES = 131_072
MOST_STATUS_BYTES = 1_048_576
MOST_STATUSES = 50
_MOST_RETURNED_BYTES = 262_144
_MOST_TEXT_PARTS = 8
RETURNED = frozenset(
    ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
)
_STATUS = frozenset(("message/delivery-status", "message/global-delivery-status"))
_IS_A_MESSAGE = frozenset((b"message-id", b"from", b"date"))
_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
_NOT_SHOWN = ("head", "style", "script")
_BREAKS = re.compile(r"<(?:br|/?p|/?div|/?tr|/?td|/?li|/?h\d|/?table)\b[^<>]{0,2000}>", re.IGNORECASE)
_ADDRESS_IN_BRACKETS = re.compile(r"<([^<>\s@]{1,128}@[^<>\s@]{1,255})>")
_STATUS_IN_WORDS = re.compile(
    r"^[> \t]{0,8}(?:Final|Original)-Recipient[ \t]*:[ \t]*[\w-]{1,30};", re.IGNORECASE | re.MULTILINE
)
_QUOTE = re.compile(r"^[> \t]{1,8}(?=\S)", re.MULTILINE)
_RULE = re.compile(r"^[> \t]{0,8}--\S", re.MULTILINE)
_MOST_LINES_BEFORE = 6


class Opened(NamedTuple):
    """A report's pieces.

    ``text`` is what people read, without the original; ``statuses`` are the bodies of its delivery-status parts, and
    ``returned`` is the original as bytes, from a part of its own or out of the text.
    """

    message: bytes
    fields: Fields
    parts: list[Part]
    text: str
    statuses: list[bytes]
    returned: bytes


def one_line_end(message: bytes) -> bytes:
    """Return the message with LF at the end of each line, whatever it had."""
    if b"\r" not in message:
        return message
    if b"\r\r\n" in message:
        message = message.replace(b"\r\r\n", b"\r\n")
    return message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def opened(message: bytes) -> Opened:
    """Return the pieces of a report whose lines end in LF."""
    fields, parts, _ = read_parts(message, enter_messages=False)
    statuses: list[bytes] = []
    texts: list[str] = []
    pages: list[str] = []
    returned = b""
    for part in parts:
        if part.type in _STATUS:
            if len(statuses) < MOST_STATUSES:
                statuses.append(body_of(message, part, MOST_STATUS_BYTES))
        elif part.type in RETURNED:
            returned = returned or body_of(message, part, _MOST_RETURNED_BYTES)
        elif part is not parts[0] and _IS_A_MESSAGE <= part.fields.keys():
            # Some put no empty line between the delimiter and the original.
            returned = returned or b"".join(
                b"%b: %b\n" % (name, value) for name in part.fields for value in part.fields[name]
            )
        elif part.type.startswith("text/html"):
            pages += [text_in(message, part)] if len(pages) < _MOST_TEXT_PARTS else []
        elif part.type.startswith("text") and len(texts) < _MOST_TEXT_PARTS and not _is_attached(part):
            texts.append(text_in(message, part))
    if not any(text.strip() for text in texts):
        texts = [shown(page) for page in pages]
    text, rest = cut_at_the_original("\n".join(texts))
    returned = returned or rest.encode("utf-8", "replace")
    return Opened(message, fields, parts, text, statuses, returned)


def status_in_words(text: str) -> list[bytes]:
    """Return what stands in a text that would be a delivery-status part of its own: some gateways lose the parts."""
    found = _STATUS_IN_WORDS.search(text)
    if found is None:
        return []
    start = found.start()
    for _ in range(_MOST_LINES_BEFORE):
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        if start == 0 or not text[before:start].strip(" >\t\n"):
            break
        start = before
    return [
        _RULE.sub("", _QUOTE.sub("", text[start:]) if text[start : start + 1] == ">" else text[start:]).encode(
            "utf-8", "replace"
        )
    ]


def body_of(message: bytes, part: Part, most: int) -> bytes:
    """Return the decoded body of a part, as far as ``most`` bytes of it go."""
    return one_line_end(content_of(message[part.start : min(part.end, part.start + most)], part.encoding)[0])


def text_in(message: bytes, part: Part) -> str:
    """Return the text of a part."""
    return text_of(body_of(message, part, MOST_TEXT_BYTES), part.parameters.get("charset", "us-ascii"))[0]


def shown(page: str) -> str:
    """Return the words of a page, a line for each of its paragraphs."""
    for element in _NOT_SHOWN:
        page = _without(element, page)
    page = _ADDRESS_IN_BRACKETS.sub(r" \1 ", page)
    return unescape(_TAG.sub(" ", _BREAKS.sub("\n", page)))


def _without(element: str, page: str) -> str:
    """Return a page without the elements of a name; one that does not end is left in."""
    lower = page.lower()
    if len(lower) != len(page):
        # A letter of some scripts has two in lower case.
        return page
    kept: list[str] = []
    end = 0
    start = lower.find(f"<{element}")
    while start >= 0 and (close := lower.find(f"</{element}", start)) >= 0:
        kept.append(page[end:start])
        end = close
        start = lower.find(f"<{element}", close)
    return "".join((*kept, page[end:]))


def _is_attached(part: Part) -> bool:
    values = part.fields.get(b"content-disposition")
    return bool(values) and values[0][:10].lower() == b"attachment"  # type: ignore[index]
