"""Hears of every decision and of what became of the messages.

Bounded: 35 days; the last 50,000 stopped messages can be told to be let go, and the last 20,000 missed ones are not
counted twice.  Beyond that a message may be left out, or counted as missed though it was to be stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self, TypeVar

import msgspec

from outwarden.detection.filter_report import FilterReport
from outwarden.detection.filter_watch.days import LONGEST_NAME, Day, count
from outwarden.detection.filter_watch.mistakes import Days, report_of, rising
from outwarden.detection.live.feedback import answer_of
from outwarden.events import Action, Attempted, ComplaintReceived, Decision, Finding, Outcome

ReleasedBy = Literal["person", "probe", "owner"]

DAYS_KEPT = 35
MOST_STOPPED = 50_000
MOST_MISSED = 20_000
_NOT = 0
_RIGHTLY_STOPPED = -1

_T = TypeVar("_T")


class MalformedFilterWatch(ValueError):
    """What was saved cannot be read."""


class _Stopped(msgspec.Struct, array_like=True):
    """A message that was stopped: whose, by which rules, and the number of the day on which it was let go."""

    account: str
    rules: tuple[str, ...]
    let_go: int = _NOT


class _State(msgspec.Struct, array_like=True):
    days: dict[int, Day]
    stopped: dict[str, _Stopped]
    missed: dict[str, None]
    nameless: int


class FilterWatch:
    """Times are those of the events, UTC; they may come late and out of order, as far as the days that are kept."""

    def __init__(self) -> None:
        self._state = _State({}, {}, {}, 0)

    def decided(self, decision: Decision, queue_id: str, at: datetime) -> None:
        """Hear what was decided about a message; ``queue_id`` may be empty."""
        day = self._day(at)
        if decision.action is Action.ACCEPT:
            day.accepted += 1
            return
        account = decision.account[:LONGEST_NAME]
        rules = tuple(dict.fromkeys([each.rule[:LONGEST_NAME] for each in decision.findings if each.points > 0]))
        for tally in day.about(account, rules):
            tally.stopped += 1
        state = self._state
        if not queue_id:
            state.nameless += 1
            queue_id = f"#{state.nameless}"
        _remember(state.stopped, queue_id, _Stopped(account, rules), MOST_STOPPED)

    def attempted(self, event: Attempted) -> None:
        """Hear what a remote answered."""
        if event.outcome is not Outcome.BOUNCED:
            return
        answer = answer_of(event)
        if answer is not None and answer[2]:
            lists = () if event.listing is None else (event.listing[:LONGEST_NAME],)
            self._spam(event.queue_id, event.account, lists, event.at)

    def complained(self, event: ComplaintReceived) -> None:
        """Hear what a recipient called spam."""
        queue_id = event.queue_id or f"complaint {event.at.isoformat()} {event.account[:LONGEST_NAME]}"
        self._spam(queue_id, event.account, (), event.at)

    def released(self, account: str, queue_ids: Iterable[str], by: ReleasedBy, at: datetime) -> None:
        """Hear that stopped messages of an account are let go; no queue IDs: all of them.

        It makes no difference ``by`` whom: what a remote refuses then was stopped rightly, whoever let it go.
        """
        account = account[:LONGEST_NAME]
        stopped, day = self._state.stopped, self._day(at)
        for queue_id in list(queue_ids) or list(stopped):
            one = stopped.get(queue_id)
            if one is None or one.let_go != _NOT or one.account != account:
                continue
            one.let_go = at.toordinal()
            for tally in day.about(account, one.rules):
                tally.wrong += 1
            day.note(queue_id, "wrong", one.rules)

    def late(self, list_id: str, at: datetime) -> None:
        """Hear that a list answered too late for a message."""
        count(self._day(at).late, list_id)

    def could_not_ask(self, list_id: str, at: datetime) -> None:
        """Hear that a list could not be asked about a message."""
        count(self._day(at).could_not_ask, list_id)

    def report(self, now: datetime) -> FilterReport:
        """Return all mistakes that are remembered."""
        return report_of(self._kept(now), now)

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """Return what rises above its own past: that the filter errs, which is no points against anybody."""
        rises = rising(self._kept(now), now.toordinal())
        return tuple([Finding(f"filter-{each.what}", 0.0, each.words, now, each.evidence) for each in rises])

    def saved(self) -> bytes:
        """Return all of it as bytes."""
        return msgspec.msgpack.encode(self._state)

    @classmethod
    def restored(cls, saved: bytes) -> Self:
        """Return the same again.  Raises ``MalformedFilterWatch``."""
        watch = cls()
        try:
            watch._state = msgspec.msgpack.decode(saved, type=_State)
        except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
            raise MalformedFilterWatch(str(fault)) from None
        return watch

    def _day(self, at: datetime) -> Day:
        days, number = self._state.days, at.toordinal()
        day = days.get(number)
        if day is None:
            day = days[number] = Day()
            for old in [each for each in days if each <= max(days) - DAYS_KEPT]:
                del days[old]
        return day

    def _kept(self, now: datetime) -> Days:
        today = now.toordinal()
        return {number: day for number, day in sorted(self._state.days.items()) if today - DAYS_KEPT < number <= today}

    def _spam(self, queue_id: str, account: str, lists: tuple[str, ...], at: datetime) -> None:
        stopped = self._state.stopped.get(queue_id)
        if stopped is not None:
            self._was_right(stopped)
        elif queue_id not in self._state.missed:
            _remember(self._state.missed, queue_id, None, MOST_MISSED)
            day = self._day(at)
            for tally in day.about(account[:LONGEST_NAME], (), lists):
                tally.missed += 1
            day.note(queue_id, "missed", lists)

    def _was_right(self, stopped: _Stopped) -> None:
        """Take back that it was wrong to stop a message."""
        day = self._state.days.get(stopped.let_go)
        stopped.let_go = _RIGHTLY_STOPPED
        if day is not None:
            for tally in day.about(stopped.account, stopped.rules):
                tally.wrong = max(tally.wrong - 1, 0)


def _remember(place: dict[str, _T], queue_id: str, what: _T, most: int) -> None:
    # What comes again is the newest, too.
    place.pop(queue_id, None)
    place[queue_id] = what
    if len(place) > most:
        del place[next(iter(place))]
