"""The header of a message or of one of its parts: fields, parameters, mailboxes and encoded words.

Reads what RFC 5322, RFC 2045, RFC 2047 and RFC 2231 describe and what breaks them, in time that grows with the
length alone.  It does not judge: a field that stands twice is there twice.
"""

import re
from binascii import a2b_qp
from urllib.parse import unquote_to_bytes

from outwarden.events import mailbox
from outwarden.sources.message.decoding import base64_bytes, text_of

MOST_HEADER_BYTES = 262_144
MOST_FIELDS = 2_000
_LONGEST_VALUE = 16_384
_LONGEST_PARAMETERS = 4_096
_MOST_MAILBOXES = 50
_MOST_COMMENTS = 5  # One in the other.

Fields = dict[bytes, list[bytes]]
"""The values of each field, unfolded, under its name in lower case."""

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_PARAMETER = re.compile(rb";[ \t]*([^\s=;]{1,80})[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\s]*))", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,2}))?(\*)?")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]{0,4096})\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]+(?==\?)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_IN_BRACKETS = re.compile(r"<([^<>\s]{1,320})>")
_MAILBOX = re.compile(r"[^\s<>,;:\"()@]{1,64}@[^\s<>,;:\"()@]{1,255}")


def read_fields(block: bytes) -> Fields:
    """Return the fields of a header, the first ``MOST_FIELDS`` of them; lines that are no field are left out."""
    fields: Fields = {}
    for line in _FOLD.sub(b"", block).split(b"\n", MOST_FIELDS)[:MOST_FIELDS]:
        name, colon, value = line.partition(b":")
        if colon and name:
            fields.setdefault(name.rstrip().lower(), []).append(value.strip()[:_LONGEST_VALUE])
    return fields


def first(fields: Fields, name: bytes) -> bytes:
    """Return the first value of a field, empty where there is none."""
    values = fields.get(name)
    return values[0] if values else b""


def readable(value: bytes) -> str:
    """Return a value in words: encoded words (RFC 2047) decoded, those that are broken left as they are."""
    text = value.decode("ascii") if value.isascii() else text_of(value, "utf-8")[0]
    if "=?" not in text:
        return text
    return _decoded_words(_BETWEEN_WORDS.sub("", text))


def _decoded_words(text: str) -> str:
    """Decode each run of encoded words of one charset as one, as letters may be split between two."""
    pieces: list[str] = []
    run, charset, end = b"", "", 0
    for word in _ENCODED_WORD.finditer(text):
        # RFC 2231 section 5: a language may follow the charset.
        named = word[1].partition("*")[0].lower()
        content = _word_bytes(word[2], word[3])
        if word.start() == end and named == charset:
            run += content
            end = word.end()
            continue
        pieces += (text_of(run, charset)[0] if run else "", text[end : word.start()])
        run, charset, end = content, named, word.end()
    pieces += (text_of(run, charset)[0] if run else "", text[end:])
    return "".join(pieces)


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "surrogatepass")
    return base64_bytes(raw)[0] if encoding in "bB" else a2b_qp(raw, header=True)


def parameters_of(value: bytes) -> tuple[str, dict[str, str]]:
    """Return what a Content-Type or Content-Disposition says, in lower case, and its parameters.

    Of a parameter that stands twice the first counts.  One in sections (RFC 2231) is put together.
    """
    kind = text_of(value.partition(b";")[0].strip().lower(), "ascii")[0]
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, bytes]] = {}
    charsets: dict[str, str] = {}
    for written, quoted, bare in _PARAMETER.findall(value, 0, _LONGEST_PARAMETERS):
        name = text_of(written.lower(), "ascii")[0]
        content = _ESCAPE.sub(rb"\1", quoted) if quoted else bare
        section = _SECTION.fullmatch(name) if "*" in name else None
        if section is None:
            plain.setdefault(name, readable(content))
            continue
        place = int(section[2] or 0)
        if section[3]:
            if place == 0 and content.count(b"'") >= 2:
                charset, _, content = content.split(b"'", 2)
                charsets.setdefault(section[1], text_of(charset.lower(), "ascii")[0])
            content = unquote_to_bytes(content)
        sections.setdefault(section[1], {}).setdefault(place, content)
    for name, pieces in sections.items():
        whole = b"".join(pieces[place] for place in sorted(pieces))
        plain.setdefault(name, text_of(whole, charsets.get(name, "utf-8"))[0])
    return kind, plain


def mailboxes_of(value: bytes) -> list[str]:
    """Return the mailboxes that a From or To names; what a display name only looks like is none."""
    # Not with encoded words decoded: what is in them is part of a name, whatever signs it has.
    text = text_of(value, "utf-8")[0]
    text = _QUOTED.sub(" ", text)
    for _ in range(_MOST_COMMENTS if "(" in text else 0):
        text = _COMMENT.sub(" ", text)
    found = [one for one in _IN_BRACKETS.findall(text)[:_MOST_MAILBOXES] if "@" in one]
    rest = _IN_BRACKETS.sub(" ", text)
    if not found or "," in rest:
        # A display name without quotes may hold an address; only a list has further mailboxes beside <...>.
        for entry in rest.split(",")[:_MOST_MAILBOXES] if found else [rest]:
            found += [entry.strip()] if _MAILBOX.fullmatch(entry.strip()) else []
        found = found or _MAILBOX.findall(rest)[:_MOST_MAILBOXES]
    return [str(mailbox(one)) for one in found]
