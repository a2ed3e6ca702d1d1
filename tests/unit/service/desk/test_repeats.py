"""Who offends again: how often, what comes next, and who may give a locked account back."""

from __future__ import annotations

from pathlib import Path

from tests.unit.service.automatic.deeds import JAN, ROSA
from tests.unit.service.desk.office import Office
from tests.unit.service.desk.test_errands import whole_story

from outwarden.cases.policy import Measure, Role
from outwarden.service.desk.repeats import Counted, history, locked_case, offences, refusal


def test_offences_and_new_passwords_are_counted_and_the_policy_is_explained(tmp_path: Path) -> None:
    office = Office(tmp_path)
    none = offences(office.store, office.site, ROSA, office.now)
    assert (none.offences, none.next_measure) == (Counted(0, 0, 0), Measure.WARN)
    begin = office.now
    for _ in range(2):
        whole_story(office)
    found = offences(office.store, office.site, ROSA, office.now)
    assert (found.subscriber, found.offences, found.resets) == ("rosa", Counted(0, 2, 2), Counted(0, 2, 2))
    assert found.next_measure is Measure.LOCK
    assert found.explained == ("the next would be offence 3 within 365 days: it is locked until a lead unlocks it")
    done = history(office.store, ROSA.upper(), begin)
    assert [one.response.value for one in done].count("reset-password") == 2
    assert offences(office.store, office.site, JAN, office.now).subscriber == f"account:{JAN}"


def test_only_a_lead_gives_back_what_is_locked(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for _ in range(2):
        whole_story(office)
        assert locked_case(office.store, office.site, ROSA) is None
    office.theft()
    locked = locked_case(office.store, office.site, ROSA)
    assert locked is not None and locked.offence == 3
    assert refusal(locked, ROSA, "kim", Role.LEAD) == ""
    assert refusal(locked, ROSA, "anna", Role.DESK) == (
        f"{ROSA}: {locked.id} is offence 3, so it is locked until a lead unlocks it, and anna is desk; "
        f"a lead says: outwarden case step {locked.id} unlock"
    )
    office.say("unlock")
    assert locked_case(office.store, office.site, ROSA) is None
