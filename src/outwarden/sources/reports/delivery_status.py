"""The machine-readable part of a delivery status notification (RFC 3464 section 2), and what breaks its rules.

A group ends at an empty line; some writers leave that out, and begin a group with a field that the last one has
already.  At most ``MOST_GROUPS`` are read.
"""

from __future__ import annotations

import re

from outwarden.sources.message.header import Fields, first, read_fields, readable
from outwarden.sources.reports.addresses import bare_name, typed_address
from outwarden.sources.reports.records import Action

MOST_GROUPS = 1_000
_EMPTY = re.compile(rb"\n[ \t]*(?=\n)")
_RECIPIENT_FIELDS = (b"final-recipient", b"original-recipient", b"x-actual-recipient")
_SAID_ONCE = frozenset((b"action", b"status"))
_OF_A_RECIPIENT = frozenset((*_RECIPIENT_FIELDS, b"action", b"status", b"diagnostic-code"))
_BEGINS_A_GROUP = re.compile(rb"(?:final|original)-recipient[ \t]*:", re.IGNORECASE)
STATUS = re.compile(r"(?<![\w.])([245]\.\d{1,3}\.\d{1,3})(?![\w]|\.\d)")
_DIAGNOSTIC_TYPE = re.compile(r"\s*(?:smtp|x-[\w-]{1,30}|dns|unknown|lmtp)\s*;\s*", re.IGNORECASE)
_ACTION = re.compile(r"\s*([a-z]+)", re.IGNORECASE)
# Some write what others would understand.
_SAID_OTHERWISE = {"failure": "failed", "fail": "failed", "delay": "delayed", "deliverable": "delivered"}
_ACTIONS = frozenset(Action)


class StatusGroup:
    """The fields about one recipient; everything as it is written, apart from types and comments."""

    __slots__ = ("action", "address", "diagnostic", "final_address", "name", "status")

    def __init__(self, fields: Fields) -> None:
        original = _recipient(fields, b"original-recipient")
        final = _recipient(fields, b"final-recipient") or _recipient(fields, b"x-actual-recipient")
        self.address = original or final
        self.final_address = final if final != self.address else None
        self.name = bare_name(readable(first(fields, b"final-recipient")))
        self.action = _action(first(fields, b"action").decode("latin-1"))
        found = STATUS.search(first(fields, b"status").decode("latin-1"))
        self.status = found[1] if found else None
        # RFC 3464 section 2.3.6 allows one; some write a line of a reply in each.
        said = " ".join(readable(value) for value in fields.get(b"diagnostic-code", ())[:20])
        typed = _DIAGNOSTIC_TYPE.match(said)
        self.diagnostic = (said[typed.end() :] if typed else said).strip()


def read_groups(block: bytes) -> tuple[Fields, list[StatusGroup]]:
    """Return the fields about the message, and the groups about recipients."""
    of_message: Fields = {}
    groups: list[StatusGroup] = []
    for piece in _EMPTY.sub(b"\n\n", block).split(b"\n\n", MOST_GROUPS)[: MOST_GROUPS + 1]:
        for fields in _groups_in(piece):
            if _OF_A_RECIPIENT.isdisjoint(fields) or _is_of_the_message(fields):
                of_message.update(fields)
            else:
                _add(groups, fields)
                of_message.update({name: value for name, value in fields.items() if name.startswith(b"x-postfix")})
    for group in groups:
        # Some say what became of it once for all.
        group.action = group.action or _action(first(of_message, b"action").decode("latin-1"))
    return of_message, groups[:MOST_GROUPS]


def _is_of_the_message(fields: Fields) -> bool:
    return b"reporting-mta" in fields and not any(name in fields for name in _RECIPIENT_FIELDS)


def _add(groups: list[StatusGroup], fields: Fields) -> None:
    group = StatusGroup(fields)
    last = groups[-1] if groups else None
    if group.address is None and group.name is None and last is not None and last.status is None:
        # An empty line within a group.
        last.status, last.action = group.status, group.action or last.action
        last.diagnostic = last.diagnostic or group.diagnostic
        return
    groups.append(group)


def _groups_in(piece: bytes) -> list[Fields]:
    """Cut lines at each recipient that comes after another's fields."""
    if len(_BEGINS_A_GROUP.findall(piece)) < 2:
        fields = read_fields(piece.strip(b"\n"))
        return [fields] if fields else []
    found: list[list[bytes]] = [[]]
    met: set[bytes] = set()
    for line in piece.split(b"\n"):
        name = line.partition(b":")[0].strip().lower()
        is_recipient = name in _RECIPIENT_FIELDS
        if (is_recipient or name in _SAID_ONCE) and (
            name in met
            or (
                is_recipient
                and b"status" in met
                and not met.isdisjoint(_RECIPIENT_FIELDS[:2])
                and name == b"original-recipient"
            )
        ):
            found.append([])
            met = set()
        met.add(name)
        found[-1].append(line)
    return [read_fields(b"\n".join(lines)) for lines in found[:MOST_GROUPS] if any(lines)]


def _recipient(fields: Fields, name: bytes) -> str | None:
    return typed_address(readable(first(fields, name)))


def _action(written: str) -> Action | None:
    found = _ACTION.match(written)
    word = found[1].lower() if found else ""
    word = _SAID_OTHERWISE.get(word, word)
    return Action(word) if word in _ACTIONS else None
