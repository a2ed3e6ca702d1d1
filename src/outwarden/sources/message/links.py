"""From what a message says a link is to where it leads: host, path and query, as a browser would read them.

A port and the name before an @ in the authority are dropped: they lead nowhere else.  Nothing is fetched.
"""

import re
from itertools import islice
from typing import NamedTuple

from outwarden.sources.message.hosts import host_name, is_below_a_known_suffix

LONGEST_LINK = 4096
_MOST_STARTS = 2_000
_MOST_DOTS = 5_000

# scheme, slashes of either kind, authority, path, query.  Fragments never reach the host.
_PARTS = re.compile(r"(?:([a-z]{2,12}):)?([/\\]*)([^/?#\\]*)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
# Most links are written as the standard has it, and are then read in one step.
_USUAL = re.compile(r"https?://([A-Za-z0-9.-]+)(/[^?#\\\s]*)?(?:\?([^#\s]*))?(?:#\S*)?")
_SCHEMES = frozenset(("http", "https", "ftp"))
_PORT = re.compile(r":[0-9]*$")
# Browsers take these out of a URL before they read it, wherever they stand.
_WHITE = str.maketrans("", "", "\t\r\n")

_STARTS = re.compile(r"://")
_SCHEME_BEFORE = re.compile(r"(?:https?|ftp)$", re.IGNORECASE)
_URL_END = re.compile(r"[^\s<>\"\u201c\u201d\u00ab\u00bb`{}|^]{0,4096}")
_IN_BRACKETS = re.compile(r"<(?:URL:)?((?:https?|ftp)://[^<>\"]{1,2048})>", re.IGNORECASE)
_BARE = re.compile(r"\.(?=[^\W\d_])")
_NAME_BEFORE = re.compile(r"[^\s<>\"'()\[\]{},;:!?=&*|/\\@%#.][^\s<>\"'()\[\]{},;:!?=&*|/\\@%#]*\Z")
_NAME_AFTER = re.compile(r"[\w.-]+(?::[0-9]{1,5})?(?:[/?][^\s<>\"]*)?")
_LOOK_BACK = 64
_AFTER_A_URL = ".,;:!?'*_~>]}"
# Names that people write of files more often than of hosts.
_FILES = frozenset(("py", "sh", "md", "zip", "mov", "rs", "ps", "app", "pub", "java"))


class WebAddress(NamedTuple):
    """Where a link leads.  ``path`` begins with a slash; ``query`` has no question mark."""

    host: str
    path: str
    query: str

    @property
    def url(self) -> str:
        """The page: host, path and query."""
        return f"{self.host}{self.path}?{self.query}" if self.query else f"{self.host}{self.path}"


def read_link(written: str) -> WebAddress | None:
    """Return where a link leads; None for one that leads into the message, to a mailbox or nowhere."""
    usual = _USUAL.fullmatch(written) if len(written) <= LONGEST_LINK else None
    if usual is not None:
        host = host_name(usual[1])
        return WebAddress(host, usual[2] or "/", usual[3] or "") if host else None
    text = written[:LONGEST_LINK].translate(_WHITE).strip()
    parts = _PARTS.match(text)
    if parts is None:
        return None
    scheme, slashes, authority, path, query = parts.groups()
    if scheme is None:
        if len(slashes) < 2 and not (not slashes and authority[:4].lower() == "www."):
            return None
    elif scheme.lower() not in _SCHEMES:
        return None
    host = host_name(_PORT.sub("", authority.rpartition("@")[2]))
    if host is None:
        return None
    return WebAddress(host, path.replace("\\", "/") or "/", query or "")


def links_in_text(text: str) -> list[str]:
    """Return what mail clients make links of in plain text, with a scheme each."""
    found = _IN_BRACKETS.findall(text) if "<" in text else []
    done = 0
    for start in islice(_STARTS.finditer(text), _MOST_STARTS):
        scheme = _SCHEME_BEFORE.search(text, max(0, start.start() - 5), start.start())
        # What a query or a path holds is part of the link; what follows a comma is another one.
        if scheme is not None and not (scheme.start() < done and text[scheme.start() - 1] in "=/_"):
            end = _URL_END.match(text, start.end())
            assert end is not None  # noqa: S101 - it matches nothing at all, too.
            found.append(_without_sentence(text[scheme.start() : end.end()]))
            done = end.end()
    found += _bare_names(text)
    return found


def _without_sentence(url: str) -> str:
    """Take off what belongs to the sentence that the URL stands in."""
    bare = url.rstrip(_AFTER_A_URL)
    while bare.endswith(")") and bare.count("(") < bare.count(")"):
        bare = bare[:-1].rstrip(_AFTER_A_URL)
    return bare


def _bare_names(text: str) -> list[str]:
    """Return hosts without a scheme, which clients make links of: lower-case or with a path."""
    found: list[str] = []
    done = 0
    for dot in islice(_BARE.finditer(text), _MOST_DOTS):
        if dot.start() < done:
            continue
        before = _NAME_BEFORE.search(text, max(done, dot.start() - _LOOK_BACK), dot.start())
        after = _NAME_AFTER.match(text, dot.end())
        if before is None or after is None:
            continue
        done = after.end()
        if text[before.start() - 1 : before.start()] in "@/\\%=" and before.start() > 0:
            continue
        written = _without_sentence(text[before.start() : after.end()])
        if text[after.end() : after.end() + 1] == "@" or "@" in written.partition("/")[0]:
            continue
        if _is_a_host(written):
            found.append(f"http://{written}")
    return found


def _is_a_host(written: str) -> bool:
    name, slash, _ = written.partition("/")
    name = _PORT.sub("", name.partition("?")[0])
    host = host_name(name)
    if host is None or (host[0].isdigit() and host.replace(".", "").isdigit()):
        return False
    if not slash and (name != name.lower() or host.rpartition(".")[2] in _FILES):
        return False
    return host.startswith("www.") or is_below_a_known_suffix(host)
