"""Is anything of ours listed: from the store, or by asking now.  What ``outwarden monitor blocklists`` says.

Reading the store imports nothing that asks: a monitor calls this each minute.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from outwarden.detection.listing_state import Level, NowListed, Standing, asked_now, standing
from outwarden.events import ListAnswerKind
from outwarden.service.own_names import watched
from outwarden.service.settings import Configuration
from outwarden.store.database import Database
from outwarden.store.listings import Listings


def from_store(configuration: Configuration, path: Path, now: datetime, rounds: int) -> Standing:
    """Judge what the service wrote down; answers older than ``rounds`` rounds are stale.

    Raises ``StoreUnusable`` and ``ConfigurationError``.
    """
    every = timedelta(minutes=configuration.settings.blocklists.every_minutes)
    with Database(path, read_only=True) as database:
        listings = Listings(database)
        asked, majors = listings.asked(), listings.open_on_major_lists()
        listed = [
            NowListed(each.target, each.list, each.meaning, each.id in majors, each.began_at)
            for each in listings.open()
        ]
    targets = [target.text for target in watched(configuration)] or [each.target for each in asked]
    return standing(targets, listed, asked, now, rounds * every)


def ask_now(configuration: Configuration, targets: Sequence[str], now: datetime) -> Standing:
    """Ask about ``targets``, or about what the settings name.  Raises ``ConfigurationError``.

    Where nothing can be said because of the resolver, the sentence names what is wrong with that.
    """
    from outwarden.dns.checking import check
    from outwarden.dns.list_health import HealthBook
    from outwarden.service.own_lists import in_settings_words
    from outwarden.service.watch_list import WatchList

    watch = WatchList(configuration, targets)
    health = HealthBook()
    answers = list(check(watch.targets, watch.catalogue, watch.lookup(), now, health))
    listed = [
        NowListed(each.target, each.list, each.meaning, each.major, None)
        for each in answers
        if each.answer is ListAnswerKind.LISTED
    ]
    found = standing([target.text for target in watch.targets], listed, asked_now(answers, now), now)
    if found.level is not Level.UNKNOWN or health.resolver_fault is None:
        return found
    return replace(found, sentence=in_settings_words(health.resolver_fault))
