"""What is heard of an account counts once, whether the gate tells of it, the log, or both; in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge, Policy
from outwarden.detection.live.counts import Count
from outwarden.events import AccountKind, Action, Attempted, Decision, Event, Outcome, RefusalClass, Standing, Submitted
from outwarden.service.live import accounts as module
from outwarden.service.live.accounts import Accounts
from outwarden.sources.network_table import Whereabouts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROSA = "rosa@isp.example"
LOGIN, LOCAL, ADDRESS = AccountKind.LOGIN, AccountKind.LOCAL, AccountKind.ADDRESS


@pytest.fixture
def accounts() -> Accounts:
    policy = Policy()
    return Accounts(Judge(policy), Limits(policy.limits, policy.bulk), ServerRecord(), FilterWatch())


def submitted(queue_id: str, *, seconds: float = 0, account: str = ROSA, kind: AccountKind = LOGIN) -> Submitted:
    return Submitted(
        NOW + timedelta(seconds=seconds), "mx", queue_id, account, kind, "203.0.113.7", account, recipients=2
    )


def attempted(queue_id: str, outcome: Outcome, *, account: str = ROSA, kind: AccountKind = LOGIN) -> Attempted:
    refusal = RefusalClass.UNKNOWN_RECIPIENT if outcome is Outcome.BOUNCED else None
    return Attempted(NOW, "mx", queue_id, account, kind, "ann@bigmail.example", outcome, refusal)


def counted(accounts: Accounts, what: int, account: str = ROSA) -> int:
    record = accounts.judge.records.get(account)
    return 0 if record is None else record.day.sums[what]


def kept(accounts: Accounts) -> list[Event]:
    checkpoint, _ = accounts.checkpoint(NOW)
    return list(checkpoint.events)


def at_the_gate(accounts: Accounts, event: Submitted) -> Decision:
    decision = accounts.judge_at_the_gate(event)
    accounts.taken(event)
    return decision


def test_the_log_tells_of_what_the_gate_has_judged(accounts: Accounts) -> None:
    seen = submitted("4A1")
    at_the_gate(accounts, seen)
    assert accounts.hear(submitted("4A1", seconds=0.3)) is None
    assert counted(accounts, Count.MESSAGES) == 1
    assert kept(accounts) == [seen]


def test_a_queue_id_comes_again(accounts: Accounts) -> None:
    first, second = submitted("4A1"), submitted("4A1", seconds=600)
    at_the_gate(accounts, first)
    accounts.hear(submitted("4A1", seconds=0.3))
    # The gate did not see the second one: its door was shut.
    accounts.hear(second)
    assert counted(accounts, Count.MESSAGES) == 2
    assert kept(accounts) == [first, second]


def test_a_queue_id_of_another_account_is_another_message(accounts: Accounts) -> None:
    at_the_gate(accounts, submitted("4A1"))
    accounts.hear(other := submitted("4A1", account="jan@isp.example"))
    assert kept(accounts)[1:] == [other]


def test_what_is_refused_is_judged_and_not_kept(accounts: Accounts) -> None:
    accounts.judge_at_the_gate(submitted("4A1"))
    assert counted(accounts, Count.MESSAGES) == 1
    assert kept(accounts) == []


def test_where_there_was_no_room_the_log_brings_it(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNSAVED", 0)
    at_the_gate(accounts, submitted("4A1"))
    accounts.hear(told := submitted("4A1", seconds=0.3))
    assert counted(accounts, Count.MESSAGES) == 1
    assert kept(accounts) == [told]


def test_what_the_log_and_the_gate_tell_of_has_the_network_of_its_client(accounts: Accounts) -> None:
    table = {"203.0.113.7": Whereabouts("AS64500", "IT")}
    accounts.find_network = lambda address: table.get(address, Whereabouts(None, None))
    assert accounts.placed(submitted("4A1")) == replace(submitted("4A1"), network="AS64500", country="IT")
    local = replace(submitted("4A2"), client_address=None)
    assert accounts.placed(local) == local
    accounts.hear(submitted("4A3"))
    accounts.hear(replace(submitted("4A4"), client_address="192.0.2.1"))
    assert [(one.network, one.country) for one in kept(accounts) if isinstance(one, Submitted)] == [
        ("AS64500", "IT"), (None, None),
    ]  # fmt: skip
    record = accounts.judge.records.get(ROSA)
    assert record is not None
    assert set(record.networks) == {"AS64500", "192.0.2.0/24"}


def test_a_crash_costs_a_minute_of_what_accounts_share(accounts: Accounts) -> None:
    saved = [
        accounts.checkpoint(NOW + timedelta(seconds=seconds))[0].shared_state is not None
        for seconds in (0, 0.5, 59.5, 60, 119, 121)
    ]
    assert saved == [True, False, False, True, False, True]


STRANGERS = [
    ("a stranger's mail", submitted("4A1", account="hal@far.example", kind=ADDRESS)),
    ("its delivery", attempted("4A1", Outcome.DELIVERED, account="hal@far.example", kind=ADDRESS)),
]


@pytest.mark.parametrize("event", [event for _, event in STRANGERS], ids=[what for what, _ in STRANGERS])
def test_mail_that_comes_in_is_not_ours(accounts: Accounts, event: Event) -> None:
    assert accounts.hear(event) is None
    assert kept(accounts) == []


def test_what_became_of_it_counts_once_for_the_judge(accounts: Accounts) -> None:
    accounts.hear(submitted("4A1"))
    for _ in range(2):
        accounts.hear(attempted("4A1", Outcome.BOUNCED))
    assert counted(accounts, Count.UNKNOWN) == 1


def test_the_log_says_what_this_machine_is_called(accounts: Accounts) -> None:
    accounts.hear(submitted("4A1"))
    assert accounts.host == "mx"
    checkpoint, _ = accounts.checkpoint(NOW, whole=True)
    assert checkpoint.states["host"] == b"mx"


def test_held_mail_that_went_is_let_go_when_the_judge_would(accounts: Accounts) -> None:
    """Only the log tells of it, so nobody holds; the hold must be able to end all the same."""
    letters = [
        replace(
            submitted(f"{number:X}", seconds=number),
            recipient_addresses=(f"a{number}@b.example", f"c{number}@d.example"),
        )
        for number in range(200)
    ]
    actions = [accounts.hear(each) for each in letters]
    held = [one for one in actions if one is not None and one.action is Action.HOLD]
    assert held
    waiting = accounts.waiting_if_held[ROSA]
    assert waiting == 2 * len(held)
    later = NOW + timedelta(minutes=5)
    accounts.let_go(later.timestamp())
    assert accounts.waiting_if_held[ROSA] < waiting
    assert accounts.judge.standing(ROSA) is Standing.HELD


def test_a_clock_that_goes_back_harms_nothing(accounts: Accounts) -> None:
    for number, seconds in enumerate((0, -3600, 7200, -86_400, 10)):
        accounts.hear(submitted(f"{number:X}", seconds=seconds))
    checkpoint, records = accounts.checkpoint(NOW - timedelta(days=1))
    assert len(checkpoint.events) == 5
    assert [account for account, _ in records] == [ROSA]
