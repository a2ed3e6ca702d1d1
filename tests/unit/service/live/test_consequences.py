"""What follows from a decision: written down first, said in words, and nothing that cannot be written down."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.service.automatic.deeds import JAN, NOW, ROSA, decided

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge, Policy
from outwarden.events import AccountKind, Action, Finding, Standing, Submitted
from outwarden.filter import Accept, Defer, Hold, Refuse, Verdict
from outwarden.service.automatic.book import Book
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.settings import ActingSettings, Configuration, GateSettings, Settings
from outwarden.store.responses import ResponseState

LETTER = Submitted(NOW, "mx", "4A1", ROSA, AccountKind.LOGIN)
LIMIT = Finding("limit", 0.0, "6 of 5 messages in an hour", NOW)
HOLD, BLOCK, DEFER = Action.HOLD, Action.BLOCK, Action.DEFER


class Site:
    """A gate whose mail server nobody asks: what is done in its queue is tested with a real one."""

    def __init__(self, store: StoreThread, *, gate: bool = True, **acting: Any) -> None:  # noqa: ANN401
        policy = Policy()
        self.now = NOW
        self.said: list[str] = []
        self.book = store.run_now(Book.load)
        self.accounts = Accounts(Judge(policy), Limits(policy.limits), ServerRecord(), FilterWatch())
        settings = Settings(
            acting=ActingSettings(**acting), gate=GateSettings(milter="unix:/run/outwarden/milter.sock" if gate else "")
        )
        self.following = Following(
            self.accounts,
            self.book,
            store,
            ThreadPoolExecutor(1),
            Configuration(settings, (), None),
            lambda: self.now,
            self.said.append,
        )

    async def verdict(self, action: Action, account: str = ROSA) -> Verdict:
        return await self.following.verdict_on(decided(action, account))

    def states(self, account: str = ROSA) -> list[ResponseState]:
        return [each.state for each in self.book.about(account)]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreThread]:
    monkeypatch.setattr("outwarden.store.database._BUSY_SECONDS", 0.0)
    thread = StoreThread(tmp_path / "outwarden.db")
    thread.open()
    yield thread
    thread.close()


def in_a_loop(story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await asyncio.wait_for(story(), 30)

    asyncio.run(run())


@contextmanager
def locked(store: StoreThread) -> Iterator[None]:
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


VERDICTS = [
    ("observe", HOLD, Accept, [ResponseState.OBSERVED]),
    ("observe", BLOCK, Accept, [ResponseState.OBSERVED]),
    ("ask", HOLD, Accept, [ResponseState.ASKED]),
    ("ask", BLOCK, Accept, [ResponseState.ASKED]),
    ("act", HOLD, Hold, [ResponseState.DONE]),
    ("act", DEFER, Defer, [ResponseState.DONE]),
    ("act", BLOCK, Refuse, [ResponseState.DONE]),
]


@pytest.mark.parametrize(("mode", "action", "expected", "states"), VERDICTS)
def test_the_mode_says_what_is_done(
    store: StoreThread, mode: str, action: Action, expected: type[Verdict], states: list[ResponseState]
) -> None:
    async def story() -> None:
        site = Site(store, hold=mode, block=mode, contact="the help desk")
        verdict = await site.verdict(action)
        assert type(verdict) is expected
        # It is on the disk by now, and said once, however many messages follow.
        assert [each.state for each in store.run_now(Book.load).about(ROSA)] == states
        await site.verdict(action)
        assert (site.states(), len(site.said)) == (states, 1)
        if not isinstance(verdict, Accept):
            assert "the help desk" in verdict.text
            assert "OW-1" in verdict.text
        assert (site.following.blocked_words(ROSA) is not None) == isinstance(verdict, Refuse)
        assert site.following.blocked_words(JAN) is None

    in_a_loop(story)


def test_beyond_the_cap_a_person_is_asked(store: StoreThread) -> None:
    async def story() -> None:
        site = Site(store, hold="act", holds_per_hour=1)
        assert isinstance(await site.verdict(HOLD), Hold)
        assert isinstance(await site.verdict(HOLD, JAN), Accept)
        assert site.states(JAN) == [ResponseState.CAPPED]

    in_a_loop(story)


def test_without_a_gate_nobody_holds(store: StoreThread) -> None:
    async def story() -> None:
        site = Site(store, gate=False, hold="act", block="act")
        await site.following.act(decided(HOLD))
        assert site.states() == [ResponseState.OBSERVED]

    in_a_loop(story)


def test_the_past_is_only_observed(store: StoreThread) -> None:
    async def story() -> None:
        site = Site(store, hold="act", block="act")
        await site.following.act(decided(BLOCK), only_observe=True)
        assert site.states() == [ResponseState.OBSERVED]
        # Who goes on is blocked.
        assert isinstance(await site.verdict(BLOCK), Refuse)

    in_a_loop(story)


@pytest.mark.parametrize(("mode", "expected"), [("act", Defer), ("observe", Accept)])
def test_nothing_is_done_that_cannot_be_written_down(store: StoreThread, mode: str, expected: type[Verdict]) -> None:
    async def story() -> None:
        site = Site(store, hold=mode)
        with locked(store):
            assert type(await site.verdict(HOLD)) is expected
            assert type(await site.verdict(HOLD)) is expected
            assert len(site.said) == 1
        assert site.states() == []

    in_a_loop(story)


@pytest.mark.parametrize(("mode", "expected"), [("observe", Accept), ("act", Defer)])
def test_what_is_over_a_limit(store: StoreThread, mode: str, expected: type[Verdict]) -> None:
    async def story() -> None:
        verdict = Site(store, limit=mode).following.over_limit(LETTER, LIMIT)
        assert type(verdict) is expected
        assert not isinstance(verdict, Defer) or LIMIT.text in verdict.text

    in_a_loop(story)


def test_that_nobody_looked_within_a_day_makes_nothing_usual(store: StoreThread) -> None:
    async def story() -> None:
        site = Site(store)
        _hold(site.accounts, site.now)
        await site.verdict(HOLD)
        site.now += timedelta(hours=25)
        await site.following.expire(site.now)
        assert site.states() == []
        assert site.accounts.judge.standing(ROSA) is Standing.HELD

    in_a_loop(story)


def test_a_block_that_is_over_leaves_the_account_on_probation(store: StoreThread) -> None:
    async def story() -> None:
        site = Site(store, block="act", block_hours=1)
        site.accounts.judge.submit(LETTER)
        site.accounts.judge.blocked(ROSA, NOW.timestamp())
        await site.verdict(BLOCK)
        site.now += timedelta(hours=2)
        await site.following.expire(site.now)
        assert site.following.blocked_words(ROSA) is None
        assert site.accounts.judge.standing(ROSA) is Standing.PROBATION

    in_a_loop(story)


def _hold(accounts: Accounts, now: datetime) -> None:
    """Let the judge hold Rosa's mail: far more strangers than ever."""
    for number in range(200):
        accounts.judge.submit(
            Submitted(
                now, "mx", f"{number:X}", ROSA, AccountKind.LOGIN, "203.0.113.7", ROSA, recipients=1,
                recipient_addresses=(f"stranger{number}@bigmail.example",),
            )
        )  # fmt: skip
    assert accounts.judge.standing(ROSA) is Standing.HELD
