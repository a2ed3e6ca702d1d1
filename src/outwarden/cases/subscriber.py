"""The subscriber: whoever answers for accounts, addresses and domains, and how they are reached.

A case is held against a subscriber, not against an account: a company has many accounts and one contract.  What belongs
to nobody we know is not guessed; its evidence waits in the unresolved tray.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from ipaddress import ip_address, ip_network

import msgspec

from outwarden.events import domain_of


class SubjectKind(StrEnum):
    """What a piece of evidence is about."""

    ACCOUNT = "account"
    CLIENT_ADDRESS = "client-address"
    OWN_ADDRESS = "own-address"
    DOMAIN = "domain"
    SCRIPT = "script"
    DESTINATION = "destination"
    REPORTED_ADDRESS = "reported-address"
    SERVER = "server"


class Subject(msgspec.Struct, frozen=True, order=True):
    """One thing that evidence is about; ``name`` as the house writes it, accounts in lower case."""

    kind: SubjectKind
    name: str


class ContactRole(StrEnum):
    """Who is reached there."""

    OWNER = "owner"
    TECHNICAL = "technical"
    MANAGER = "manager"


class Contact(msgspec.Struct, frozen=True):
    """One way to a person: a mail address, or a number where ``channel`` is ``sms``."""

    role: ContactRole
    address: str
    channel: str = "mail"


class Subscriber(msgspec.Struct, frozen=True):
    """The answerable party.  ``language`` is of BCP 47, ``group`` the one whose policy holds."""

    id: str
    name: str = ""
    accounts: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    language: str = "en"
    department: str = ""
    group: str = "default"

    def reached_as(self, role: ContactRole, not_through: Iterable[str] = ()) -> Contact | None:
        """Return the first contact in a role that is none of these accounts.

        The mailbox of a stolen account is read by the thief: it is no way to its owner.
        """
        closed = {name.lower() for name in not_through}
        return next((one for one in self.contacts if one.role is role and one.address.lower() not in closed), None)


THE_SITE = Subscriber("site", "this mail server")
"""Who answers for our own addresses, domains and queue."""

_OF_THE_SITE = frozenset({SubjectKind.OWN_ADDRESS, SubjectKind.DESTINATION, SubjectKind.SERVER})
_ACCOUNT = re.compile(r"account:(.+)", re.DOTALL)


class Subscribers:
    """All subscribers of a site.

    ``each_alone``: an account that stands in no subscriber's entry is a subscriber of its own, as ``account:NAME``;
    without it, its evidence is unresolved.
    """

    def __init__(
        self, known: Iterable[Subscriber] = (), *, each_alone: bool = True, site: Subscriber = THE_SITE
    ) -> None:
        self._by_id = {one.id: one for one in (site, *known)}
        self._site = site
        self._each_alone = each_alone
        self._by_account = {name.lower(): one for one in self._by_id.values() for name in one.accounts}
        self._by_domain = {name.lower(): one for one in self._by_id.values() for name in one.domains}
        self._networks = sorted(
            ((ip_network(text, strict=False), one) for one in self._by_id.values() for text in one.networks),
            key=lambda pair: -pair[0].prefixlen,
        )

    def by_id(self, subscriber: str) -> Subscriber | None:
        """Return the subscriber of an id, also of an account that is one of its own."""
        alone = _ACCOUNT.fullmatch(subscriber)
        known = self._by_id.get(subscriber)
        return known or (_alone(alone[1]) if alone and self._each_alone else None)

    def of(self, subject: Subject) -> Subscriber | None:
        """Return who answers for a subject, None where nobody is known to."""
        if subject.kind in _OF_THE_SITE:
            return self._site
        if subject.kind is SubjectKind.ACCOUNT or subject.kind is SubjectKind.SCRIPT:
            return self._of_account(subject.name.lower())
        if subject.kind is SubjectKind.DOMAIN:
            return self._by_domain.get(subject.name.lower(), self._site)
        if subject.kind is SubjectKind.CLIENT_ADDRESS:
            return next(self._of_address(subject.name), None)
        return None

    def _of_account(self, account: str) -> Subscriber | None:
        if not account or account == "<>":
            return None
        known = self._by_account.get(account) or self._by_domain.get(domain_of(account))
        return known or (_alone(account) if self._each_alone else None)

    def _of_address(self, text: str) -> Iterator[Subscriber]:
        try:
            address = ip_address(text)
        except ValueError:
            return
        yield from (one for network, one in self._networks if address in network)


def _alone(account: str) -> Subscriber:
    return Subscriber(f"account:{account}", account, frozenset({account}))


def account_subject(account: str) -> Subject:
    """Return an account as a subject."""
    return Subject(SubjectKind.ACCOUNT, account.lower())
