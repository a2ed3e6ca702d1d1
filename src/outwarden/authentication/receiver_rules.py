"""How much each check matters, to whom, and by which standard: read from ``receiver_rules.toml``."""

import tomllib
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple


class Severity(StrEnum):
    """How much it matters when a check fails."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Rule(NamedTuple):
    """The severity of a check, who wants it and why, and the standard."""

    severity: Severity
    why: str
    standard: str


def read_rules(text: str) -> dict[str, Rule]:
    """Return the rules of a table: check = [severity, why, standard]."""
    return {
        name: Rule(Severity(severity), why, standard) for name, (severity, why, standard) in tomllib.loads(text).items()
    }


RULES = read_rules(files("outwarden.authentication").joinpath("receiver_rules.toml").read_text(encoding="utf-8"))
