"""The desk at work in the running service: it hears, lets time come, and runs the errands, about once a second.

What the store refuses is done at a later turn; nothing is lost, as all of it is read from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from outwarden.cases.going_on import Turn
from outwarden.events import Finding
from outwarden.service.desk.errands import Errands
from outwarden.service.desk.news import let_time_come, queue_troubles, read_news, tell_of_queue, tell_what_was_kept
from outwarden.service.desk.site import DeskSite
from outwarden.store.database import StoreUnusable
from outwarden.store.store import Store

EVERY_SECONDS = 1.0
_QUEUE_EVERY = timedelta(minutes=1)
_QUIET_LOOKS = 3
"""The queue is normal when so many looks one after another saw nothing grow."""

Say = Callable[[str], None]


class StoreAwaits(Protocol):
    """Runs a function of the store in its thread."""

    async def __call__(self, deed: Callable[..., Sequence[Turn]], *arguments: object) -> Sequence[Turn]:
        """Raises ``StoreUnusable``."""


class CaseWork:
    """``run`` it; ``fault`` says what the last turn could not do, empty where it did all."""

    def __init__(
        self,
        site: DeskSite,
        errands: Errands,
        store: StoreAwaits,
        in_acting_thread: Callable[[Callable[[], bool]], Awaitable[bool]],
        queue_findings: Callable[[], Sequence[Finding]],
        clock: Callable[[], datetime],
        say: Say,
    ) -> None:
        self._site, self._errands, self._store, self._in_acting_thread = site, errands, store, in_acting_thread
        self._queue_findings, self._clock, self._say = queue_findings, clock, say
        self._turn_fault = ""
        self._queue_at: datetime | None = None
        self._quiet_looks = 0

    @property
    def fault(self) -> str:
        """What could not be done the last time."""
        return self._turn_fault or self._errands.fault

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(EVERY_SECONDS)

    async def turn(self) -> None:
        """Do what is to be done now."""
        try:
            # What a service that died had begun comes first: time must not pass it by.
            await self._run_errands()
            self._tell(await self._store(hear_all, self._site, self._clock()))
            await self._look_at_queue()
            await self._run_errands()
        except StoreUnusable as fault:
            self._failed(str(fault))
        except Exception as fault:  # noqa: BLE001 (a fault of ours in a case must not stop the gate)
            self._failed(f"a fault of Outwarden itself ({type(fault).__name__}: {fault}); report it")
        else:
            self._turn_fault = ""

    def _failed(self, fault: str) -> None:
        if fault != self._turn_fault:
            self._say(f"cases wait: {fault}")
        self._turn_fault = fault

    async def _run_errands(self) -> None:
        # One at a time, so that what a person asks for in between is not kept waiting.
        while await self._in_acting_thread(self._errands.next):
            pass

    async def _look_at_queue(self) -> None:
        now = self._clock()
        if self._queue_at is not None and now < self._queue_at:
            return
        self._queue_at = now + _QUEUE_EVERY
        findings = queue_troubles(self._queue_findings())
        self._quiet_looks = 0 if findings else self._quiet_looks + 1
        if findings or self._quiet_looks >= _QUIET_LOOKS:
            self._tell(await self._store(tell_of_queue, self._site, findings, now))

    def _tell(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            case = turn.case
            self._say(f"{case.id}: {case.trouble.value}, {case.subscriber}: {case.state.value} in {case.place}")


def hear_all(store: Store, site: DeskSite, now: datetime) -> list[Turn]:
    """Tell the desk everything that it has not heard, and let time come.  Raises ``StoreUnusable``."""
    turns: list[Turn] = []
    while store.case_tries.is_behind():
        turns += read_news(store, site, now)
    turns += tell_what_was_kept(store, site, now)
    if store.cases.due(now):
        turns += let_time_come(store, site, now)
    return turns
