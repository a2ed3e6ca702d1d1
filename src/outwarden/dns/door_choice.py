"""Which lists are asked about a message that an account hands in, in which office, and which of their answers count.

- *client*: lists of exploited hosts and of those who try stolen passwords.  That an address is dynamic, of low repute
  or in bad neighbourhood says nothing of who authenticated, and never counts.
- *link*: lists of domains in spam.
- *age*: lists that only say how new a domain is.
- *page*: lists of hashed URLs.

Without a choice of the site's these are lists that many receivers use, and of which none is asked whose key is missing.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from outwarden.dns.blocklist import Blocklist, Form, Tier, UnusableCatalogue
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.door_answers import DoorList, Office
from outwarden.dns.list_answers import CodeBook
from outwarden.dns.targets import TargetKind
from outwarden.events import Signal

_NAME_FORMS = frozenset({Form.DOMAIN, Form.HOST})
_LINK_FORMS = _NAME_FORMS | {Form.ADDRESS_IN_URL}
_PAGE_FORMS = frozenset({Form.ABUSIX_URL, Form.SPAMHAUS_URL, Form.SURBL_URL})

_COUNTS = {
    Office.CLIENT: frozenset({Signal.COMPROMISE, Signal.SPAM_SOURCE}),
    Office.LINK: frozenset({Signal.DOMAIN, Signal.ABUSED_DOMAIN}),
}
# A list is asked by itself only where it has such answers.
_WORTH_ASKING = {Office.CLIENT: frozenset({Signal.COMPROMISE}), Office.LINK: _COUNTS[Office.LINK]}
# A small list accuses of nothing stronger; it is heard where the site names it.
_WHERE_NAMED = frozenset({Signal.REPUTATION})


def door_lists(catalogue: Catalogue, chosen_ids: Iterable[str] = ()) -> tuple[DoorList, ...]:
    """Return the lists to ask: those that fit, or those that the site names.  Raises ``UnusableCatalogue``."""
    names = tuple(chosen_ids)
    if not names:
        fit = [each for each in catalogue.asked if not catalogue.lacks_key(each)]
        return tuple(door for each in fit for door in _offices(each, catalogue, named=False))
    chosen = catalogue.chosen(names)
    for zone, why in chosen.asked_dead:
        raise UnusableCatalogue(f"gate.lists: {zone} is never asked: {why}; remove it")
    found = []
    for each in chosen.asked:
        doors = _offices(each, chosen, named=True)
        if not doors:
            raise UnusableCatalogue(
                f"gate.lists: {each.id} says nothing of a client's address or a link that counts at the gate; remove it"
            )
        found += doors
    return tuple(found)


def _offices(blocklist: Blocklist, catalogue: Catalogue, named: bool) -> list[DoorList]:
    """Return the list in each office that it has."""

    def door(office: Office, kind: TargetKind, forms: frozenset[Form], counts: frozenset[Signal]) -> DoorList:
        # Only these forms: a list that holds both pages and domains must not be asked about a page's shared host.
        narrowed = replace(blocklist, asks=tuple(form for form in blocklist.asks if form in forms))
        return DoorList(narrowed, office, kind, counts, CodeBook(blocklist, catalogue.errors), catalogue.key(blocklist))

    found = []
    asks = frozenset(blocklist.asks)
    if counts := _counting(blocklist, Office.CLIENT, named):
        for form, kind in ((Form.IPV4, TargetKind.IPV4), (Form.IPV6, TargetKind.IPV6)):
            if form in asks:
                found.append(door(Office.CLIENT, kind, frozenset({form}), counts))
    if asks & _NAME_FORMS and blocklist.new_within_days is not None:
        found.append(door(Office.AGE, TargetKind.DOMAIN, _NAME_FORMS, frozenset()))
    elif asks & _NAME_FORMS and (counts := _counting(blocklist, Office.LINK, named)):
        found.append(door(Office.LINK, TargetKind.DOMAIN, _LINK_FORMS, counts))
    if asks & _PAGE_FORMS and (named or blocklist.tier is Tier.MAJOR):
        found.append(door(Office.PAGE, TargetKind.URL, _PAGE_FORMS, frozenset()))
    return found


def _counting(blocklist: Blocklist, office: Office, named: bool) -> frozenset[Signal]:
    """Return the signals of this list that count; none where it is not to be asked."""
    votes = {code.votes for code in blocklist.codes.values() if code.votes is not None}
    if named:
        return frozenset(votes & _COUNTS[office] or votes & _WHERE_NAMED)
    fits = blocklist.tier is Tier.MAJOR and votes & _WORTH_ASKING[office]
    return frozenset(votes & _COUNTS[office]) if fits else frozenset()
