"""What kind of place a link leads to, and what of it can be blocked: the domain, or that one page alone.

The shorteners and storage services stand in ``link_services.toml``, which a person can read and change; a site's
own additions are given in the same form.
"""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import unquote

import msgspec

from outwarden.events import Link, LinkKind
from outwarden.sources.message.hosts import registered_domain
from outwarden.sources.message.links import WebAddress

_MOST_LABELS = 8
_MOST_PARAMETERS = 50
_LONGEST_TARGET = 500
# RFC 3986 section 2.3: escaping these changes nothing.
_NEEDLESS_ESCAPE = re.compile(r"%(?:2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])")
_SLASHES = re.compile(r"//+")


class _Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hosts: tuple[str, ...]
    keys: tuple[str, ...] = ()
    source: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shorteners: str = ""
    storage: tuple[_Storage, ...] = ()


def _read(text: str) -> _File:
    try:
        return msgspec.convert(tomllib.loads(text), _File)
    except msgspec.ValidationError as fault:
        raise ValueError(str(fault)) from None


class LinkServices:
    """The shorteners and storage services of one or several files; raises ``ValueError`` for a file of another form."""

    def __init__(self, *texts: str) -> None:
        self._services: dict[str, tuple[LinkKind, frozenset[str]]] = {}
        for text in texts:
            table = _read(text)
            for host in table.shorteners.split():
                self._services[host.lower()] = (LinkKind.SHORTENER, frozenset())
            for entry in table.storage:
                for host in entry.hosts:
                    self._services[host.lower()] = (LinkKind.STORAGE, frozenset(entry.keys))
        # The same few hosts stand in most mail.
        self._service_at = lru_cache(maxsize=8192)(self._find)

    def link_to(self, address: WebAddress) -> Link:
        """Return the link as it is judged and asked about."""
        service = self._service_at(address.host)
        if service is None:
            return Link(LinkKind.DOMAIN, registered_domain(address.host))
        kind, keys = service
        return Link(kind, page_name(address, keys))

    def _find(self, host: str) -> tuple[LinkKind, frozenset[str]] | None:
        labels = host.split(".")[-_MOST_LABELS:]
        for start in range(len(labels)):
            known = self._services.get(".".join(labels[start:]))
            if known is not None:
                return known
        return None


def page_name(address: WebAddress, keys: frozenset[str] = frozenset()) -> str:
    """Return a page's name, the same however its URL is written: host without ``www.``, path, named parameters."""
    path = _SLASHES.sub("/", _NEEDLESS_ESCAPE.sub(lambda escape: unquote(escape[0]), address.path)).rstrip("/")
    name = address.host.removeprefix("www.") + path
    if keys and address.query:
        pairs = sorted(pair for pair in address.query.split("&", _MOST_PARAMETERS) if pair.partition("=")[0] in keys)
        name += "?" + "&".join(pairs) if pairs else ""
    return name[:_LONGEST_TARGET]


@cache
def known_services() -> LinkServices:
    """Return the services that the program knows by itself."""
    return LinkServices(services_file())


def services_file() -> str:
    """Return the text of our own file, to which a site adds its own."""
    return files(__package__).joinpath("link_services.toml").read_text(encoding="utf-8")
