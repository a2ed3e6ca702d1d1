"""The lists and the resolver that the settings name: the same for a watch and for whoever asks once."""

from pathlib import Path

from outwarden.dns.blocklist import UnusableCatalogue
from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.resolver import Resolver, UnusableResolver, parse, system_resolvers
from outwarden.service.settings import Configuration, ConfigurationError


def own_catalogue(configuration: Configuration) -> Catalogue:
    """Return the lists as the settings add, weigh, silence and choose them.  Raises ``ConfigurationError``."""
    chosen = configuration.settings.blocklists
    keys = configuration.secrets("blocklists.keys", chosen.keys)
    try:
        catalogue = load_catalogue(
            Path(chosen.catalogue) if chosen.catalogue else None,
            keys=keys,
            added=chosen.added,
            weights=chosen.weights,
            silenced=chosen.silenced,
        )
    except UnusableCatalogue as fault:
        raise _wrong_catalogue(configuration, str(fault)) from None
    try:
        return catalogue.chosen(chosen.lists) if chosen.lists else catalogue
    except UnusableCatalogue as fault:
        raise configuration.wrong("blocklists.lists", str(fault)) from None


def other_catalogue(configuration: Configuration, path: Path) -> Catalogue:
    """Return the lists of a file instead, with the keys of the settings that it has a use for.

    Raises ``ConfigurationError`` for a key and ``UnusableCatalogue`` for the file.
    """
    keys = configuration.secrets("blocklists.keys", configuration.settings.blocklists.keys)
    wanted = {each.key for each in load_catalogue(path).lists.values()}
    return load_catalogue(path, keys={service: key for service, key in keys.items() if service in wanted})


def own_resolver(configuration: Configuration) -> Resolver:
    """Return the resolver of the settings, or the system's first.

    Raises ``ConfigurationError`` for the former and ``UnusableResolver`` for the latter.
    """
    named = configuration.settings.dns.resolver
    if not named:
        return system_resolvers()[0]
    try:
        return parse(named)
    except UnusableResolver as fault:
        raise wrong_resolver(configuration, fault) from None


def wrong_resolver(configuration: Configuration, fault: UnusableResolver) -> ConfigurationError:
    """Return the error for a resolver, with the setting to name another by."""
    return configuration.wrong("dns.resolver", in_settings_words(str(fault)))


def in_settings_words(told: str) -> str:
    """Return what is told of a resolver, with the setting to name another by in place of the option."""
    return told.replace("--resolver HOST[:PORT]", "dns.resolver")


def _wrong_catalogue(configuration: Configuration, told: str) -> ConfigurationError:
    """Return the error with the place in our own files, where the fault is in them and not in the catalogue's."""
    ours, mark, what = told.partition("the configuration: ")
    if ours or not mark:
        return configuration.wrong("blocklists.catalogue", told)
    if what.startswith("list "):
        name, _, what = what.removeprefix("list ").partition(": ")
        return configuration.wrong(f"blocklists.added.{name}", what)
    setting, _, what = what.partition(": ")
    return configuration.wrong(f"blocklists.{setting}", what)
