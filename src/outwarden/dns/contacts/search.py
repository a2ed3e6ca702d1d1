"""Who answers for a target, asked of everybody who may know, in the order in which they are believed.

For an address: the site's own table; RDAP; the contact zone; the AS that announces it; abuse@ of the domain in its
reverse name, when that name leads back to the address, because anybody can write any name there.  For a domain: the
own table; its registrar; whoever hosts its addresses; abuse@ of the domain itself, last, because it may be the
spammer's own.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from outwarden.dns.contacts.contact import Contact, ContactSource, in_order
from outwarden.dns.contacts.https_pages import CouldNotFetch
from outwarden.dns.contacts.names import Names, why_not
from outwarden.dns.contacts.own_table import OwnTable
from outwarden.dns.contacts.rdap import MalformedRdap, Registration
from outwarden.dns.contacts.rdap_registry import NotRegistered, RdapRegistry
from outwarden.dns.contacts.role_mailbox import abuse_mailbox, names_above, organisation
from outwarden.dns.contacts.text_answers import (
    CONTACT_ZONE,
    MalformedTextAnswer,
    contact_name,
    origin_name,
    read_contacts,
    read_origins,
)
from outwarden.dns.lookup import Question, Reply
from outwarden.dns.packets import RecordType
from outwarden.dns.targets import UnusableTarget, read_domain, reversed_address

Address = IPv4Address | IPv6Address

_MOST_NAMES = 4
_MOST_HOSTS = 2


class Answerers(NamedTuple):
    """Contacts in the order in which to write to them; what could not be asked; what one should know besides."""

    contacts: tuple[Contact, ...]
    could_not_ask: tuple[str, ...]
    remarks: tuple[str, ...]


class ContactSearch:
    """One search.  Without ``names`` nothing is asked of the DNS."""

    def __init__(self, table: OwnTable, registry: RdapRegistry, names: Names | None) -> None:
        self._table = table
        self._registry = registry
        self._names = names
        self._could_not_ask: list[str] = []
        self._remarks: list[str] = []

    def of_address(self, address: Address) -> Answerers:
        """Return who answers for an address."""
        return self._answerers([*self._table.of_address(address), *self._of_network(address), *self._of_host(address)])

    def of_domain(self, name: str) -> Answerers:
        """Return who answers for a domain, a lower-case A-label name."""
        contacts = [*self._table.of_domain(name), *self._of_registrar(name)]
        for address in self._addresses(name)[:_MOST_HOSTS]:
            contacts += self._table.of_address(address)
            contacts += self._of_network(address)
        return self._answerers([*contacts, *self._role_mailbox(name)])

    def _answerers(self, contacts: list[Contact]) -> Answerers:
        remarks = dict.fromkeys([*self._remarks, *self._registry.remarks])
        return Answerers(
            in_order(contacts, self._table.bounced), tuple(dict.fromkeys(self._could_not_ask)), tuple(remarks)
        )

    # --- registries --------------------------------------------------------------------------

    def _of_network(self, address: Address) -> Iterator[Contact]:
        """RDAP, the contact zone, the AS: who answers for the network of an address."""
        try:
            for registration in self._registry.of_address(address):
                yield from _contacts(registration, ContactSource.RDAP)
        except NotRegistered as nothing:
            self._remarks.append(str(nothing))
        except (CouldNotFetch, MalformedRdap) as fault:
            self._could_not_ask.append(f"RDAP: {fault}")
        yield from self._of_contact_zone(address)
        yield from self._of_as(address)

    def _of_registrar(self, name: str) -> Iterator[Contact]:
        try:
            yield from _contacts(self._registry.of_domain(name), ContactSource.RDAP)
        except NotRegistered as nothing:
            self._remarks.append(str(nothing))
        except (CouldNotFetch, MalformedRdap) as fault:
            self._could_not_ask.append(f"RDAP: {fault}")

    def _of_as(self, address: Address) -> Iterator[Contact]:
        for reply in self._ask([Question(origin_name(address), RecordType.TXT)]):
            try:
                for origin in read_origins(reply.texts)[:1]:
                    registration = self._registry.of_as(origin.as_number, origin.registry)
                    yield from _contacts(registration, ContactSource.AS)
            except NotRegistered as nothing:
                self._remarks.append(str(nothing))
            except (CouldNotFetch, MalformedRdap, MalformedTextAnswer) as fault:
                self._could_not_ask.append(f"AS: {fault}")

    def _of_contact_zone(self, address: Address) -> Iterator[Contact]:
        for reply in self._ask([Question(contact_name(address), RecordType.TXT)]):
            try:
                for email in read_contacts(reply.texts):
                    yield Contact(email, ContactSource.CONTACT_ZONE, f"{address} in {CONTACT_ZONE}")
            except MalformedTextAnswer as fault:
                self._could_not_ask.append(f"{CONTACT_ZONE}: {fault}")

    # --- names -------------------------------------------------------------------------------

    def _of_host(self, address: Address) -> Iterator[Contact]:
        for name in self._true_names(address):
            yield from self._role_mailbox(name)

    def _role_mailbox(self, name: str) -> Iterator[Contact]:
        replies = self._ask([Question(above, RecordType.MX) for above in names_above(name)])
        domain = organisation(name, {reply.question.name: reply.texts for reply in replies})
        if domain is not None:
            yield Contact(abuse_mailbox(domain), ContactSource.ROLE_MAILBOX, domain)

    def _true_names(self, address: Address) -> list[str]:
        """Return the reverse names that lead back to the address."""
        zone = "in-addr.arpa" if address.version == 4 else "ip6.arpa"
        replies = self._ask([Question(f"{reversed_address(address)}.{zone}", RecordType.PTR)])
        names = [name for reply in replies for name in reply.texts][:_MOST_NAMES]
        return [name for text in names if (name := _readable(text)) and address in self._addresses(name)]

    def _addresses(self, name: str) -> list[Address]:
        replies = self._ask([Question(name, RecordType.A), Question(name, RecordType.AAAA)])
        return [ip_address(address) for reply in replies for address in reply.addresses]

    def _ask(self, questions: Iterable[Question]) -> list[Reply]:
        """Return the replies that speak of their names, in the order of the questions."""
        replies = self._names.ask(questions) if self._names is not None else []
        self._could_not_ask += [why_not(each) for each in replies if each.failure is not None]
        return [each for each in replies if each.failure is None]


def _contacts(registration: Registration, source: ContactSource) -> Iterator[Contact]:
    return (Contact(email, source, registration.what) for email in registration.emails)


def _readable(text: str) -> str | None:
    try:
        return read_domain(text)
    except UnusableTarget:
        return None
