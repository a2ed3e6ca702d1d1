"""What has changed goes into the store, about twice a second, as a whole or not at all.

Where the store cannot be written it is tried again; what has changed meanwhile goes with it, and nothing is
forgotten: the logs are read no further while too much waits, and stand on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from outwarden.service.live.accounts import MOST_UNSAVED, Accounts
from outwarden.service.live.store_thread import StoreThread
from outwarden.store.database import StoreUnusable
from outwarden.store.ingest import Checkpoint, Written
from outwarden.store.store import Store

EVERY_SECONDS = 0.5
"""So that what is written to a log is in the store within a second, with the time that the writing takes."""
_LATER_SECONDS = 5.0
_WRITTEN_AT_ONCE = 5_000
"""Events of the log: a tenth of a second in which nobody else can ask the store."""
_RECORDS_AT_ONCE = 100
"""A millisecond or two in which no message at the gate is looked at."""


class Saving:
    """Saves the accounts; ``fault`` says why the store was not written the last time, empty where it was."""

    def __init__(
        self, accounts: Accounts, store: StoreThread, clock: Callable[[], datetime], say: Callable[[str], None]
    ) -> None:
        self._accounts, self._store, self._clock, self._say = accounts, store, clock, say
        self._left: Checkpoint | None = None
        self._one_at_a_time = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._under_way: set[asyncio.Task[bool]] = set()
        self.fault = ""
        self.events = 0
        self.doubled = 0

    async def run(self) -> None:
        """Save until cancelled."""
        while True:
            await asyncio.sleep(_LATER_SECONDS if self.fault else EVERY_SECONDS)
            await self.save()

    async def save(self, *, whole: bool = False) -> bool:
        """Save what has changed; return whether it is saved.

        Whoever waits may be cancelled, as at the end of the service; what was taken out of memory is written then too.
        """
        saving = asyncio.create_task(self._save(whole=whole))
        self._under_way.add(saving)
        saving.add_done_callback(self._under_way.discard)
        return await asyncio.shield(saving)

    async def _save(self, *, whole: bool) -> bool:
        async with self._one_at_a_time:
            checkpoint = _together(self._left, await self._checkpoint(whole=whole))
            self._left = None
            if _empty(checkpoint):
                return True
            try:
                written = await self._store.run(_write, checkpoint)
            except StoreUnusable as fault:
                self._left = checkpoint
                self._failed(str(fault))
                return False
            self.events += written.events
            self.doubled += written.doubled
            self._room.set()
            if self.fault:
                self._say("the store is written again")
                self.fault = ""
            return True

    async def _checkpoint(self, *, whole: bool) -> Checkpoint:
        checkpoint, records = self._accounts.checkpoint(self._clock(), whole=whole)
        encoded = []
        for number, record in enumerate(records, 1):
            encoded.append(record)
            if number % _RECORDS_AT_ONCE == 0:
                await asyncio.sleep(0)
        checkpoint.records = encoded
        return checkpoint

    async def room(self) -> None:
        """Wait until no more than enough waits to be written; where that cannot be, until there is room for more."""
        if not self.fault and self._accounts.unsaved >= _WRITTEN_AT_ONCE:
            await self.save()
        left = len(self._left.events) if self._left is not None else 0
        if left + self._accounts.unsaved >= MOST_UNSAVED:
            self._room.clear()
            await self._room.wait()

    def _failed(self, fault: str) -> None:
        if fault != self.fault:
            self._say(f"what happens is not written down: {fault}")
        self.fault = fault


def _write(store: Store, checkpoint: Checkpoint) -> Written:
    return store.ingest.write(checkpoint)


def _empty(checkpoint: Checkpoint) -> bool:
    return not (
        checkpoint.events
        or checkpoint.records
        or checkpoint.unreadable
        or checkpoint.positions
        or checkpoint.states
        or checkpoint.shared_state is not None
    )


def _together(before: Checkpoint | None, after: Checkpoint) -> Checkpoint:
    """Return both as one: of what both have, the later."""
    if before is None:
        return after
    return Checkpoint(
        at=after.at,
        events=[*before.events, *after.events],
        records=list({**dict(before.records), **dict(after.records)}.items()),
        unreadable=[*before.unreadable, *after.unreadable],
        shared_state=before.shared_state if after.shared_state is None else after.shared_state,
        positions={**before.positions, **after.positions},
        states={**before.states, **after.states},
    )
