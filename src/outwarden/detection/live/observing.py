"""What one message adds to the record of its account, and what is remarkable about it."""

from __future__ import annotations

import msgspec

from outwarden.detection.client_networks import network_of
from outwarden.detection.live.counts import MOST, Count
from outwarden.detection.live.encoding import writable
from outwarden.detection.live.known_recipients import number_of
from outwarden.detection.live.record import (
    DAY,
    MOST_COUNTRIES,
    MOST_LINKS,
    MOST_NETWORKS,
    MOST_TEXTS,
    AccountRecord,
    LinkUse,
    NetworkUse,
    TextUse,
)
from outwarden.detection.live.site import Shared, Site, key_of
from outwarden.events import LinkKind, Submitted

YOUNG_DAYS = 30
"""A domain younger than this is taken for a spammer's as long as nothing else is known."""

_SETTLED_AFTER = 5
"""The networks of the first messages are not new to the account: it is."""

_COMMON_AFTER = 2 * DAY
"""A link that others here have used for so long is no news."""

_SPAM_PER_TEXT = 3
"""So often a verdict on one text counts: it is one mistake, or one campaign."""

_MOST_LINKS_READ = 50
_PAGES = (LinkKind.SHORTENER, LinkKind.STORAGE)
_LONGEST_NAME = 64
"""No network and no country is called longer; what claims to be is cut."""


class Traits(msgspec.Struct):
    """What is remarkable about one message, and what it shares with those of other accounts.

    ``recipients`` are the numbers of its recipients, each once, and ``new`` those of them that are new.
    """

    recipients: list[int] = []
    new: list[int] = []
    to_strangers: bool = False
    new_network: bool = False
    fresh_link: bool = False
    repeated_text: bool = False
    spam: bool = False
    shared: list[tuple[str, Shared]] = []

    @property
    def ordinary(self) -> bool:
        """Whether nothing is: mail to acquaintances from a known network, which goes on during a hold."""
        return not (self.to_strangers or self.new_network or self.fresh_link or self.repeated_text or self.spam)


def observe(record: AccountRecord, site: Site, event: Submitted, now: float) -> Traits:
    """Count a message and return what is remarkable about it."""
    traits = _recipients(record, event, now)
    if traits.to_strangers:
        record.hour.add(now, Count.TO_STRANGERS, 1)
        record.day.add(now, Count.TO_STRANGERS, 1)
    use = _network(record, site, event, now, traits)
    if event.links:
        _links(record, site, event, now, traits)
    if use is not None:
        use.messages += 1
        use.to_strangers += traits.to_strangers
        use.fresh_linked += traits.fresh_link
    text = _text(record, site, event, now, traits)
    if event.filter_verdict is not None:
        _verdict(record, event.filter_verdict, text, now, traits)
    if event.foreign_from:
        record.day.add(now, Count.FOREIGN, 1)
    record.messages += 1
    return traits


def _recipients(record: AccountRecord, event: Submitted, now: float) -> Traits:
    # The same one twice makes nobody less of a stranger.
    recipients = list(dict.fromkeys(map(number_of, event.recipient_addresses)))
    met = list(filter(record.recipients.meet, recipients))
    new = len(met)
    # A log line may claim any number.
    whole = min(max(len(event.recipient_addresses), event.recipients), MOST)
    for window in (record.hour, record.day):
        row = window.row(now)
        if row is not None:
            sums = window.sums
            row[Count.MESSAGES] += 1
            sums[Count.MESSAGES] += 1
            row[Count.RECIPIENTS] += whole
            sums[Count.RECIPIENTS] += whole
            if new:
                row[Count.NEW] += new
                sums[Count.NEW] += new
    return Traits(recipients, met, to_strangers=2 * new >= len(recipients) > 0)


def client_network(event: Submitted) -> str | None:
    """Return the client's network: its AS, else the /24 or /48 of its address, None for a local program."""
    name = event.network
    if name is None and event.client_address is not None:
        name = network_of(event.client_address)
    return None if name is None else writable(name)[:_LONGEST_NAME]


def _network(record: AccountRecord, site: Site, event: Submitted, now: float, traits: Traits) -> NetworkUse | None:
    """Note the client network; return its use if it is new to the account."""
    name = client_network(event)
    if name is None:
        return None
    use = record.networks.get(name) or _known_by_address(record, event, name)
    if use is None:
        use = _meet_network(record, name, now)
    use.last_at = now
    new = use.new_until > now
    if event.country is not None:
        _country(record, writable(event.country)[:_LONGEST_NAME], new, now)
    if not new:
        return None
    traits.new_network = True
    if event.client_listed:
        record.day.add(now, Count.LISTED_CLIENTS, 1)
    if event.client_address is not None:
        key = key_of(event.client_address)
        traits.shared.append(("client address", site.clients.use(key, record.account, now)))
    return use


def _known_by_address(record: AccountRecord, event: Submitted, name: str) -> NetworkUse | None:
    """Return what is known of the network by its address alone, as from before its AS was looked up."""
    if event.network is None or event.client_address is None:
        return None
    use = record.networks.pop(network_of(event.client_address), None)
    if use is not None:
        record.networks[name] = use
    return use


def _meet_network(record: AccountRecord, name: str, now: float) -> NetworkUse:
    networks = record.networks
    if len(networks) >= MOST_NETWORKS:
        # The known ones are worth more than the last of three hundred bots.
        del networks[min(networks, key=lambda one: (networks[one].new_until <= now, networks[one].last_at))]
    settled = record.messages >= _SETTLED_AFTER
    use = networks[name] = NetworkUse(now, now + DAY if settled else 0.0)
    if settled:
        record.day.add(now, Count.NETWORKS, 1)
    return use


def _country(record: AccountRecord, country: str, new_network: bool, now: float) -> None:
    countries = record.countries
    if country not in countries:
        if countries and new_network:
            record.day.add(now, Count.COUNTRIES, 1)
        if len(countries) >= MOST_COUNTRIES:
            del countries[min(countries, key=countries.__getitem__)]
    countries[country] = now


def _links(record: AccountRecord, site: Site, event: Submitted, now: float, traits: Traits) -> None:
    for link in event.links[:_MOST_LINKS_READ]:
        soft = link.kind in _PAGES or (link.age_days is not None and link.age_days < YOUNG_DAYS)
        if not soft and not link.listed:
            continue
        key = key_of(link.target)
        shared = site.links.use(key, record.account, now)
        traits.shared.append(("link", shared))
        own = record.links.get(key)
        first = own is None
        if own is None:
            if len(record.links) >= MOST_LINKS:
                del record.links[min(record.links, key=lambda one: record.links[one].last_at)]
            own = record.links[key] = LinkUse(now, now)
        own.last_at = now
        if link.kind is LinkKind.ATTACHMENT:
            traits.spam = True
        if link.listed and not own.listed:
            own.listed = True
            record.day.add(now, Count.LISTED_TARGETS, 1)
        common = now - shared.first_at > _COMMON_AFTER and not shared.mostly_suspicious
        if soft and not common and now - own.first_at < DAY:
            traits.fresh_link = True
            if first:
                record.day.add(now, Count.FRESH_TARGETS, 1)
    if traits.fresh_link:
        record.day.add(now, Count.FRESH_LINKED, 1)


def _text(record: AccountRecord, site: Site, event: Submitted, now: float, traits: Traits) -> TextUse | None:
    if event.fingerprint is None:
        return None
    key = key_of(event.fingerprint)
    traits.shared.append(("text", site.texts.use(key, record.account, now)))
    texts = record.texts
    text = texts.get(key)
    if text is None:
        if len(texts) >= MOST_TEXTS:
            del texts[min(texts, key=lambda one: (texts[one].messages > 1, texts[one].last_at))]
        text = texts[key] = TextUse(now, now)
    text.messages += 1
    text.new += len(traits.new)
    text.replies += event.reply
    text.last_at = now
    if text.new > record.today.same_text:
        record.today.same_text = text.new
    traits.repeated_text = text.messages >= 3 and now - text.first_at < 2 * DAY
    return text


def _verdict(record: AccountRecord, spam: bool, text: TextUse | None, now: float, traits: Traits) -> None:
    record.day.add(now, Count.FILTERED, 1)
    if not spam:
        return
    traits.spam = True
    if text is None or text.spam < _SPAM_PER_TEXT:
        record.day.add(now, Count.SPAM, 1)
    if text is not None:
        text.spam += 1
