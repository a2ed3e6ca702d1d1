"""What the rest of the service writes down, told to the desk: blocks, holds, accounts given back, listings, the queue.

The journal of responses and the alarms about listings are read from where the desk left off, and the place is moved in
the same transaction in which the desk hears what they say: so everything is heard once, whenever the service dies.
What the desk did itself is no news to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from outwarden.cases.case import Case, CaseState
from outwarden.cases.desk import Desk
from outwarden.cases.going_on import Refused, Turn
from outwarden.cases.happening import Evidence, Happening, Said, Signal, Told, happening_id
from outwarden.cases.opening import OF_RULE, of_decision, of_finding, of_listing, of_standing
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import ResponseName
from outwarden.cases.subscriber import Subject, SubjectKind, account_subject
from outwarden.cases.troubles import Trouble
from outwarden.detection.client_networks import is_own
from outwarden.detection.listing_changes import Turn as ListingTurn
from outwarden.events import Cause, Finding, Standing
from outwarden.service.automatic.automatic import BY_ITSELF
from outwarden.service.automatic.book import decision_of
from outwarden.service.desk.site import DeskSite
from outwarden.store.listings import Listing
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.responses import Turn as ResponseTurn
from outwarden.store.store import Store

BY_THE_DESK = "case "
"""How ``asked_by`` of a response begins that a case asked for; its number follows."""

_AT_ONCE = 100
_GIVEN_BACK = re.compile(r"([^:]{1,64}): (.*)", re.DOTALL)  # automatic.end
_WRONGLY = "; it was wrong"
_STANDING = {ResponseKind.HOLD_ACCOUNT: Standing.HELD, ResponseKind.BLOCK_ACCOUNT: Standing.BLOCKED}
_OPEN_WITHIN = (ResponseState.DONE,)
_OPEN_OBSERVED = (ResponseState.DONE, ResponseState.OBSERVED)
_LOOKS_BACK = timedelta(hours=6)
_MOST_MESSAGES = 200
_MOST_BESIDE = 10
_QUEUE_RULES = frozenset(rule for rule, trouble in OF_RULE.items() if trouble is Trouble.QUEUE_GROWING)
_QUEUE_POINTS_FROM = 1.0


def read_news(store: Store, site: DeskSite, now: datetime) -> list[Turn]:
    """Tell the desk what was written since it last read; return what came of it.

    It takes a part at a time: call it again until it returns nothing.  Raises ``StoreUnusable``.
    """
    turns: list[Turn] = []
    with store.writing():
        desk = site.desk(store)
        for source, news in (("responses", _of_responses), ("listings", _of_listings)):
            for number, happenings in news(store, site, store.case_tries.place(source)):
                for happening in happenings:
                    if isinstance(happening, Told):
                        turns += tell(store, site, happening, now)
                    else:
                        turns += _heard(desk, [happening], now)
                store.case_tries.read_up_to(source, number)
    return turns


def let_time_come(store: Store, site: DeskSite, now: datetime) -> list[Turn]:
    """Move the cases for which the clock is due.  Raises ``StoreUnusable``."""
    with store.writing():
        return site.desk(store).time_comes(now)


def tell_of_queue(store: Store, site: DeskSite, findings: Sequence[Finding], now: datetime) -> list[Turn]:
    """Tell the desk how the queue looks: what grows opens a case, once an hour at most; none is *normal* again.

    Raises ``StoreUnusable``.
    """
    growing = queue_troubles(findings)
    with store.writing():
        desk, turns = site.desk(store), list[Turn]()
        for finding in growing:
            evidence = of_finding(finding, Subject(SubjectKind.SERVER, "queue"), now)
            if evidence is not None:
                # The same growth is seen at each look, with other figures in its words.
                known = happening_id("queue", finding.rule, now.strftime("%Y-%m-%d %H"))
                turns += _heard(desk, [_renamed(evidence, known)], now)
        for case in store.cases.open_of("site") if not growing else ():
            if case.trouble is Trouble.QUEUE_GROWING and case.state is not CaseState.RESOLVED:
                told = happening_id("queue-normal", case.id, case.place, case.visit)
                turns += _heard(desk, [Told(told, now, case.id, Signal.QUEUE_NORMAL)], now)
        return turns


def tell(store: Store, site: DeskSite, told: Told, now: datetime) -> list[Turn]:
    """Tell a case news that it may wait for; where it stands elsewhere they are kept.  Only inside ``writing()``."""
    case = store.cases.case(told.case)
    if case is None or store.cases.heard(told.id):
        return []
    if case.is_open and case.state is not CaseState.RESOLVED and not _awaits(site, case, told):
        store.case_tries.keep_news(told)
        return []
    return list(_heard(site.desk(store), [told], now))


def tell_what_was_kept(store: Store, site: DeskSite, now: datetime) -> list[Turn]:
    """Tell the news that were kept to the cases that stand where they wait for them.  Raises ``StoreUnusable``."""
    ready = [told for told in store.case_tries.kept_news() if _is_ready(store, site, told)]
    if not ready:
        return []
    turns: list[Turn] = []
    with store.writing():
        for told in ready:
            store.case_tries.drop_news(told)
            if not _is_outdated(store, told):
                turns += tell(store, site, told, now)
    return turns


def _is_ready(store: Store, site: DeskSite, told: Told) -> bool:
    case = store.cases.case(told.case)
    settled = case is None or not case.is_open or case.state is CaseState.RESOLVED
    return case is None or settled or _awaits(site, case, told) or _is_outdated(store, told)


def _awaits(site: DeskSite, case: Case, told: Told) -> bool:
    return any(way.on == told.signal.value for way in site.playbooks[case.trouble].ways_out(case.place))


def _is_outdated(store: Store, told: Told) -> bool:
    """Return whether the account was stopped again since it was given back."""
    case = store.cases.case(told.case)
    if case is None or told.signal is not Signal.ACCOUNT_GIVEN_BACK:
        return False
    stops = {ResponseName.HOLD_ACCOUNT, ResponseName.BLOCK_ACCOUNT}
    return any(one.response in stops and one.asked_at > told.at for one in case.asked)


def queue_troubles(findings: Sequence[Finding]) -> list[Finding]:
    """Return what of findings says that the queue, or what waits for one destination, grows."""
    return [one for one in findings if one.rule in _QUEUE_RULES and one.points >= _QUEUE_POINTS_FROM]


def _heard(desk: Desk, happenings: Sequence[Happening], now: datetime) -> Iterator[Turn]:
    for happening in happenings:
        try:
            turn = desk.hear(happening, now)
        except Refused:
            # A word that the case does not understand where it stands; what it is about was written down anyway.
            continue
        if turn is not None:
            yield turn


def _renamed(evidence: Evidence, number: str) -> Evidence:
    return Evidence(
        number, evidence.at, evidence.trouble, evidence.subject, evidence.text, evidence.points, evidence.raw,
        evidence.beside,
    )  # fmt: skip


# -- accounts


def _of_responses(store: Store, site: DeskSite, place: int) -> Iterator[tuple[int, list[Happening]]]:
    opening = _OPEN_OBSERVED if site.settings.observed else _OPEN_WITHIN
    for number, turn, response in store.responses.turns_after(place, _AT_ONCE):
        happenings: list[Happening] = []
        if response is None or turn.remark.startswith(BY_THE_DESK):
            pass
        elif turn.state is ResponseState.UNDONE:
            happenings += _given_back(store, site, number, turn, response)
        elif turn.state in opening and not response.asked_by.startswith(BY_THE_DESK):
            happenings += _begun(store, turn, response)
        yield number, happenings


def _begun(store: Store, turn: ResponseTurn, response: Response) -> Iterator[Evidence]:
    decision = decision_of(response)
    if decision is None:
        found = of_standing(response.subject, _STANDING[response.kind], response.intended_at, response.reason)
    else:
        found = of_decision(decision, beside_of(store, response.subject, turn.at))
    if found is not None:
        yield found


def beside_of(store: Store, account: str, now: datetime) -> tuple[Subject, ...]:
    """Return the client addresses and scripts from which an account handed in mail within some hours, newest first."""
    found: dict[Subject, None] = {}
    for message in store.messages.of_account(account, now - _LOOKS_BACK, _MOST_MESSAGES):
        if message.client_address and not is_own(message.client_address):
            found[Subject(SubjectKind.CLIENT_ADDRESS, message.client_address)] = None
        if message.script:
            found[Subject(SubjectKind.SCRIPT, message.script)] = None
    return tuple(found)[:_MOST_BESIDE]


def _given_back(
    store: Store, site: DeskSite, number: int, turn: ResponseTurn, response: Response
) -> Iterator[Happening]:
    """Yield it for the cases of an account that a person has given back."""
    match = _GIVEN_BACK.fullmatch(turn.remark)
    if match is None or match[1] == BY_ITSELF or _stands(store, response):
        return
    by, why = match[1], match[2]
    for case in cases_of_account(store, site, response.subject):
        if why.endswith(_WRONGLY):
            told = happening_id("wrongly", case.id, number)
            yield Said(told, turn.at, case.id, by, Role.ADMINISTRATOR, "mistaken", why)
        else:
            told = happening_id("given-back", case.id, number)
            yield Told(told, turn.at, case.id, Signal.ACCOUNT_GIVEN_BACK, f"by {by}: {why}")


def _stands(store: Store, response: Response) -> bool:
    """Return whether the account is held or blocked in another way."""
    name = response.subject.lower()
    return any(
        each.subject.lower() == name and each.state is ResponseState.DONE
        for each in store.responses.accounts_standing()
    )


def cases_of_account(store: Store, site: DeskSite, account: str) -> list[Case]:
    """Return the open cases that name an account."""
    subscriber = site.subscribers.of(account_subject(account))
    if subscriber is None:
        return []
    open_ones = store.cases.open_of(subscriber.id)
    return [case for case in open_ones if account.lower() in case.named(SubjectKind.ACCOUNT)]


# -- listings


def _of_listings(store: Store, _site: DeskSite, place: int) -> Iterator[tuple[int, list[Happening]]]:
    for alarm in store.alarms.after(place):
        listing = None if alarm.listing is None else store.listings.one(alarm.listing)
        happenings: list[Happening] = []
        if listing is not None and alarm.turn is ListingTurn.BEGAN:
            happenings = [_listed(listing)]
        elif listing is not None:
            happenings = list(_listing_ended(store, listing))
        yield alarm.id, happenings


def _listed(listing: Listing) -> Evidence:
    # What the list is for stands in its own words; the whole diagnosis is in the alarm.
    backscatter = "backscatter" in f"{listing.list} {listing.meaning}".lower()
    cause = Cause.BACKSCATTER if backscatter else Cause.UNCLEAR
    return of_listing(listing.target, listing.list, listing.meaning, listing.began_at, cause)


def _listing_ended(store: Store, listing: Listing) -> Iterator[Told]:
    """Yield it for the cases none of whose addresses is on any list any more."""
    listed = {each.target for each in store.listings.open()}
    for case in store.cases.open_of("site"):
        addresses = case.named(SubjectKind.OWN_ADDRESS)
        if listing.target in addresses and not listed.intersection(addresses):
            number = happening_id("listing-ended", case.id, listing.id)
            at = listing.ended_at or listing.last_seen_at
            yield Told(number, at, case.id, Signal.LISTING_ENDED, f"{listing.list} has {listing.target} no more")
