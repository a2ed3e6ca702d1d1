"""The site's own table of contacts, which is believed before anybody else: a TOML file.

```toml
bounced = ["abuse@old.example"]          # known to bounce: the next one is written to

[reporter]                               # who we are, in our reports
org = "Example Provider"
contact = "abuse@isp.example"

[[contact]]
for = ["192.0.2.0/24", "2001:db8::/32", "shop.example"]
email = ["noc@shop.example"]
```
"""

import tomllib
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple

import msgspec

from outwarden.dns.abuse_report import Reporter
from outwarden.dns.contacts.contact import Contact, ContactSource, MalformedMailbox, read_mailbox
from outwarden.dns.targets import UnusableTarget, read_domain


class MalformedTable(ValueError):
    """The table has a mistake: one line that names the key, the value and what would do."""


class _ReporterText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    org: str
    contact: str
    domain: str = ""


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"targets": "for"}):
    targets: list[str]
    email: list[str]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contact: list[_Row] = []
    bounced: list[str] = []
    reporter: _ReporterText | None = None


class OwnTable(NamedTuple):
    """``networks`` the longest prefix first, ``domains`` the longest name first; ``bounced`` in lower case."""

    networks: tuple[tuple[IPv4Network | IPv6Network, tuple[str, ...]], ...] = ()
    domains: tuple[tuple[str, tuple[str, ...]], ...] = ()
    bounced: frozenset[str] = frozenset()
    reporter: Reporter | None = None

    def of_address(self, address: IPv4Address | IPv6Address) -> list[Contact]:
        """Return the contacts of the networks around the address, the smallest network first."""
        return [
            Contact(email, ContactSource.OWN_TABLE, str(network))
            for network, emails in self.networks
            if address in network
            for email in emails
        ]

    def of_domain(self, name: str) -> list[Contact]:
        """Return the contacts of the domain and of those above it, the nearest first."""
        return [
            Contact(email, ContactSource.OWN_TABLE, domain)
            for domain, emails in self.domains
            if name == domain or name.endswith(f".{domain}")
            for email in emails
        ]


def read_table(text: str) -> OwnTable:
    """Read the table.  Raises ``MalformedTable``."""
    try:
        table = msgspec.convert(tomllib.loads(text), _Table)
    except (ValueError, msgspec.ValidationError, RecursionError) as fault:
        raise MalformedTable(str(fault)) from None
    networks: list[tuple[IPv4Network | IPv6Network, tuple[str, ...]]] = []
    domains: list[tuple[str, tuple[str, ...]]] = []
    for row in table.contact:
        emails = tuple(_mailbox(email, "email") for email in row.email)
        for target in row.targets:
            network = _network(target)
            if network is not None:
                networks.append((network, emails))
            else:
                domains.append((_domain(target), emails))
    networks.sort(key=lambda each: -each[0].prefixlen)
    domains.sort(key=lambda each: -each[0].count("."))
    bounced = frozenset(_mailbox(email, "bounced").lower() for email in table.bounced)
    return OwnTable(tuple(networks), tuple(domains), bounced, _reporter(table.reporter))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip())
    except ValueError as fault:
        if "host bits" in str(fault):
            raise MalformedTable(f"for: {text!r} has bits set right of its prefix") from None
        return None


def _domain(text: str) -> str:
    try:
        return read_domain(text)
    except UnusableTarget:
        raise MalformedTable(f"for: {text!r} is no address, network or domain") from None


def _mailbox(text: str, key: str) -> str:
    try:
        return read_mailbox(text)
    except MalformedMailbox as fault:
        raise MalformedTable(f"{key}: {fault}; write it like abuse@isp.example") from None


def _reporter(text: _ReporterText | None) -> Reporter | None:
    if text is None:
        return None
    contact = _mailbox(text.contact, "reporter.contact")
    org = " ".join(text.org.split())
    if not org or len(org) > 200 or not org.isprintable():
        raise MalformedTable(
            f"reporter.org: {text.org[:80]!r}; give your organisation's name in at most 200 characters"
        )
    return Reporter(org, contact, _domain(text.domain) if text.domain else contact.rpartition("@")[2])
