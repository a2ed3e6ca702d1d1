"""Our addresses and domains, as the settings name them."""

from outwarden.dns.targets import TargetKind, Targets, UnusableTarget
from outwarden.service.settings import DEFAULT_FILE, Configuration, ConfigurationError


def watched(configuration: Configuration) -> Targets:
    """Return our addresses and domains; empty where none are named.  Raises ``ConfigurationError``."""
    site = configuration.settings.site
    _check_each(configuration, "site.addresses", site.addresses, domains=False)
    _check_each(configuration, "site.domains", site.domains, domains=True)
    return Targets((*site.addresses, *site.domains))


def named(configuration: Configuration) -> tuple[str, ...]:
    """Return our addresses, networks and domains as they are written, at least one.  Raises ``ConfigurationError``."""
    if not len(watched(configuration)):
        raise nothing_named(configuration, "ask about")
    site = configuration.settings.site
    return (*site.addresses, *site.domains)


def nothing_named(configuration: Configuration, purpose: str) -> ConfigurationError:
    """Return the error for settings that name nothing of ours."""
    main = configuration.files[0] if configuration.files else DEFAULT_FILE
    return ConfigurationError(
        f"nothing to {purpose}: name your addresses in {main}, "
        'for example: [site] addresses = ["192.0.2.1"], domains = ["isp.example"]'
    )


def _check_each(configuration: Configuration, key: str, texts: tuple[str, ...], *, domains: bool) -> None:
    for text in texts:
        try:
            kind = next(iter(Targets((text,)))).kind
        except UnusableTarget as fault:
            raise configuration.wrong(key, str(fault)) from None
        if (kind is TargetKind.DOMAIN) != domains:
            wanted, cure = ("a domain", "site.addresses") if domains else ("an address or network", "site.domains")
            raise configuration.wrong(key, f"{text!r} is not {wanted}; does it belong into {cure}?")
