"""What the checker lets through keeps its promises: no playbook that it accepts can hang or turn by itself."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.unit.cases.desk_of import BEGIN, ROSA, account_subject

from outwarden.cases.case import CaseState
from outwarden.cases.conditions import Circumstances, Condition
from outwarden.cases.going_on import Refused, Turn, begin, go_on
from outwarden.cases.happening import Answered, Called, Evidence, Happening, Said, Signal, TimeCame, Told
from outwarden.cases.opening import opened
from outwarden.cases.playbook import OF_ITS_OWN, Playbook, State, Step, Transition, Trigger
from outwarden.cases.playbook_checks import mistakes
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import Answer, ResponseName
from outwarden.cases.troubles import Trouble

NAMES = ["a", "b", "c", "watch", "closed"]
conditions = st.lists(
    st.sampled_from([Condition.ESCALATING, Condition.REGRESSED, Condition.OWNER_REACHABLE]), max_size=1
)


@st.composite
def ways(draw: st.DrawFn) -> Transition:
    to, limit = draw(st.sampled_from(NAMES)), draw(st.sampled_from([None, None, None, 1, 2]))
    when = tuple(draw(conditions))
    kind = draw(st.sampled_from(["on", "on", "after", "quiet", "hand", "api"]))
    if kind == "on":
        on = draw(st.sampled_from([one for one in Trigger if one is not Trigger.STEP_DONE]))
        return Transition(to, on=on, when=when, at_most=limit)
    word = draw(st.sampled_from(["1h", "2d"] if kind in ("after", "quiet") else ["go", "stop"]))
    return Transition(to, when=when, at_most=limit, **{kind: word})  # type: ignore[arg-type]


steps = st.lists(
    st.sampled_from(
        [Step(ResponseName.CALL_PERSON), Step(ResponseName.NOTIFY_OWNER), Step(ResponseName.NOTIFY_MANAGER),
         Step(ResponseName.HOLD_ACCOUNT, "1d")]
    ),
    max_size=2, unique_by=lambda step: step.ask,
)  # fmt: skip


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    states = {
        name: State(
            CaseState.RESOLVED if name == "watch" else draw(st.sampled_from([CaseState.NEW, CaseState.WAITING])),
            "words",
            tuple(draw(steps)),
            # One way that always leads on, before or after the others: without it hardly any would be accepted.
            tuple(draw(st.permutations([*draw(st.lists(ways(), max_size=3)), Transition(onward, after="7d")]))),
        )
        for name, onward in pairwise(NAMES)
    }
    return Playbook("p", Trouble.STOLEN_ACCOUNT, "P", "words", "a", states | {"closed": State(CaseState.CLOSED, "end")})


def happenings(turn: Turn, kind: int, which: int, number: int) -> Happening:
    case = turn.case
    at, name = case.changed_at, f"h{number}"
    signals, answers = list(Signal), list(Answer)
    asked = [one.request for one in case.asked] or ["none"]
    return [
        Evidence(name, at, case.trouble, account_subject("rosa@isp.example"), "again"),
        Told(name, at, case.id, signals[which % len(signals)]),
        Answered(name, at, case.id, asked[which % len(asked)], answers[which % len(answers)]),
        Said(name, at, case.id, "kim", Role.DESK, ["go", "stop", "resolve", "reopen"][which % 4]),
        Called(name, at, case.id, "panel", ["go", "stop"][which % 2]),
        TimeCame(name, at, case.id),
    ][kind]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(playbooks(), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99), st.integers(-50, 200)), max_size=25))
def test_an_accepted_playbook_never_hangs(playbook: Playbook, told: list[tuple[int, int, int]]) -> None:
    assume(not list(mistakes(playbook)))
    first = Evidence("first", BEGIN, Trouble.STOLEN_ACCOUNT, account_subject("rosa@isp.example"), "refused")
    around, now = Circumstances(ROSA), BEGIN
    turn = begin(opened(first, ROSA, playbook, 1, now), playbook, first, now, around)
    requests = [request.id for request in turn.requests]
    for number, (kind, which, hours) in enumerate(told):
        now += timedelta(hours=hours)
        try:
            turn = go_on(turn.case, playbook, happenings(turn, kind, which, number), now, around)
        except Refused:
            continue
        requests += [request.id for request in turn.requests]
        case = turn.case
        hand = any(way.hand for way in playbook.ways_out(case.place))
        assert (case.state is CaseState.CLOSED) or case.next_due_at is not None or hand
        assert case.next_due_at is None or case.next_due_at > case.entered_at
    assert len(requests) == len(set(requests))


def test_every_signal_is_an_event_of_playbooks() -> None:
    worked_out = OF_ITS_OWN | {Trigger.EVIDENCE}
    assert [one.value for one in Signal] == [one.value for one in Trigger if one not in worked_out]
