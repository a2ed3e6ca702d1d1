"""Whatever happens in whatever order, doubled, late, with the clock set back: what a case promises still holds."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.cases.desk_of import Day

from outwarden.cases.case import CaseState
from outwarden.cases.going_on import Refused, Turn
from outwarden.cases.happening import Answered, Evidence, Happening, Said, Signal, Told
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.policy import CasePolicy, GroupPolicy, Repeats, Role
from outwarden.cases.response_requests import Answer
from outwarden.cases.subscriber import Subject, SubjectKind, account_subject
from outwarden.cases.troubles import Trouble

PLAYBOOKS = shipped_playbooks()
WORDS = sorted(
    {way.hand for one in PLAYBOOKS.values() for name in one.states for way in one.ways_out(name) if way.hand}
)
SUBJECTS = [
    account_subject("rosa@isp.example"),
    account_subject("kim@isp.example"),
    Subject(SubjectKind.OWN_ADDRESS, "192.0.2.25"),
    Subject(SubjectKind.SCRIPT, "form@isp.example"),
]


class AnyOrder(RuleBasedStateMachine):
    """A desk to which anything is told."""

    @initialize()
    def a_desk(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        policy = CasePolicy(groups={"default": GroupPolicy(repeats=Repeats(lock_from=2, end_service_from=4))})
        self.day = Day(Path(self.folder.name), policy)
        # What is asked of the disk is proved elsewhere; here it would only cost time.
        self.day.store._database.rows("PRAGMA synchronous = OFF")
        self.told: list[Happening] = []
        self.asked: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "day"):
            self.day.store.close()
            self.folder.cleanup()

    def tell(self, happening: Happening) -> None:
        self.told.append(happening)
        try:
            turn = self.day.hear(happening)
        except Refused:
            return
        if turn is not None:
            self.look(turn)

    def look(self, turn: Turn) -> None:
        for request in turn.requests:
            # Case, place, stay, response and subject: the same is never asked for a second time.
            assert request.id not in self.asked
            self.asked[request.id] = request.because

    @rule(trouble=st.sampled_from(Trouble), subject=st.sampled_from(SUBJECTS), late_hours=st.integers(-48, 48))
    def evidence(self, trouble: Trouble, subject: Subject, late_hours: int) -> None:
        at = self.day.now - timedelta(hours=late_hours)
        self.tell(Evidence(self.day.fresh_id(), at, trouble, subject, "refused as spam", 10.0))

    @rule(answer=st.sampled_from(Answer), which=st.integers(0, 1000))
    @precondition(lambda self: self.asked)
    def answer_one(self, answer: Answer, which: int) -> None:
        request = list(self.asked)[which % len(self.asked)]
        self.tell(Answered(self.day.fresh_id(), self.day.now, request.partition("/")[0], request, answer))

    @rule()
    def answer_what_waits(self) -> None:
        for request in self.day.store.cases.requests_waiting():
            self.tell(Answered(self.day.fresh_id(), self.day.now, request.case, request.id, Answer.DONE))

    @rule(word=st.sampled_from([*WORDS, "resolve", "reopen"]), role=st.sampled_from(Role), which=st.integers(0, 100))
    def say(self, word: str, role: Role, which: int) -> None:
        cases = self.day.store.cases.all_cases()
        if cases:
            self.tell(Said(self.day.fresh_id(), self.day.now, cases[which % len(cases)].id, "kim", role, word))

    @rule(signal=st.sampled_from(Signal), which=st.integers(0, 100))
    def news(self, signal: Signal, which: int) -> None:
        cases = self.day.store.cases.all_cases()
        if cases:
            self.tell(Told(self.day.fresh_id(), self.day.now, cases[which % len(cases)].id, signal))

    @rule(which=st.integers(0, 1000))
    @precondition(lambda self: self.told)
    def told_again(self, which: int) -> None:
        before = {case.id: case.version for case in self.day.store.cases.all_cases()}
        happening = self.told[which % len(self.told)]
        heard = self.day.store.cases.heard(happening.id)
        try:
            turn = self.day.hear(happening)
        except Refused:
            turn = None
        if turn is not None:
            assert not heard
            self.look(turn)
        elif heard:
            assert {case.id: case.version for case in self.day.store.cases.all_cases()} == before

    @rule(minutes=st.integers(1, 60 * 24 * 40))
    def time_passes(self, minutes: int) -> None:
        for turn in self.day.after(minutes=minutes):
            self.look(turn)

    @rule(minutes=st.integers(1, 60 * 24 * 3))
    def the_clock_is_set_back(self, minutes: int) -> None:
        for turn in self.day.after(minutes=-minutes):
            self.look(turn)

    @invariant()
    def never_two_open_cases_of_a_kind(self) -> None:
        if hasattr(self, "day"):
            cases = self.day.store.cases.open_cases()
            assert len({(case.subscriber, case.trouble) for case in cases}) == len(cases)

    @invariant()
    def every_case_waits_for_the_clock_or_a_person_or_is_closed(self) -> None:
        if not hasattr(self, "day"):
            return
        for case in self.day.store.cases.all_cases():
            hand = any(
                way.hand and not way.when and not way.unless and way.at_most is None
                for way in PLAYBOOKS[case.trouble].states[case.place].transitions
            )
            assert (case.state is CaseState.CLOSED) == (case.next_due_at is None and not hand)
            assert case.opened_at <= case.entered_at <= case.changed_at
            assert case.next_due_at is None or case.next_due_at > case.entered_at


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
