"""The invented provider of the sample: its people, its servers, and the world it writes to.

Every name ends in .example (RFC 2606) and every address is one that nobody owns: RFC 5737 and
RFC 3849 for servers, RFC 2544 (198.18.0.0/15) and RFC 6598 (100.64.0.0/10) for the many
networks that clients come from.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

HOST = "mail1"
HOST_NAME = "mail1.isp.example"
OUR_ADDRESS = "192.0.2.25"
OUR_DOMAINS = ("isp.example", *(f"{trade}.example" for trade in (
    "bakery", "school", "garage", "choir", "dentist", "florist", "lawyers", "rowing-club", "printshop", "farm",
)))  # fmt: skip
_PEOPLE = 380
_FIRST = (
    "rosa jan mia tom ida leo eva max ana paul nora kurt lena emil vera otto jana hugo olga finn gerda karl ute sven"
    " petra igor marta louis clara anton"
).split()
_LAST = "meier novak rossi silva kowalski jensen dubois weber costa horvat berg lang moser pop virtanen oneill".split()
_WORDS = "alder birch cedar delta ember fjord grove harbor island juniper kestrel lagoon meadow nectar orchard".split()


class Client(NamedTuple):
    """A host that connects to us: its name as Postfix found it, and its address."""

    name: str
    address: str


class Destination(NamedTuple):
    """A remote domain, where its mail goes, and how it treats ours."""

    domain: str
    mx: str
    address: str
    asks_spamhaus: bool
    greylists: bool


class Recipient(NamedTuple):
    """One envelope recipient.

    ``destination`` is None for our own mailboxes.  ``original`` is what the sender wrote where
    an alias of ours changed it.  ``fault`` is what is wrong with the address, if anything.
    """

    address: str
    destination: Destination | None
    original: str | None = None
    fault: str = ""


@dataclass(slots=True)
class Person:
    """One ordinary subscriber, with habits of their own."""

    login: str
    sender: str
    home: Client
    away: Client
    busiest_hour: float
    messages_per_day: float
    contacts: list[Recipient]


class Provider:
    """The people and the destinations, drawn once."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.destinations = _destinations(chance)
        self.big = self.destinations[:3]
        self._shares = [28.0, 18.0, 12.0] + [42.0 / (len(self.destinations) - 3)] * (len(self.destinations) - 3)
        self.people = [self._person(number) for number in range(_PEOPLE)]
        for person in self.people:
            person.contacts += [
                Recipient(chance.choice(self.people).sender, None) for _ in range(max(1, len(person.contacts) // 5))
            ]

    def destination(self) -> Destination:
        """Return a remote domain, the big ones more often."""
        return self._chance.choices(self.destinations, self._shares)[0]

    def stranger(self, unknown: float = 0.0, full: float = 0.0) -> Recipient:
        """Return a remote recipient whose address is wrong or whose mailbox is full with these chances."""
        where = self.destination()
        draw = self._chance.random()
        fault = "unknown" if draw < unknown else "full" if draw < unknown + full else ""
        return Recipient(f"{self.name()}{self._chance.randrange(10_000)}@{where.domain}", where, fault=fault)

    def name(self) -> str:
        """Return a local part such as people choose."""
        return f"{self._chance.choice(_FIRST)}.{self._chance.choice(_LAST)}"

    def sending_host(self) -> Client:
        """Return a remote mail server that brings us mail."""
        number = self._chance.randrange(1, 255)
        if self._chance.random() < 0.1:
            return Client(f"out{number}.grove-mail.example", f"2001:db8:77::{number:x}")
        return Client(f"out{number}.{self._chance.choice(_WORDS)}-mail.example", f"198.51.100.{number}")

    def _person(self, number: int) -> Person:
        chance = self._chance
        domain = "isp.example" if chance.random() < 0.6 else chance.choice(OUR_DOMAINS[1:])
        local = f"{_FIRST[number % len(_FIRST)]}.{_LAST[number // len(_FIRST) % len(_LAST)]}"
        address = f"{local}@{domain}"
        # A few old accounts log in with a bare name, and a few programs write the domain in capitals.
        login = f"{local.replace('.', '')}" if chance.random() < 0.04 else address
        sender = f"{local}@{domain.upper()}" if chance.random() < 0.02 else address
        return Person(
            login=login,
            sender=sender,
            home=_home(chance, number),
            away=Client("unknown", f"100.{100 + number % 20}.{chance.randrange(256)}.{chance.randrange(1, 255)}"),
            busiest_hour=chance.gauss(13, 3),
            messages_per_day=min(40.0, chance.paretovariate(1.3) * 1.3),
            contacts=[self.stranger(0.004, 0.003) for _ in range(4 + int(chance.paretovariate(1.2) * 3) % 60)],
        )


def _home(chance: Random, number: int) -> Client:
    if chance.random() < 0.12:
        return Client(f"v6-{number}.dsl.example", f"2001:db8:{0x100 + number:x}::{chance.randrange(1, 0xFFFF):x}")
    third = number // 2
    return Client(f"p{number:04x}.dsl.example", f"100.{64 + number % 32}.{third}.{chance.randrange(1, 255)}")


def _destinations(chance: Random) -> list[Destination]:
    big = [
        Destination("bigmail.example", "mx.bigmail.example", "203.0.113.10", False, False),
        Destination("megamail.example", "mx1.megamail.example", "203.0.113.20", True, False),
        Destination("webpost.example", "in.webpost.example", "203.0.113.30", True, False),
    ]
    small = []
    for number, (first, second) in enumerate((a, b) for a in _WORDS for b in _WORDS if a < b):
        domain = f"{first}-{second}.example"
        address = f"2001:db8:25::{number:x}" if number % 9 == 0 else f"203.0.113.{40 + number}"
        small.append(Destination(domain, f"mx.{domain}", address, chance.random() < 0.4, chance.random() < 0.2))
    return big + small
