"""The server as a whole: what speaks against it without naming an account of ours, or beside one."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from outwarden.detection.account_history import AccountHistory, Column
from outwarden.detection.baseline.flow_findings import Behind, Troubles, destination_troubles, flow_findings
from outwarden.detection.baseline.troubles import Trouble
from outwarden.detection.baseline.words import shares_of
from outwarden.detection.destination_history import Flow
from outwarden.detection.history import Histories
from outwarden.detection.hours import Hours, hour_of
from outwarden.detection.judgement import ACCUSED, Judgement, judge
from outwarden.detection.population import Population
from outwarden.detection.relaying import forwarding_findings, relay_finding
from outwarden.events import Finding, Stream

_SEVERAL_PUBLIC_RECEIVERS = 3
_MOST_RELAYS_SAID = 5
_USUAL_WEIGHT = 20.0
"""Results that the server's usual share counts for, beside an account's own."""


def server_findings(
    histories: Histories, population: Population, ours: Sequence[AccountHistory], of_destinations: Troubles
) -> tuple[Finding, ...]:
    """Return the findings about the server, most points first; ``ours`` are the accounts that may be named."""
    found = [
        *_relays(histories, population),
        *histories.listings.findings(partial(_answers, histories)),
        *flow_findings(
            histories.server,
            _flows(histories),
            of_destinations,
            partial(_behind, ours),
            partial(_behind_one, histories, frozenset(one.account for one in ours)),
        ),
        *forwarding_findings(histories.forwards),
    ]
    return tuple(sorted(found, key=lambda one: (-one.points, one.rule, one.text)))


def troubles_of_destinations(histories: Histories) -> Troubles:
    """Return what speaks for trouble at single destinations."""
    return destination_troubles(_flows(histories))


def _flows(histories: Histories) -> dict[str, Hours]:
    return {one.domain: one.hours for one in histories.destinations.values() if one.hours is not None}


def _answers(histories: Histories, receiver: str | None, since: datetime) -> int:
    """Return how many final answers a receiver gave since that time; all of them where its hours are not kept."""
    if receiver is None:
        return _answers_in(histories.server, since)
    destination = histories.destinations[receiver]
    if destination.hours is None:
        return destination.delivered + destination.bounced
    return _answers_in(destination.hours, since)


def _answers_in(hours: Hours, since: datetime) -> int:
    row = bisect_left(hours.column(0), hour_of(since))
    return sum(hours.column(Flow.DELIVERED)[row:]) + sum(hours.column(Flow.BOUNCED)[row:])


def _relays(histories: Histories, population: Population) -> list[Finding]:
    """Return the strangers that use this server to reach several public receivers, worst first."""
    found: list[tuple[Judgement, AccountHistory]] = []
    for client in histories.relaying.values():
        if len(client.public_receivers) >= _SEVERAL_PUBLIC_RECEIVERS:
            judgement = judge(client, population)
            if judgement.standing in ACCUSED:
                found.append((judgement, client))
    found.sort(key=lambda one: (-one[0].points, one[1].account))
    return [
        relay_finding(client.account, judgement.points, judgement.findings, judgement.since)
        for judgement, client in found[:_MOST_RELAYS_SAID]
    ]


def _behind(ours: Sequence[AccountHistory], trouble: Trouble) -> Behind:
    """Return the accounts with more bad results in those hours than they usually have, and lines of the first."""
    excess = {one.account: more for one in ours if (more := _more_than_usual(one, trouble)) > 0}
    accounts = shares_of(excess)
    first = max(excess, key=lambda name: excess[name], default=None)
    streams = (Stream.SERVER,) if trouble.rate.counts == Flow.DEFERRED else (Stream.REFUSED, Stream.UNKNOWN_RECIPIENTS)
    for one in ours:
        if one.account == first:
            for stream in streams:
                if stream in one.lines:
                    return Behind(accounts, one.lines[stream].within(trouble.hours[0], trouble.hours[-1]))
    return Behind(accounts)


def _behind_one(histories: Histories, ours: frozenset[str], domain: str, trouble: Trouble) -> Behind:
    """Return the accounts behind what one destination refused or put off."""
    destination = histories.destinations[domain]
    of = destination.deferred_by if trouble.rate.counts == Flow.DEFERRED else destination.bounced_by
    if of is None:
        return Behind([])
    accounts, lines = of.of(trouble.hours)
    # Those who may not be named still have their share.
    return Behind(
        [one for one in shares_of({name: float(bad) for name, bad in accounts.items()}) if one[0] in ours], lines
    )


def _more_than_usual(account: AccountHistory, trouble: Trouble) -> float:
    """Return how many more bad results an account had in those hours than it had in as many results before."""
    hours, rows = account.hours.column(0), account.hours.rows
    counts = [row for row in range(bisect_left(hours, trouble.hours[0]), len(hours)) if hours[row] in trouble.hours]
    if not counts:
        return 0.0
    bad, of = _bad_of(trouble, rows, counts)
    if not bad:
        return 0.0
    bad_before, before = _bad_of(trouble, rows, range(counts[0]))
    usual = (bad_before + trouble.usual * _USUAL_WEIGHT) / (before + _USUAL_WEIGHT)
    return bad - usual * of


def _bad_of(trouble: Trouble, rows: array[int], counts: Iterable[int]) -> tuple[int, int]:
    """Return how many were bad, and all, in some rows of an account."""
    bad = of = 0
    deferred = trouble.rate.counts == Flow.DEFERRED
    for row in counts:
        base = row * Column.WIDTH
        of += rows[base + Column.RESULTS]
        if deferred:
            of += rows[base + Column.DEFERRED]
        bad += rows[base + (Column.DEFERRED if deferred else Column.BOUNCED)]
    return bad, of
