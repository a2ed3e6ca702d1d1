"""How what an account did becomes what is usual for it, and how that is forgotten again.

Nothing is learned from a time of hard evidence, so that an attack does not become usual.  From all other time at
most twice the record is learned a day, so that it takes weeks, not a day, to grow a record that hides one.
"""

from __future__ import annotations

from outwarden.detection.live.counts import Count
from outwarden.detection.live.known_recipients import Unmet
from outwarden.detection.live.record import DAY, HALF_LIFE, WEEKS_REMEMBERED, AccountRecord, Most
from outwarden.events import Standing

HARD_FROM = 1.5
"""Points of hard evidence from which on a day teaches nothing."""

_FLOORS = {
    "new_hour": 6,
    "new_day": 12,
    "recipients_hour": 30,
    "fresh_targets_day": 4,
    "listed_targets_day": 1,
    "same_text": 6,
}
"""Below these a record grows freely."""


def turn(record: AccountRecord, now: float, clean_until: float) -> None:
    """Slide the windows to ``now``; what falls out of the day becomes part of what is usual.

    ``clean_until``: days that ended before are learned from whatever they were (the history that a site begins with).
    """
    record.hour.turn(now)
    fallen = record.day.turn(now)
    if fallen:
        record.recipients.turn(now)
        _forget(record, now)
        own = record.own
        for began, row in fallen:
            if began > record.suspected_at:
                for place, count in enumerate(row):
                    if count:
                        own[place] += count
    day = int(now) // DAY
    if day > record.today.period:
        began = record.today.period * DAY
        if began > record.suspected_at:
            _remember_most(record, freely=began + DAY <= clean_until)
        record.today = Most(day)
        record.allowed = record.released_today = 0


def note_today(record: AccountRecord) -> None:
    """Note what is the most of today so far."""
    today, hour, day = record.today, record.hour.sums, record.day.sums
    if hour[Count.NEW] > today.new_hour:
        today.new_hour = hour[Count.NEW]
    if day[Count.NEW] > today.new_day:
        today.new_day = day[Count.NEW]
    if hour[Count.RECIPIENTS] > today.recipients_hour:
        today.recipients_hour = hour[Count.RECIPIENTS]
    if day[Count.FRESH_TARGETS] > today.fresh_targets_day:
        today.fresh_targets_day = day[Count.FRESH_TARGETS]
    if day[Count.LISTED_TARGETS] > today.listed_targets_day:
        today.listed_targets_day = day[Count.LISTED_TARGETS]


def suspect(record: AccountRecord, hard: float, now: float) -> None:
    """Learn nothing from what happened up to now where the evidence is hard, whenever it leaves the day."""
    if hard >= HARD_FROM:
        record.suspected_at = max(record.suspected_at, now)


def trust(record: AccountRecord, now: float) -> None:
    """Take all that the account did as usual, because a person said so, and begin its ledger anew."""
    record.suspected_at = 0.0
    _remember_most(record, freely=True)
    for use in record.networks.values():
        use.new_until = 0.0
    for link in record.links.values():
        link.first_at = min(link.first_at, now - 2 * DAY)
    for text in record.texts.values():
        text.first_at = min(text.first_at, now - 3 * DAY)
    record.unmet = Unmet()
    _begin_anew(record)


def forget_theft(record: AccountRecord, now: float) -> None:
    """Take nothing as usual of what was done in the day before the account was blocked, and begin its ledger anew."""
    blocked_at = record.standing_at if record.standing is Standing.BLOCKED else now
    day_before = blocked_at - DAY
    record.suspected_at = max(record.suspected_at, blocked_at)
    record.today = Most(record.today.period)
    record.networks = {name: use for name, use in record.networks.items() if use.new_until <= blocked_at}
    record.links = {key: use for key, use in record.links.items() if use.first_at <= day_before}
    record.texts = {key: use for key, use in record.texts.items() if use.first_at <= day_before}
    _begin_anew(record)


def _begin_anew(record: AccountRecord) -> None:
    record.shared = None
    record.hold = None
    record.blocked_by = None
    record.hour.clear()
    record.day.clear()


def _remember_most(record: AccountRecord, freely: bool) -> None:
    today = record.today
    week = today.period // 7
    before = record.most()
    weeks = record.weeks
    if not weeks or weeks[-1].period != week:
        weeks.append(Most(week))
        while weeks[0].period <= week - WEEKS_REMEMBERED:
            del weeks[0]
    for field, floor in _FLOORS.items():
        value: int = getattr(today, field)
        if not freely:
            value = min(value, 2 * max(floor, getattr(before, field)))
        if value > getattr(weeks[-1], field):
            setattr(weeks[-1], field, value)


def _forget(record: AccountRecord, now: float) -> None:
    passed = now - record.own_at
    if passed > 0:
        kept = 0.5 ** (passed / HALF_LIFE)
        record.own = [kept * count for count in record.own]
        record.own_at = now
