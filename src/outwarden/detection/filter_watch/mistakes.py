"""The mistakes of all days put together, and what of them rises.

Compared are the last two days with the days before: how many accounts were stopped wrongly, in all and by each rule;
of how many mail was missed, in all and by each list that a remote named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from msgspec.structs import replace

from outwarden.detection.filter_report import FilterReport, Mistakes
from outwarden.detection.filter_watch.days import MOST_EVIDENCE, AccountDay, Day, Tally
from outwarden.detection.filter_watch.rises import Counted, chance_of

FALSE_ALARMS_A_DAY = 0.001
"""The chance that anything at all is said to rise on a day on which nothing does."""

_WINDOW_DAYS = 2
_LEAST_PAST_DAYS = 7
_LEAST_ACCOUNTS = 3
_MOST_ACCOUNTS_TOLD = 200
_NOTHING = Tally()

Days = Mapping[int, Day]
"""Days by their number (``date.toordinal``)."""


class Rising(NamedTuple):
    """What rises: ``what`` is ``wrong`` or ``missed``, ``name`` a rule or list, or empty for all."""

    what: str
    name: str
    words: str
    evidence: tuple[str, ...]


def rising(days: Days, today: int) -> list[Rising]:
    """Return what stands above its own past."""
    recent = [day for number, day in days.items() if number > today - _WINDOW_DAYS]
    past = [day for number, day in days.items() if number <= today - _WINDOW_DAYS]
    if len(past) < _LEAST_PAST_DAYS:
        return []
    watched = [
        ("wrong", ""),
        ("missed", ""),
        *(("wrong", rule) for rule in _names(day.rules for day in recent)),
        *(("missed", name) for name in _names(day.lists for day in recent)),
    ]
    exposures = _exposures(recent, past)
    found = []
    for what, name in watched:
        now = len({account for day in recent for account, of in day.accounts.items() if _has(of, what, name)})
        before = sum(1 for day in past for of in day.accounts.values() if _has(of, what, name))
        chance = chance_of(Counted(now, exposures[0]), Counted(before, exposures[1]))
        if now >= _LEAST_ACCOUNTS and chance < FALSE_ALARMS_A_DAY / len(watched):
            usual = before * exposures[0] / exposures[1]
            found.append(Rising(what, name, _words(what, name, now, usual), _evidence(recent, what, name)))
    return found


def report_of(days: Days, now: datetime) -> FilterReport:
    """Return all mistakes; in each list what rises first, then what has most."""
    all_days, rises = list(days.values()), rising(days, now.toordinal())
    accounts = _in_order(_account(name, all_days) for name in _names(day.accounts for day in all_days))
    return FilterReport(
        since=_midnight(min(days)) if days else None,
        to=now,
        whole=_whole(all_days, [each for each in rises if not each.name]),
        rules=_in_order(_rule(name, all_days, rises) for name in _names(day.rules for day in all_days)),
        lists=_in_order(_list(name, all_days, rises) for name in _names(map(_lists_of, all_days))),
        accounts=accounts[:_MOST_ACCOUNTS_TOLD],
        days=tuple([_day(number, days[number]) for number in sorted(days, reverse=True)]),
    )


def _exposures(recent: Sequence[Day], past: Sequence[Day]) -> tuple[float, float]:
    """Return how much was at stake: messages accepted, where there were any, else days."""
    accepted = [float(sum(day.accepted for day in days)) for days in (recent, past)]
    return (accepted[0], accepted[1]) if all(accepted) else (float(len(recent)), float(len(past)))


def _has(of: AccountDay, what: str, name: str) -> bool:
    tally = of.own if not name else (of.rules if what == "wrong" else of.lists).get(name, _NOTHING)
    return bool(tally.wrong if what == "wrong" else tally.missed)


def _words(what: str, name: str, now: int, usual: float) -> str:
    if what == "wrong":
        did = f"the rule {name} had stopped" if name else "the filter had stopped"
        return f"mail of {now} accounts that {did} was let go within {_WINDOW_DAYS} days (usual: {usual:.1f})"
    why = f" because of {name}" if name else " as spam"
    return f"mail of {now} accounts was refused elsewhere{why} within {_WINDOW_DAYS} days (usual: {usual:.1f})"


def _evidence(days: Sequence[Day], what: str, name: str = "") -> tuple[str, ...]:
    """Return the newest messages first."""
    key = f"{what} {name}" if name else what
    found = [queue_id for day in days for queue_id in day.evidence.get(key, ())]
    return tuple(found[::-1][:MOST_EVIDENCE])


def _whole(days: Sequence[Day], rises: Sequence[Rising]) -> Mistakes:
    evidence = (*_evidence(days, "missed"), *_evidence(days, "wrong"))
    return _summed(
        Mistakes(
            "filter",
            "",
            sum(day.accepted for day in days),
            late=sum(sum(day.late.values()) for day in days),
            could_not_ask=sum(sum(day.could_not_ask.values()) for day in days),
            rising=tuple([each.words for each in rises]),
            evidence=tuple([queue_id for each in rises for queue_id in each.evidence]) or evidence,
        ),
        (day.own for day in days),
    )


def _rule(name: str, days: Sequence[Day], rises: Sequence[Rising]) -> Mistakes:
    words = tuple([each.words for each in rises if (each.what, each.name) == ("wrong", name)])
    of = Mistakes("rule", name, rising=words, evidence=_evidence(days, "wrong", name))
    return _summed(of, (day.rules.get(name, _NOTHING) for day in days))


def _list(name: str, days: Sequence[Day], rises: Sequence[Rising]) -> Mistakes:
    of = Mistakes(
        "list",
        name,
        late=sum(day.late.get(name, 0) for day in days),
        could_not_ask=sum(day.could_not_ask.get(name, 0) for day in days),
        rising=tuple([each.words for each in rises if (each.what, each.name) == ("missed", name)]),
        evidence=_evidence(days, "missed", name),
    )
    return _summed(of, (day.lists.get(name, _NOTHING) for day in days))


def _account(name: str, days: Sequence[Day]) -> Mistakes:
    return _summed(Mistakes("account", name), (day.accounts[name].own for day in days if name in day.accounts))


def _day(number: int, day: Day) -> Mistakes:
    of = Mistakes(
        "day",
        date.fromordinal(number).isoformat(),
        day.accepted,
        late=sum(day.late.values()),
        could_not_ask=sum(day.could_not_ask.values()),
        evidence=(*_evidence([day], "missed"), *_evidence([day], "wrong")),
    )
    return _summed(of, [day.own])


def _summed(of: Mistakes, tallies: Iterable[Tally]) -> Mistakes:
    found = list(tallies)
    return replace(
        of,
        stopped=sum(each.stopped for each in found),
        wrong=sum(each.wrong for each in found),
        missed=sum(each.missed for each in found),
    )


def _in_order(found: Iterable[Mistakes]) -> tuple[Mistakes, ...]:
    return tuple(
        sorted(
            found,
            key=lambda each: (not each.rising, -each.wrong - each.missed, -each.stopped, -each.late, each.name),
        )
    )


def _lists_of(day: Day) -> list[str]:
    return [*day.lists, *day.late, *day.could_not_ask]


def _names(places: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for place in places for name in place))


def _midnight(number: int) -> datetime:
    return datetime.combine(date.fromordinal(number), time(), UTC)
