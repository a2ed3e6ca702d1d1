"""Tag lists, ``v=DKIM1; k=rsa; p=...``, in which DKIM, DMARC, MTA-STS and TLS-RPT write their records.

The common grammar is RFC 6376 section 3.2; what a tag means is the affair of each standard.
"""

import re

_WHITE = " \t\r\n"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*+")
_LONGEST = 65_535  # No DNS message holds more, and no header should.


class MalformedTags(ValueError):
    """The text is no tag list; the message says where it stops being one."""


def parse_tags(text: str) -> dict[str, str]:
    """Return tags and values in their order, white space around both removed.  Raises MalformedTags.

    A tag that stands twice makes the list useless (RFC 6376 section 3.2).
    """
    if len(text) > _LONGEST:
        raise MalformedTags("is longer than any record")
    tags: dict[str, str] = {}
    pieces = text.split(";")
    if not pieces[-1].strip(_WHITE):
        pieces.pop()  # One ";" may end the list.
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip(_WHITE)
        if not equals or not _NAME.fullmatch(name):
            raise MalformedTags(f'has "{piece.strip(_WHITE)[:40]}", which is no tag=value')
        if name in tags:
            raise MalformedTags(f'has the tag "{name}" twice')
        tags[name] = value.strip(_WHITE)
    return tags


def without_white_space(value: str) -> str:
    """Return a value that may be folded, such as base64, in one piece."""
    return "".join(value.split())


def words(value: str) -> tuple[str, ...]:
    """Return the words of a value that separates them by colons."""
    return tuple(word.strip(_WHITE) for word in value.split(":"))
