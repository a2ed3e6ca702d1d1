"""Which blocklist a refusal names, and which address or domain it says is listed."""

import re
from functools import cache
from typing import Literal

import msgspec

from outwarden.sources.refusals.needles import Needles
from outwarden.sources.refusals.rulebook import read_table
from outwarden.sources.refusals.services import HOST, services

_LONGEST_SHORT_NAME = 5
_IN_A_WORD = re.compile(r"[\w-]").match
_HOSTS = re.compile(rf"(?<![\w@.-]){HOST}(?![\w-])")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_ADDRESS6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{1,4}::?){2,7}(?:[0-9a-f]{1,4})?(?![\w:])")
_NOT_OURS = re.compile(r"(?:dns ip|resolver|nameserver|reporter|mx ip)[ :=\[(]{1,4}$")
_HOST_IN_BRACKETS = re.compile(rf"(?:client|host|helo|server)(?: host| name)? ?[\[<(]({HOST})[\])>]")
_MASK = re.compile(r"[x.]+|[a-z](?:\.[a-z])+")
_GREETING = re.compile(rf"^\W{{0,3}}[45]\d\d[- ]{HOST} ")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]{1,600}")
_DOMAIN_ASKED = re.compile(
    r"(?:/query/domain/|/domain/|[?&;](?:domain|d|dom|host|query|q|lookup)=)([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,9})"
)
_DOMAIN_NAMED = re.compile(
    r"(?:sender address|sender|from|domain(?: name)?|helo|url|link|uri|website|host(?:name)?|client)(?: is| was| of)?"
    rf"[ :=\"'\[(<]{{1,4}}(?:https?://)?(?:[^\s@<>\[\]()\"']{{1,64}}@)?({HOST})(?![\w@-])"
)
_SENDER = re.compile(rf"(?:sender|from)[^@]{{0,40}}?[\[<( :][^\s@<>\[\]()]{{1,64}}@({HOST})")


class Listed(msgspec.Struct, frozen=True):
    """A list that a reply names: its short id, where in the reply, and what it holds."""

    list_id: str
    lists: Literal["address", "domain", "both", "country"]
    domain_list: str | None


class Lists:
    """The lists of ``lists.toml``."""

    def __init__(self) -> None:
        self._lists: dict[str, Listed] = {}
        self._by_zone: dict[str, str] = {}
        names: list[tuple[str, str]] = []
        self._part_of: dict[str, str] = {}
        for list_id, entry in read_table("lists.toml").items():
            self._lists[list_id] = Listed(list_id, entry["lists"], entry.get("domain_list"))
            if "part_of" in entry:
                self._part_of[list_id] = entry["part_of"]
            for zone in entry["zones"].split():
                self._by_zone[zone] = list_id
            names.extend((name, list_id) for name in entry["names"])
        self._names = Needles(names)

    def named_in(self, reply: str) -> Listed | None:
        """Return the list that a reply (lower-case) names first, the exact part of it rather than the whole."""
        places = self._places(reply)
        if not places:
            return None
        first = min(places, key=lambda list_id: places[list_id])
        whole = self._part_of.get(first, first)
        parts = [list_id for list_id in places if self._part_of.get(list_id) == whole]
        chosen = min(parts, key=lambda list_id: places[list_id]) if parts else first
        return self._lists[chosen]

    def _places(self, reply: str) -> dict[str, int]:
        """Return where each list is first named, by its zone or by a name that is no part of another's zone."""
        places: dict[str, int] = {}
        for word in reply.split(" "):
            for host in _HOSTS.findall(word) if "." in word else ():
                list_id = self.by_zone(host)
                if list_id is not None:
                    places.setdefault(list_id, reply.find(host))
                    reply = reply.replace(host, " " * len(host))
        for _, name, list_id in self._names.found_in(reply):
            if len(name) > _LONGEST_SHORT_NAME or _stands_alone(reply, reply.find(name), len(name)):
                places[list_id] = min(reply.find(name), places.get(list_id, len(reply)))
        return places

    def by_zone(self, host: str) -> str | None:
        """Return the id of the list that a host name (lower-case) belongs to."""
        while host:
            list_id = self._by_zone.get(host)
            if list_id is not None:
                return list_id
            host = host.partition(".")[2]
        return None


def _stands_alone(reply: str, start: int, length: int) -> bool:
    before, after = reply[max(start - 1, 0) : start], reply[start + length : start + length + 1]
    return not (_IN_A_WORD(before) or _IN_A_WORD(after))


@cache
def lists() -> Lists:
    """Return the lists of ``lists.toml``."""
    return Lists()


def listed_address(reply: str) -> str | None:
    """Return the address that a reply (lower-case) says is listed: the first that is not a list's answer."""
    answer = None
    for found in _ADDRESS.finditer(reply):
        if not _is_ours(found[0], reply[max(found.start() - 20, 0) : found.start()]):
            continue
        if not found[0].startswith("127.0.0."):
            return found[0]
        if answer is None and reply[found.start() - 1 : found.start()] in ("[", "=", "/"):
            answer = found[0]
    if answer is None and reply.count(":") > 1:
        answer = next((found[0] for found in _ADDRESS6.finditer(reply) if _is_ipv6(found[0])), None)
    return answer


def _is_ours(address: str, before: str) -> bool:
    return all(int(part) <= 255 for part in address.split(".")) and not _NOT_OURS.search(before)


def _is_ipv6(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def listed_host(reply: str) -> str | None:
    """Return the host name that stands where an address is expected, or None."""
    found = _HOST_IN_BRACKETS.search(reply)
    return found[1] if found and not _MASK.fullmatch(found[1]) else None


def listed_domain(reply: str) -> str | None:
    """Return the domain that a reply (lower-case) says is listed, or None."""
    asked = _DOMAIN_ASKED.search(reply)
    if asked and not _ADDRESS.fullmatch(asked[1]):
        return asked[1]
    prose = _LINK.sub(" ", _GREETING.sub("", reply))
    by_zone = lists().by_zone
    for expression in (_SENDER, _DOMAIN_NAMED):
        for found in expression.finditer(prose):
            if by_zone(found[1]) is None:
                return found[1]
    for host in _HOSTS.finditer(prose):
        # A service signs with the name of its own host.
        if by_zone(host[0]) is None and services().of(host[0]) is None:
            return host[0]
    # A link that is neither the list's nor a service's explanation is what is listed.
    links = (_HOSTS.search(link[0]) for link in _LINK.finditer(reply))
    return next((host[0] for host in links if host and not by_zone(host[0]) and not services().of(host[0])), None)
