"""The server as a whole: what speaks against it without naming an account of ours, or beside one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from outwarden.detection.account_history import AccountHistory, Column
from outwarden.detection.bounce_rate import BOUNCE_RATE, Jump, jumps
from outwarden.detection.destination_history import DestinationHistory, Flow
from outwarden.detection.history import Histories
from outwarden.detection.hours import Hours, hour_of
from outwarden.detection.judgement import ACCUSED, Judgement, judge
from outwarden.detection.population import Population
from outwarden.detection.relaying import forwarding_findings, relay_finding
from outwarden.events import Finding, Stream

_SEVERAL_PUBLIC_RECEIVERS = 3
_MOST_RELAYS_SAID = 5
_BEHIND_IT = 0.3
"""Whoever has so large a share of an hour's bounces is named beside them."""


def server_findings(
    histories: Histories, population: Population, ours: Sequence[AccountHistory]
) -> tuple[Finding, ...]:
    """Return the findings about the server, most points first; ``ours`` are the accounts that may be named."""
    found = [
        *_relays(histories, population),
        *histories.listings.findings(partial(_answers, histories)),
        *(_with_accounts(jump, ours) for jump in jumps("all destinations", histories.server)),
        *forwarding_findings(histories.forwards),
    ]
    return tuple(sorted(found, key=lambda one: (-one.points, one.rule, one.text)))


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


def destination_findings(destination: DestinationHistory) -> tuple[Finding, ...]:
    """Return what speaks for trouble at one destination."""
    if destination.hours is None:
        return ()
    return tuple(jump.finding for jump in jumps(destination.domain, destination.hours))


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


def _with_accounts(jump: Jump, ours: Sequence[AccountHistory]) -> Finding:
    """Name the account behind a good part of that hour's bounces, and show its lines."""
    if jump.finding.rule != BOUNCE_RATE:
        return jump.finding
    bounced, account = max(((_bounced_in(one, jump.hour), one) for one in ours), key=lambda one: one[0])
    if bounced < _BEHIND_IT * jump.bad:
        return jump.finding
    lines = [account.lines[stream] for stream in (Stream.REFUSED, Stream.UNKNOWN_RECIPIENTS) if stream in account.lines]
    return replace(
        jump.finding,
        text=f"{jump.finding.text}; {bounced} of them are {account.account}'s",
        evidence=lines[0].within(jump.hour, jump.hour) if lines else (),
    )


def _bounced_in(account: AccountHistory, hour: int) -> int:
    hours = account.hours.column(0)
    row = bisect_left(hours, hour)
    if row == len(hours) or hours[row] != hour:
        return 0
    return account.hours.rows[row * Column.WIDTH + Column.BOUNCED]
