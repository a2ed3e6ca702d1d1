"""Two records of one account as one: what a log of last month shows, and what was learned since.

The two must not have counted the same events.  The order in which they are given does not matter.
"""

from __future__ import annotations

from outwarden.detection.live.counts import NOTHING, Window
from outwarden.detection.live.known_recipients import KnownRecipients
from outwarden.detection.live.record import (
    HALF_LIFE,
    MOST_COUNTRIES,
    MOST_LINKS,
    MOST_NETWORKS,
    MOST_OFFENCES,
    MOST_TEXTS,
    WEEKS_REMEMBERED,
    AccountRecord,
    LinkUse,
    Most,
    NetworkUse,
    TextUse,
)

_MOST_FIELDS = tuple(field for field in Most.__struct_fields__ if field != "period")


def merged(one: AccountRecord, other: AccountRecord) -> AccountRecord:
    """Return a record that knows what both know.  Raises ``ValueError`` for records of different accounts."""
    if one.account != other.account:
        raise ValueError(f"records of {one.account!r} and {other.account!r} are of two accounts")
    older, newer = sorted((one, other), key=lambda record: (_last(record), record.first_at, record.messages))
    weeks, today = _days(older, newer)
    return AccountRecord(
        account=newer.account,
        kind=newer.kind,
        first_at=min(older.first_at, newer.first_at),
        hour=_windows(older.hour, newer.hour),
        day=_windows(older.day, newer.day),
        recipients=_recipients(older.recipients, newer.recipients),
        messages=older.messages + newer.messages,
        own=_own(older, newer),
        own_at=max(older.own_at, newer.own_at),
        weeks=weeks,
        today=today,
        networks=_networks(older.networks, newer.networks),
        countries=_last_seen(older.countries, newer.countries),
        links=_links(older.links, newer.links),
        texts=_texts(older.texts, newer.texts),
        shared=newer.shared or older.shared,
        standing=newer.standing,
        standing_at=newer.standing_at,
        hold=newer.hold,
        offences=sorted({*older.offences, *newer.offences})[-MOST_OFFENCES:],
        suspected_at=max(older.suspected_at, newer.suspected_at),
        cleared_until=newer.cleared_until,
        allowed=newer.allowed,
        released_today=newer.released_today,
        given_back_at=newer.given_back_at,
        blocked_by=newer.blocked_by,
        unmet=newer.unmet,
    )


def _last(record: AccountRecord) -> tuple[int, int]:
    return record.day.slot, record.hour.slot


def _windows(older: Window, newer: Window) -> Window:
    both = Window(newer.seconds, newer.slots, newer.slot, [None] * newer.slots, NOTHING.copy())
    for window in (older, newer):
        for back in range(window.slots):
            slot = window.slot - back
            row = window.rows[slot % window.slots]
            if row is None or newer.slot - slot >= newer.slots:
                continue
            place = slot % newer.slots
            there = both.rows[place] or NOTHING
            both.rows[place] = [a + b for a, b in zip(there, row, strict=True)]
            both.sums = [a + b for a, b in zip(both.sums, row, strict=True)]
    return both


def _recipients(older: KnownRecipients, newer: KnownRecipients) -> KnownRecipients:
    both = KnownRecipients(min(older.began, newer.began))
    for known in (older, newer):
        both.current.add_all(known.current)
        both.before.add_all(known.before)
    return both


def _own(older: AccountRecord, newer: AccountRecord) -> list[float]:
    at = max(older.own_at, newer.own_at)
    kept = [0.5 ** ((at - record.own_at) / HALF_LIFE) for record in (older, newer)]
    return [kept[0] * a + kept[1] * b for a, b in zip(older.own, newer.own, strict=True)]


def _days(older: AccountRecord, newer: AccountRecord) -> tuple[list[Most], Most]:
    weeks: dict[int, Most] = {}
    today = Most(newer.today.period)
    parts = [*older.weeks, *newer.weeks]
    for day in (older.today, newer.today):
        if day.period == today.period:
            _raise(today, day)
        elif day.period:
            parts.append(Most(day.period // 7, *(getattr(day, field) for field in _MOST_FIELDS)))
    for week in parts:
        _raise(weeks.setdefault(week.period, Most(week.period)), week)
    return [weeks[period] for period in sorted(weeks)][-WEEKS_REMEMBERED:], today


def _raise(most: Most, by: Most) -> None:
    for field in _MOST_FIELDS:
        setattr(most, field, max(getattr(most, field), getattr(by, field)))


def _networks(older: dict[str, NetworkUse], newer: dict[str, NetworkUse]) -> dict[str, NetworkUse]:
    both = dict(older)
    for name, use in newer.items():
        there = both.get(name)
        both[name] = use if there is None else NetworkUse(
            max(there.last_at, use.last_at),
            min(there.new_until, use.new_until),
            there.messages + use.messages,
            there.to_strangers + use.to_strangers,
            there.fresh_linked + use.fresh_linked,
        )  # fmt: skip
    kept = sorted(both, key=lambda name: (-both[name].last_at, name))[:MOST_NETWORKS]
    return {name: both[name] for name in kept}


def _last_seen(older: dict[str, float], newer: dict[str, float]) -> dict[str, float]:
    both = {name: max(older.get(name, at), newer.get(name, at)) for name, at in {**older, **newer}.items()}
    return {name: both[name] for name in sorted(both, key=lambda name: (-both[name], name))[:MOST_COUNTRIES]}


def _links(older: dict[int, LinkUse], newer: dict[int, LinkUse]) -> dict[int, LinkUse]:
    both = dict(older)
    for key, use in newer.items():
        there = both.get(key, use)
        both[key] = LinkUse(
            min(there.first_at, use.first_at), max(there.last_at, use.last_at), there.listed or use.listed
        )
    return {key: both[key] for key in sorted(both, key=lambda key: (-both[key].last_at, key))[:MOST_LINKS]}


def _texts(older: dict[int, TextUse], newer: dict[int, TextUse]) -> dict[int, TextUse]:
    both = dict(older)
    for key, use in newer.items():
        there = both.get(key)
        both[key] = use if there is None else TextUse(
            min(there.first_at, use.first_at),
            max(there.last_at, use.last_at),
            there.messages + use.messages,
            there.new + use.new,
            there.replies + use.replies,
            there.spam + use.spam,
        )  # fmt: skip
    return {key: both[key] for key in sorted(both, key=lambda key: (-both[key].last_at, key))[:MOST_TEXTS]}
