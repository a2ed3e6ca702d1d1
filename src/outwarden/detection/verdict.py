"""The verdict: is this server sending spam, who, since when, why, and what to do next.

*yes*: an account of ours, or a stranger who relays through us, would be blocked.
*maybe*: one would be held, or the server shows the signs and nobody can be named.
*no*: mail was seen going out and nothing of the kind.  *unknown*: too little was seen to say.

Nobody is accused whose mail only came in, nor for mail that he was sent and forwarded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outwarden.detection.account_history import AccountHistory, Column, SenderHistory
from outwarden.detection.assessment import AccountAssessment, Assessment, DestinationAssessment, HourCount
from outwarden.detection.baseline.flow_findings import Troubles
from outwarden.detection.baseline.words import trouble_finding
from outwarden.detection.history import Histories
from outwarden.detection.hours import start_of
from outwarden.detection.judgement import ACCUSED, NOTHING, Judgement, judge_all
from outwarden.detection.next_steps import next_steps
from outwarden.detection.population import Population
from outwarden.detection.relaying import OPEN_RELAY
from outwarden.detection.server import server_findings, troubles_of_destinations
from outwarden.events import AccountKind, Finding, RefusalClass, Standing, Verdict

if TYPE_CHECKING:
    from outwarden.detection.queue_growth import QueueAssessment

_ENOUGH_MESSAGES = 3
_SERVER_EVIDENCE_FROM = 2.0
_PROOF_FROM = 9.0


def assess(histories: Histories, queue: QueueAssessment | None = None) -> Assessment:
    """Judge everything recorded.  Pure; "now" is the time of the last event."""
    ours = [sender for sender in _senders(histories) if isinstance(sender, AccountHistory)]
    population = Population(ours, histories.server)
    forwarded = frozenset(_forwarded(histories))
    judged = judge_all(ours, population, forwarded)
    accounts = sorted(
        (_account(sender, judged.get(id(sender), NOTHING)) for sender in _senders(histories)),
        key=lambda one: (-one.points, -one.recipients, one.account, one.kind),
    )
    nameable = [one for one in ours if one.kind is not AccountKind.LOCAL or one.account not in forwarded]
    troubles = troubles_of_destinations(histories)
    server = server_findings(histories, population, nameable, troubles) + (queue.findings if queue else ())
    accused = [account for account in accounts if account.standing in ACCUSED]
    verdict = _verdict(accused, server, sum(account.messages for account in ours))
    listings = histories.listings.table()
    return Assessment(
        verdict=verdict,
        since=_since(verdict, accused, server),
        because=_because(accused, server),
        accounts=tuple(accounts),
        destinations=_destinations(histories, troubles),
        listings_seen=listings,
        from_at=histories.from_at,
        to_at=histories.to_at,
        next_steps=next_steps(verdict, accused, listings, server),
    )


def _senders(histories: Histories) -> Iterable[SenderHistory]:
    yield from histories.logins.values()
    yield from histories.locals.values()
    yield from histories.others.values()


def _forwarded(histories: Histories) -> Iterable[str]:
    """Return the local senders whose mail also comes in from outside.

    A filter rule that redirects, or a procmail recipe, sends such mail on: the stranger is no account of ours.
    """
    return (name for name in histories.locals if type(histories.others.get(name)) is SenderHistory)


def _verdict(accused: Sequence[AccountAssessment], server: Sequence[Finding], messages: int) -> Verdict:
    if any(account.standing is Standing.BLOCKED for account in accused):
        return Verdict.YES
    if any(finding.rule == OPEN_RELAY and finding.points >= _PROOF_FROM for finding in server):
        return Verdict.YES
    if accused or any(finding.points >= _SERVER_EVIDENCE_FROM for finding in server):
        return Verdict.MAYBE
    return Verdict.NO if messages >= _ENOUGH_MESSAGES else Verdict.UNKNOWN


def _since(verdict: Verdict, accused: Sequence[AccountAssessment], server: Sequence[Finding]) -> datetime | None:
    """Return when the first of those began that the verdict rests on."""
    worst = [one for one in accused if one.standing is Standing.BLOCKED] if verdict is Verdict.YES else accused
    times = [one.since for one in worst if one.since is not None]
    if not times and verdict in (Verdict.YES, Verdict.MAYBE):
        times = [one.at for one in server if one.points >= _SERVER_EVIDENCE_FROM and one.at is not None]
    return min(times, default=None)


def _because(accused: Sequence[AccountAssessment], server: Sequence[Finding]) -> tuple[Finding, ...]:
    of_accounts = [
        replace(finding, text=f"{account.account}: {finding.text}")
        for account in accused
        for finding in account.findings
    ]
    return (*of_accounts, *server)


def _account(sender: SenderHistory, judgement: Judgement) -> AccountAssessment:
    addresses = networks = len(sender.clients)
    hours: tuple[HourCount, ...] = ()
    ours = isinstance(sender, AccountHistory)
    if isinstance(sender, AccountHistory):
        addresses = len(sender.addresses)
        networks = len(sender.networks) + sender.more_networks
        hours = _hours(sender) if judgement.findings else ()
    return AccountAssessment(
        account=sender.account,
        kind=sender.kind,
        standing=judgement.standing,
        points=judgement.points,
        findings=judgement.findings,
        since=judgement.since,
        cause=judgement.cause,
        messages=sender.messages,
        recipients=sender.recipients,
        delivered=sender.delivered,
        deferred_attempts=sender.deferred_attempts,
        bounced=sender.bounced,
        expired=sender.expired,
        bounces_returned=sender.bounces_returned,
        refused=_by_class(sender.refused),
        client_addresses=addresses,
        networks=networks,
        hours=hours,
        ours=ours,
    )


def _hours(account: AccountHistory) -> tuple[HourCount, ...]:
    rows = zip(
        account.hours.column(0),
        account.hours.column(Column.MESSAGES),
        account.hours.column(Column.RECIPIENTS),
        strict=True,
    )
    return tuple(HourCount(start_of(hour), messages, recipients) for hour, messages, recipients in rows if messages)


def _destinations(histories: Histories, troubles: Troubles) -> tuple[DestinationAssessment, ...]:
    rows = [
        DestinationAssessment(
            destination=one.domain,
            delivered=one.delivered,
            deferred_attempts=one.deferred_attempts,
            bounced=one.bounced,
            refused=_by_class(one.refused),
            findings=tuple(trouble_finding(one.domain, trouble) for trouble in troubles.get(one.domain, ())),
        )
        for one in histories.destinations.values()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.delivered - row.bounced, -row.deferred_attempts, row.destination)))


def _by_class(refused: dict[RefusalClass | None, int] | None) -> dict[str, int]:
    return _shared_by_class(tuple(refused.items())) if refused else _NOTHING_REFUSED


_NOTHING_REFUSED: dict[str, int] = {}


@lru_cache(maxsize=8192)
def _shared_by_class(refused: tuple[tuple[RefusalClass | None, int], ...]) -> dict[str, int]:
    """Return the counts by the classes' names: thousands of accounts have the same few, and nobody changes them."""
    counts: dict[str, int] = {}
    for refusal_class, count in refused:
        name = (refusal_class or RefusalClass.UNCLASSIFIED).value
        counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items()))
