"""The timeline of a case: what was found, decided, asked for, answered, said and noted, in order.

Each entry has two forms: ``text`` can be shown to the subscriber and to strangers, ``raw`` is what the desk sees.  In
the first, mailboxes of others are masked.  Known limit: a name or a subject line in the words of a finding is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import islice

import msgspec

MOST_LINES = 50
MOST_LETTERS = 2_000

_MAILBOX = re.compile(r"([^\s<>@,;:\"'()=\[\]]{1,64})@([^\s<>@,;:\"'()=\[\]]{1,255})")


class EntryKind(StrEnum):
    """What an entry tells of."""

    EVIDENCE = "evidence"
    STATE = "state"
    REQUEST = "request"
    ANSWER = "answer"
    SAID = "said"
    NOTE = "note"
    NEWS = "news"


class Entry(msgspec.Struct, frozen=True):
    """One entry.  ``at`` is when it happened, ``happening`` the id of what led to it, ``actor`` whoever did it."""

    kind: EntryKind
    at: datetime
    happening: str
    text: str
    raw: tuple[str, ...] = ()
    actor: str = ""


def redacted(text: str, own: Iterable[str] = ()) -> str:
    """Return ``text`` with the local part of every mailbox masked but those of the subscriber's own accounts."""
    known = {account.lower() for account in own}

    def masked(match: re.Match[str]) -> str:
        return match[0] if match[0].lower() in known else f"{match[1][0]}...@{match[2]}"

    return _MAILBOX.sub(masked, text)


def kept(lines: Iterable[str]) -> tuple[str, ...]:
    """Return raw lines as a case keeps them: the first fifty, each of 2,000 letters at most."""
    return tuple(line[:MOST_LETTERS] for line in islice(lines, MOST_LINES))
