"""The shipped playbooks pass the checker, and ask for nothing that would surprise."""

import pytest

from outwarden.cases.case import CaseState
from outwarden.cases.playbook_reading import read_playbook, shipped_playbooks, shipped_text
from outwarden.cases.response_requests import RESPONSES, ResponseName
from outwarden.cases.troubles import OF_THE_SITE, Trouble
from outwarden.service.containment.wish import CONTAINMENT
from outwarden.service.desk.notifying import NoticeResponder
from outwarden.service.desk.own_responders import AccountResponder, CallResponder, PauseResponder, QueueResponder


@pytest.mark.parametrize("trouble", Trouble)
def test_the_shipped_playbook_passes(trouble: Trouble) -> None:
    playbook = read_playbook(shipped_text(trouble))
    assert (playbook.name, playbook.trouble) == (trouble.value, trouble)


def test_there_is_a_playbook_for_each_trouble() -> None:
    assert list(shipped_playbooks()) == list(Trouble)


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - OF_THE_SITE))
def test_a_wrong_accusation_is_undone_by_one_word_from_every_state(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    for place, state in playbook.states.items():
        if state.case is not CaseState.CLOSED and place != "mistaken":
            assert any(way.hand == "mistaken" for way in playbook.ways_out(place)), place


@pytest.mark.parametrize("trouble", Trouble)
def test_the_case_is_new_at_first_and_a_relapse_is_taken_up(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    assert playbook.states[playbook.begins].case is CaseState.NEW
    resolved = [state for state in playbook.states.values() if state.case is CaseState.RESOLVED]
    assert all(any(way.on == "evidence" for way in state.transitions) for state in resolved)


def test_what_exists_is_what_somebody_carries_out() -> None:
    own = (AccountResponder, QueueResponder, PauseResponder, CallResponder, NoticeResponder)
    carried_out = CONTAINMENT.union(*(each.responses for each in own))
    assert {one.name for one in RESPONSES.values() if one.exists} == carried_out


def test_every_response_is_described() -> None:
    assert list(RESPONSES) == list(ResponseName)


def test_what_undoes_lasts_no_longer_than_it_is_said() -> None:
    assert [one.name for one in RESPONSES.values() if one.undo and RESPONSES[one.undo].lasts] == []
