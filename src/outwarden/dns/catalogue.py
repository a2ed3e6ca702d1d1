"""The blocklists of this site: those we ship, or a file instead, with what the site adds, weighs and silences.

Keys are kept apart from everything that may be shown: no list, error text or ``repr`` has one in it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from outwarden.dns.blocklist import Blocklist, CatalogueText, Tier, UnusableCatalogue, read_blocklist, read_catalogue

_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SITE = "the configuration"


class Catalogue:
    """Every list that is known here, and which of them are to be asked."""

    __slots__ = ("_asked", "_keys", "dead", "errors", "lists")

    def __init__(self, text: CatalogueText, keys: Mapping[str, str], asked: Iterable[str] | None) -> None:
        """``keys`` by service; ``asked`` are ids, None for those asked by default."""
        self.lists = text.lists
        self.dead = text.dead
        self.errors = text.errors
        self._keys = dict(keys)
        self._asked = tuple(self._by_default() if asked is None else asked)

    def __repr__(self) -> str:
        return f"Catalogue({len(self.lists)} lists, {len(self._asked)} asked)"

    @property
    def asked(self) -> tuple[Blocklist, ...]:
        """The lists to be asked; one whose key is missing among them is answered for, not asked."""
        return tuple(self.lists[name] for name in self._asked if name in self.lists)

    @property
    def asked_dead(self) -> tuple[tuple[str, str], ...]:
        """Dead zones that somebody asked for by name, and why they are never asked."""
        return tuple((name, self.dead[name]) for name in self._asked if name not in self.lists)

    @property
    def paces(self) -> dict[str, float]:
        """Questions per second that a list allows, by id."""
        return {each.id: each.queries_per_second for each in self.asked if each.queries_per_second is not None}

    def key(self, blocklist: Blocklist) -> str | None:
        """The site's key for the list, None where there is none; it may be shown nowhere."""
        return self._keys.get(blocklist.key) if blocklist.key else None

    def lacks_key(self, blocklist: Blocklist) -> bool:
        """Can the list not be asked for want of a key?"""
        return blocklist.key is not None and blocklist.key not in self._keys

    def chosen(self, ids: Iterable[str]) -> Catalogue:
        """The same catalogue with just these lists asked; raises UnusableCatalogue for one that is not known."""
        ids = tuple(dict.fromkeys(ids))
        for name in ids:
            if name not in self.lists and name not in self.dead:
                near = difflib.get_close_matches(name, [*self.lists, *self.dead], n=1)
                cure = f"; did you mean {near[0]}?" if near else ""
                raise UnusableCatalogue(f"there is no list {name!r}{cure}")
        return Catalogue(CatalogueText(self.lists, self.dead, self.errors), self._keys, ids)

    def _by_default(self) -> list[str]:
        """Of two doors to the same listings the one with a key is taken where there is one, and the other where not."""
        keyed = {each.same_as for each in self.lists.values() if self._is_open(each) and each.key is not None}
        return [
            each.id
            for each in self.lists.values()
            if each.by_default and each.id not in keyed and not (self.lacks_key(each) and self._has_other_door(each))
        ]

    def _is_open(self, blocklist: Blocklist) -> bool:
        return blocklist.by_default and not self.lacks_key(blocklist)

    def _has_other_door(self, blocklist: Blocklist) -> bool:
        other = self.lists.get(blocklist.same_as or "")
        return other is not None and self._is_open(other)


def load_catalogue(
    path: Path | None = None,
    *,
    keys: Mapping[str, str] | None = None,
    added: Mapping[str, object] | None = None,
    weights: Mapping[str, str] | None = None,
    silenced: Iterable[str] = (),
) -> Catalogue:
    """Loads the catalogue of the package, or the one at ``path``; the error codes of every list hold for both.

    ``keys`` are secrets by service (``spamhaus``, ``abusix``, ``spamrats``); ``added`` are tables by id as
    in the catalogue file, which replace one of the same id; ``weights`` are tiers by id; ``silenced`` ids
    are not asked.  Raises UnusableCatalogue, which names file, list, field and cure.
    """
    text = _read_package() if path is None else _with_our_errors(read_catalogue(_read_file(path), str(path)))
    lists = dict(text.lists)
    for name, table in (added or {}).items():
        lists[name] = read_blocklist(name, table, _SITE)
    for name, tier in (weights or {}).items():
        lists[name] = _weighed(lists, name, tier)
    for name in silenced:
        _known(lists, name, "silenced")
        del lists[name]
    _check_keys(lists, keys or {})
    return Catalogue(CatalogueText(lists, text.dead, text.errors), keys or {}, None)


def _read_package() -> CatalogueText:
    text = files(__package__).joinpath("blocklists.toml").read_text(encoding="utf-8")
    return read_catalogue(text, "blocklists.toml")


def _with_our_errors(text: CatalogueText) -> CatalogueText:
    """A site's file need not repeat what no list means as a listing; where it does, its words count."""
    return msgspec.structs.replace(text, errors={**_read_package().errors, **text.errors})


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableCatalogue(f"{path}: {error.strerror}; name a catalogue that can be read") from None
    except UnicodeDecodeError:
        raise UnusableCatalogue(f"{path}: not UTF-8 text") from None


def _known(lists: Mapping[str, Blocklist], name: str, setting: str) -> Blocklist:
    if name not in lists:
        near = difflib.get_close_matches(name, lists, n=1)
        cure = f"did you mean {near[0]}?" if near else "remove it"
        raise UnusableCatalogue(f"{_SITE}: {setting}: there is no list {name!r}; {cure}")
    return lists[name]


def _weighed(lists: Mapping[str, Blocklist], name: str, tier: str) -> Blocklist:
    blocklist = _known(lists, name, "weights")
    try:
        return msgspec.structs.replace(blocklist, tier=Tier(tier))
    except ValueError:
        raise UnusableCatalogue(f"{_SITE}: weights: {name}: {tier!r} is none of {', '.join(Tier)}") from None


def _check_keys(lists: Mapping[str, Blocklist], keys: Mapping[str, str]) -> None:
    services = sorted({each.key for each in lists.values() if each.key})
    for service, key in keys.items():
        if service not in services:
            raise UnusableCatalogue(
                f"{_SITE}: keys: no list needs a key for {service!r}; known are {', '.join(services)}"
            )
        if not _KEY.fullmatch(key):
            raise UnusableCatalogue(f"{_SITE}: keys: the key for {service} is not 1 to 63 letters, digits and hyphens")
