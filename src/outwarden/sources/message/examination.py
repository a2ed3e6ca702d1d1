"""The examination of one outgoing message: bytes in, a frozen record out, in bounded time and memory.

Every part that a client shows as text is read, HTML and plain, and every attachment is named and hashed.  Nothing is
fetched, nothing is believed, and no bytes at all make it raise.  What was beyond a bound is left unread and named
among the faults.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

from outwarden.events import Link
from outwarden.sources.message.archives import Holding, held_by
from outwarden.sources.message.bodies_met import LARGEST_BYTES, SMALLEST_BYTES, BodiesMet, Body
from outwarden.sources.message.decoding import ENCODINGS, content_of, text_of
from outwarden.sources.message.examined import Attachment, Examined, Fault
from outwarden.sources.message.filter_headers import filter_verdict
from outwarden.sources.message.header import Fields, first, mailboxes_of, parameters_of, readable
from outwarden.sources.message.link_services import LinkServices, known_services
from outwarden.sources.message.links import links_in_text, read_link
from outwarden.sources.message.page import addresses_of, seen_text
from outwarden.sources.message.parts import Part, read_header, read_parts
from outwarden.sources.message.unwrapping import unwrapped

MOST_TEXT_BYTES = 524_288
MOST_LINKS = 100
MOST_LINKS_READ = 2_000
MOST_LINKS_BEYOND_ASCII = 300
MOST_ATTACHMENTS = 100
MOST_ATTACHED_BYTES = 16_777_216
_LONGEST_SUBJECT = 1_000
_LONGEST_MESSAGE_ID = 998
_LONGEST_NAME = 255

_TEXT_TYPES = frozenset(("text/plain", "text/html", "application/xhtml+xml", "text", ""))
# RFC 5322 section 3.6.5, and what mail clients in other languages put there.
_REPLY = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|ynt|rif|ref|res|r|回复|答复)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:\uff1a]",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_]{2,40}")
_MOST_NAMES = 60
_ONCE = (b"from", b"subject", b"content-type", b"message-id", b"to")
_PAGE_NAMES = (".htm", ".html", ".shtml", ".svg")
_LOOKS_LIKE_HTML = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_MET = BodiesMet()
_SCHEMES_WITHOUT_HOST = ("mailto:", "cid:", "data:", "tel:", "#", "mid:", "sms:", "javascript:")


def examine(message: bytes, trusted: Collection[str] = (), services: LinkServices | None = None) -> Examined:
    """Return what the message says and carries.

    ``trusted`` are the headers whose verdict the site believes, such as ``X-Spam-Flag``; ``services`` the shorteners
    and storage services, if not those that the program knows.
    """
    fields, body, faults = _read_once(message) if services is None else _read(message, services)
    subject = readable(first(fields, b"subject"))[:_LONGEST_SUBJECT]
    if any(len(fields.get(name, ())) > 1 for name in _ONCE):
        faults.add(Fault.FIELD_TWICE)
    message_id = first(fields, b"message-id").decode("utf-8", "replace")[:_LONGEST_MESSAGE_ID]
    return Examined(
        size=len(message),
        subject=subject,
        message_id=message_id.strip() or None,
        from_addresses=tuple(dict.fromkeys(one for value in fields.get(b"from", ()) for one in mailboxes_of(value))),
        reply=bool(first(fields, b"in-reply-to") or first(fields, b"references") or _REPLY.match(subject)),
        list_mail=b"list-id" in fields or b"list-unsubscribe" in fields,
        automatic=_is_automatic(fields),
        filter_verdict=filter_verdict(fields, trusted) if trusted else None,
        links=body.links,
        urls=body.urls,
        attachments=body.attachments,
        sketch=body.sketch(_names(fields)),
        faults=tuple(sorted(faults)),
    )


def _read_once(message: bytes) -> tuple[Fields, Body, set[Fault]]:
    """Return the header, the body and what is wrong; a body that was met before is not read again."""
    if not SMALLEST_BYTES <= len(message) <= LARGEST_BYTES:
        return _read(message, known_services())
    fields, start = read_header(message)
    octets = message[start:]
    body = _MET.find(fields, octets)
    if body is not None:
        return fields, body, set()
    fields, body, faults = _read(message, known_services())
    if not faults:
        _MET.remember(fields, octets, body)
    return fields, body, faults


def _read(message: bytes, services: LinkServices) -> tuple[Fields, Body, set[Fault]]:
    """Return the header, the body and what is wrong with it."""
    parts = read_parts(message)
    reading = _Reading(message, parts.faults, services)
    for part in parts.parts:
        reading.read(part)
    links, urls = reading.links()
    return parts.fields, Body(links, urls, tuple(reading.attachments), reading.texts()), reading.faults


def _is_automatic(fields: Fields) -> bool:
    """RFC 3834 section 5: anything but ``no``; before it there was Precedence."""
    said = first(fields, b"auto-submitted").partition(b";")[0].strip().lower()
    return said not in (b"", b"no") or first(fields, b"precedence").strip().lower() in (b"bulk", b"junk", b"auto_reply")


def _names(fields: Fields) -> set[str]:
    """Return the words that the recipients are called by in the header."""
    named = b" ".join((first(fields, b"to"), first(fields, b"cc")))[:2_000]
    return set(_NAME_WORD.findall(readable(named).lower())[:_MOST_NAMES])


class _Reading:
    """What is gathered from part to part."""

    def __init__(self, message: bytes, faults: set[Fault], services: LinkServices) -> None:
        self.faults = faults
        self.attachments: list[Attachment] = []
        self._message = message
        self._services = services
        self._written: dict[str, None] = {}
        self._texts: dict[bool, list[str]] = {True: [], False: []}
        self._beyond_ascii_left = MOST_LINKS_BEYOND_ASCII
        self._text_left = MOST_TEXT_BYTES
        self._encoded_left = 3 * MOST_TEXT_BYTES
        self._attached_left = MOST_ATTACHED_BYTES

    def read(self, part: Part) -> None:
        """Read one part, as the text or the attachment that it is."""
        disposition, about = parameters_of(first(part.fields, b"content-disposition"))
        name = about.get("filename") or part.parameters.get("name") or ""
        is_text = part.type in _TEXT_TYPES or part.type.startswith("message/")
        if disposition == "attachment" or name or not is_text:
            self._attach(part, name)
        # An attached page is opened with one click: its links count, its text is nobody's letter.
        if is_text or part.type.startswith("text/") or name.lower().endswith(_PAGE_NAMES):
            self._read_text(part, is_letter=is_text and disposition != "attachment")

    def _read_text(self, part: Part, is_letter: bool) -> None:
        body = self._message[part.start : min(part.end, part.start + self._encoded_left)]
        self._encoded_left -= len(body)
        content, whole = content_of(body, part.encoding)
        if not whole:
            self.faults.add(Fault.BAD_ENCODING if part.encoding in ENCODINGS else Fault.UNKNOWN_ENCODING)
        if len(content) > self._text_left or part.end - part.start > len(body):
            self.faults.add(Fault.TEXT_TOO_LONG)
            content = content[: self._text_left]
        self._text_left -= len(content)
        text = self._decoded(content, part.parameters.get("charset"))
        is_page = part.type in {"text/html", "application/xhtml+xml"} or _LOOKS_LIKE_HTML.match(content) is not None
        if part.type == "text/plain" and part.parameters.get("delsp", "").lower() == "yes":
            # RFC 3676 section 4.2: a space before a line end was put there to break the line.
            text = text.replace(" \r\n", "").replace(" \n", "")
        if is_page or part.type not in {"text/plain", "text", ""}:
            self._note(addresses_of(text))
            text = seen_text(text)
        self._note(links_in_text(text))
        if is_letter:
            self._texts[is_page].append(text)

    def _decoded(self, content: bytes, charset: str | None) -> str:
        text, true = text_of(content, charset or "utf-8")
        # A part that names no charset does not lie about it.
        if charset and not true:
            _, known = text_of(b"", charset)
            self.faults.add(Fault.WRONG_CHARSET if known else Fault.UNKNOWN_CHARSET)
        return text.replace("\0", "") if "\0" in text else text

    def _note(self, written: Iterable[str]) -> None:
        for one in written:
            if len(self._written) >= MOST_LINKS_READ:
                self.faults.add(Fault.TOO_MANY_LINKS)
                return
            if one in self._written or one.startswith(_SCHEMES_WITHOUT_HOST):
                continue
            if not one.isascii():
                if self._beyond_ascii_left == 0:
                    self.faults.add(Fault.TOO_MANY_LINKS)
                    continue
                self._beyond_ascii_left -= 1
            self._written[one] = None

    def links(self) -> tuple[tuple[Link, ...], tuple[str, ...]]:
        """Return the links by what can be blocked, and the pages themselves."""
        links: dict[Link, None] = {}
        urls: dict[str, None] = {}
        for written in self._written:
            address = read_link(written)
            if address is None:
                continue
            address = unwrapped(address)
            urls[address.url] = None
            links[self._services.link_to(address)] = None
        if len(links) > MOST_LINKS or len(urls) > MOST_LINKS:
            self.faults.add(Fault.TOO_MANY_LINKS)
        return tuple(links)[:MOST_LINKS], tuple(urls)[:MOST_LINKS]

    def _attach(self, part: Part, name: str) -> None:
        if len(self.attachments) >= MOST_ATTACHMENTS:
            self.faults.add(Fault.TOO_MANY_ATTACHMENTS)
            return
        length = part.end - part.start
        digest = ""
        held = Holding()
        size = length * 3 // 4 if part.encoding == "base64" else length
        if size > self._attached_left:
            self.faults.add(Fault.ATTACHMENT_TOO_LARGE)
        else:
            content, whole = content_of(self._message[part.start : part.end], part.encoding)
            size = len(content)
            self._attached_left -= size
            digest = hashlib.sha256(content).hexdigest()
            held = held_by(content)
            if not whole:
                self.faults.add(Fault.BAD_ENCODING)
            if not held.whole:
                self.faults.add(Fault.BAD_ARCHIVE)
        base = name.replace("\\", "/").rpartition("/")[2].replace("\0", "")[:_LONGEST_NAME]
        self.attachments.append(Attachment(base, part.type, size, digest, held.names, held.encrypted))

    def texts(self) -> tuple[str, ...]:
        """Return what a reader sees: the HTML, and for where that says next to nothing the plain text."""
        return tuple(["\n".join(texts) for is_page in (True, False) if (texts := self._texts[is_page])])
