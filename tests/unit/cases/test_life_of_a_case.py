"""Lives of cases, from the first evidence to the close, through the real store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.cases.desk_of import ROSA, Day

from outwarden.cases.case import MOST_EVIDENCE, CaseState, Mark
from outwarden.cases.desk import NoSuchCase
from outwarden.cases.going_on import Refused, Turn
from outwarden.cases.happening import Answered, Assigned, Noted, Signal, Told
from outwarden.cases.policy import CasePolicy, GroupPolicy, Repeats, Role
from outwarden.cases.response_requests import Answer, ResponseName
from outwarden.cases.subscriber import Contact, ContactRole, Subject, SubjectKind, Subscriber, Subscribers
from outwarden.cases.troubles import Trouble
from outwarden.store.cases import CaseChangedMeanwhile


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path)
    yield made
    made.store.close()


def opened(day: Day, **evidence: object) -> Turn:
    turn = day.hear(day.evidence(**evidence))  # type: ignore[arg-type]
    assert turn is not None
    return turn


def asked(turn: Turn) -> list[str]:
    return [request.response.value for request in turn.requests]


def test_a_stolen_account_is_contained_told_given_back_watched_and_closed(day: Day) -> None:
    turn = opened(day)
    assert asked(turn) == [
        "block-account", "queue-hold", "reset-password", "end-sessions", "revoke-app-passwords", "disable-rules",
    ]  # fmt: skip
    assert turn.requests[0].expires_at == day.now + timedelta(days=30)
    assert all(request.because == turn.entries[0].happening for request in turn.requests)
    turn = day.answer_all(turn)
    assert (turn.case.place, turn.case.state) == ("owner", CaseState.WAITING)
    day.now += timedelta(hours=3)
    put_right = day.hear(Told(day.fresh_id(), day.now, turn.case.id, Signal.OWNER_PUT_RIGHT))
    assert put_right is not None and asked(put_right) == ["unblock-account"]
    turn = day.answer_all(put_right)
    assert (turn.case.place, turn.case.state, turn.case.marks) == ("watch", CaseState.RESOLVED, ())
    assert turn.case.next_due_at == day.now + timedelta(days=30)
    (turn,) = day.after(days=30)
    assert (turn.case.state, turn.case.next_due_at) == (CaseState.CLOSED, None)
    assert [entry.kind.value for entry in day.store.cases.timeline(turn.case.id)][:2] == ["evidence", "state"]


def test_the_notice_goes_to_a_second_channel_and_never_to_the_stolen_mailbox(tmp_path: Path) -> None:
    contacts = (Contact(ContactRole.OWNER, "Rosa@isp.example"), Contact(ContactRole.OWNER, "rosa@other.example"))
    rosa = Subscriber("rosa", accounts=ROSA.accounts, contacts=contacts, language="it")
    day = Day(tmp_path, subscribers=Subscribers([rosa]))
    turn = opened(day)
    turn = day.answer_all(turn)
    told = [one for one in turn.case.asked if one.response is ResponseName.NOTIFY_OWNER]
    assert len(told) == 1
    only_own = Subscriber("rosa", accounts=ROSA.accounts, contacts=contacts[:1])
    assert only_own.reached_as(ContactRole.OWNER, turn.case.named(SubjectKind.ACCOUNT)) is None
    assert only_own.reached_as(ContactRole.OWNER) == contacts[0]


def test_without_a_way_to_the_owner_a_person_is_called(day: Day) -> None:
    turn = day.answer_all(opened(day, account="kim@isp.example"))
    assert [one.response.value for one in turn.case.asked if one.place == "tell"] == ["call-person"]


def test_evidence_after_containment_escalates_and_contains_again(day: Day) -> None:
    turn = day.answer_all(opened(day))
    day.now += timedelta(hours=1)
    again = day.hear(day.evidence())
    assert again is not None
    assert (again.case.place, again.case.marks, again.case.visits["contain"]) == ("contain", (Mark.ESCALATING,), 2)
    assert len(again.requests) == 6 and len({request.id for request in (*turn.requests, *again.requests)}) == 6


def test_evidence_that_comes_late_is_filed_and_changes_nothing(day: Day) -> None:
    late = day.evidence()
    turn = day.answer_all(opened(day))
    day.now += timedelta(hours=1)
    filed = day.hear(late)
    assert filed is not None
    assert (filed.case.place, filed.case.marks, filed.case.evidence_count, filed.requests) == ("owner", (), 2, ())
    assert turn.case.id == filed.case.id


def test_a_relapse_takes_a_resolved_case_up_again(day: Day) -> None:
    turn = day.say(day.answer_all(opened(day)), "resolve")
    day.now += timedelta(days=2)
    relapse = opened(day)
    assert relapse.case.id == turn.case.id
    assert (relapse.case.state, relapse.case.marks) == (CaseState.NEW, (Mark.REGRESSED,))


def closed(day: Day, turn: Turn) -> Turn:
    day.say(turn, "resolve")
    (turn,) = day.after(days=31)
    assert turn.case.state is CaseState.CLOSED
    return turn


def test_the_third_offence_is_locked_until_one_level_up_unlocks(day: Day) -> None:
    for number in (1, 2):
        turn = opened(day)
        assert turn.case.offence == number and "reset-password" in asked(turn)
        closed(day, day.answer_all(turn))
    turn = opened(day)
    assert (turn.case.offence, "lock-account" in asked(turn), "reset-password" in asked(turn)) == (3, True, False)
    turn = day.answer_all(turn)
    assert turn.case.place == "locked"
    with pytest.raises(Refused, match="'unlock' needs lead, and kim is desk"):
        day.say(turn, "unlock")
    turn = day.answer_all(day.say(turn, "unlock", Role.LEAD))
    assert turn.case.state is CaseState.RESOLVED


def test_the_end_of_service_waits_for_a_yes_and_only_policy_asks_for_it(tmp_path: Path) -> None:
    policy = CasePolicy(groups={"default": GroupPolicy(repeats=Repeats(lock_from=2, end_service_from=2))})
    day = Day(tmp_path, policy)
    closed(day, day.answer_all(opened(day)))
    opened(day)
    seen: list[list[tuple[str, bool]]] = []
    for _ in range(3):
        waiting = day.store.cases.requests_waiting()
        seen.append([(one.response.value, one.confirm) for one in waiting])
        for request in waiting:
            day.hear(Answered(day.fresh_id(), day.now, request.case, request.id, Answer.DONE))
    assert seen[1:] == [[("notify-owner", False)], [("end-service", True)]]


def test_a_mistaken_case_is_taken_back_by_one_word_and_is_no_offence(day: Day) -> None:
    turn = day.say(day.answer_all(opened(day)), "mistaken")
    assert asked(turn) == ["unblock-account", "queue-release", "notify-owner"]
    assert turn.requests[0].parameters == {"wrongly": "yes"}
    turn = day.answer_all(turn)
    assert (turn.case.state, turn.case.marks) == (CaseState.CLOSED, (Mark.MISTAKEN,))
    day.now += timedelta(days=1)
    assert opened(day).case.offence == 1


def test_a_step_that_fails_calls_a_person_and_so_does_silence(day: Day) -> None:
    assert day.answer_all(opened(day), Answer.FAILED).case.place == "by-hand"
    opened(day, account="kim@isp.example")
    moved = {turn.case.subscriber: turn.case for turn in day.after(minutes=15)}
    assert moved["account:kim@isp.example"].place == "by-hand"
    assert Mark.ESCALATING in moved["account:kim@isp.example"].marks


def test_too_little_opens_no_case_and_feeds_one(day: Day) -> None:
    little = replace(day.evidence(points=4.0), opens=None)
    assert day.hear(little) is None
    first = opened(day)
    fed = day.hear(little)
    assert fed is not None and (fed.case.id, fed.case.evidence_count) == (first.case.id, 2)


def test_evidence_of_nobody_known_waits_in_the_tray_until_somebody_is(tmp_path: Path) -> None:
    day = Day(tmp_path, subscribers=Subscribers(each_alone=False))
    evidence = day.evidence()
    assert (day.hear(evidence), day.hear(evidence)) == (None, None)
    (aside,) = day.store.cases.unresolved()
    assert aside.why == "nobody is known to answer for rosa@isp.example"
    day.store.close()
    day = Day(tmp_path)
    assert day.hear(evidence) is not None
    assert day.store.cases.unresolved() == []


def test_told_twice_counts_once(day: Day) -> None:
    evidence = day.evidence()
    first, second = day.hear(evidence), day.hear(evidence)
    assert first is not None and second is None
    assert len(day.store.cases.open_cases()) == 1


def test_a_group_has_its_own_threshold(tmp_path: Path) -> None:
    staff = Subscriber("staff", accounts=frozenset({"rosa@isp.example"}), group="staff")
    policy = CasePolicy(groups={"staff": GroupPolicy(opens_from_points=4.0)})
    day = Day(tmp_path, policy, subscribers=Subscribers([staff]))
    assert day.hear(replace(day.evidence(points=4.5), opens=None)) is not None
    assert day.hear(replace(day.evidence(points=4.5, account="kim@isp.example"), opens=None)) is None


def test_who_may_do_what(day: Day) -> None:
    turn = opened(day)
    with pytest.raises(Refused, match="note needs desk, and kim is reader"):
        day.hear(Noted(day.fresh_id(), day.now, turn.case.id, "kim", Role.READER, "hello"))
    with pytest.raises(Refused, match="assign needs desk"):
        day.hear(Assigned(day.fresh_id(), day.now, turn.case.id, "kim", Role.READER, "rosa"))
    with pytest.raises(Refused, match="does not understand 'unlock'; there are mistaken"):
        day.say(turn, "unlock", Role.LEAD)
    with pytest.raises(Refused, match="only what is resolved or closed is reopened"):
        day.say(turn, "reopen")
    with pytest.raises(NoSuchCase, match="there is no case C-NONE"):
        day.hear(Noted(day.fresh_id(), day.now, "C-NONE", "kim", Role.DESK, "hello"))


def test_reopening_beside_an_open_case_is_refused(day: Day) -> None:
    first = closed(day, day.answer_all(opened(day)))
    second = opened(day)
    with pytest.raises(Refused, match=f"has an open case of this kind, {second.case.id}"):
        day.say(first, "reopen")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(day: Day) -> None:
    turn = opened(day)
    day.say(turn, "mistaken")
    with pytest.raises(CaseChangedMeanwhile, match="changed by somebody else"), day.store.writing():
        day.store.cases.put(turn, day.evidence())
    kept = day.store.cases.case(turn.case.id)
    assert kept is not None and kept.place == "mistaken"


def test_each_deed_of_a_person_is_in_the_audit_log(day: Day) -> None:
    turn = day.say(opened(day), "resolve", text="put right by telephone")
    day.hear(Noted(day.fresh_id(), day.now, turn.case.id, "kim", Role.DESK, "a private word"))
    day.hear(Assigned(day.fresh_id(), day.now, turn.case.id, "kim", Role.DESK, "rosa"))
    rows = [(one.actor, one.action, one.after, one.reason) for one in day.store.audit.entries(object=turn.case.id)]
    assert rows == [
        ("outwarden", "case evidence", "contain (new)", ""),
        ("kim", "case resolve", "watch (resolved)", "put right by telephone"),
        ("kim", "case note", "watch (resolved)", ""),
        ("kim", "case assign", "rosa", ""),
    ]


def test_the_owner_of_networks_and_the_site_answer_too() -> None:
    school = Subscriber("school", domains=frozenset({"school.example"}), networks=("192.0.2.0/24", "192.0.2.8/29"))
    lab = Subscriber("lab", networks=("192.0.2.8/30", "2001:db8::/32"))
    known = Subscribers([school, lab], each_alone=False)
    table = [
        (SubjectKind.ACCOUNT, "kim@school.example", "school"),
        (SubjectKind.CLIENT_ADDRESS, "192.0.2.9", "lab"),
        (SubjectKind.CLIENT_ADDRESS, "192.0.2.13", "school"),
        (SubjectKind.CLIENT_ADDRESS, "2001:db8::1", "lab"),
        (SubjectKind.CLIENT_ADDRESS, "198.51.100.1", None),
        (SubjectKind.CLIENT_ADDRESS, "no address", None),
        (SubjectKind.OWN_ADDRESS, "203.0.113.1", "site"),
        (SubjectKind.ACCOUNT, "<>", None),
        (SubjectKind.ACCOUNT, "who", None),
    ]
    for kind, name, wanted in table:
        found = known.of(Subject(kind, name))
        assert (found.id if found else None) == wanted, name


def test_trouble_of_another_kind_is_another_case(day: Day) -> None:
    first, second = opened(day), opened(day, trouble=Trouble.INFECTED_MACHINE)
    assert first.case.id != second.case.id
    assert second.case.offence == 2


def test_a_flood_of_evidence_is_counted_and_kept_short(day: Day) -> None:
    turn = opened(day)
    with day.store.writing():
        for _ in range(MOST_EVIDENCE + 50):
            turn = day.desk.hear(day.evidence(account="ROSA@isp.example"), day.now) or turn
    assert turn.case.evidence_count == MOST_EVIDENCE + 51
    entries = [one for one in day.store.cases.timeline(turn.case.id) if one.kind.value == "evidence"]
    assert len(entries) == MOST_EVIDENCE
    assert len(turn.case.subjects) == 1
