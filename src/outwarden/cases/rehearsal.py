"""The dry run: what a playbook would have asked for, and when, on evidence of the past.

Nothing is asked of anybody: every request is answered at once as the rehearsal is told (done, or failed), and nobody
says a word, so what is seen is what the playbook does by itself.  Time is that of the evidence, and then of the clock
until every case is closed or waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from outwarden.cases.case import Case, Mark
from outwarden.cases.desk import Desk
from outwarden.cases.going_on import Turn
from outwarden.cases.happening import Answered, Evidence, Happening, happening_id
from outwarden.cases.opening import of_decision
from outwarden.cases.playbook import Playbook
from outwarden.cases.policy import CasePolicy
from outwarden.cases.response_requests import Answer, ResponseRequest
from outwarden.cases.subscriber import Subscribers
from outwarden.cases.timeline import Entry
from outwarden.cases.troubles import OF_THE_SITE, Trouble
from outwarden.detection.replay.outcome import Outcome, What
from outwarden.events import Action, Decision

_ANSWERED_WITHIN = timedelta(seconds=1)
_ACTIONS = {What.HELD: Action.HOLD, What.BLOCKED: Action.BLOCK}
_LONGEST = timedelta(days=120)
MOST_MOVES = 500
"""A case that is still moved after so many is told to that point."""


class Life(msgspec.Struct, frozen=True):
    """One case of the dry run: as it stood at the end, what its timeline says, and what it asked for."""

    case: Case
    entries: tuple[Entry, ...]
    requests: tuple[ResponseRequest, ...]


class Rehearsal(msgspec.Struct, frozen=True):
    """What came of the evidence; ``unresolved`` belongs to nobody known, ``too_little`` opened no case."""

    lives: tuple[Life, ...]
    evidence: int
    unresolved: int
    too_little: int


class _Memory:
    """Cases in memory, for as long as the dry run lasts."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.requests: dict[str, list[ResponseRequest]] = {}
        self.aside: dict[str, Evidence] = {}
        self._heard: set[str] = set()

    def heard(self, happening: str) -> bool:
        return happening in self._heard

    def case(self, number: str) -> Case | None:
        return self.cases.get(number)

    def open_case(self, subscriber: str, trouble: Trouble) -> Case | None:
        return next((one for one in self._of(subscriber, trouble) if one.is_open), None)

    def last_closed(self, subscriber: str, trouble: Trouble) -> Case | None:
        closed = [one for one in self._of(subscriber, trouble) if not one.is_open]
        return max(closed, key=lambda one: one.changed_at, default=None)

    def offences(self, subscriber: str, since: datetime) -> int:
        return sum(
            one.subscriber == subscriber
            and one.opened_at >= since
            and one.trouble not in OF_THE_SITE
            and Mark.MISTAKEN not in one.marks
            for one in self.cases.values()
        )

    def due(self, now: datetime) -> list[Case]:
        due = [(one.next_due_at, one.id) for one in self.cases.values() if one.next_due_at and one.next_due_at <= now]
        return [self.cases[number] for _, number in sorted(due)]

    def put(self, turn: Turn, happening: Happening) -> None:
        number = turn.case.id
        self.cases[number] = turn.case
        self.entries.setdefault(number, []).extend(turn.entries)
        self.requests.setdefault(number, []).extend(turn.requests)
        self._heard.add(happening.id)

    def put_aside(self, evidence: Evidence, why: str) -> None:
        self.aside[evidence.id] = evidence

    def _of(self, subscriber: str, trouble: Trouble) -> list[Case]:
        return [one for one in self.cases.values() if one.subscriber == subscriber and one.trouble is trouble]


def evidence_of(outcome: Outcome) -> tuple[Evidence, ...]:
    """Return what a replay would have held or blocked, as the evidence that the service would have had."""
    found = []
    for account in outcome.accounts:
        for turn in account.turns:
            action = _ACTIONS.get(turn.what)
            if action is not None:
                decision = Decision(
                    account.account, action, turn.at, turn.points, turn.findings, turn.cause, turn.because
                )
                found.append(of_decision(decision))
    return tuple(one for one in found if one is not None)


def rehearse(
    evidence: Iterable[Evidence],
    playbooks: dict[Trouble, Playbook],
    subscribers: Subscribers,
    policy: CasePolicy,
    answers: Answer = Answer.DONE,
) -> Rehearsal:
    """Play evidence to playbooks; what has a trouble without a playbook here is passed over."""
    shelf = _Memory()
    desk = Desk(shelf, playbooks, subscribers, policy)
    played = sorted((one for one in evidence if one.trouble in playbooks), key=lambda one: (one.at, one.id))
    too_little = 0
    for one in played:
        _let_time_pass(desk, shelf, one.at, answers)
        turn = desk.hear(one, one.at)
        too_little += turn is None and one.id not in shelf.aside
        _answer(desk, turn, answers)
    if played:
        _let_time_pass(desk, shelf, played[-1].at + _LONGEST, answers)
    lives = [Life(case, tuple(shelf.entries[case.id]), tuple(shelf.requests[case.id])) for case in shelf.cases.values()]
    return Rehearsal(tuple(lives), len(played), len(shelf.aside), too_little)


def _let_time_pass(desk: Desk, shelf: _Memory, until: datetime, answers: Answer) -> None:
    """Move what is due before a time, in the order in which it is due."""
    for _ in range(MOST_MOVES):
        due = min((one.next_due_at for one in shelf.cases.values() if one.next_due_at), default=None)
        if due is None or due > until:
            return
        for turn in desk.time_comes(due):
            _answer(desk, turn, answers)


def _answer(desk: Desk, turn: Turn | None, answers: Answer) -> None:
    ahead = list(turn.requests) if turn else []
    while ahead:
        request = ahead.pop(0)
        at = request.asked_at + _ANSWERED_WITHIN
        told = Answered(happening_id("rehearsal", request.id), at, request.case, request.id, answers, "tried dry")
        answered = desk.hear(told, at)
        ahead += answered.requests if answered else ()
