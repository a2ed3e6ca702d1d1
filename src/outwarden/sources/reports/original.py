"""The message that a report is about: out of the header it returns, its own fields, and its machine-readable part."""

from __future__ import annotations

import re

from outwarden.sources.message.header import Fields, first, mailboxes_of, read_fields, readable
from outwarden.sources.reports.addresses import typed_address
from outwarden.sources.reports.records import Original

_QUOTED = re.compile(rb"^[ \t]*> ?", re.MULTILINE)
_INDENT = re.compile(rb"^[ \t]+(?=[A-Za-z][\w-]{1,40}:)", re.MULTILINE)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,996})>")
_ENVELOPE_FROM = re.compile(
    rb"envelope[- ](?:from|sender)[: ]{1,3}<?([^<>\s()]{1,128}@[^<>\s()]{1,255})", re.IGNORECASE
)
_IN_WORDS = re.compile(
    r"^[ \t>]*(?:original[ -])?message-?[ ]?id[ \t]*:[ \t]*<?([^<>\s]{1,996}@[^<>\s]{1,255})>?", re.I | re.M
)
_SUBJECT_IN_WORDS = re.compile(
    r"^[ \t>]*(?:subject|betreff|objet|asunto|oggetto|assunto)[ \t]*:[ \t]*([^\n]{1,998})", re.I | re.M
)
_QUEUE_ID = re.compile(r"[A-Za-z0-9-]{5,40}")
LONGEST_SUBJECT = 1_000


def returned_fields(returned: bytes) -> Fields:
    """Return the header of the original, from the beginning of what is returned."""
    block = returned.lstrip(b"\n")
    if block.startswith((b">", b" >")):
        block = _QUOTED.sub(b"", block)
    elif block[:1] in (b" ", b"\t"):
        block = _INDENT.sub(b"", block)
    head, _, rest = block.partition(b"\n\n")
    fields = read_fields(head)
    if len(fields) < 2 and rest:
        # Some put a line of words above the header.
        fields = read_fields(rest.partition(b"\n\n")[0])
    return fields


def original_of(fields: Fields, of_message: Fields, returned: Fields, text: str) -> Original:
    """Return what is told: ``fields`` are the report's, ``of_message`` those of its machine-readable part."""
    queue_id = _QUEUE_ID.fullmatch(first(of_message, b"x-postfix-queue-id").decode("latin-1"))
    envelope_id = readable(first(of_message, b"original-envelope-id"))
    return Original(
        message_id=message_id_of(fields, of_message, returned, text),
        sender=envelope_sender(fields, of_message, returned),
        subject=subject_of(returned, text),
        queue_id=queue_id[0] if queue_id else None,
        envelope_id=envelope_id[:LONGEST_SUBJECT] or None,
    )


def message_id_of(fields: Fields, of_message: Fields, returned: Fields, text: str) -> str | None:
    """Return the original's Message-ID, in angle brackets."""
    for value in (
        *(first(returned, b"message-id"), first(of_message, b"original-message-id")),
        *(first(of_message, b"x-original-message-id"), first(fields, b"x-original-message-id")),
    ):
        written = _written_id(value)
        if written:
            return written
    found = _IN_WORDS.search(text)
    if found:
        return f"<{found[1]}>"
    # Exchange and Google name the original as a reply does.
    return _written_id(first(fields, b"in-reply-to")) or _written_id(first(fields, b"references"))


def _written_id(value: bytes) -> str | None:
    words = value.decode("utf-8", "replace").strip()
    found = _MESSAGE_ID.search(words)
    if found:
        return found[0]
    return f"<{words[:996]}>" if words and "@" in words and " " not in words else None


def subject_of(returned: Fields, text: str) -> str | None:
    """Return the original's Subject, else what a text quotes of it."""
    if b"subject" in returned:
        return readable(first(returned, b"subject"))[:LONGEST_SUBJECT] or None
    found = _SUBJECT_IN_WORDS.search(text)
    return found[1].strip()[:LONGEST_SUBJECT] or None if found else None


def envelope_sender(fields: Fields, of_message: Fields, returned: Fields) -> str | None:
    """Return the envelope sender; what is nearest to the envelope counts."""
    told = typed_address(readable(first(of_message, b"x-postfix-sender")))
    for value in (first(returned, b"return-path"), first(returned, b"x-envelope-from"), _in_received(returned)):
        told = told or next(iter(mailboxes_of(value)), None)
    if told:
        return told
    # RFC 3464 section 2: a report goes to the envelope sender.
    for name, known in ((b"delivered-to", fields), (b"to", fields), (b"from", returned)):
        found = mailboxes_of(first(known, name))
        if len(found) == 1 and "@" in found[0]:
            return found[0]
    return None


def _in_received(returned: Fields) -> bytes:
    for value in returned.get(b"received", ())[:20]:
        found = _ENVELOPE_FROM.search(value)
        if found:
            return b"<" + found[1] + b">"
    return b""
