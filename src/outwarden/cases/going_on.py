"""How a case goes on: the case, its playbook and a happening give the case as it stands then, and what it asks for.

Promises: a pure function of its arguments; a step is asked for once in each stay in a state; the case's own times never
run backwards; a case that is not closed waits for the clock or for a person's word, and says when the clock is due.
The caller passes each happening once (``desk.py`` sees to that, by id).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from outwarden.cases.asking import answer, asked_for
from outwarden.cases.case import MOST_EVIDENCE, MOST_SUBJECTS, Case, CaseState, Mark
from outwarden.cases.conditions import Circumstances, all_hold
from outwarden.cases.happening import (
    Answered,
    Assigned,
    Called,
    Evidence,
    Happening,
    Noted,
    Said,
    TimeCame,
    Told,
)
from outwarden.cases.playbook import Playbook, Transition, Trigger
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseRequest
from outwarden.cases.subscriber import SubjectKind
from outwarden.cases.timeline import Entry, EntryKind, kept, redacted

RESOLVE, REOPEN = "resolve", "reopen"
"""The words that every playbook knows."""


class Refused(Exception):
    """A person or a program may not say that, or not now; one line says why, and what would be understood."""


class Turn(msgspec.Struct, frozen=True):
    """What became of a case: as it stands now, what it asks for, and what its timeline gets."""

    case: Case
    requests: tuple[ResponseRequest, ...] = ()
    entries: tuple[Entry, ...] = ()


def go_on(case: Case, playbook: Playbook, happening: Happening, now: datetime, around: Circumstances) -> Turn:
    """Return what a happening makes of a case.  Raises ``Refused`` for a word that is not understood here."""
    return _Move(case, playbook, happening, now, around).made()


def begin(case: Case, playbook: Playbook, evidence: Evidence, now: datetime, around: Circumstances) -> Turn:
    """Return the first turn of a case that has just been opened by a piece of evidence."""
    move = _Move(case, playbook, evidence, now, around)
    move.file_evidence(evidence)
    move.enter(playbook.begins, "opened")
    return move.turn()


class _Move:
    """One happening at work on one case."""

    def __init__(
        self, case: Case, playbook: Playbook, happening: Happening, now: datetime, around: Circumstances
    ) -> None:
        self.case, self._before = case, case
        self._playbook, self._happening, self._around = playbook, happening, around
        # A clock that was set back makes nothing happen before what happened before.
        self._now = max(now, case.changed_at)
        self._requests: list[ResponseRequest] = []
        self._entries: list[Entry] = []

    def made(self) -> Turn:
        match self._happening:
            case Evidence() as evidence:
                self._evidence(evidence)
            case Answered() as answered:
                self._answered(answered)
            case Told(signal=signal, text=text):
                self._entry(EntryKind.NEWS, f"{signal.value}: {text}" if text else signal.value)
                self._leave_by(Trigger(signal.value))
            case TimeCame():
                self._time_came()
            case Said() as said:
                self._said(said)
            case Called(word=word) as called:
                self._word(called, lambda way: way.api == word, "api")
            case Noted(text=text):
                self._entry(EntryKind.NOTE, text)
            case Assigned(to=to):
                self._entry(EntryKind.SAID, f"given to {to}" if to else "given to nobody")
                self.case = replace(self.case, assigned_to=to)
        return self.turn()

    def turn(self) -> Turn:
        """Return what came of it, with the next time that the clock is due."""
        case = replace(
            self.case,
            next_due_at=min((at for at, _ in self._due()), default=None),
            changed_at=self._now,
            version=self._before.version + 1,
        )
        return Turn(case, tuple(self._requests), tuple(self._entries))

    # -- what happens

    def file_evidence(self, evidence: Evidence) -> None:
        """Put evidence into the case: its subjects, points and lines."""
        case = self.case
        subjects = dict.fromkeys((*case.subjects, evidence.subject, *evidence.beside))
        # A stamp ahead of the clock is believed no further than the clock.
        at = min(evidence.at, self._now)
        self.case = replace(
            case,
            subjects=tuple(subjects)[:MOST_SUBJECTS],
            points=max(case.points, evidence.points),
            evidence_count=case.evidence_count + 1,
            last_evidence_at=max(at, case.last_evidence_at or at),
        )
        if case.evidence_count < MOST_EVIDENCE:
            self._entry(EntryKind.EVIDENCE, evidence.text, (evidence.text, *evidence.raw), at=evidence.at)

    def _evidence(self, evidence: Evidence) -> None:
        self.file_evidence(evidence)
        # Logs come late: what happened before the case came here is filed, and says nothing of what was done since.
        if min(evidence.at, self._now) <= self.case.entered_at or not self.case.is_open:
            return
        if self._was_contained():
            self._mark(Mark.ESCALATING)
        self._leave_by(Trigger.EVIDENCE)

    def _was_contained(self) -> bool:
        settled = self.case.state is CaseState.RESOLVED
        return not settled and any(
            RESPONSES[one.response].contains and one.answer is Answer.DONE for one in self.case.asked
        )

    def _answered(self, answered: Answered) -> None:
        asked = next((one for one in self.case.asked if one.request == answered.request), None)
        if asked is None or asked.answer is answered.answer:
            return
        self.case = answer(self.case, answered.request, answered.answer, self._now)
        subject = f" {asked.subject.name}" if asked.subject else ""
        words = f"{asked.response.value}{subject}: {answered.answer.value}"
        self._entry(EntryKind.ANSWER, f"{words}: {answered.text}" if answered.text else words)
        if asked in self._before.asked_here:
            self._settle()

    def _time_came(self) -> None:
        due = [(at, way) for at, way in self._due() if at <= self._now]
        if due:
            # The first that was due; of two at once the first in the file.
            self._take(min(due, key=lambda pair: pair[0])[1])

    def _said(self, said: Said) -> None:
        if said.word == RESOLVE:
            self._refuse_closed(said.word)
            place = self._playbook.first(CaseState.RESOLVED)
            self.enter(place, f"resolved by {said.actor}" + (f": {said.text}" if said.text else ""))
        elif said.word == REOPEN:
            if self.case.state not in (CaseState.RESOLVED, CaseState.CLOSED):
                raise Refused(f"{self.case.id} is {self.case.state.value}; only what is resolved or closed is reopened")
            self._unmark(Mark.MISTAKEN)
            self.enter(self._playbook.begins, f"reopened by {said.actor}" + (f": {said.text}" if said.text else ""))
        else:
            self._word(said, lambda way: way.hand == said.word, "hand")

    def _word(self, spoken: Said | Called, fits: Callable[[Transition], bool], kind: str) -> None:
        ways = [way for way in self._ways() if fits(way)]
        if not ways:
            known = [word for way in self._ways() if (word := way.hand if kind == "hand" else way.api)]
            there = f"there are {', '.join(dict.fromkeys(known))}" if known else "it waits for nothing of the kind"
            raise Refused(f"{self.case.id} in {self.case.place} does not understand {spoken.word!r}; {there}")
        if isinstance(spoken, Said) and not spoken.role.may(ways[0].who):
            raise Refused(f"{spoken.word!r} needs {ways[0].who.value}, and {spoken.actor} is {spoken.role.value}")
        self._entry(EntryKind.SAID, f"{spoken.word}: {spoken.text}" if spoken.text else spoken.word)
        self._take(ways[0])

    def _refuse_closed(self, word: str) -> None:
        if self.case.state in (CaseState.RESOLVED, CaseState.CLOSED):
            raise Refused(f"{self.case.id} is {self.case.state.value} already; there is nothing to {word}")

    # -- leaving and entering

    def _ways(self) -> Iterator[Transition]:
        """Yield the ways out that are open to the case now."""
        for way in self._playbook.ways_out(self.case.place):
            if not used_up(self.case, way) and all_hold(way.when, way.unless, self.case, self._around):
                yield way

    def _due(self) -> Iterator[tuple[datetime, Transition]]:
        for way in self._ways():
            if way.by_clock is not None:
                since = self.case.entered_at
                if way.quiet and self.case.last_evidence_at is not None:
                    since = max(since, self.case.last_evidence_at)
                yield since + way.by_clock, way

    def _leave_by(self, trigger: Trigger) -> None:
        way = next((way for way in self._ways() if way.on is trigger), None)
        if way is not None:
            self._take(way)

    def _settle(self) -> None:
        """Leave the state if the answers to its steps say so."""
        here = self.case.asked_here
        failed = {one.response for one in here if one.answer in (Answer.FAILED, Answer.DECLINED)}
        done = {one.response for one in here if one.answer is Answer.DONE} - failed
        waiting = {one.response for one in here if one.answer is Answer.WAITING}
        for way in self._ways():
            if (
                (way.on is Trigger.STEP_FAILED and (way.step in failed if way.step else failed))
                or (way.on is Trigger.STEP_DONE and way.step in done - waiting)
                or (way.on is Trigger.STEPS_DONE and not waiting and not failed)
            ):
                self._take(way)
                return

    def _take(self, way: Transition) -> None:
        key = _key(self.case.place, way)
        self.case = replace(self.case, taken=self.case.taken | {key: self.case.taken.get(key, 0) + 1})
        if way.mark is not None:
            self._mark(way.mark)
        self.enter(way.to, way.why or way.label)

    def enter(self, place: str, why: str) -> None:
        """Go to a place, ask for its steps, and on from there if they are answered already.

        That ends: the checker lets no loop of answers through that has no limit.
        """
        case, state = self.case, self._playbook.states[place].case
        if case.state is CaseState.RESOLVED and state not in (CaseState.RESOLVED, CaseState.CLOSED):
            self._mark(Mark.REGRESSED)
        if state in (CaseState.RESOLVED, CaseState.CLOSED):
            self._unmark(Mark.ESCALATING)
        self.case = replace(
            self.case,
            place=place,
            state=state,
            entered_at=self._now,
            visits=case.visits | {place: case.visits.get(place, 0) + 1},
            resolved_at=self._now if state is CaseState.RESOLVED else case.resolved_at,
        )
        self._entry(EntryKind.STATE, f"{place} ({state.value}): {why}")
        self._ask()
        self._settle()

    def _ask(self) -> None:
        found = asked_for(self.case, self._playbook, self._around, self._happening.id, self._now)
        self.case = replace(self.case, asked=(*self.case.asked, *found.asked))
        self._requests += found.requests
        for words in found.words:
            self._entry(EntryKind.REQUEST, words)

    # -- small things

    def _mark(self, mark: Mark) -> None:
        if mark not in self.case.marks:
            self.case = replace(self.case, marks=(*self.case.marks, mark))

    def _unmark(self, mark: Mark) -> None:
        self.case = replace(self.case, marks=tuple(one for one in self.case.marks if one is not mark))

    def _entry(self, kind: EntryKind, text: str, raw: tuple[str, ...] = (), at: datetime | None = None) -> None:
        own = self.case.named(SubjectKind.ACCOUNT)
        shown = redacted(text, own)
        whole = raw or ((text,) if shown != text else ())
        actor = getattr(self._happening, "actor", "")
        self._entries.append(Entry(kind, at or self._now, self._happening.id, shown, kept(whole), actor))


def waits_for(case: Case, playbook: Playbook) -> str:
    """Return what a case waits for, in words; conditions are named and not judged."""
    if not case.is_open:
        return "nothing; it is closed"
    ways = [way for way in playbook.ways_out(case.place) if not used_up(case, way)]
    return ", ".join(dict.fromkeys(f"{way.label} ({way.to})" for way in ways))


def used_up(case: Case, way: Transition) -> bool:
    """Return whether a way out of the case's place was taken as often as it may be."""
    return way.at_most is not None and case.taken.get(_key(case.place, way), 0) >= way.at_most


def _key(place: str, way: Transition) -> str:
    return f"{place}: {way.label}: {way.to}"
