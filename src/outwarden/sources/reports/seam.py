"""Where a report's own words end and the message that it returns begins, when no part of its own holds it.

Mail servers announce it in words, or just begin with its header; the first of both is the seam.
"""

import re

_ANNOUNCED = re.compile(
    r"^[ \t>|*=_.-]{0,80}"
    r"(?:(?:the )?(?:header and )?(?:body of )?(?:your |the )?(?:original|unsent|returned|rejected|bounced|undelivered)"
    r"(?: e?-?mail)?(?: message)?(?: as received)?(?: is)?(?: header[s]?)?(?: (?:text|body))?(?: (?:follows|as follows|"
    r"is as follows|below|attached))?[ \t]*[:.]?[ \t=*|>-]*$"
    r"|below (?:this line )?is (?:a copy|the)|this is a copy of the|here is (?:a copy|your returned)|included is a copy"
    r"|a copy of the original message|(?:the )?(?:message|original) (?:header|headers|text|body|contents?)"
    r"(?: and (?:top|first)[^\n:]{0,40})? (?:follows?|is below)|the header(?:s)? (?:and|of)[^\n]{0,60} follow"
    r"|the following (?:is|are) (?:the|a copy of)[^\n]{0,40}(?:header|message)"
    r"|begin(?: of)? (?:forwarded|returned|original) message|message header removed"
    r"|copy of (?:the )?(?:original |your )?message|start of (?:the )?(?:original|returned))",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(
    r"^(?:> ?)?(?:Return-Path|Received|DKIM-Signature|DomainKey-Signature|X-Google-DKIM-Signature|ARC-Seal"
    r"|X-Google-Smtp-Source|X-Yahoo-Newman-[\w-]{1,20}|X-Originating-IP|X-Envelope-From|Delivered-To"
    r"|Message-ID|MIME-Version)[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD = re.compile(r"(?:> ?)?[A-Za-z][A-Za-z0-9-]{1,40}[ \t]?:(?:[ \t]|$)")


def cut_at_the_original(text: str) -> tuple[str, str]:
    """Return what a report says, and what it returns."""
    announced = _ANNOUNCED.search(text)
    end = announced.start() if announced else len(text)
    header = _HEADER.search(text, 0, end)
    if header is not None:
        end = _block_start(text, header.start())
        return text[:end], text[end:]
    if announced is None:
        return text, ""
    # What is announced as the message may be a line of words still; its header begins at its first field.
    after = text.find("\n", announced.end())
    return text[:end], text[after + 1 :] if after >= 0 else ""


def _block_start(text: str, place: int) -> int:
    """Return where the fields begin that stand directly above the one at ``place``."""
    for _ in range(30):
        before = text.rfind("\n", 0, place - 1) + 1 if place > 0 else 0
        if place == 0 or before == place or _FIELD.match(text, before, place) is None:
            return place
        place = before
    return place
