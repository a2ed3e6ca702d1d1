"""Findings: what is held against an account or a server, in points and in words."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """Is this server sending spam?"""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """How an account stands."""

    NORMAL = "normal"
    WATCHED = "watched"
    HELD = "held"
    BLOCKED = "blocked"
    PROBATION = "probation"


class Stream(StrEnum):
    """Where a piece of evidence comes from; evidence inside one stream is correlated."""

    VOLUME = "volume"
    UNKNOWN_RECIPIENTS = "unknown-recipients"
    REFUSED = "refused"
    NETWORK = "network"
    SAME_MESSAGE = "same-message"
    BOUNCES_RETURNED = "bounces-returned"
    SERVER = "server"


class Finding(msgspec.Struct, frozen=True):
    """One entry of the ledger: about ln(likelihood ratio) in points, why in words, and proof.

    ``evidence`` holds log lines or event ids.
    """

    rule: str
    points: float
    text: str
    at: datetime | None
    evidence: tuple[str, ...] = ()
