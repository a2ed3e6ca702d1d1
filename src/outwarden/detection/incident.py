"""When an incident began: to the message, not to the hour in which the ledger first spoke.

Refusals arrive after the mail that caused them, so the incident is older than its first evidence.
Where it came from new networks, it began with the first message from the first of them.  Else it
began with the run of messages that was the largest of its first loud hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from outwarden.detection.account_history import EARLIER, AccountHistory, Column, NetworkUse
from outwarden.detection.hours import start_of
from outwarden.detection.ledger import HELD_AT
from outwarden.detection.streams.volume import FLOOR_NEW_PER_HOUR
from outwarden.detection.window import Window

_A_DAY = 24
_ONE_CAMPAIGN = timedelta(hours=3)
_SEVERAL_BAD = 3


def first_of_chain(judged: Sequence[tuple[float, Window]], worst: Window, points: float) -> Window:
    """Return the earliest window of the incident that ``worst`` belongs to.

    Windows that would be held belong together where less than a day lies between them.
    """
    enough = min(points, HELD_AT)
    suspicious = [window for of, window in judged if of >= enough]
    suspicious.sort(key=lambda window: (-window.last_hour, window.first_hour))
    first = worst
    for window in suspicious:
        if window.last_hour <= first.last_hour and first.first_hour - window.last_hour <= _A_DAY:
            first = window if window.last_hour < first.last_hour else first
    return first


def began(account: AccountHistory, first: Window, worst: Window) -> datetime:
    """Return when the incident began whose earliest and worst windows these are."""
    fresh = _fresh_networks(account, first, worst)
    if fresh:
        return fresh[0].first_at
    return _first_loud_run(account, first)


def _fresh_networks(account: AccountHistory, first: Window, worst: Window) -> list[NetworkUse]:
    """Return the networks that came with the incident, oldest first; stragglers before it are left out."""
    uses = sorted(account.networks.values(), key=lambda use: use.first_at)[1:]
    earliest = min(first.first_hour, first.last_hour - _A_DAY + 1)
    uses = [use for use in uses if earliest <= use.first_hour <= worst.last_hour]
    if not uses:
        return []
    # Begin at the new network that carried most and go back while the next one is near.
    busiest = max(range(len(uses)), key=lambda number: (uses[number].messages, -number))
    begin = busiest
    while begin and uses[begin].first_at - uses[begin - 1].first_at <= _ONE_CAMPAIGN:
        begin -= 1
    return uses[begin:]


def _first_loud_run(account: AccountHistory, first: Window) -> datetime:
    hours = account.hours
    rows, width = hours.rows, hours.width
    at = [base for base in range(0, len(rows), width) if first.first_hour <= rows[base] <= first.last_hour]
    record = max((rows[base + Column.NEW] for base in range(0, at[0], width)), default=0)
    loud = next(
        (
            base
            for base in at
            if rows[base + Column.NEW] > max(FLOOR_NEW_PER_HOUR, record)
            or rows[base + Column.UNKNOWN] + rows[base + Column.REFUSED] >= _SEVERAL_BAD
        ),
        at[0],
    )
    while _continues(rows[loud + Column.RUN_FROM]) and loud >= width and rows[loud - width] == rows[loud] - 1:
        loud -= width
    second = rows[loud + Column.RUN_FROM]
    return start_of(rows[loud]) + timedelta(seconds=0 if _continues(second) else second - 1)


def _continues(run_from: int) -> bool:
    return run_from in (0, EARLIER)
