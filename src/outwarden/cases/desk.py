"""The desk: it takes in what happens, finds the case, and has it written down with what it asks for.

It thinks with what is given to it: ``Shelf`` is where cases are kept, in memory for a dry run, in the store else.
Nothing is taken in twice, however often it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from outwarden.cases.case import Case, CaseState
from outwarden.cases.conditions import Circumstances
from outwarden.cases.going_on import REOPEN, RESOLVE, Refused, Turn, begin, go_on
from outwarden.cases.happening import Assigned, Evidence, Happening, Noted, OfCase, Said, TimeCame, happening_id
from outwarden.cases.opening import opened
from outwarden.cases.playbook import Playbook
from outwarden.cases.policy import CasePolicy, Role
from outwarden.cases.subscriber import Subscriber, Subscribers
from outwarden.cases.troubles import Trouble

_AS_SHIPPED = CasePolicy()


class NoSuchCase(Exception):
    """There is no case of that id; one line says so."""


class Shelf(Protocol):
    """Where cases are kept."""

    def heard(self, happening: str) -> bool:
        """Return whether a happening was taken in before."""

    def case(self, number: str) -> Case | None:
        """Return a case."""

    def open_case(self, subscriber: str, trouble: Trouble) -> Case | None:
        """Return the one that is not closed."""

    def last_closed(self, subscriber: str, trouble: Trouble) -> Case | None:
        """Return the one that was closed last."""

    def offences(self, subscriber: str, since: datetime) -> int:
        """Return how many cases of an offence, not mistaken ones, were opened since."""

    def due(self, now: datetime) -> list[Case]:
        """Return the cases for which the clock is due, the longest due first."""

    def put(self, turn: Turn, happening: Happening) -> None:
        """Keep what became of a case, unless it was changed meanwhile."""

    def put_aside(self, evidence: Evidence, why: str) -> None:
        """Keep evidence that belongs to no case."""


class Desk:
    """The cases of a site."""

    def __init__(
        self,
        shelf: Shelf,
        playbooks: Mapping[Trouble, Playbook],
        subscribers: Subscribers,
        policy: CasePolicy = _AS_SHIPPED,
    ) -> None:
        self._shelf, self._playbooks, self._subscribers, self._policy = shelf, playbooks, subscribers, policy

    def hear(self, happening: Happening, now: datetime) -> Turn | None:
        """Take in a happening; None where it was heard before, changes nothing or waits in the tray.

        Raises ``NoSuchCase`` and ``Refused``.
        """
        if self._shelf.heard(happening.id):
            return None
        turn = self._of_evidence(happening, now) if isinstance(happening, Evidence) else self._of_case(happening, now)
        if turn is not None:
            self._shelf.put(turn, happening)
        return turn

    def time_comes(self, now: datetime) -> list[Turn]:
        """Move every case for which the clock is due, each once."""
        turns = []
        for case in self._shelf.due(now):
            happening = TimeCame(happening_id("time", case.id, case.version), now, case.id)
            turn = self.hear(happening, now)
            if turn is not None:
                turns.append(turn)
        return turns

    def _of_evidence(self, evidence: Evidence, now: datetime) -> Turn | None:
        subscriber = self._subscribers.of(evidence.subject)
        if subscriber is None:
            self._shelf.put_aside(evidence, f"nobody is known to answer for {evidence.subject.name}")
            return None
        playbook, around = self._playbooks[evidence.trouble], self._around(subscriber)
        case = self._shelf.open_case(subscriber.id, evidence.trouble)
        if case is not None:
            return go_on(case, playbook, evidence, now, around)
        earlier = self._shelf.last_closed(subscriber.id, evidence.trouble)
        # A log that comes late tells of what was put right meanwhile; what is newer than that is a relapse.
        if earlier is not None and evidence.at <= (earlier.resolved_at or earlier.entered_at):
            return go_on(earlier, playbook, evidence, now, around)
        enough = evidence.points >= around.group.opens_from_points if evidence.opens is None else evidence.opens
        if not enough:
            return None
        offence = 1 + self._shelf.offences(subscriber.id, now - timedelta(days=around.group.repeats.within_days))
        return begin(opened(evidence, subscriber, playbook, offence, now), playbook, evidence, now, around)

    def _of_case(self, happening: OfCase, now: datetime) -> Turn:
        case = self._shelf.case(happening.case)
        if case is None:
            raise NoSuchCase(f"there is no case {happening.case}; outwarden case list shows them")
        self._refuse_without_right(happening)
        if isinstance(happening, Said) and happening.word == REOPEN and case.state is CaseState.CLOSED:
            other = self._shelf.open_case(case.subscriber, case.trouble)
            if other is not None:
                raise Refused(f"{case.subscriber} has an open case of this kind, {other.id}; go on with that one")
        subscriber = self._subscribers.by_id(case.subscriber) or Subscriber(case.subscriber)
        playbook = self._playbooks[case.trouble]
        return go_on(case, playbook, happening, now, self._around(subscriber))

    def _refuse_without_right(self, happening: OfCase) -> None:
        may = self._policy.may
        if isinstance(happening, Noted):
            deed, least = "note", may.note
        elif isinstance(happening, Assigned):
            deed, least = "assign", may.assign
        elif isinstance(happening, Said):
            deed = happening.word if happening.word in (RESOLVE, REOPEN) else "step"
            least = {RESOLVE: may.resolve, REOPEN: may.reopen}.get(happening.word, may.step)
        else:
            return
        role: Role = happening.role
        if not role.may(least):
            raise Refused(f"{deed} needs {least.value}, and {happening.actor} is {role.value}")

    def _around(self, subscriber: Subscriber) -> Circumstances:
        return Circumstances(subscriber, self._policy.of_group(subscriber.group))
