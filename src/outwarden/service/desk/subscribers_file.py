"""Reads the site's file of subscribers: who answers for which accounts, addresses and domains, and how to reach them.

TOML, ``[subscribers.ID]`` with lists and ``contacts``; or CSV with a head line, as any directory can export it, where
several names in a cell stand with spaces between them.  Everything that is wrong with an entry is one line that names
file, line and cure: an account in two entries, an address that is none, a contact that is the account itself.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from outwarden.cases.subscriber import Contact, ContactRole, Subscriber
from outwarden.cases.toml_lines import Lines, hint
from outwarden.responses.notices.facts import Language
from outwarden.responses.notices.guards import same_mailbox
from outwarden.responses.notices.message import Unaddressable, usable_address

_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")  # ITU-T E.164
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_LANGUAGES = tuple(each.value for each in Language)
_CHANNELS = ("mail", "sms")
COLUMNS = (
    "id", "name", "accounts", "addresses", "domains", "owner", "owner_sms", "technical", "technical_sms", "manager",
    "manager_sms", "language", "department", "group",
)  # fmt: skip
"""The columns of a CSV file; only ``id`` is needed."""


class SubscribersError(ValueError):
    """A file of subscribers that cannot be used; one line says where, what and the cure."""


class _ContactEntry(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    address: str
    channel: str = "mail"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    accounts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    contacts: tuple[_ContactEntry, ...] = ()
    language: str = "en"
    department: str = ""
    group: str = "default"


class _Placed(NamedTuple):
    """An entry, and where it stands."""

    id: str
    entry: _Entry
    place: str


def read_subscribers(path: Path, ours: Iterable[str] = (), groups: Iterable[str] = ()) -> list[Subscriber]:
    """Return the subscribers of a file.

    ``ours`` are addresses of our own notices, which are nobody's contact; ``groups`` those of the policy.
    Raises ``SubscribersError``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise SubscribersError(f"{path}: {fault.strerror}; name a file that can be read") from None
    except UnicodeDecodeError:
        raise SubscribersError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    placed = list(_of_csv(path, text) if path.suffix == ".csv" else _of_toml(path, text))
    known = (*dict.fromkeys(("default", *groups)),)
    for each in placed:
        _check(each, set(map(same_mailbox, ours)), known)
    _refuse_twice(placed)
    return [_subscriber(each) for each in placed]


# -- from the file


def _of_toml(path: Path, text: str) -> Iterator[_Placed]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise SubscribersError(f"{path}: {fault}; correct the TOML") from None
    lines = Lines(text)
    for key in tables:
        if key != "subscribers":
            raise SubscribersError(f"{path}: {lines.said((key,), 'unknown key; write [subscribers.ID]')}")
    found = tables.get("subscribers", {})
    for name, table in found.items() if isinstance(found, dict) else ():
        where = ("subscribers", str(name))
        try:
            entry = msgspec.convert(table, _Entry)
        except msgspec.ValidationError as fault:
            raise SubscribersError(f"{path}: {_of_field(lines, where, str(fault))}") from None
        yield _Placed(str(name), entry, f"{path}: {lines.said(where, '').rstrip()}")


def _of_field(lines: Lines, where: tuple[str, ...], fault: str) -> str:
    sentence, _, inside = fault.partition(" - at `$")
    unknown = re.search(r"unknown field `([^`]*)`", sentence)
    if unknown is not None:
        known = [field.encode_name for field in msgspec.structs.fields(_ContactEntry if inside else _Entry)]
        return lines.said((*where, unknown[1]), f"unknown key; {hint(unknown[1], known)}")
    key = inside.strip("`.").partition("[")[0]
    return lines.said((*where, key) if key else where, sentence[:1].lower() + sentence[1:])


def _of_csv(path: Path, text: str) -> Iterator[_Placed]:
    reader = csv.DictReader(text.splitlines(), restkey="", restval="")
    for name in reader.fieldnames or ():
        if name not in COLUMNS:
            raise SubscribersError(f"{path}: line 1: no column {name!r}; {hint(name, COLUMNS)}")
    if "id" not in (reader.fieldnames or ()):
        raise SubscribersError(f"{path}: line 1: no column 'id'; the first line names the columns")
    for row in reader:
        place = f"{path}: line {reader.line_num}:"
        if "" in row:
            raise SubscribersError(f"{place} more cells than the first line has columns; put a text in quotes")
        yield _Placed(row["id"].strip(), _entry_of_row(row), place)


def _entry_of_row(row: dict[str, Any]) -> _Entry:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    contacts = [
        _ContactEntry(role.value, address, channel)
        for role in ContactRole
        for channel, column in (("mail", role.value), ("sms", f"{role.value}_sms"))
        for address in cell(column).split()
    ]
    lists = {name: tuple(cell(name).split()) for name in ("accounts", "addresses", "domains")}
    return _Entry(
        cell("name"), lists["accounts"], lists["addresses"], lists["domains"], tuple(contacts),
        cell("language") or "en", cell("department"), cell("group") or "default",
    )  # fmt: skip


# -- is it right


def _check(placed: _Placed, ours: set[str], groups: tuple[str, ...]) -> None:
    entry = placed.entry
    if not _ID.fullmatch(placed.id) or placed.id == "site":
        raise _wrong(placed, f"id {placed.id!r}: letters, figures, dots and hyphens, and not 'site', which is ours")
    if entry.language not in _LANGUAGES:
        raise _wrong(placed, f"language {entry.language!r}: {hint(entry.language, _LANGUAGES)}")
    if entry.group not in groups:
        raise _wrong(placed, f"group {entry.group!r} is not in the policy of cases; {hint(entry.group, groups)}")
    for address in entry.addresses:
        try:
            ip_network(address, strict=False)
        except ValueError:
            raise _wrong(placed, f"addresses: {address!r} is no address or network; write 192.0.2.0/24") from None
    for domain in entry.domains:
        if not _DOMAIN.fullmatch(domain.lower()):
            raise _wrong(placed, f"domains: {domain!r} is no domain; write isp.example")
    for contact in entry.contacts:
        _check_contact(placed, contact, ours)


def _check_contact(placed: _Placed, contact: _ContactEntry, ours: set[str]) -> None:
    roles = tuple(role.value for role in ContactRole)
    if contact.role not in roles:
        raise _wrong(placed, f"contacts: no role {contact.role!r}; {hint(contact.role, roles)}")
    if contact.channel not in _CHANNELS:
        raise _wrong(placed, f"contacts: no channel {contact.channel!r}; {hint(contact.channel, _CHANNELS)}")
    if contact.channel == "sms":
        if not _NUMBER.fullmatch(contact.address):
            raise _wrong(placed, f"contacts: {contact.address!r} is no telephone number; write +390551234567")
        return
    try:
        usable_address(contact.address)
    except Unaddressable as fault:
        raise _wrong(placed, f"contacts: {fault}") from None
    address = contact.address.lower()
    if same_mailbox(address) in ours:
        raise _wrong(placed, f"contacts: {contact.address} is an address of our own notices; name one of the person's")
    if [address] == [one.lower() for one in placed.entry.accounts]:
        raise _wrong(placed, f"contacts: {contact.address} is the account itself, which a thief reads; name another")


def _refuse_twice(placed: Iterable[_Placed]) -> None:
    seen: dict[tuple[str, str], _Placed] = {}
    for each in placed:
        named = [("id", each.id), *(("account", one.lower()) for one in each.entry.accounts)]
        named += [("domain", one.lower()) for one in each.entry.domains]
        for key in named:
            other = seen.setdefault(key, each)
            if other is not each:
                raise _wrong(each, f"{key[0]} {key[1]} stands in the entry {other.id} as well; leave it in one")


def _wrong(placed: _Placed, what: str) -> SubscribersError:
    return SubscribersError(f"{placed.place} {what}")


def _subscriber(placed: _Placed) -> Subscriber:
    entry = placed.entry
    contacts = tuple(Contact(ContactRole(one.role), one.address, one.channel) for one in entry.contacts)
    return Subscriber(
        placed.id, entry.name, frozenset(one.lower() for one in entry.accounts),
        frozenset(one.lower() for one in entry.domains), entry.addresses, contacts, entry.language, entry.department,
        entry.group,
    )  # fmt: skip
