"""What the settings say of our sending side: the addresses one by one, and the name with which we greet."""

from ipaddress import ip_address

from outwarden.authentication.domain_names import Address, MalformedDomain, parse_domain
from outwarden.dns.targets import Targets
from outwarden.service.own_names import watched
from outwarden.service.settings import Configuration

MOST_ADDRESSES = 256
"""More than a person has outbound addresses to be checked by name: a network of customers, not of mail servers."""


def own_addresses(configuration: Configuration) -> tuple[Address, ...]:
    """Return our outbound addresses, networks address by address.  Raises ``ConfigurationError``."""
    watched(configuration)
    found = Targets(configuration.settings.site.addresses)
    if len(found) > MOST_ADDRESSES:
        raise configuration.wrong(
            "site.addresses",
            f"{len(found)} addresses are too many to check each ({MOST_ADDRESSES} at most); "
            "name those that send with --address IP",
        )
    return tuple(dict.fromkeys(ip_address(target.text) for target in found))


def own_helo(configuration: Configuration) -> str | None:
    """Return the name with which our servers greet, None where none is set.  Raises ``ConfigurationError``."""
    name = configuration.settings.site.helo
    try:
        return parse_domain(name) if name else None
    except MalformedDomain as fault:
        raise configuration.wrong("site.helo", f"{name!r} {fault}") from None
