"""The policy of cases: who may do what, from how many points a case opens, and what repeated offences lead to.

It is a TOML file; what it does not say is as below.  Each group of subscribers may differ.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from typing import Any

import msgspec

from outwarden.cases.response_requests import ResponseName
from outwarden.cases.toml_lines import Lines, hint


class CasePolicyError(ValueError):
    """A policy that cannot be used; the text says where, why, and what to write instead."""


class Role(StrEnum):
    """What a person may do; each may do what the one before may."""

    READER = "reader"
    DESK = "desk"
    LEAD = "lead"
    ADMINISTRATOR = "administrator"

    def may(self, least: Role) -> bool:
        """Return whether this role is enough where ``least`` is needed."""
        order = list(Role)
        return order.index(self) >= order.index(least)


class Measure(StrEnum):
    """What an offence leads to."""

    WARN = "warn"
    LOCK = "lock"
    END_SERVICE = "end-service"


class Rights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least role for each deed at the desk; a playbook may ask for more for its own words."""

    note: Role = Role.DESK
    assign: Role = Role.DESK
    step: Role = Role.DESK
    resolve: Role = Role.DESK
    reopen: Role = Role.DESK


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Repeated offences within ``within_days``: from which number on the account is locked, and the service ended."""

    within_days: int = 365
    lock_from: int = 3
    """Locked until somebody one level up unlocks it; 0: never."""
    end_service_from: int = 0
    """The end of the service is asked for; 0: never."""

    def measure(self, offence: int) -> Measure:
        """Return what an offence of this number leads to, counted from 1."""
        if 0 < self.end_service_from <= offence:
            return Measure.END_SERVICE
        return Measure.LOCK if 0 < self.lock_from <= offence else Measure.WARN


class GroupPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for one group of subscribers.

    A case opens from ``opens_from_points`` on; evidence that counts no points (a listing, a queue) opens one always.
    ``confirm`` are the responses that a person has to say yes to.
    """

    opens_from_points: float = 9.0
    confirm: frozenset[ResponseName] = frozenset({ResponseName.END_SERVICE, ResponseName.SEND_TAKEDOWN})
    repeats: Repeats = Repeats()


class CasePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a site decides about its cases; ``groups`` has the policy of each group of subscribers."""

    may: Rights = Rights()
    groups: dict[str, GroupPolicy] = {}
    lock_everybody: bool = False
    """Said by whoever really wants the first offence of everybody to lock the account."""

    def of_group(self, group: str) -> GroupPolicy:
        """Return the policy of a group, of ``default`` where it has none of its own."""
        return self.groups.get(group) or self.groups.get("default") or GroupPolicy()


def read_case_policy(text: str) -> CasePolicy:
    """Read a policy from TOML.  Raises ``CasePolicyError``, naming line, key and cure."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CasePolicyError(f"{error}; correct the TOML") from error
    lines = Lines(text)
    _refuse_unknown_responses(tables, lines)
    try:
        policy = msgspec.convert(tables, CasePolicy)
    except msgspec.ValidationError as error:
        raise CasePolicyError(_in_words(str(error), tables, lines)) from error
    for group in policy.groups:
        _check(policy, group, lines)
    return policy


def _refuse_unknown_responses(tables: dict[str, Any], lines: Lines) -> None:
    groups = tables.get("groups")
    for name, group in groups.items() if isinstance(groups, dict) else ():
        wanted = group.get("confirm") if isinstance(group, dict) else None
        for response in wanted if isinstance(wanted, list) else ():
            if response not in list(ResponseName):
                where = ("groups", name, "confirm")
                raise CasePolicyError(
                    lines.said(where, f"no response {response!r}; {hint(response, list(ResponseName))}")
                )


def _check(policy: CasePolicy, group: str, lines: Lines) -> None:
    here, repeats = policy.groups[group], policy.groups[group].repeats
    where = ("groups", group)
    if not here.opens_from_points > 0:
        raise CasePolicyError(lines.said((*where, "opens_from_points"), "must be above 0; write for instance 9.0"))
    for key in ("within_days", "lock_from", "end_service_from"):
        if getattr(repeats, key) < 0 or (key == "within_days" and repeats.within_days == 0):
            raise CasePolicyError(lines.said((*where, "repeats", key), f"{getattr(repeats, key)} is too little"))
    for key in ("lock_from", "end_service_from"):
        if getattr(repeats, key) == 1 and not policy.lock_everybody:
            message = "1 would lock everybody at the first offence; write 2 or more, or lock_everybody = true on top"
            raise CasePolicyError(lines.said((*where, "repeats", key), message))


_UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")


def _in_words(error: str, tables: dict[str, Any], lines: Lines) -> str:
    sentence, _, place = error.partition(" - at `$")
    path = [part for part in place.rstrip("`").replace("[...]", ".[]").split(".") if part]
    if "[]" in path:
        path[path.index("[]")] = _faulty_group(tables)
    unknown = _UNKNOWN.search(sentence)
    if unknown is None:
        return lines.said(tuple(path), sentence)
    return lines.said((*path, unknown[1]), f"unknown key; {hint(unknown[1], _keys_at(path))}")


def _faulty_group(tables: dict[str, Any]) -> str:
    for name, group in tables["groups"].items():
        try:
            msgspec.convert(group, GroupPolicy)
        except msgspec.ValidationError:
            return str(name)
    return ""


def _keys_at(path: list[str]) -> list[str]:
    struct: Any = {"": CasePolicy, "may": Rights, "groups": GroupPolicy}[path[0] if path else ""]
    if path[2:] == ["repeats"]:
        struct = Repeats
    return [field.encode_name for field in msgspec.structs.fields(struct)]
