"""What a wish would do, said and not done."""

from __future__ import annotations

from collections.abc import Iterator

from outwarden.cases.response_requests import ResponseName
from outwarden.responses.accounts.connector import Deed
from outwarden.service.acting import NotAllowed, NothingFound
from outwarden.service.containment.containing import SESSIONS, words_of
from outwarden.service.containment.places import Places
from outwarden.service.containment.wish import DEEDS, ENDS_SESSIONS, Wish
from outwarden.service.containment_settings import ContainmentSettings


def planned(wish: Wish, places: Places, settings: ContainmentSettings) -> Iterator[str]:
    """Yield what would be done, line by line.  Places are asked; raises what they raise, and ``NothingFound``."""
    found = [(each, there) for each in places.accounts if (there := each.find(wish.account)) is not None]
    deeds = DEEDS.get(wish.response, ())
    if (deeds or wish.response is ResponseName.UNLOCK_ACCOUNT) and not found:
        raise NothingFound(f"no account {wish.account} in {', '.join(each.name for each in places.accounts)}")
    if deeds and len(found) > 1 and settings.several_places == "refuse":
        raise NotAllowed(f"{wish.account} is in several places: {', '.join(each.name for each, _ in found)}")
    for deed in deeds:
        for place, there in found:
            if deed not in place.abilities:
                yield f"cannot {words_of(deed, place.name)}: not set up for it"
                continue
            loses = f"; undo does not bring back: {there.cannot_undo}" if deed is Deed.SET_PASSWORD else ""
            yield words_of(deed, place.name) + (loses if there.cannot_undo else "")
    if wish.response is ResponseName.UNLOCK_ACCOUNT:
        yield from (words_of(Deed.UNLOCK, place.name) for place, there in found if there.locked)
    if wish.response in ENDS_SESSIONS:
        yield from (words_of(SESSIONS, place.name) for place in places.sessions)
    if wish.response is ResponseName.DISABLE_RULES:
        for leftovers in places.leftovers:
            for each in leftovers.leftovers(wish.account, wish.since):
                acts = settings.rules == "all" or (settings.rules == "changed" and each.changed_at is not None)
                when = (
                    "since when is not known"
                    if each.changed_at is None
                    else f"changed {each.changed_at:%Y-%m-%d %H:%M}"
                )
                yield f"{'disable' if acts else 'only list'} {each.words} ({leftovers.name}, {when})"
