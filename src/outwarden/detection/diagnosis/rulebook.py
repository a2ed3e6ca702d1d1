"""The rules of ``rules.toml``, ready for use, and the rule about what makes one apply."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from outwarden.events import Cause, Signal, WhyNot

EVERY_CLASS = "*"
SEVERITIES = ("info", "low", "medium", "high", "critical")
"""From the lightest to the gravest."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table; ``ours`` is None where the listings do not say whose affair it is."""

    name: str
    cause: Cause
    verdict: str
    severity: str
    all: frozenset[Signal] = frozenset()
    any_of: tuple[frozenset[Signal], ...] = ()
    without: frozenset[str] = frozenset()
    conditions: tuple[str, ...] = ()
    ours: bool | None = None
    pause: str | None = None
    next_steps: tuple[str, ...] = ()

    def fits(self, found: frozenset[Signal]) -> bool:
        """Say whether the classes found are those the rule asks for; its conditions are not looked at."""
        if self.without and not found.isdisjoint(Signal if EVERY_CLASS in self.without else self.without):
            return False
        return self.all <= found and all(group & found for group in self.any_of)


class NotAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a list could not be asked, in words, and what the operator does about it."""

    words: str
    cure: str


class ListsByName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids of the lists about which the rules must know more than the class of their votes."""

    spam_reports: frozenset[str]
    css: frozenset[str]
    doubted: frozenset[str]
    without_traps: frozenset[str]


class NamedInRefusals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"signal": "class"}):
    """What it is worth that refusals name a list: its class, and the lists whose answer settles it."""

    signal: Signal | None = None
    asked_as: frozenset[str] = frozenset()


class Rulebook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"rules": "rule"}):
    """The whole file; ``conditions`` has their words."""

    rules: tuple[Rule, ...]
    conditions: dict[str, str]
    why_not: dict[WhyNot, NotAsked]
    lists: ListsByName
    refusals: dict[str, NamedInRefusals]


@cache
def rulebook() -> Rulebook:
    """Return the rules that are shipped in the package."""
    text = files("outwarden.detection.diagnosis").joinpath("rules.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Rulebook)
