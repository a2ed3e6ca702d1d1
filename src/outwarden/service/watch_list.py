"""From the settings to what is watched: our addresses and domains, the lists, and how they are asked."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from outwarden.dns.blocklist import Tier
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.lookup import Lookup
from outwarden.dns.resolver import Resolver, UnusableResolver
from outwarden.dns.targets import Target, Targets, UnusableTarget
from outwarden.service.own_lists import own_catalogue, own_resolver, wrong_resolver
from outwarden.service.own_names import nothing_named, watched
from outwarden.service.settings import Configuration, ConfigurationError


class WatchList:
    """What is watched, by which lists, how often."""

    def __init__(
        self, configuration: Configuration, instead: Sequence[str] = (), *, may_be_empty: bool = False
    ) -> None:
        """``instead`` are targets in place of those that the settings name.  Raises ``ConfigurationError``."""
        blocklists = configuration.settings.blocklists
        self.every = timedelta(minutes=blocklists.every_minutes)
        self.catalogue = _catalogue(configuration)
        self.targets = _targets(configuration, instead, may_be_empty)
        self._pace = blocklists.queries_per_second
        self._deadline = configuration.settings.dns.deadline_seconds
        self.resolver = _resolver(configuration)
        self._can_be_asked_in_time(configuration)

    def lookup(self, is_stopped: Callable[[], bool] = lambda: False) -> Lookup:
        """Return what asks, no list faster than it may be asked."""
        allowed = self.catalogue.paces
        paces = {each.id: min(self._pace, allowed.get(each.id, self._pace)) for each in self.catalogue.asked}
        return Lookup(self.resolver, self._deadline, paces=paces, is_stopped=is_stopped)

    def _can_be_asked_in_time(self, configuration: Configuration) -> None:
        needed = len(self.targets) / self.every.total_seconds()
        minutes = self.every.total_seconds() / 60
        # Controls and explanations are asked too, so that half the pace is left for them.
        if needed > self._pace / 2:
            raise configuration.wrong(
                "blocklists.every_minutes",
                f"{len(self.targets)} addresses and domains each {minutes:.0f} minutes are more than {self._pace:g} "
                "queries per second allow; ask less often, or set blocklists.queries_per_second higher",
            )


def _targets(configuration: Configuration, instead: Sequence[str], may_be_empty: bool) -> tuple[Target, ...]:
    try:
        found = tuple(dict.fromkeys(Targets(instead) if instead else watched(configuration)))
    except UnusableTarget as fault:
        raise ConfigurationError(str(fault)) from None
    if not found and not may_be_empty:
        raise nothing_named(configuration, "watch")
    return found


def _catalogue(configuration: Configuration) -> Catalogue:
    catalogue = own_catalogue(configuration)
    if configuration.settings.blocklists.lists:
        return catalogue
    # Lists that count for nothing are shown when a person asks, and wake nobody.
    return catalogue.chosen(each.id for each in catalogue.asked if each.tier is not Tier.SILENT)


def _resolver(configuration: Configuration) -> Resolver:
    try:
        return own_resolver(configuration)
    except UnusableResolver as fault:
        raise wrong_resolver(configuration, fault) from None
