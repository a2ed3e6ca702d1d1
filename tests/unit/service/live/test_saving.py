"""When what happened is written down, and what becomes of it where it cannot be."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge, Policy
from outwarden.events import AccountKind, Submitted
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.saving import Saving
from outwarden.service.live.store_thread import StoreThread
from outwarden.store.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreThread]:
    monkeypatch.setattr("outwarden.store.database._BUSY_SECONDS", 0.0)
    thread = StoreThread(tmp_path / "outwarden.db")
    thread.open()
    yield thread
    thread.close()


def some_accounts() -> Accounts:
    policy = Policy()
    return Accounts(Judge(policy), Limits(policy.limits, policy.bulk), ServerRecord(), FilterWatch())


def hear(accounts: Accounts, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        accounts.hear(
            Submitted(at=NOW, host="mx", queue_id=f"{number:X}", account="rosa@isp.example", kind=AccountKind.LOGIN)
        )


def stored(store: StoreThread) -> int:
    def count(of: Store) -> int:
        return len(of.messages.of_account("rosa@isp.example", NOW, 1_000_000))

    return store.run_now(count)


def in_a_loop(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await asyncio.wait_for(test(), 30)

    asyncio.run(run())


@pytest.mark.parametrize(("heard", "written"), [(10, 0), (5_000, 5_000)])
def test_room_is_made_by_writing_once_there_is_enough(store: StoreThread, heard: int, written: int) -> None:
    async def test() -> None:
        accounts = some_accounts()
        hear(accounts, heard)
        await Saving(accounts, store, lambda: NOW, print).room()
        assert (stored(store), accounts.unsaved) == (written, heard - written)

    in_a_loop(test)


def test_the_logs_are_read_on_for_a_while_where_the_store_cannot_be_written(
    store: StoreThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        said: list[str] = []
        accounts = some_accounts()
        saving = Saving(accounts, store, lambda: NOW, said.append)
        monkeypatch.setattr("outwarden.service.live.saving.MOST_UNSAVED", 7_000)
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        hear(accounts, 5_000)
        await saving.room()
        assert saving.fault
        hear(accounts, 1_000, first=5_000)
        await saving.room()
        assert len(said) == 1
        hear(accounts, 1_000, first=6_000)
        room = asyncio.create_task(saving.room())
        await asyncio.sleep(0)
        assert not room.done()
        other.execute("ROLLBACK")
        assert await saving.save()
        await room
        assert (saving.fault, saving.events, accounts.unsaved) == ("", 7_000, 0)

    in_a_loop(test)
