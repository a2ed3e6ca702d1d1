"""The judgement of one account: its worst stretch of time, the ledger of it, since when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from outwarden.detection.account_history import AccountHistory
from outwarden.detection.cause import cause_of
from outwarden.detection.incident import began, first_of_chain
from outwarden.detection.ledger import HELD_AT, WATCHED_AT, entries, points_by_stream, standing, total
from outwarden.detection.population import Population
from outwarden.detection.timeline import Timeline, most_points
from outwarden.detection.window import Window
from outwarden.events import AccountKind, Finding, Standing

_GOOD_PART = 0.1
ACCUSED = (Standing.HELD, Standing.BLOCKED)


class Judgement(NamedTuple):
    """How an account stands and why; ``since`` and ``cause`` from *held* upwards."""

    standing: Standing = Standing.NORMAL
    points: float = 0.0
    findings: tuple[Finding, ...] = ()
    since: datetime | None = None
    cause: str | None = None


NOTHING = Judgement()


def judge_all(
    accounts: Sequence[AccountHistory], population: Population, forwarded: frozenset[str]
) -> dict[int, Judgement]:
    """Judge all accounts, by ``id``; where many stand out, once more beside those who do not.

    Fifty stolen accounts make spamming look usual; what is usual is what the others do.
    ``forwarded`` names the local senders whose mail we only pass on.
    """
    judged = {id(account): _judge(account, population, forwarded) for account in accounts}
    standing_out = [account for account in accounts if judged[id(account)].standing is not Standing.NORMAL]
    if _colour_the_usual(standing_out, accounts):
        rest = population.without(standing_out)
        judged = {id(account): _judge(account, rest, forwarded) for account in accounts}
    return judged


def _colour_the_usual(standing_out: Sequence[AccountHistory], accounts: Sequence[AccountHistory]) -> bool:
    """Say whether a good part of all bounces are of those who stand out, the worst of them left aside.

    One alone is left out of what is usual for himself anyway.
    """
    if len(standing_out) < 2:
        return False
    theirs = sorted(account.bounced for account in standing_out)[:-1]
    return sum(theirs) > _GOOD_PART * sum(account.bounced for account in accounts)


def _judge(account: AccountHistory, population: Population, forwarded: frozenset[str]) -> Judgement:
    judgement = judge(account, population)
    if account.kind is AccountKind.LOCAL and account.account in forwarded and judgement.standing in ACCUSED:
        return judgement._replace(standing=Standing.WATCHED, since=None, cause=None)
    return judgement


def judge(account: AccountHistory, population: Population) -> Judgement:
    """Judge an account on the worst of all its windows: the highest sum, then the shortest, then the first."""
    if most_points(account) < WATCHED_AT:
        return NOTHING
    judged = _judged_windows(Timeline(account, population))
    if not judged:
        return NOTHING
    highest, worst = max(judged, key=lambda one: (one[0], -one[1].hours, -one[1].last_hour))
    points = points_by_stream(worst)
    stands = standing(points)
    first = first_of_chain(judged, worst, highest)
    since = began(account, first, worst)
    accused = stands in ACCUSED
    return Judgement(
        standing=stands,
        points=round(sum(points.values()), 1),
        findings=entries(worst, points, account, since),
        since=since if accused else None,
        cause=cause_of(account, worst, points) if accused else None,
    )


def _judged_windows(timeline: Timeline) -> list[tuple[float, Window]]:
    """Return the windows worth naming with their sums: all that would be held, and the highest of the others."""
    judged = []
    bar = WATCHED_AT
    for start, end in timeline.spans():
        if timeline.most_points(start, end) >= bar:
            window = timeline.window(start, end)
            points = total(window)
            if points >= bar:
                judged.append((points, window))
                bar = max(bar, min(points, HELD_AT))
    return judged
