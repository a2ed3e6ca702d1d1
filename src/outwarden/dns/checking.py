"""Asks every list about every target, and gives out each answer as soon as it may be believed.

The controls of each list are asked first, in the same stream as the questions; what a list answers is
kept back only until its own controls are in, so that a silent list holds up nobody else.  A list that
is not fit, or begins to refuse, is asked no further, and its answers say that it could not be asked.
In a sweep a list that lists too many gets a second look at more names drawn at random.

Beside the controls the resolver itself is proved (``probe.py``).  A list whose controls hold does not wait for that;
one that seems to list what it must not does, as it may be the resolver that answers.  Where the resolver rewrites,
no list is believed from then on.

Explanations (TXT) are asked of listings only, and the /64 of an IPv6 address where the address itself is
not listed.  Lists with the same listings vote once.  Names with a key in them go to the look-up only.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Protocol

import msgspec

from outwarden.dns.blocklist import Blocklist, Tier
from outwarden.dns.catalogue import Catalogue
from outwarden.dns.desk import SAMPLE, Desk
from outwarden.dns.list_answers import Reading, readable_text
from outwarden.dns.list_health import (
    FIT,
    SECOND_LOOK_CANARIES,
    SUSPICIOUS_SHARE,
    Control,
    Expect,
    Health,
    HealthBook,
    canaries,
    controls,
    judge,
    lists_what_it_must_not,
)
from outwarden.dns.list_names import neighbourhood_part, target_part
from outwarden.dns.probe import ResolverProbe, Verdicts
from outwarden.dns.questions import Question, Reply
from outwarden.dns.resolver import Resolver
from outwarden.dns.targets import Target, TargetKind, Targets
from outwarden.events import ListAnswer, ListAnswerKind, ListScope, Signal, WhyNot

_A, _TXT = 1, 16
_NXDOMAIN = 3
_REFUSALS = 10
# No check goes on for longer because of one list's pace.
_LONGEST_SECONDS = 30


class Asks(Protocol):
    """What answers questions: a ``Lookup``."""

    resolver: Resolver
    deadline_seconds: float

    def ask(self, questions: Iterator[Question]) -> Iterator[Reply]:
        """One reply for each question, in any order."""
        ...


def check(
    targets: Targets | Sequence[Target],
    catalogue: Catalogue,
    lookup: Asks,
    now: datetime,
    health: HealthBook | None = None,
) -> Iterator[ListAnswer]:
    """Asks the catalogue's lists about the targets; one answer for each pair that fits, as they come.

    ``now`` (UTC) dates the answers.  ``health`` remembers from one check to the next which lists are fit,
    and is told what is wrong with the resolver.
    """
    yield from _Check(targets, catalogue, lookup, now, health or HealthBook()).answers()


class _Questions(Iterator[Question]):
    """Follow-ups first, then what the desks ask.  It may end and go on again when replies make room for more."""

    def __init__(self, turns: Iterator[Question | None]) -> None:
        self._turns = turns
        self.follow_ups: deque[Question] = deque()

    def __next__(self) -> Question:
        if self.follow_ups:
            return self.follow_ups.popleft()
        question = next(self._turns)
        if question is None:
            raise StopIteration
        return question


class _Check:
    def __init__(
        self,
        targets: Targets | Sequence[Target],
        catalogue: Catalogue,
        lookup: Asks,
        now: datetime,
        health: HealthBook,
    ) -> None:
        self._targets = targets
        self._catalogue = catalogue
        self._lookup = lookup
        self._now = now
        self._known = health
        self._probe = ResolverProbe(lookup.resolver, lookup.deadline_seconds)
        self._ready: deque[ListAnswer] = deque()
        self._count = len(targets)
        self._walk = iter(targets)
        self._window: list[Target] = []
        self._desks = self._set_up()
        self._families = {each.id: _family(each, catalogue) for each in catalogue.asked}
        self._voted: dict[tuple[str, str], set[Signal]] = {}
        self._controls: dict[Question, list[tuple[Desk, Control]]] = {}
        self._pending: dict[Question, list[tuple[Desk, Target]]] = {}
        self._texts: dict[Question, tuple[Desk, list[ListAnswer]]] = {}
        self._nets: dict[Question, list[tuple[Desk, Target, int]]] = {}
        self._questions = _Questions(self._turns())

    def answers(self) -> Iterator[ListAnswer]:
        """Everything, as it comes."""
        yield from self._never_asked()
        while True:
            for reply in self._lookup.ask(self._questions):
                self._take(reply)
                while self._ready:
                    yield self._ready.popleft()
            self._end_samples()
            while self._ready:
                yield self._ready.popleft()
            if not self._questions.follow_ups and not any(desk.room() for desk in self._desks):
                break
        yield from self._skipped()
        if self._probe.begun:
            self._known.resolver_fault = self._probe.fault(self._verdicts())

    # --- what is asked -----------------------------------------------------------------------

    def _set_up(self) -> list[Desk]:
        askable = [each for each in self._catalogue.asked if self._why_never(each) is None]
        kinds = {target.kind for target in self._targets}
        return [
            Desk(each, kind, self._catalogue, self._count)
            for kind in TargetKind
            if kind in kinds
            for each in askable
            if any(target_part(each, target) is not None for target in self._targets if target.kind is kind)
        ]

    def _turns(self) -> Iterator[Question | None]:
        """The controls, then of every list in turn a few questions; None where there is nothing to ask just now."""
        for desk in self._desks:
            desk.health = self._known.get(desk.blocklist.id, desk.proof, self._now)
        unproved = [desk for desk in self._desks if desk.health is None]
        if unproved:
            yield from self._probe.questions()
        for desk in unproved:
            yield from self._plan_controls(desk)
        while True:
            idle = True
            for desk in self._desks:
                room = desk.room()
                if room > 0:
                    idle = False
                    yield from self._ask_some(desk, room)
            if idle:
                yield None

    def _ask_some(self, desk: Desk, room: int) -> Iterator[Question]:
        start = desk.position
        desk.position = end = min(start + room, self._count)
        while len(self._window) < end:
            self._window.append(next(self._walk))
        for target in self._window[start:end]:
            if target.kind is not desk.kind:
                continue
            part = target.name if desk.settled else desk.part(target)
            if part is None:
                continue
            question = Question(part + desk.suffix, _A, desk.group)
            waiting = self._pending.get(question)
            if waiting is not None:
                waiting.append((desk, target))
                continue
            self._pending[question] = [(desk, target)]
            desk.outstanding += 1
            if question not in self._controls:
                yield question

    def _plan_controls(self, desk: Desk) -> Iterator[Question]:
        wanted = controls(desk.blocklist, desk.proof, secrets.token_bytes(32))
        yield from [question for control in wanted if (question := self._expect(desk, control)) is not None]

    def _expect(self, desk: Desk, control: Control) -> Question | None:
        """The question of a control, None where the same is being asked for another kind of target."""
        question = Question(control.part + desk.suffix, _A, desk.group)
        desk.controls_left += 1
        waiting = self._controls.setdefault(question, [])
        waiting.append((desk, control))
        return question if len(waiting) == 1 else None

    def _why_never(self, blocklist: Blocklist) -> Health | None:
        """Why the list will not be asked at all; None where it will."""
        if self._catalogue.lacks_key(blocklist):
            return Health(False, WhyNot.NEEDS_KEY, f"needs the site's key for {blocklist.key}")
        pace = blocklist.queries_per_second
        if pace is not None and self._count > pace * _LONGEST_SECONDS:
            most = int(pace * _LONGEST_SECONDS)
            told = f"allows {pace:g} questions a second: ask it about {most} addresses at most at a time"
            return Health(False, WhyNot.REFUSED, told)
        return None

    def _never_asked(self) -> Iterator[ListAnswer]:
        never = [(each, why) for each in self._catalogue.asked if (why := self._why_never(each)) is not None]
        for target in self._targets if never or self._catalogue.asked_dead else ():
            for blocklist, why in never:
                if target_part(blocklist, target) is not None:
                    # A list without its key is not one that the site has configured.
                    major = blocklist.tier is Tier.MAJOR and why.why_not is not WhyNot.NEEDS_KEY
                    yield self._could_not_ask(blocklist, target, why, major)
            for zone, words in self._catalogue.asked_dead:
                yield ListAnswer(
                    target.text, zone, zone, ListAnswerKind.COULD_NOT_ASK,
                    meaning=words, why_not=WhyNot.DEAD, asked_at=self._now,
                )  # fmt: skip

    def _skipped(self) -> Iterator[ListAnswer]:
        """The answers of lists that were found unfit while there was more to ask them."""
        for desk in self._desks:
            if desk.health is None or desk.position >= self._count:
                continue
            for target in islice(self._targets, desk.position, None):
                if target.kind is desk.kind and desk.part(target) is not None:
                    yield self._could_not_ask(desk.blocklist, target, desk.health, desk.major)

    # --- what comes back ---------------------------------------------------------------------

    def _take(self, reply: Reply) -> None:
        question = reply.question
        if self._controls:
            for desk, control in self._controls.pop(question, ()):
                self._take_control(desk, control, reply)
        pending = self._pending.pop(question, None)
        if pending is not None:
            pending[0][0].outstanding -= 1
            for desk, target in pending:
                if desk.settled and reply.rcode == _NXDOMAIN and not reply.addresses:
                    self._ready.append(self._unlisted(desk, target, reply.ttl))
                else:
                    self._take_answer(desk, question, target, desk.book.read(reply), reply.ttl)
        elif not question.group:
            self._take_probe(reply)
        elif question.qtype == _TXT:
            self._take_text(question, reply)
        elif question in self._nets:
            self._take_net(question, reply)

    def _take_answer(self, desk: Desk, question: Question, target: Target, reading: Reading, ttl: int) -> None:
        if desk.sampling:
            desk.seen += 1
            desk.seen_listed += reading.kind is ListAnswerKind.LISTED
        if desk.health is None or desk.sampling:
            desk.held.append((question, target, reading, ttl))
            if desk.health is not None and desk.seen >= SAMPLE:
                self._end_sample(desk)
            return
        self._decide(desk, question, target, reading, ttl)

    def _decide(self, desk: Desk, question: Question, target: Target, reading: Reading, ttl: int) -> None:
        """An answer of a list about which the verdict is in."""
        health = desk.health or FIT
        if not health.fit:
            self._ready.append(self._could_not_ask(desk.blocklist, target, health, desk.major))
        elif reading.kind is ListAnswerKind.LISTED:
            self._ask_text(desk, question, target, reading, ttl)
        elif reading.kind is ListAnswerKind.NOT_LISTED and self._ask_net(desk, target, ttl):
            return
        else:
            self._count_refusal(desk, reading)
            desk.settled = desk.kind is TargetKind.IPV4 and desk.refusals == 0
            self._ready.append(self._answer(desk, target, reading, ttl))

    def _count_refusal(self, desk: Desk, reading: Reading) -> None:
        """A list that has begun to refuse is asked no more: asking on would make it worse."""
        if reading.why_not is not WhyNot.REFUSED:
            desk.refusals = 0
            return
        desk.refusals += 1
        if desk.refusals >= _REFUSALS:
            desk.health = Health(False, WhyNot.REFUSED, reading.meaning)
            self._known.put(desk.blocklist.id, desk.proof, desk.health, self._now)

    # --- is the list to be believed? ---------------------------------------------------------

    def _take_probe(self, reply: Reply) -> None:
        """A reply that tells of the resolver; with the last that is needed those go on who wait for it."""
        undecided = self._probe.undecided
        self._probe.take(reply)
        if self._probe.undecided or not undecided:
            return
        for desk in self._desks:
            if self._probe.rewrites is not None or desk.doubt is not None:
                self._judged(desk, desk.doubt or FIT)

    def _take_control(self, desk: Desk, control: Control, reply: Reply) -> None:
        self._probe.note(reply)
        desk.read.append((control, desk.book.read(reply)))
        desk.controls_left -= 1
        if desk.controls_left:
            return
        if self._ask_lost_again(desk):
            return
        read, desk.read = desk.read, []
        if self._probe.undecided and lists_what_it_must_not(read):
            desk.doubt = judge(read)
        else:
            self._judged(desk, judge(read))

    def _judged(self, desk: Desk, health: Health) -> None:
        """The verdict on a list is in, as far as its resolver lets it be heard."""
        rewrites = self._probe.rewrites
        desk.health = health if rewrites is None else Health(False, WhyNot.REWRITTEN, rewrites)
        desk.doubt = None
        self._known.put(desk.blocklist.id, desk.proof, desk.health, self._now)
        desk.settled = desk.settled and desk.health.fit
        desk.sampling = desk.sampling and desk.health.fit
        if not desk.sampling:
            self._release(desk)
        elif desk.seen >= SAMPLE:
            self._end_sample(desk)

    def _ask_lost_again(self, desk: Desk) -> bool:
        """Asks once more for what was lost where other controls were answered: one lost packet condemns no list."""
        lost = [control for control, reading in desk.read if reading.why_not is WhyNot.TIMEOUT]
        if desk.asked_again or not lost or len(lost) == len(desk.read):
            return False
        desk.asked_again = True
        desk.read = [each for each in desk.read if each[0] not in lost]
        questions = [self._expect(desk, control) for control in lost]
        self._questions.follow_ups.extend(question for question in questions if question is not None)
        return True

    def _end_sample(self, desk: Desk) -> None:
        """The first answers of a sweep are in: do they look like those of a list that answers everything?"""
        desk.sampling = False
        if desk.seen_listed <= SUSPICIOUS_SHARE * desk.seen:
            self._release(desk)
            return
        desk.health, desk.settled = None, False
        for part in canaries(desk.blocklist, desk.proof, secrets.token_bytes(32), SECOND_LOOK_CANARIES):
            question = self._expect(desk, Control(part, Expect.ABSENT_CANARY))
            if question is not None:
                self._questions.follow_ups.append(question)

    def _end_samples(self) -> None:
        for desk in self._desks:
            if desk.sampling and desk.held and desk.health == FIT and not desk.room():
                self._end_sample(desk)

    def _verdicts(self) -> Verdicts:
        """What became of the lists, for what is to be said of their resolver."""
        verdicts = [(desk.blocklist.id, desk.health, desk.major) for desk in self._desks if desk.health is not None]
        return Verdicts(
            asked={name for name, _, _ in verdicts},
            fit={name for name, health, _ in verdicts if health.fit},
            refusing={name for name, health, _ in verdicts if health.why_not is WhyNot.REFUSED},
            majors={name for name, _, major in verdicts if major},
        )

    def _release(self, desk: Desk) -> None:
        held, desk.held = desk.held, []
        for question, target, reading, ttl in held:
            self._decide(desk, question, target, reading, ttl)

    # --- follow-ups --------------------------------------------------------------------------

    def _ask_text(self, desk: Desk, question: Question, target: Target, reading: Reading, ttl: int) -> None:
        text_question = question._replace(qtype=_TXT)
        waiting = self._texts.setdefault(text_question, (desk, []))[1]
        waiting.append(self._answer(desk, target, reading, ttl))
        if len(waiting) == 1:
            self._questions.follow_ups.append(text_question)

    def _take_text(self, question: Question, reply: Reply) -> None:
        desk, answers = self._texts.pop(question)
        text = readable_text(reply.texts, desk.key) if reply.failure is None else None
        self._ready.extend(_with_text(answer, text) for answer in answers)

    def _ask_net(self, desk: Desk, target: Target, ttl: int) -> bool:
        """Asks about the /64 around an IPv6 address that is not listed itself; False where there is none."""
        part = neighbourhood_part(target)
        if part is None:
            return False
        question = Question(part + desk.suffix, _A, desk.group)
        waiting = self._nets.setdefault(question, [])
        waiting.append((desk, target, ttl))
        if len(waiting) == 1:
            self._questions.follow_ups.append(question)
        return True

    def _take_net(self, question: Question, reply: Reply) -> None:
        for desk, target, ttl in self._nets.pop(question):
            reading = desk.book.read(reply)
            if reading.kind is ListAnswerKind.LISTED:
                self._ask_text(desk, question, target, reading._replace(scope=ListScope.RANGE), reply.ttl)
            else:
                # The address itself is not listed, whatever became of this.
                self._ready.append(self._unlisted(desk, target, ttl))

    # --- answers -----------------------------------------------------------------------------

    def _answer(self, desk: Desk, target: Target, reading: Reading, ttl: int) -> ListAnswer:
        blocklist = desk.blocklist
        if reading.kind is ListAnswerKind.NOT_LISTED and not reading.codes:
            return self._unlisted(desk, target, ttl)
        return ListAnswer(
            target=target.text,
            list=blocklist.id,
            zone=blocklist.zone,
            answer=reading.kind,
            codes=reading.codes,
            meaning=reading.meaning,
            scope=reading.scope,
            why_not=reading.why_not,
            signals=self._votes(blocklist, target, reading.signals),
            major=desk.major,
            asked_at=self._now,
            ttl_seconds=ttl,
            delisting=blocklist.delisting.page if reading.kind is ListAnswerKind.LISTED else None,
        )

    def _unlisted(self, desk: Desk, target: Target, ttl: int) -> ListAnswer:
        blocklist = desk.blocklist
        return ListAnswer(
            target.text, blocklist.id, blocklist.zone, ListAnswerKind.NOT_LISTED, (), "", blocklist.scope,
            None, None, (), desk.major, self._now, ttl,
        )  # fmt: skip

    def _could_not_ask(self, blocklist: Blocklist, target: Target, health: Health, major: bool) -> ListAnswer:
        return ListAnswer(
            target.text, blocklist.id, blocklist.zone, ListAnswerKind.COULD_NOT_ASK, (), health.meaning,
            blocklist.scope, None, health.why_not, (), major, self._now,
        )  # fmt: skip

    def _votes(self, blocklist: Blocklist, target: Target, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        """The signals that no other list with the same listings has voted for this target."""
        if not signals:
            return ()
        voted = self._voted.setdefault((target.text, self._families[blocklist.id]), set())
        new = tuple(signal for signal in signals if signal not in voted)
        voted.update(new)
        return new


def _with_text(answer: ListAnswer, text: str | None) -> ListAnswer:
    if text is None:
        return answer
    return msgspec.structs.replace(answer, text=text)


def _family(blocklist: Blocklist, catalogue: Catalogue) -> str:
    """The outermost list that holds the same listings."""
    seen = {blocklist.id}
    while outer := blocklist.same_as or next(iter(blocklist.inside_of), None):
        if outer in seen or outer not in catalogue.lists:
            break
        seen.add(outer)
        blocklist = catalogue.lists[outer]
    return blocklist.id
