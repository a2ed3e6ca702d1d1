"""What may happen to a case.  Each has an id made from what it is, so that one told twice counts once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
import xxhash

from outwarden.cases.policy import Role
from outwarden.cases.response_requests import Answer
from outwarden.cases.subscriber import Subject
from outwarden.cases.troubles import Trouble


class Signal(StrEnum):
    """News from outside that a playbook may wait for, besides evidence and the answers to its own steps."""

    OWNER_ANSWERED = "owner-answered"
    OWNER_PUT_RIGHT = "owner-put-right"
    NOTICE_BOUNCED = "notice-bounced"
    ACCOUNT_GIVEN_BACK = "account-given-back"
    LISTING_ENDED = "listing-ended"
    QUEUE_NORMAL = "queue-normal"
    TAKEDOWN_ANSWERED = "takedown-answered"


class Evidence(msgspec.Struct, frozen=True, tag="evidence", tag_field="type"):
    """Something is held against a subject.

    ``points`` are the ledger's, 0 where nothing was counted; ``text`` says it in words and ``raw`` has the lines that
    prove it.  ``beside`` are further subjects that belong to it: the client address, the script.  ``opens``: whether
    it opens a case where none is open; None where its points say, by the policy of the group.
    """

    id: str
    at: datetime
    trouble: Trouble
    subject: Subject
    text: str
    points: float = 0.0
    raw: tuple[str, ...] = ()
    beside: tuple[Subject, ...] = ()
    opens: bool | None = True


class Told(msgspec.Struct, frozen=True, tag="told", tag_field="type"):
    """News from outside about one case."""

    id: str
    at: datetime
    case: str
    signal: Signal
    text: str = ""


class Answered(msgspec.Struct, frozen=True, tag="answered", tag_field="type"):
    """What became of a response that the case asked for."""

    id: str
    at: datetime
    case: str
    request: str
    answer: Answer
    text: str = ""


class Said(msgspec.Struct, frozen=True, tag="said", tag_field="type"):
    """A person says a word of the playbook (or ``resolve``, ``reopen``), and why."""

    id: str
    at: datetime
    case: str
    actor: str
    role: Role
    word: str
    text: str = ""


class Called(msgspec.Struct, frozen=True, tag="called", tag_field="type"):
    """A program says a word of the playbook."""

    id: str
    at: datetime
    case: str
    actor: str
    word: str
    text: str = ""


class TimeCame(msgspec.Struct, frozen=True, tag="time", tag_field="type"):
    """What the case waited for by the clock may be due."""

    id: str
    at: datetime
    case: str


class Noted(msgspec.Struct, frozen=True, tag="noted", tag_field="type"):
    """A person writes something down."""

    id: str
    at: datetime
    case: str
    actor: str
    role: Role
    text: str


class Assigned(msgspec.Struct, frozen=True, tag="assigned", tag_field="type"):
    """A person gives the case to somebody; to nobody where ``to`` is empty."""

    id: str
    at: datetime
    case: str
    actor: str
    role: Role
    to: str


OfCase = Told | Answered | Said | Called | TimeCame | Noted | Assigned
"""What is about one case."""
Happening = Evidence | OfCase


def happening_id(*parts: object) -> str:
    """Return an id: 32 hexadecimal digits from what a happening is."""
    return xxhash.xxh3_128_hexdigest("\x1f".join(map(str, parts)).encode("utf-8", "backslashreplace"))
