"""After a crash: what is held stays held, and what lies on hold is known and counted once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.service.automatic.deeds import JAN, NOW, ROSA, Journal

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge, Policy
from outwarden.detection.live.counts import Count
from outwarden.events import AccountKind, Action, Standing, Submitted
from outwarden.responses.mail_server import Queued
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.beginning import take_up
from outwarden.service.live.left_on_hold import left_on_hold

POLICY = Policy()
SPAM = Queued("4A1", True, 900, ROSA, "rosa@ISP.example", ("Ann@BIGMAIL.example",), 2, NOW)
FOUND = Submitted(
    NOW, "mx", "4A1", ROSA, AccountKind.LOGIN, sender=ROSA, recipients=3, size=900,
    recipient_addresses=("Ann@bigmail.example",),
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "outwarden.db")
    yield journal
    journal.store.close()


def some_accounts(host: str = "mx") -> Accounts:
    return Accounts(Judge(POLICY), Limits(POLICY.limits), ServerRecord(), FilterWatch(), host)


def kind_of(account: str) -> AccountKind | None:
    return {JAN: AccountKind.LOCAL}.get(account)


QUEUED = [
    ("a login", SPAM, [FOUND]),
    (
        "a local program",
        SPAM._replace(login=None, sender=JAN),
        [replace(FOUND, account=JAN, sender=JAN, kind=AccountKind.LOCAL)],
    ),
    ("whose nobody knows", SPAM._replace(login=None), []),
    ("nobody's concern", SPAM._replace(login="ann@isp.example"), []),
    ("when it came is not known", SPAM._replace(arrived_at=None), []),
]


@pytest.mark.parametrize(("what", "queued", "expected"), QUEUED, ids=[case[0] for case in QUEUED])
def test_what_lies_on_hold(journal: Journal, what: str, queued: Queued, expected: list[Submitted]) -> None:
    journal.begin(Action.HOLD)
    journal.begin(Action.BLOCK, JAN)
    assert left_on_hold([queued], journal.book, "mx", kind_of) == expected, what


def test_without_the_name_of_the_host_the_log_could_not_be_met(journal: Journal) -> None:
    journal.begin(Action.HOLD)
    assert left_on_hold([SPAM], journal.book, "", kind_of) == []


@pytest.mark.parametrize(("known", "kept"), [(False, [FOUND]), (True, [])])
def test_it_counts_once_when_it_leaves_after_hours(known: bool, kept: list[Submitted]) -> None:
    accounts = some_accounts()
    accounts.found_on_hold(FOUND, known=known)
    assert accounts.hear(replace(FOUND, at=NOW + timedelta(hours=5))) is None
    assert list(accounts.checkpoint(NOW)[0].events) == kept
    record = accounts.judge.records.get(ROSA)
    assert (0 if record is None else record.hour.sums[Count.MESSAGES]) == len(kept)


def test_a_hold_that_only_the_journal_knows_is_one(journal: Journal) -> None:
    """The record was saved before the message that was held: as it stands, all that waits would leave."""
    journal.begin(Action.HOLD)
    judge = Judge(POLICY)
    assert judge.release(ROSA, NOW.timestamp(), 50).recipients == 50
    take_up(judge, journal.book, NOW)
    assert judge.standing(ROSA) is Standing.HELD
    minutes = [judge.release(ROSA, NOW.timestamp() + 60 * minute, 50).recipients for minute in range(3)]
    assert minutes == [POLICY.probing.first * 2**minute for minute in range(3)]
    # Told again it does not begin anew.
    take_up(judge, journal.book, NOW)
    assert judge.release(ROSA, NOW.timestamp() + 180, 50).recipients == 8 * POLICY.probing.first


def test_a_block_that_only_the_journal_knows_is_one(journal: Journal) -> None:
    journal.begin(Action.BLOCK)
    judge = Judge(POLICY)
    judge.submit(FOUND)
    for _ in range(2):
        take_up(judge, journal.book, NOW)
    record = judge.records.get(ROSA)
    assert record is not None
    assert (record.standing, len(record.offences)) == (Standing.BLOCKED, 1)
    # A hold that was written down before is no less than that.
    judge.held(ROSA, NOW.timestamp(), "much")
    assert judge.standing(ROSA) is Standing.BLOCKED
