"""One blocklist as the catalogue describes it, and reading a catalogue's text.

A mistake in a catalogue is the operator's to mend, so each is told with the file and line, the
list, the field and the cure.  Reads text that it is given and opens nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from outwarden.events import ListScope, Signal

KEY = "<key>"
DEAD = "dead"
EVERY_LIST = "every-list"
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_OCTET = re.compile(r"x|\d{1,3}(-\d{1,3})?")
_BIT = re.compile(r"bit (1|2|4|8|16|32|64|128)")


class UnusableCatalogue(ValueError):
    """A catalogue or a site's settings for it cannot be used; the message says where and what to do."""


class Form(StrEnum):
    """What a list is asked about, and in which form the question is put."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DOMAIN = "domain"
    HOST = "host"
    ADDRESS_IN_URL = "address-in-url"
    ABUSIX_URL = "abusix-url"
    SPAMHAUS_URL = "spamhaus-url"
    SURBL_URL = "surbl-url"


class Tier(StrEnum):
    """How much a listing weighs with receivers: ``silent`` lists are shown and never vote."""

    MAJOR = "major"
    MINOR = "minor"
    HOBBY = "hobby"
    SILENT = "silent"


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one return code accuses of, and as which class of evidence; None where it votes for nothing."""

    means: str
    votes: Signal | None = None
    scope: ListScope | None = None


class Delisting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The way off the list: its page, and the conditions in words."""

    page: str | None = None
    conditions: str | None = None


class Life(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was last known of the list: alive, unknown or dead; when (YYYY-MM-DD or shorter); from where."""

    state: str
    source: str
    date: str | None = None


class Blocklist(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One list.

    ``zone`` has ``<key>`` where the site's key for ``key`` (the name of a service) goes.  ``codes``,
    ``praise`` (answers that accuse nobody) and ``errors`` are keyed by a code: an address, one with
    ``x`` or ``2-24`` for an octet, or ``bit 4`` of the last octet.  ``test_listed`` need one answer,
    ``test_not_listed`` must all be absent; where empty, the entries of RFC 5782 sections 5 and 2.3
    are asked.  ``hosts`` narrows a list of URLs to these hosts.  ``inside_of`` and ``same_as`` name
    lists with the same listings, of which one votes; ``derived_from`` where listings come from.  Where
    ``new_within_days`` is given, a listing only says that the domain is no older than that.
    """

    id: str
    zone: str
    operator: str
    meaning: str
    asks: tuple[Form, ...]
    tier: Tier
    life: Life
    scope: ListScope = ListScope.ADDRESS
    codes: Mapping[str, Code] = {}
    praise: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}
    by_default: bool = True
    key: str | None = None
    test_listed: tuple[str, ...] = ()
    test_not_listed: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    queries_per_second: Annotated[float, msgspec.Meta(gt=0)] | None = None
    expiry: str | None = None
    delisting: Delisting = Delisting()
    inside_of: tuple[str, ...] = ()
    same_as: str | None = None
    derived_from: str | None = None
    new_within_days: Annotated[int, msgspec.Meta(ge=0)] | None = None


class CatalogueText(msgspec.Struct, frozen=True):
    """A catalogue as read: the lists by id, dead zones with why, and the error codes of every list."""

    lists: Mapping[str, Blocklist]
    dead: Mapping[str, str]
    errors: Mapping[str, str]


def read_catalogue(text: str, file: str) -> CatalogueText:
    """Reads a catalogue's TOML; ``file`` is named in errors.  Raises UnusableCatalogue."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnusableCatalogue(f"{file}: not TOML: {error}") from None
    dead = _read_words(tables.pop(DEAD, {}), file, f"[{DEAD}]")
    every = tables.pop(EVERY_LIST, {})
    errors = _read_words(every.get("errors", {}) if isinstance(every, dict) else every, file, f"[{EVERY_LIST}.errors]")
    for code in errors:
        _check_code(code, f"{file}: [{EVERY_LIST}.errors]")
    lists = {name: read_blocklist(name, table, _place(text, file, name)) for name, table in tables.items()}
    _check_relations(lists, file)
    return CatalogueText(lists, dead, errors)


def read_blocklist(name: str, table: object, place: str) -> Blocklist:
    """One table of a catalogue or of a site's settings; ``place`` (file and line) is named in errors."""
    where = f"{place}: list {name}"
    if not _ID.fullmatch(name):
        raise UnusableCatalogue(f"{where}: a list's id is made of a-z, 0-9, '.', '-' and '_'")
    if not isinstance(table, Mapping):
        raise UnusableCatalogue(f"{where}: expected a table [{name}] with at least zone, operator and asks")
    try:
        blocklist = msgspec.convert({**table, "id": name}, Blocklist)
    except msgspec.ValidationError as error:
        raise UnusableCatalogue(f"{where}: {_in_words(str(error), table)}") from None
    _check(blocklist, where)
    return blocklist


def code_octets(code: str) -> tuple[tuple[int, int], ...] | None:
    """The bounds of each octet of an address, of ``127.0.3.x`` or of ``127.0.2.2-24``; None for anything else."""
    octets = code.split(".")
    if len(octets) != 4 or not all(_OCTET.fullmatch(octet) for octet in octets):
        return None
    bounds = tuple(_bounds(octet) for octet in octets)
    return bounds if all(0 <= low <= high <= 255 for low, high in bounds) else None


def code_bit(code: str) -> int | None:
    """The value of ``bit 4``: a bit of the last octet, None for anything else."""
    match = _BIT.fullmatch(code)
    return int(match[1]) if match else None


def _bounds(octet: str) -> tuple[int, int]:
    if octet == "x":
        return 0, 255
    low, _, high = octet.partition("-")
    return int(low), int(high or low)


def _read_words(table: object, file: str, where: str) -> dict[str, str]:
    if isinstance(table, dict) and all(isinstance(value, str) for value in table.values()):
        return table
    raise UnusableCatalogue(f'{file}: {where}: expected lines like "name" = "words"')


def _place(text: str, file: str, name: str) -> str:
    heading = re.search(rf'^\[\s*["\']?{re.escape(name)}["\']?\s*[\].]', text, flags=re.MULTILINE)
    return f"{file}:{text.count(chr(10), 0, heading.start()) + 1}" if heading else file


def _in_words(error: str, table: Mapping[str, Any]) -> str:
    """msgspec's message, turned so that the field comes first, and for a misspelt field the likely right one."""
    told, _, path = error.partition(" - at `$")
    field = path.strip("`.")
    unknown = re.search(r"unknown field `([^`]*)`", told)
    if unknown:
        known = [name for name in Blocklist.__struct_fields__ if name not in table]
        near = difflib.get_close_matches(unknown[1], known, n=1)
        cure = f"did you mean {near[0]}?" if near else "remove it"
        return f"field {field + '.' if field else ''}{unknown[1]}: not known; {cure}"
    missing = re.search(r"missing required field `([^`]*)`", told)
    if missing:
        return f"field {field + '.' if field else ''}{missing[1]}: missing; add it"
    return f"field {field}: {told[:1].lower()}{told[1:]}"


def _check(blocklist: Blocklist, where: str) -> None:
    if not blocklist.asks:
        raise UnusableCatalogue(f"{where}: field asks: empty; say what it is asked about: {', '.join(Form)}")
    bare = blocklist.zone.replace(KEY, "key", 1)
    if not re.fullmatch(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+", bare):
        raise UnusableCatalogue(
            f"{where}: field zone: {blocklist.zone!r} is no lower-case domain name (without final dot)"
        )
    if (KEY in blocklist.zone) != (blocklist.key is not None):
        raise UnusableCatalogue(
            f"{where}: field key: name the service whose key stands for {KEY} in the zone, or neither"
        )
    if blocklist.life.state not in ("alive", "unknown"):
        raise UnusableCatalogue(f"{where}: field life.state: alive or unknown; dead lists are lines in [{DEAD}]")
    for field in ("codes", "praise", "errors"):
        for code in getattr(blocklist, field):
            _check_code(code, f"{where}: field {field}")


def _check_code(code: str, where: str) -> None:
    if code_octets(code) is None and code_bit(code) is None:
        raise UnusableCatalogue(f"{where}: {code!r} is no code; write 127.0.0.2, 127.0.0.x, 127.0.2.2-24 or bit 4")


def _check_relations(lists: Mapping[str, Blocklist], file: str) -> None:
    for blocklist in lists.values():
        named = {
            "inside_of": blocklist.inside_of,
            "same_as": (blocklist.same_as,),
            "derived_from": (blocklist.derived_from,),
        }
        for field, others in named.items():
            for other in others:
                if other is not None and (other not in lists or other == blocklist.id):
                    raise UnusableCatalogue(
                        f"{file}: list {blocklist.id}: field {field}: there is no other list {other}"
                    )
