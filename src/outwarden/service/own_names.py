"""Our addresses and domains, as the settings name them."""

from outwarden.dns.targets import TargetKind, Targets, UnusableTarget
from outwarden.service.settings import Configuration


def watched(configuration: Configuration) -> Targets:
    """Return our addresses and domains; empty where none are named.  Raises ``ConfigurationError``."""
    site = configuration.settings.site
    _check_each(configuration, "site.addresses", site.addresses, domains=False)
    _check_each(configuration, "site.domains", site.domains, domains=True)
    return Targets((*site.addresses, *site.domains))


def _check_each(configuration: Configuration, key: str, texts: tuple[str, ...], *, domains: bool) -> None:
    for text in texts:
        try:
            kind = next(iter(Targets((text,)))).kind
        except UnusableTarget as fault:
            raise configuration.wrong(key, str(fault)) from None
        if (kind is TargetKind.DOMAIN) != domains:
            wanted, cure = ("a domain", "site.addresses") if domains else ("an address or network", "site.domains")
            raise configuration.wrong(key, f"{text!r} is not {wanted}; does it belong into {cure}?")
