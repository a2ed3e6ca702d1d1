"""The policy of a site: at how many points mail is held and an account blocked, and how a hold lets mail go.

A policy is a TOML file.  It may begin from a shipped one (``extends = "university"``) and say only what differs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from outwarden.detection.limits.settings import LimitSettings
from outwarden.detection.live.declared_networks import is_network_or_as
from outwarden.detection.live.ledger import STREAM_NAMES
from outwarden.events import Action

SHIPPED_POLICIES = ("company", "university", "hoster", "isp")


class PolicyError(ValueError):
    """A policy that cannot be used; the text says where and why."""


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points from which mail is held and, with two proofs, an account blocked."""

    hold: float = 6.0
    block: float = 9.0


class Quantity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New recipients an hour beyond which mail is held whatever the points; of all recipients twice as many."""

    floor: int = 60
    times_record: float = 3.0
    bulk_from: int = 300
    """Who once had so many recipients in an hour is a bulk sender: his mail from a new network is held."""


class Probing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a hold lets recipients go: ``first``, then twice as many each minute, as long as the answers are good."""

    first: int = 4
    below: float = 7.5
    """From so many points on, with hard evidence, only ``blind`` recipients are let out, to see the answers."""
    blind: int = 40
    trust_floor: int = 150
    trust_times_record: float = 2.0
    """Beyond the larger of both a day only a person lets mail go;"""
    clean_times: int = 6
    """so many times as much where nothing but quantity speaks against the account and the answers are good."""
    clean_answers: int = 12
    """So many good answers end a hold that nothing but quantity led to."""


class Probation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After an account is given back: how many days, how many points earlier mail is held, which share of quantity."""

    days: float = 7.0
    points: float = 1.5
    share: float = 0.25


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Repeat offenders: how many points earlier per offence of the last ``days``, and at most."""

    days: float = 365.0
    points: float = 0.5
    most: float = 2.0


class BulkAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared bulk sender: from which networks it sends, and to which domains it links; empty means any."""

    networks: frozenset[str] = frozenset()
    link_domains: frozenset[str] = frozenset()


class Streams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Streams that are switched off."""

    off: frozenset[str] = frozenset()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a site decides; the defaults stand for a university or a middling provider."""

    thresholds: Thresholds = Thresholds()
    quantity: Quantity = Quantity()
    probing: Probing = Probing()
    probation: Probation = Probation()
    repeats: Repeats = Repeats()
    streams: Streams = Streams()
    bulk: dict[str, BulkAccount] = {}
    hold_as: Action = Action.HOLD
    """*hold*, or *defer* where the mail server cannot hold."""
    limits: LimitSettings = LimitSettings()


def read_policy(text: str) -> Policy:
    """Read a policy from TOML.  Raises ``PolicyError``, naming line and key."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(error)) from error
    base = tables.pop("extends", None)
    if base is not None and base not in SHIPPED_POLICIES:
        where = _where(text, ("extends",))
        raise PolicyError(f"{where}extends: no policy {base!r} is shipped; {_hint(base, SHIPPED_POLICIES)}")
    merged = _merged(_shipped(base), tables) if base else tables
    hold_as = merged.get("hold_as", "hold")
    if hold_as not in ("hold", "defer"):
        raise PolicyError(f"{_where(text, ('hold_as',))}hold_as: {hold_as!r} is neither 'hold' nor 'defer'")
    try:
        policy = msgspec.convert(merged, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(_said(str(error), merged, text)) from error
    _check(policy, text)
    return policy


@cache
def shipped_policy(name: str) -> Policy:
    """Return a policy of the package: one of ``SHIPPED_POLICIES``.  Raises ``PolicyError``."""
    if name not in SHIPPED_POLICIES:
        raise PolicyError(f"no policy {name!r} is shipped; {_hint(name, SHIPPED_POLICIES)}")
    return msgspec.convert(_shipped(name), Policy)


def _shipped(name: str) -> dict[str, Any]:
    return tomllib.loads(files("outwarden.detection.live").joinpath(f"policies/{name}.toml").read_text("utf-8"))


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _check(policy: Policy, text: str) -> None:
    for unknown in sorted(policy.streams.off - frozenset(STREAM_NAMES)):
        where = _where(text, ("streams", "off"))
        raise PolicyError(f"{where}streams.off: no stream {unknown!r}; {_hint(unknown, STREAM_NAMES)}")
    for account, declared in policy.bulk.items():
        for network in sorted(declared.networks):
            if not is_network_or_as(network):
                raise PolicyError(
                    f"{_where(text, ('bulk', account, 'networks'))}bulk.{account}.networks: {network!r} is neither a "
                    "network, such as '192.0.2.0/24', nor an AS, such as 'AS64500'"
                )
    for table in ("thresholds", "quantity", "probing", "probation", "repeats"):
        for key, value in msgspec.structs.asdict(getattr(policy, table)).items():
            least = 1 if (table, key) in _FROM_ONE else 0
            # Not a number is not at least anything.
            if not value >= least:
                raise PolicyError(f"{_where(text, (table, key))}{table}.{key}: {value} is less than {least}")
    thresholds = policy.thresholds
    if not 0 < thresholds.hold <= thresholds.block:
        where = _where(text, ("thresholds", "hold"), ("thresholds", "block"))
        raise PolicyError(
            f"{where}thresholds: hold ({thresholds.hold:g}) must lie above 0 and not above block ({thresholds.block:g})"
        )


def _said(error: str, merged: dict[str, Any], text: str) -> str:
    """Turn msgspec's sentence into one with a line and, for an unknown key, the likely right one."""
    sentence, _, place = error.partition(" - at `$")
    in_bulk = place.startswith(".bulk[...]")
    path = [part.partition("[")[0] for part in place.replace("[...]", "").rstrip("`").split(".")[1:]]
    if in_bulk:
        path.insert(1, _wrongly_declared(merged["bulk"]))
    unknown = re.search(r"contains unknown field `([^`]*)`", sentence)
    if unknown:
        keys = _keys_of(path)
        return f"{_where(text, (*path, unknown[1]))}unknown key {unknown[1]!r}; {_hint(unknown[1], keys)}"
    return f"{_where(text, path)}{'.'.join(path)}: {sentence}"


def _wrongly_declared(bulk: dict[str, Any]) -> str:
    for account, declared in bulk.items():
        try:
            msgspec.convert(declared, BulkAccount)
        except msgspec.ValidationError:
            return account
    return ""


def _keys_of(path: list[str]) -> tuple[str, ...]:
    """Return the keys that a table may have."""
    struct: Any = Policy
    if path[:1] == ["bulk"]:
        struct, path = BulkAccount, path[:1]
    else:
        for table in path:
            struct = next(field.type for field in msgspec.structs.fields(struct) if field.name == table)
    keys = tuple(field.encode_name for field in msgspec.structs.fields(struct))
    return keys if path else ("extends", *keys)


_FROM_ONE = (("probing", "first"), ("quantity", "floor"))
_KEY = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_SETS = re.compile(rf"\s*(\[*)\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*[\]=]")


def _where(text: str, *paths: Iterable[str]) -> str:
    """Return the line that sets one of these keys, or failing that the table it stands in."""
    wanted = [tuple(path) for path in paths]
    deepest = found = 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        sets = _SETS.match(line)
        if sets is None:
            continue
        keys = tuple(key.strip("\"'") for key in re.findall(_KEY, sets[2]))
        if sets[1]:
            table, keys = keys, ()
        here = (*table, *keys)
        for path in wanted:
            depth = min(len(here), len(path))
            if here[:depth] == path[:depth] and depth > deepest:
                deepest, found = depth, number
    return f"line {found}: " if found else ""


def _hint(wrong: object, names: tuple[str, ...]) -> str:
    near = get_close_matches(str(wrong), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
