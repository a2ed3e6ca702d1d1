"""The dry run: the life that a case would have had."""

from datetime import UTC, datetime, timedelta

from outwarden.cases.happening import Evidence
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.policy import CasePolicy
from outwarden.cases.rehearsal import rehearse
from outwarden.cases.response_requests import Answer
from outwarden.cases.subscriber import Contact, ContactRole, Subscriber, Subscribers, account_subject
from outwarden.cases.troubles import Trouble

AT = datetime(2026, 4, 7, 1, 44, tzinfo=UTC)
REACHED = Subscribers(
    [
        Subscriber(
            "rosa", accounts=frozenset({"rosa@isp.example"}), contacts=(Contact(ContactRole.OWNER, "r@o.example"),)
        )
    ]
)


def evidence(number: int, after: timedelta, trouble: Trouble = Trouble.STOLEN_ACCOUNT) -> Evidence:
    return Evidence(f"e{number}", AT + after, trouble, account_subject("rosa@isp.example"), "refused", 9.5)


def test_each_step_is_shown_when_it_would_be_asked() -> None:
    played = rehearse([evidence(1, timedelta())], shipped_playbooks(), REACHED, CasePolicy())
    (life,) = played.lives
    first = [(one.response.value, one.asked_at - AT) for one in life.requests][:9]
    assert first[0] == ("block-account", timedelta())
    assert ("notify-owner", timedelta(seconds=1)) in first
    assert ("notify-owner", timedelta(days=3, seconds=2)) in [
        (o.response.value, o.asked_at - AT) for o in life.requests
    ]
    assert (life.case.place, life.case.next_due_at) == ("by-hand", None)


def test_what_fails_ends_with_a_person() -> None:
    played = rehearse([evidence(1, timedelta())], shipped_playbooks(), REACHED, CasePolicy(), Answer.FAILED)
    (life,) = played.lives
    assert "by-hand" in life.case.visits and "owner" not in life.case.visits


def test_the_same_evidence_gives_the_same_life_in_any_order() -> None:
    told = [evidence(number, timedelta(hours=number)) for number in range(5)]
    lives = [rehearse(order, shipped_playbooks(), REACHED, CasePolicy()) for order in (told, told[::-1], told + told)]
    assert lives[0].lives == lives[1].lives == lives[2].lives
    assert lives[0].evidence == 5


def test_what_has_no_playbook_here_is_passed_over() -> None:
    shipped = shipped_playbooks()
    only = {Trouble.INFECTED_MACHINE: shipped[Trouble.INFECTED_MACHINE]}
    played = rehearse([evidence(1, timedelta())], only, REACHED, CasePolicy())
    assert (played.lives, played.evidence) == ((), 0)
