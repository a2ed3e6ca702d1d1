"""The points of the streams as data: read out of ``weights.toml``, checked, and never changed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Volume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More recipients than ever."""

    highest: float
    floor_new_hour: int
    floor_new_day: int
    floor_recipients_hour: int


class Strangers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Messages to strangers; honest and spamming accounts each as a Beta (bad, good)."""

    lowest: float
    highest: float
    honest: tuple[float, float]
    spamming: tuple[float, float]
    own_messages: float


class OwnRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share against an honest rate that the account's own record sharpens; spamming as a Beta (bad, good)."""

    lowest: float
    highest_by_count: tuple[float, ...]
    honest_rate: float
    honest_weight: float
    spamming: tuple[float, float]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New client networks."""

    by_count: tuple[float, ...]
    abroad: float
    listed_client: float
    highest: float
    usual_rate: float
    damping: float


class ManyLinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many different fresh links."""

    highest: float
    floor: int
    per_doubling: float


class ListedLinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Links that are on a blocklist."""

    by_count: tuple[float, ...]


class SameText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text to many new recipients."""

    highest: float
    floor: int


class SameReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text as a reply in many threads."""

    by_count: tuple[float, ...]


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shared with other suspicious accounts."""

    one: float
    several: float
    blocked: float
    suspicious_from: float


class Complaints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Complaints of recipients."""

    each: float
    highest: float
    usual_per_recipient: float


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The points of every stream."""

    volume: Volume
    strangers: Strangers
    unknown_recipients: OwnRate
    refused: OwnRate
    network: Network
    content_verdict: OwnRate
    fresh_links: OwnRate
    many_links: ManyLinks
    listed_links: ListedLinks
    same_text: SameText
    same_reply: SameReply
    campaign: Campaign
    complaints: Complaints
    foreign_from: OwnRate


def read_weights(text: str) -> Weights:
    """Read weights from TOML.  Raises ``msgspec.ValidationError`` or ``tomllib.TOMLDecodeError``."""
    return msgspec.convert(tomllib.loads(text), Weights)


@cache
def shipped_weights() -> Weights:
    """Return the weights of the package."""
    return read_weights(files("outwarden.detection.live").joinpath("weights.toml").read_text("utf-8"))
