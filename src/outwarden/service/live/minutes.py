"""Once a minute: what is over ends, held mail leaves by probes, the queue is looked at, old rows are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from outwarden.events import Finding
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.queue_watch import QueueLook, QueueWatch
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.settings import Settings
from outwarden.store.database import StoreUnusable
from outwarden.store.ingest import Retention
from outwarden.store.store import Store

EVERY_SECONDS = 60.0
_FORGETS_FOR_SLICES = 100

Clock = Callable[[], datetime]
Say = Callable[[str], None]


class Minutes:
    """``run`` it; ``queue`` is the newest look, ``findings`` what stands out of the server's own past."""

    def __init__(
        self,
        accounts: Accounts,
        following: Following,
        queue: QueueWatch,
        store: StoreThread,
        acting: ThreadPoolExecutor,
        settings: Settings,
        clock: Clock,
        say: Say,
    ) -> None:
        self.queue: QueueLook | None = None
        self.findings: tuple[Finding, ...] = ()
        self.fault = ""
        self._accounts, self._following, self._queue_watch = accounts, following, queue
        self._store, self._acting, self._settings = store, acting, settings
        self._clock, self._say = clock, say
        self._look_at = clock()
        self._retention = Retention(settings.store.events_days, settings.store.hours_days, settings.store.days_days)

    @property
    def queue_fault(self) -> str:
        """Why nobody says what waits, empty where somebody does."""
        return self._queue_watch.fault

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(min(EVERY_SECONDS, self._settings.logs.queue_seconds))

    async def turn(self) -> None:
        """Do it once.  What the store refuses is done another minute."""
        now = self._clock()
        try:
            await self._following.expire(now)
            for decision in self._accounts.let_go(now.timestamp()):
                await self._following.act(decision)
            await self._following.let_held_mail_go()
            await self._forget(now)
        except StoreUnusable as fault:
            if str(fault) != self.fault:
                self._say(f"a minute was left out: {fault}")
            self.fault = str(fault)
        else:
            self.fault = ""
        if now >= self._look_at:
            self._look_at = now + timedelta(seconds=self._settings.logs.queue_seconds)
            await self._look(now)

    async def _look(self, now: datetime) -> None:
        loop = asyncio.get_running_loop()
        self.queue = await loop.run_in_executor(self._acting, self._queue_watch.look, now)
        if self.queue is not None:
            self._accounts.server.look(self.queue.sample)
        this_hour = int(now.timestamp()) // 3600
        self.findings = (*self._accounts.server.findings(this_hour - 1), *self._accounts.watch.findings(now))

    async def _forget(self, now: datetime) -> None:
        for _ in range(_FORGETS_FOR_SLICES):
            if not await self._store.run(_forget, now, self._retention):
                return


def _forget(store: Store, now: datetime, retention: Retention) -> int:
    # Hashes of passwords are kept until the undo is over, and not a minute longer.
    store.containment.forget(now)
    return store.ingest.forget(now, retention)
