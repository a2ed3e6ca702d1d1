"""Asks the registries: from an address, domain or AS to what its registry has registered.

The bootstrap files are IANA's own, kept for a week; without them the copies in the package do.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from outwarden.dns.contacts.https_pages import CouldNotFetch, HttpsPages, NoSuchPage
from outwarden.dns.contacts.rdap import MalformedRdap, Registration, read_rdap
from outwarden.dns.contacts.rdap_bootstrap import (
    REGISTRIES,
    BootstrapKind,
    MalformedBootstrap,
    Service,
    read_bootstrap,
    servers_of_address,
    servers_of_domain,
    shipped,
)

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MOST_ABOVE = 2
_MOST_NAMES = 3


class NotRegistered(Exception):
    """No registry has it, or none is known to ask: one line."""


class RdapRegistry:
    """All methods raise ``CouldNotFetch``, ``MalformedRdap`` and ``NotRegistered``.

    ``remarks`` gathers what the reader of an answer should know of it, such as its age.
    """

    def __init__(self, pages: HttpsPages, now: datetime) -> None:
        self._pages = pages
        self._now = now
        self._services: dict[BootstrapKind, tuple[Service, ...]] = {}
        self.remarks: list[str] = []

    def of_address(self, address: IPv4Address | IPv6Address) -> list[Registration]:
        """Return the smallest network that is registered, and those above it up to one that has a contact."""
        kind = BootstrapKind.IPV4 if address.version == 4 else BootstrapKind.IPV6
        servers = servers_of_address(self._known(kind), address)
        if not servers:
            raise NotRegistered(f"no registry is known for {address}")
        url: str | None = f"{servers[0]}ip/{address}"
        found: list[Registration] = []
        while url is not None and len(found) <= _MOST_ABOVE and not (found and found[-1].emails):
            registration = self._read(url)
            if not registration.holds(address):
                raise MalformedRdap(f"{url} speaks of {registration.what}")
            found.append(registration)
            url = registration.parent
        return found

    def of_domain(self, name: str) -> Registration:
        """Return the registered domain that the name is, or is below of.

        Where names are registered below a suffix of several labels, the shorter ones are not registered, so the
        registry is asked from the shortest on.
        """
        suffix, servers = servers_of_domain(self._known(BootstrapKind.DNS), name)
        if not servers:
            raise NotRegistered(f"no RDAP server is known for the top-level domain of {name}")
        labels = name.split(".")
        shortest = suffix.count(".") + 2
        for count in range(shortest, min(len(labels), shortest + _MOST_NAMES - 1) + 1):
            try:
                registration = self._read(f"{servers[0]}domain/{'.'.join(labels[-count:])}")
            except NotRegistered:
                continue
            if registration.emails or count == len(labels):
                return registration
        raise NotRegistered(f"the registry of .{suffix} has no contact for {name}")

    def of_as(self, number: int, registry: str) -> Registration:
        """Return the AS, asked of the regional registry of that name (``arin``, ``ripencc``, ...)."""
        server = REGISTRIES.get(registry)
        if server is None:
            raise NotRegistered(f"AS{number}: {registry[:20]!r} is no registry")
        return self._read(f"{server}autnum/{number}")

    def _read(self, url: str) -> Registration:
        try:
            page = self._pages.fetch(url, self._now, _DAY)
        except NoSuchPage as nothing:
            raise NotRegistered(str(nothing)) from None
        if page.as_of is not None:
            self.remarks.append(f"{url}: could not be asked; an answer of {page.as_of:%Y-%m-%d} was used")
        try:
            return read_rdap(page.body)
        except MalformedRdap as fault:
            raise MalformedRdap(f"{page.answered_by}: {fault}") from None

    def _known(self, kind: BootstrapKind) -> tuple[Service, ...]:
        if kind not in self._services:
            self._services[kind] = self._bootstrap(kind)
        return self._services[kind]

    def _bootstrap(self, kind: BootstrapKind) -> tuple[Service, ...]:
        try:
            return read_bootstrap(self._pages.fetch(kind.url, self._now, _WEEK).body)
        except (CouldNotFetch, NoSuchPage, MalformedBootstrap) as fault:
            self.remarks.append(f"{fault}: the list of registries in the package was used")
            return shipped(kind)
