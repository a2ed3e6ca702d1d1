"""What cases ask for is done once, in the modes and numbers that the site wants, whenever the service dies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.service.automatic.deeds import JAN, NOW, ROSA, decided
from tests.unit.service.desk.office import ELSEWHERE, Killed, N, Office, World

from outwarden.cases.going_on import Refused
from outwarden.cases.happening import Said, happening_id
from outwarden.cases.opening import of_decision
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import Answer
from outwarden.events import AccountCause, Action
from outwarden.service.automatic import automatic
from outwarden.service.desk.errands import MOST_TRIES, say_no, say_yes
from outwarden.store.case_tries import TryState
from outwarden.store.responses import ResponseKind, ResponseState

CONTAINED = ["queue-hold", "reset-password", "end-sessions", "revoke-app-passwords", "disable-rules"]


def whole_story(office: Office) -> None:
    """A theft, contained by itself; the owner is told, a person gives the account back, a month is quiet."""
    office.theft()
    office.after(hours=2)
    office.person_unblocks()
    office.after(days=31)


def test_a_theft_is_contained_told_given_back_and_closed(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.theft()
    assert office.world.deeds() == [*CONTAINED, "notify-owner"]
    assert office.place() == "waiting: owner"
    (block,) = office.store.responses.about(ResponseKind.BLOCK_ACCOUNT, ROSA)
    assert (block.state, block.expires_at) == (ResponseState.DONE, NOW + timedelta(days=30))
    assert office.tries()["end-sessions"].checklist == '[{"deed":"end-sessions","holds":true,"words":"seen"}]'
    office.person_unblocks()
    assert office.place() == "resolved: watch"
    office.after(days=31)
    assert office.place() == "closed: closed"
    assert office.calls() == []


def test_killed_at_every_step_each_thing_is_done_once(tmp_path: Path) -> None:
    whole = Office(tmp_path / "whole")
    whole_story(whole)
    expected = (whole.world.done, whole.place(), [(one.kind, one.text) for one in whole.timeline()])
    steps = whole.steps
    assert steps > 60
    for dies_at in range(1, steps + 1):
        office = Office(tmp_path / str(dies_at))
        office.dies_at = dies_at
        story = [
            office.theft,
            lambda office=office: office.after(hours=2),
            lambda office=office: office.person_unblocks(),
            lambda office=office: office.after(days=31),
        ]
        for part in story:
            try:
                part()
            except Killed:
                office.restart()
                office.work()
        found = (office.world.done, office.place(), [(one.kind, one.text) for one in office.timeline()])
        assert found == expected, f"killed at step {dies_at}"
        assert len(office.store.responses.about(ResponseKind.BLOCK_ACCOUNT, ROSA)) == 1
        assert office.calls() == []
        office.store.close()


def test_what_cannot_be_done_is_tried_again_and_then_a_person_is_called(tmp_path: Path) -> None:
    world = World()
    world.down[N.RESET_PASSWORD] = 2
    office = Office(tmp_path, world)
    office.theft()
    assert office.place() == "new: contain"
    assert world.deeds() == [one for one in CONTAINED if one != "reset-password"]
    office.after(seconds=59)
    assert office.tries()["reset-password"].tries == 1
    office.after(seconds=1)
    assert office.tries()["reset-password"].tries == 2
    office.after(minutes=2)
    assert office.place() == "waiting: owner"
    assert office.tries()["reset-password"].answer is Answer.DONE

    world.down[N.END_SESSIONS] = 100
    office.theft(JAN)
    for _ in range(90):
        office.after(minutes=1)
    tries = office.store.case_tries.of_case(office.case.id)
    (trial,) = [one for one in tries if one.request.response is N.END_SESSIONS]
    assert (trial.tries, trial.answer) == (MOST_TRIES, Answer.FAILED)
    assert any("end-sessions jan@isp.example could not be done" in line for line in office.calls())


def test_what_nobody_may_do_fails_at_once_and_the_rest_is_done_all_the_same(tmp_path: Path) -> None:
    world = World()
    world.forbidden.add(N.QUEUE_HOLD)
    office = Office(tmp_path, world)
    office.theft()
    assert office.place() == "in-progress: by-hand"
    assert world.deeds() == CONTAINED[1:]
    (call,) = office.calls()
    assert "Stolen account" in call
    office.say("contained")
    assert office.place() == "waiting: owner"


def test_what_is_not_set_up_is_for_a_person_and_comes_last(tmp_path: Path) -> None:
    office = Office(tmp_path, World(ELSEWHERE - {N.RESET_PASSWORD}))
    office.theft()
    assert office.world.deeds() == [one for one in CONTAINED if one != "reset-password"]
    assert office.place() == "in-progress: by-hand"
    (alarm,) = office.store.alarms.waiting()
    assert "FAILED    reset-password rosa@isp.example: nothing here is set up for it" in alarm.body
    assert "done      end-sessions rosa@isp.example" in alarm.body


def test_nothing_is_done_where_it_is_only_observed(tmp_path: Path) -> None:
    office = Office(tmp_path, mode="observe")
    office.theft()
    assert office.world.deeds() == []
    trial = office.tries()["reset-password"]
    assert (trial.state, trial.words) == (TryState.OBSERVED, "would reset-password")
    office.after(minutes=16)
    # Nobody contained it: that is said, as always.
    assert office.place() == "in-progress: by-hand"
    assert len(office.calls()) == 1


def test_a_person_is_asked_and_says_yes_or_no(tmp_path: Path) -> None:
    office = Office(tmp_path, modes={"reset-password": "ask", "disable-rules": "ask"})
    office.theft()
    assert office.place() == "new: contain"
    assert sorted(office.calls()) == [
        f"{office.case.id}: disable-rules rosa@isp.example waits for your yes",
        f"{office.case.id}: reset-password rosa@isp.example waits for your yes",
    ]
    with office.store.writing():
        assert len(say_yes(office.store, office.case.id, "kim", N.RESET_PASSWORD, office.now)) == 1
    office.work()
    assert office.tries()["reset-password"].answer is Answer.DONE
    with office.store.writing():
        say_no(office.store, office.site, office.case.id, "kim", None, "they are hers", office.now)
    assert office.tries()["disable-rules"].words == "kim said no: they are hers"
    assert office.place() == "in-progress: by-hand"
    actors = {(one.actor, one.action) for one in office.store.audit.entries()}
    assert {("kim", "reset-password"), ("kim", "disable-rules")} <= actors


def test_more_than_the_cap_waits_for_a_person_who_is_called_once(tmp_path: Path) -> None:
    office = Office(tmp_path, caps={"reset-password": 2}, most_per_hour=1000)
    for number in range(12):
        office.theft(f"person{number}@isp.example")
    assert office.world.deeds().count("reset-password") == 2
    capped = [line for line in office.calls() if "no more is done by itself this hour" in line]
    assert len(capped) == 1
    assert [one.state for one in office.store.case_tries.waiting_for_a_person()] == [TryState.CAPPED] * 10


def test_a_stolen_secret_of_many_accounts_stops_the_automation_and_calls_without_a_storm(tmp_path: Path) -> None:
    office = Office(tmp_path, most_per_hour=10)
    for number in range(60):
        automatic.begin(office.store, office.book, office.acting, decided(Action.BLOCK, f"p{number}@isp.example"), NOW)
    office.work()
    assert {office.world.deeds().count(one) for one in CONTAINED} == {10}
    office.after(minutes=16)
    assert len(office.store.cases.open_cases()) == 60
    calls = office.calls()
    assert sum("A person contains what could not be contained" in line for line in calls) <= 10
    assert sum("more cases call for you" in line for line in calls) == 1
    assert len(calls) <= 30


def test_what_is_not_wanted_any_more_is_not_done(tmp_path: Path) -> None:
    world = World()
    world.down[N.RESET_PASSWORD] = 1
    office = Office(tmp_path, world)
    office.theft()
    office.say("mistaken")
    office.after(minutes=5)
    assert "reset-password" not in world.deeds()
    assert office.tries()["reset-password"].words == "the case is closed by now"
    assert office.place() == "closed: closed"
    assert office.book.in_force(ROSA) is None


def test_a_mistake_takes_back_what_lasts_and_counts_as_no_offence(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.theft()
    office.person_unblocks(wrongly=True)
    office.work()
    taken_back = [request.split("/")[3] for request in office.world.undone]
    assert sorted(taken_back) == ["disable-rules", "reset-password", "revoke-app-passwords"]
    assert office.place() == "closed: closed"
    assert office.store.cases.offences("rosa", NOW - timedelta(days=1)) == 0


def test_what_lasts_is_taken_back_when_its_time_is_over(tmp_path: Path) -> None:
    office = Office(tmp_path)
    whole_story(office)
    assert office.world.undone == []
    office.after(days=60)
    assert [request.split("/")[3] for request in office.world.undone] == ["disable-rules"]
    assert office.tries()["disable-rules"].answer is Answer.UNDONE


def test_the_third_offence_is_locked_until_one_level_up_unlocks(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for _ in range(2):
        whole_story(office)
    office.theft()
    assert office.case.offence == 3
    assert office.place() == "waiting: locked"
    assert office.world.deeds()[-1] == "notify-owner"
    assert "lock-account" in office.world.deeds()
    with pytest.raises(Refused, match="'unlock' needs lead, and kim is desk"):
        office.say("unlock", Role.DESK)
    office.say("unlock", Role.LEAD)
    assert office.place() == "resolved: watch"
    assert office.book.in_force(ROSA) is None


def test_what_needs_time_is_asked_again(tmp_path: Path) -> None:
    world = World()
    world.needs_time[N.NOTIFY_OWNER] = 2
    office = Office(tmp_path, world)
    office.theft()
    assert (office.place(), office.tries()["notify-owner"].words) == ("in-progress: tell", "it takes time")
    office.after(minutes=10)
    office.after(minutes=10)
    assert office.place() == "waiting: owner"


def test_a_block_that_another_case_needs_stays(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.theft()
    first = office.case.id
    later = replace(decided(Action.BLOCK, ROSA, AccountCause.INFECTED_MACHINE), at=NOW + timedelta(seconds=1))
    evidence = of_decision(later)
    assert evidence is not None
    with office.store.writing():
        office.site.desk(office.store).hear(evidence, office.now)
    office.work()
    with office.store.writing():
        told = Said(happening_id("x"), office.now, first, "kim", Role.LEAD, "put-right")
        office.site.desk(office.store).hear(told, office.now)
    office.work()
    assert office.book.in_force(ROSA) is not None
    (trial,) = [one for one in office.store.case_tries.of_case(first) if one.request.response is N.UNBLOCK_ACCOUNT]
    assert "infected-machine, still needs it stopped" in trial.words
