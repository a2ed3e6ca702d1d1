"""What lists are asked about a message that an account hands in, and what their answers come to.

A list is asked in one or more offices: about the client's address, the domain of a link, how new that is, or a page on
a shared host.  Such a host (a shortener, a storage service) is itself never asked about: it belongs to everybody.
Addresses that are private, or ours, are not asked about either.

Which lists have which office is in ``door_choice.py``; nothing here asks, and whether a list is fit to be believed is
found out in ``door_lists.py``.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from outwarden.dns.blocklist import Blocklist
from outwarden.dns.list_answers import CodeBook, Reading
from outwarden.dns.list_health import Health, proved_by
from outwarden.dns.list_names import suffix, target_part
from outwarden.dns.packets import RecordType
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.dns.targets import Target, TargetKind, WebAddress, address_target
from outwarden.events import Link, LinkKind, ListAnswerKind, Signal, WhyNot

_LONGEST_NAME = 253
# As many links of one message as are judged, and pages of one link.
_MOST_LINKS = 50
_MOST_PAGES = 3
_TARGETS_KEPT = 4096
# As long as the look-up remembers an answer, whatever its TTL.
_LONGEST_QUIET_SECONDS = 86_400
# RFC 6890: this host, private networks, those of carriers behind NAT, links, and groups; no list can know who is there.
_NOBODYS = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/3", "::/8", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip


class Office(Enum):
    """What a list is asked for."""

    CLIENT = "client"
    LINK = "link"
    AGE = "age"
    PAGE = "page"


class AboutMessage(msgspec.Struct, frozen=True):
    """What the lists said of a message in time.

    ``client_lists`` are the ids of lists that the client's address is on.  ``links`` are those given, with ``listed``
    and ``age_days`` as the lists say.  ``listed`` names what of the content is listed (a domain or a page), and the
    list.  ``late`` are lists whose answer was not there in time, ``could_not_ask`` those that are not fit to be
    believed, or gave no answer that can be: of neither is anything known.
    """

    client_lists: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    listed: tuple[tuple[str, str], ...] = ()
    late: tuple[str, ...] = ()
    could_not_ask: tuple[str, ...] = ()

    @property
    def client_listed(self) -> bool:
        """Whether any list has the client's address."""
        return bool(self.client_lists)


class DoorList:
    """One list in one office, about one kind of target; its controls are those of the kind ``proof``.

    ``counts`` are the signals of which a listing needs one to count; where empty, any listing does.  ``health`` is None
    until its controls are in.  ``refusals`` counts answers in a row that were none, ``listings`` those that counted: a
    list that is being closed, or has been sold, may answer everything from one moment to the next.
    """

    __slots__ = (
        "_counts", "_longest", "_suffix", "blocklist", "book", "health", "id", "kind", "listings", "office", "proof",
        "refusals",
    )  # fmt: skip

    def __init__(
        self,
        blocklist: Blocklist,
        office: Office,
        kind: TargetKind,
        counts: frozenset[Signal],
        book: CodeBook,
        key: str | None,
    ) -> None:
        self.id = blocklist.id
        self.blocklist = blocklist
        self.office = office
        self.kind = kind
        self.proof = proved_by(blocklist, kind)
        self.book = book
        self.health: Health | None = None
        self.refusals = self.listings = 0
        if blocklist.key is not None and key is None:
            self.health = Health(False, WhyNot.NEEDS_KEY, f"needs the site's key for {blocklist.key}")
        self._counts = counts
        self._suffix = suffix(blocklist, key)
        self._longest = _LONGEST_NAME - len(self._suffix)

    @property
    def fit(self) -> bool:
        """Whether its answers may be believed."""
        return self.health is not None and self.health.fit

    def question(self, part: str) -> Question:
        """Return the question with this left of the zone; it may hold the site's key."""
        return Question(part + self._suffix, RecordType.A, self.id)

    def about(self, target: Target) -> Question | None:
        """Return what to ask about a target, None where the list is not for such."""
        part = target_part(self.blocklist, target, self._longest)
        return None if part is None else self.question(part)

    def counts(self, reading: Reading) -> bool:
        """Return whether a listing means in this office what it is asked for."""
        if reading.kind is not ListAnswerKind.LISTED:
            return False
        return not self._counts or not self._counts.isdisjoint(reading.signals)


class Asked(NamedTuple):
    """A list, and what to ask it."""

    door: DoorList
    question: Question


class Inquiry(tuple[Asked, ...]):
    """All that is asked about one client, domain or page.

    ``quiet_until`` is until when, on the steady clock, it is known that no list says anything of it that counts.
    """

    quiet_until = 0.0

    def is_quiet(self, now: float) -> bool:
        """Return whether nothing needs to be asked, as all lists are fit and have said that there is nothing."""
        if self.quiet_until <= now:
            return False
        for door, _ in self:
            if not door.fit:
                return False
            door.refusals = door.listings = 0
        return True


# --- what is asked ---------------------------------------------------------------------------


class DoorQuestions:
    """What the lists are asked about clients, links and pages; the same few come again and again."""

    def __init__(self, doors: Sequence[DoorList], own: Iterable[str] = ()) -> None:
        """``own`` are our addresses and networks, which nobody is asked about."""
        self._never = (*_NOBODYS, *(ip_network(one, strict=False) for one in own))
        self._by_kind = {kind: [door for door in doors if door.kind is kind] for kind in TargetKind}
        self.about_client = lru_cache(_TARGETS_KEPT)(self._about_client)
        """What to ask about a client's address: nothing about one that is private, or ours."""
        self._about_domain = lru_cache(_TARGETS_KEPT)(self._find_about_domain)
        self._about_page = lru_cache(_TARGETS_KEPT)(self._find_about_page)

    def about_links(self, links: Sequence[Link], urls: Sequence[str]) -> Iterator[tuple[int, str, Inquiry]]:
        """Yield for each link its place, what is asked about (its domain, or each of its pages), and the questions."""
        pages: dict[str, list[str]] | None = None
        for place, link in enumerate(links[:_MOST_LINKS]):
            if link.kind is LinkKind.DOMAIN:
                yield place, link.target, self._about_domain(link.target)
            elif self._by_kind[TargetKind.URL]:
                pages = _by_place(urls) if pages is None else pages
                for page in _pages(link.target, pages):
                    yield place, page, self._about_page(page)

    def _about_client(self, address: str) -> Inquiry:
        target = self._address(address)
        return Inquiry() if target is None else self._asked(target)

    def _address(self, text: str) -> Target | None:
        """Return an address as a target, None where it is not to be asked about."""
        try:
            target = address_target(ip_address(text))
        except ValueError:
            return None
        address = ip_address(target.text)
        return None if any(address in network for network in self._never) else target

    def _find_about_domain(self, domain: str) -> Inquiry:
        if domain.startswith("[") or domain.rpartition(".")[2].isdigit():
            target = self._address(domain.strip("[]"))
            if target is None or target.kind is TargetKind.IPV6:
                # Lists of what stands in mail hold IPv4 only.
                return Inquiry()
            page = WebAddress(target.text, None, "", "", "")
            return self._asked(Target(domain, TargetKind.URL, target.name, page), TargetKind.DOMAIN)
        return self._asked(Target(domain, TargetKind.DOMAIN, domain))

    def _find_about_page(self, page: str) -> Inquiry:
        try:
            page.encode()
        except UnicodeEncodeError:
            # Half a character has no bytes, so nobody can have hashed it.
            return Inquiry()
        before, _, query = page.partition("?")
        host, slash, path = before.partition("/")
        return self._asked(Target(page, TargetKind.URL, host, WebAddress(host, None, slash + path, query, "")))

    def _asked(self, target: Target, kind: TargetKind | None = None) -> Inquiry:
        doors = self._by_kind[kind or target.kind]
        return Inquiry(Asked(door, question) for door in doors if (question := door.about(target)) is not None)


def _by_place(urls: Sequence[str]) -> dict[str, list[str]]:
    """Return the URLs by host and path, as ``Link.target`` has them."""
    found: dict[str, list[str]] = {}
    for url in urls:
        found.setdefault(url.partition("?")[0].removeprefix("www.").rstrip("/"), []).append(url)
    return found


def _pages(target: str, urls: dict[str, list[str]]) -> list[str]:
    """Return the pages behind a link on a shared host as they stand in the message; without any, the link itself."""
    place, _, query = target.partition("?")
    pairs = set(query.split("&")) if query else set()
    found = [url for url in urls.get(place, ()) if pairs <= set(url.partition("?")[2].split("&"))]
    return found[:_MOST_PAGES] or [target]


# --- what the answers come to ----------------------------------------------------------------


class Conclusion:
    """Puts together what lists said of one message."""

    def __init__(self, links: Sequence[Link], replies: dict[Question, Reply], now: float) -> None:
        """``now`` is when the questions were asked, on the steady clock."""
        self._links = links
        self._replies = replies
        self._now = now
        self._marked: dict[int, Link] = {}
        self._client: dict[str, None] = {}
        self._listed: dict[tuple[str, str], None] = {}
        self._late: dict[str, None] = {}
        self._unasked: dict[str, None] = {}
        self.doubtful: set[DoorList] = set()
        """Those whose answers listed something, or were none."""

    def take_client(self, asked: Inquiry) -> None:
        """Take in what was said of the client's address."""
        for door in self._counting(asked):
            self._client[door.id] = None

    def take_link(self, place: int, what: str, asked: Inquiry) -> None:
        """Take in what was said of a link's domain, or of one of its pages."""
        for door in self._counting(asked):
            link = self._marked.get(place, self._links[place])
            if door.office is Office.AGE:
                days = door.blocklist.new_within_days or 0
                self._marked[place] = replace(
                    link, age_days=days if link.age_days is None else min(days, link.age_days)
                )
            else:
                self._marked[place] = replace(link, listed=True)
                self._listed[what, door.id] = None

    def about(self) -> AboutMessage:
        """Return it all."""
        links = self._links
        if self._marked:
            links = [self._marked.get(place, link) for place, link in enumerate(links)]
        return AboutMessage(
            tuple(self._client), tuple(links), tuple(self._listed), tuple(self._late), tuple(self._unasked)
        )

    def _counting(self, asked: Inquiry) -> Iterator[DoorList]:
        """Yield the lists whose answer counts, and note those without one."""
        quiet_seconds = _LONGEST_QUIET_SECONDS
        for door, question in asked:
            reply = self._replies.get(question)
            if reply is None or not door.fit:
                self._unasked[door.id] = None
                quiet_seconds = 0
                continue
            reading = door.book.read(reply)
            if reading.kind is ListAnswerKind.COULD_NOT_ASK:
                self._note_unanswered(door, reply)
                quiet_seconds = 0
                continue
            door.refusals = 0
            if door.counts(reading):
                door.listings += 1
                self.doubtful.add(door)
                quiet_seconds = 0
                yield door
            else:
                door.listings = 0
                quiet_seconds = min(quiet_seconds, reply.ttl)
        asked.quiet_until = self._now + quiet_seconds

    def _note_unanswered(self, door: DoorList, reply: Reply) -> None:
        if reply.failure == Failure.TIMEOUT:
            self._late[door.id] = None
            return
        self._unasked[door.id] = None
        if reply.failure is None or reply.failure == Failure.REFUSED:
            door.refusals += 1
            self.doubtful.add(door)
