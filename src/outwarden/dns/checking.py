"""Asks every list about every target, and gives out each answer as soon as it may be believed.

The controls of each list are asked first, in the same stream as the questions; what a list answers is
kept back only until its own controls are in, so that a silent list holds up nobody else.  A list that
is not fit, or begins to refuse, is asked no further, and its answers say that it could not be asked.
In a sweep a list that lists too many gets a second look at more names drawn at random.

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
from outwarden.dns.list_answers import CodeBook, Reading, readable_text
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
)
from outwarden.dns.list_names import neighbourhood_part, suffix, target_part
from outwarden.dns.questions import Question, Reply
from outwarden.dns.targets import Target, TargetKind, Targets
from outwarden.events import ListAnswer, ListAnswerKind, ListScope, Signal, WhyNot

_A, _TXT = 1, 16
_NXDOMAIN = 3
_LONGEST_NAME = 253
_SWEEP = 64
_SAMPLE = 48
_REFUSALS = 10


class Asks(Protocol):
    """What answers questions: a ``Lookup``."""

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

    ``now`` (UTC) dates the answers.  ``health`` remembers from one check to the next which lists are fit.
    """
    yield from _Check(targets, catalogue, lookup, now, health or HealthBook()).answers()


class _Desk:
    """One list, asked about one kind of target."""

    __slots__ = (
        "blocklist", "book", "controls_left", "group", "health", "held", "key", "kind", "longest",
        "major", "read", "refusals", "sampling", "seen", "seen_listed",
        "settled", "skipped_from", "suffix",
    )  # fmt: skip

    def __init__(self, blocklist: Blocklist, kind: TargetKind, catalogue: Catalogue, sampling: bool) -> None:
        self.blocklist = blocklist
        self.kind = kind
        self.book = CodeBook(blocklist, catalogue.errors)
        self.key = catalogue.key(blocklist)
        self.suffix = suffix(blocklist, self.key)
        self.group = blocklist.id
        self.longest = _LONGEST_NAME - len(self.suffix)
        self.major = blocklist.tier is Tier.MAJOR
        self.health: Health | None = None
        self.controls_left = 0
        self.read: list[tuple[Control, Reading]] = []
        self.held: list[tuple[Question, list[Target], Reading, int]] = []
        self.sampling = sampling
        self.seen = self.seen_listed = self.refusals = 0
        # Nothing is left to decide about an answer without records: most answers of a sweep are such.
        self.settled = False
        self.skipped_from: int | None = None

    def part(self, target: Target) -> str | None:
        """What stands left of the zone to ask about the target; None where it is not asked."""
        return target_part(self.blocklist, target, self.longest)


class _Questions(Iterator[Question]):
    """Follow-ups first, then the plan.  It may end and go on again when replies bring new follow-ups."""

    def __init__(self, plan: Iterator[Question]) -> None:
        self._plan = plan
        self.follow_ups: deque[Question] = deque()

    def __next__(self) -> Question:
        if self.follow_ups:
            return self.follow_ups.popleft()
        return next(self._plan)


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
        self._ready: deque[ListAnswer] = deque()
        self._desks = self._set_up()
        self._families = {each.id: _family(each, catalogue) for each in catalogue.asked}
        self._voted: dict[tuple[str, str], set[Signal]] = {}
        self._controls: dict[Question, tuple[_Desk, Control]] = {}
        self._pending: dict[Question, tuple[_Desk, list[Target]]] = {}
        self._texts: dict[Question, tuple[_Desk, list[ListAnswer]]] = {}
        self._nets: dict[Question, tuple[_Desk, list[Target], int]] = {}
        self._questions = _Questions(self._plan())

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
            if not self._questions.follow_ups:
                break
        yield from self._skipped()

    # --- what is asked -----------------------------------------------------------------------

    def _set_up(self) -> dict[TargetKind, list[_Desk]]:
        count = len(self._targets)
        kinds = (
            list(TargetKind) if count < _SWEEP else [k for k in TargetKind if any(t.kind is k for t in self._targets)]
        )
        first = {kind: next((t for t in self._targets if t.kind is kind), None) for kind in kinds}
        askable = [each for each in self._catalogue.asked if not self._catalogue.lacks_key(each)]
        return {
            kind: [
                _Desk(each, kind, self._catalogue, count >= _SWEEP)
                for each in askable
                if kind in (TargetKind.URL, TargetKind.DOMAIN) or target_part(each, target) is not None
            ]
            for kind, target in first.items()
            if target is not None
        }

    def _plan(self) -> Iterator[Question]:
        for desks in self._desks.values():
            for desk in desks:
                yield from self._plan_controls(desk)
        for index, target in enumerate(self._targets):
            for desk in self._desks[target.kind]:
                if desk.health is not None and not desk.health.fit:
                    if desk.skipped_from is None:
                        desk.skipped_from = index
                    continue
                part = target.name if desk.settled else desk.part(target)
                if part is None:
                    continue
                question = Question(part + desk.suffix, _A, desk.group)
                waiting = self._pending.get(question)
                if waiting is not None:
                    waiting[1].append(target)
                    continue
                self._pending[question] = (desk, [target])
                if question not in self._controls:
                    yield question

    def _plan_controls(self, desk: _Desk) -> Iterator[Question]:
        if all(desk.part(target) is None for target in islice(self._of_kind(desk.kind), _SWEEP)):
            return
        desk.health = self._known.get(desk.blocklist.id, desk.kind, self._now)
        if desk.health is not None:
            return
        for control in controls(desk.blocklist, desk.kind, secrets.token_bytes(32)):
            question = Question(control.part + desk.suffix, _A, desk.group)
            self._controls[question] = (desk, control)
            desk.controls_left += 1
        yield from [question for question, (whose, _) in self._controls.items() if whose is desk]

    def _of_kind(self, kind: TargetKind) -> Iterator[Target]:
        return (target for target in self._targets if target.kind is kind)

    def _never_asked(self) -> Iterator[ListAnswer]:
        lacking = [each for each in self._catalogue.asked if self._catalogue.lacks_key(each)]
        for target in self._targets if lacking or self._catalogue.asked_dead else ():
            for blocklist in lacking:
                if target_part(blocklist, target) is not None:
                    told = f"needs the site's key for {blocklist.key}"
                    yield self._could_not_ask(blocklist, target, Health(False, WhyNot.NEEDS_KEY, told), major=False)
            for zone, why in self._catalogue.asked_dead:
                yield ListAnswer(
                    target.text, zone, zone, ListAnswerKind.COULD_NOT_ASK,
                    meaning=why, why_not=WhyNot.DEAD, asked_at=self._now,
                )  # fmt: skip

    def _skipped(self) -> Iterator[ListAnswer]:
        """The answers of lists that were found unfit while there was more to ask them."""
        for desks in self._desks.values():
            for desk in desks:
                if desk.skipped_from is None or desk.health is None:
                    continue
                for target in islice(self._targets, desk.skipped_from, None):
                    if target.kind is desk.kind and desk.part(target) is not None:
                        yield self._could_not_ask(desk.blocklist, target, desk.health, desk.major)

    # --- what comes back ---------------------------------------------------------------------

    def _take(self, reply: Reply) -> None:
        question = reply.question
        if self._controls and (control := self._controls.pop(question, None)):
            self._take_control(*control, reply)
        pending = self._pending.pop(question, None)
        if pending is not None:
            desk, targets = pending
            if desk.settled and reply.rcode == _NXDOMAIN and not reply.addresses:
                for target in targets:
                    self._ready.append(self._unlisted(desk, target, reply.ttl))
                return
            self._take_answer(desk, question, targets, desk.book.read(reply), reply.ttl)
        elif question.qtype == _TXT:
            self._take_text(question, reply)
        elif question in self._nets:
            self._take_net(question, reply)

    def _take_answer(self, desk: _Desk, question: Question, targets: list[Target], reading: Reading, ttl: int) -> None:
        if desk.sampling:
            desk.seen += 1
            desk.seen_listed += reading.kind is ListAnswerKind.LISTED
        if desk.health is None or desk.sampling:
            desk.held.append((question, targets, reading, ttl))
            if desk.health is not None and desk.seen >= _SAMPLE:
                self._end_sample(desk)
            return
        self._decide(desk, question, targets, reading, ttl)

    def _decide(self, desk: _Desk, question: Question, targets: list[Target], reading: Reading, ttl: int) -> None:
        """An answer of a list about which the verdict is in."""
        health = desk.health or FIT
        if not health.fit:
            for target in targets:
                self._ready.append(self._could_not_ask(desk.blocklist, target, health, desk.major))
        elif reading.kind is ListAnswerKind.LISTED:
            self._ask_text(desk, question, targets, reading, ttl)
        elif reading.kind is ListAnswerKind.NOT_LISTED and self._ask_net(desk, targets, ttl):
            return
        else:
            self._count_refusal(desk, reading)
            desk.settled = desk.kind is TargetKind.IPV4 and desk.refusals == 0
            for target in targets:
                self._ready.append(self._answer(desk, target, reading, ttl))

    def _count_refusal(self, desk: _Desk, reading: Reading) -> None:
        """A list that has begun to refuse is asked no more: asking on would make it worse."""
        if reading.why_not is not WhyNot.REFUSED:
            desk.refusals = 0
            return
        desk.refusals += 1
        if desk.refusals >= _REFUSALS:
            desk.health = Health(False, WhyNot.REFUSED, reading.meaning)
            self._known.put(desk.blocklist.id, desk.kind, desk.health, self._now)

    # --- is the list to be believed? ---------------------------------------------------------

    def _take_control(self, desk: _Desk, control: Control, reply: Reply) -> None:
        desk.read.append((control, desk.book.read(reply)))
        desk.controls_left -= 1
        if desk.controls_left:
            return
        desk.health = judge(desk.read)
        desk.read = []
        self._known.put(desk.blocklist.id, desk.kind, desk.health, self._now)
        if not (desk.sampling and desk.health.fit):
            self._release(desk)
        elif desk.seen >= _SAMPLE:
            self._end_sample(desk)

    def _end_sample(self, desk: _Desk) -> None:
        """The first answers of a sweep are in: do they look like those of a list that answers everything?"""
        desk.sampling = False
        if desk.seen_listed <= SUSPICIOUS_SHARE * desk.seen:
            self._release(desk)
            return
        desk.health, desk.settled = None, False
        for part in canaries(desk.blocklist, desk.kind, secrets.token_bytes(32), SECOND_LOOK_CANARIES):
            question = Question(part + desk.suffix, _A, desk.group)
            self._controls[question] = (desk, Control(part, Expect.ABSENT_CANARY))
            desk.controls_left += 1
            self._questions.follow_ups.append(question)

    def _end_samples(self) -> None:
        for desks in self._desks.values():
            for desk in desks:
                if desk.sampling and desk.held and desk.health == FIT:
                    self._end_sample(desk)

    def _release(self, desk: _Desk) -> None:
        held, desk.held = desk.held, []
        for question, targets, reading, ttl in held:
            self._decide(desk, question, targets, reading, ttl)

    # --- follow-ups --------------------------------------------------------------------------

    def _ask_text(self, desk: _Desk, question: Question, targets: list[Target], reading: Reading, ttl: int) -> None:
        text_question = question._replace(qtype=_TXT)
        answers = [self._answer(desk, target, reading, ttl) for target in targets]
        if text_question in self._texts:
            self._texts[text_question][1].extend(answers)
            return
        self._texts[text_question] = (desk, answers)
        self._questions.follow_ups.append(text_question)

    def _take_text(self, question: Question, reply: Reply) -> None:
        desk, answers = self._texts.pop(question)
        text = readable_text(reply.texts, desk.key) if reply.failure is None else None
        self._ready.extend(_with_text(answer, text) for answer in answers)

    def _ask_net(self, desk: _Desk, targets: list[Target], ttl: int) -> bool:
        """Asks about the /64 around an IPv6 address that is not listed itself; False where there is none."""
        part = neighbourhood_part(targets[0])
        if part is None:
            return False
        question = Question(part + desk.suffix, _A, desk.group)
        if question in self._nets:
            self._nets[question][1].extend(targets)
        else:
            self._nets[question] = (desk, list(targets), ttl)
            self._questions.follow_ups.append(question)
        return True

    def _take_net(self, question: Question, reply: Reply) -> None:
        desk, targets, ttl = self._nets.pop(question)
        reading = desk.book.read(reply)
        if reading.kind is ListAnswerKind.LISTED:
            self._ask_text(desk, question, targets, reading._replace(scope=ListScope.RANGE), reply.ttl)
            return
        # The address itself is not listed, whatever became of this.
        unlisted = Reading(ListAnswerKind.NOT_LISTED, scope=desk.blocklist.scope)
        self._ready.extend(self._answer(desk, target, unlisted, ttl) for target in targets)

    # --- answers -----------------------------------------------------------------------------

    def _answer(self, desk: _Desk, target: Target, reading: Reading, ttl: int) -> ListAnswer:
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

    def _unlisted(self, desk: _Desk, target: Target, ttl: int) -> ListAnswer:
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
