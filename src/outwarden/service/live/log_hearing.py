"""Hears what the log threads read, a little at a time, so that nobody at the gate waits for a long stretch of log.

After a start a log is read again from a place before the last save: what the store has is known, and counts no more.
At the very first start it has nothing, and is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from outwarden.events import Decision, Event
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.log_thread import Batch
from outwarden.service.live.saving import Saving
from outwarden.service.live.store_thread import StoreThread
from outwarden.store.store import Store

_AT_ONCE = 50
"""Events heard before somebody else has a turn: some milliseconds."""


class LogHearing:
    """``deliver`` is called by the log threads; ``run`` hears what they bring."""

    def __init__(
        self,
        accounts: Accounts,
        saving: Saving,
        store: StoreThread,
        act: Callable[[Decision], Awaitable[None]],
        logs: tuple[str, ...],
        *,
        first_start: bool,
    ) -> None:
        self.events = 0
        self.known = 0
        self._accounts, self._saving, self._store, self._act = accounts, saving, store, act
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._behind = set(logs)
        self._first_start = first_start
        self.overhears: Callable[[Event], Awaitable[None] | None] = _nothing
        """Asked about each event before it is kept; what it returns is awaited."""
        self.caught_up = asyncio.Event()
        if not logs:
            self.caught_up.set()

    def deliver(self, batch: Batch) -> None:
        """Take a batch from another thread."""
        self._loop.call_soon_threadsafe(self._batches.put_nowait, batch)

    async def run(self) -> None:
        """Hear until cancelled."""
        while True:
            batch = await self._batches.get()
            await self._saving.room()
            await self._hear(batch)
            batch.heard()

    async def _hear(self, batch: Batch) -> None:
        events = batch.events
        # Until a log has been read to its end, some of it may be in the store.
        if batch.log in self._behind and events and not self._first_start:
            are_known = await self._store.run(known, events)
            self.known += sum(are_known)
            events = [event for event, is_known in zip(events, are_known, strict=True) if not is_known]
        for start in range(0, len(events), _AT_ONCE):
            for event in events[start : start + _AT_ONCE]:
                if (overheard := self.overhears(event)) is not None:
                    await overheard
                decision = self._accounts.hear(event)
                if decision is not None:
                    await self._act(decision)
            await asyncio.sleep(0)
        self.events += len(events)
        self._accounts.heard_all(batch.log, batch.place)
        if batch.caught_up and batch.log in self._behind:
            self._behind.discard(batch.log)
            if not self._behind:
                self.caught_up.set()


def known(store: Store, events: Sequence[Event]) -> list[bool]:
    """Say of each event whether the store has it."""
    return store.ingest.known(events)


def _nothing(_event: Event) -> None:
    """Overhear nothing."""
