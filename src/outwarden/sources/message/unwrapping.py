"""Links that wrap another: what a redirector or a scanner of links leads to is written in its own URL.

Which ones there are stands in ``wrappers.toml``; nothing is fetched.  A wrapper that cannot be read stays
what it is: its host is then what is asked about.
"""

import re
import tomllib
from binascii import Error, a2b_base64
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Literal, get_args
from urllib.parse import unquote, unquote_plus

import msgspec

from outwarden.sources.message.links import LONGEST_LINK, WebAddress, read_link

Form = Literal["query", "query-base64", "proofpoint-v2", "proofpoint-v3", "path"]

MOST_LAYERS = 5
_MOST_PARAMETERS = 50
_MOST_LABELS = 8
_PROOFPOINT_V3 = re.compile(r"__(.+?)__;([^!]{0,2048})!")
_PROOFPOINT_V3_GAP = re.compile(r"\*(?:\*([A-Za-z0-9_-]))?")
_RUN_LENGTHS = {
    letter: place + 2 for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}
_ONE_SLASH = re.compile(r"(?i)^(https?|ftp):/(?!/)")
_URL_INSIDE = re.compile(r"(?i)(?:https?|ftp):/+")


class Wrapper(msgspec.Struct, frozen=True):
    """One kind of wrapper: on ``host`` and below, where the path begins with ``path``.

    ``form`` says how the target is written, ``keys`` in which parameters of the query, ``prefix`` what stands
    before it there.
    """

    host: str
    path: str
    form: Form
    keys: tuple[str, ...] = ()
    prefix: str = ""


@cache
def wrappers() -> dict[str, tuple[Wrapper, ...]]:
    """Return the wrappers by host."""
    table = tomllib.loads(files(__package__).joinpath("wrappers.toml").read_text(encoding="utf-8"))
    by_host: dict[str, tuple[Wrapper, ...]] = {}
    for entry in table["wrapper"]:
        for host in entry["hosts"]:
            one = Wrapper(host, entry["path"], entry["form"], tuple(entry.get("keys", ())), entry.get("prefix", ""))
            assert one.form in get_args(Form)  # noqa: S101 - our own file.
            by_host[host] = (*by_host.get(host, ()), one)
    return by_host


def unwrapped(link: WebAddress) -> WebAddress:
    """Return where a link leads in the end, as far as its own text tells."""
    for _ in range(MOST_LAYERS):
        inner = _unwrapped_once(link)
        if inner is None:
            return link
        link = inner
    return link


def _unwrapped_once(link: WebAddress) -> WebAddress | None:
    for wrapper in _wrappers_on(link.host):
        if link.path.startswith(wrapper.path):
            written = _inside(wrapper, link)
            inner = read_link(written) if written else None
            if inner is not None and inner != link:
                return inner
    return None


@lru_cache(maxsize=8192)
def _wrappers_on(host: str) -> tuple[Wrapper, ...]:
    labels = host.split(".")[-_MOST_LABELS:]
    return tuple(chain.from_iterable(wrappers().get(".".join(labels[start:]), ()) for start in range(len(labels))))


def _inside(wrapper: Wrapper, link: WebAddress) -> str | None:
    if wrapper.form == "path":
        return _in_path(unquote(link.path[len(wrapper.path) :]), link.query)
    if wrapper.form == "proofpoint-v3":
        return _proofpoint_v3(link.path + ("?" + link.query if link.query else ""))
    value = _parameter(link.query, wrapper.keys)
    if value is None or not value.startswith(wrapper.prefix):
        return None
    value = value[len(wrapper.prefix) :]
    if wrapper.form == "proofpoint-v2":
        return unquote(value.replace("-", "%").replace("_", "/"))
    text = _from_base64(value) if wrapper.form == "query-base64" else unquote_plus(value)
    return text if text is None or "://" in text or text.startswith("//") else f"http://{text}"


def _parameter(query: str, keys: tuple[str, ...]) -> str | None:
    for pair in query.replace("&amp;", "&").split("&", _MOST_PARAMETERS):
        name, _, value = pair.partition("=")
        if name.lower() in keys and value:
            return value
    return None


def _from_base64(value: str) -> str | None:
    plain = unquote(value).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return a2b_base64(plain + "=" * (-len(plain) % 4)).decode()
    except (Error, ValueError):
        return None


def _in_path(rest: str, query: str) -> str | None:
    """Return the URL that a path ends in; without a scheme the path is host and path."""
    whole = f"{rest}?{query}" if query else rest
    start = _URL_INSIDE.search(whole)
    if start is not None:
        return whole[start.start() :]
    return f"http://{whole}" if "." in whole.partition("/")[0] else None


def _proofpoint_v3(path: str) -> str | None:
    """Undo version 3: letters that need escaping were replaced by ``*`` and stand, in base64, behind the URL."""
    parts = _PROOFPOINT_V3.search(path)
    if parts is None:
        return None
    letters = _from_base64(parts[2]) if parts[2] else ""
    if letters is None:
        return None
    place = 0

    def gap(match: re.Match[str]) -> str:
        nonlocal place
        start = place
        place += _RUN_LENGTHS[match[1]] if match[1] else 1
        return letters[start:place]

    return _ONE_SLASH.sub(r"\1://", _PROOFPOINT_V3_GAP.sub(gap, unquote(parts[1])))[:LONGEST_LINK]
