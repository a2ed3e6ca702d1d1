"""Blocks, holds and accounts given back, with all that belongs to it: written down, the judge told, all of it saved.

The coroutines are for the loop; ``ForTheDesk`` is the same for the thread that acts on the mail server, which waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from outwarden.service.acting import CouldNotAct
from outwarden.service.automatic import automatic
from outwarden.service.automatic.automatic import Over
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.in_force import InForce
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.saving import Saving
from outwarden.service.live.store_thread import StoreThread
from outwarden.store.responses import Response

_PATIENCE_SECONDS = 60.0
_T = TypeVar("_T")


class LiveDeeds:
    """What is done about an account by a person's word, or a case's.  Raises ``StoreUnusable``."""

    def __init__(
        self, accounts: Accounts, book: Book, following: Following, saving: Saving, store: StoreThread
    ) -> None:
        self._accounts, self._book, self._following = accounts, book, following
        self._saving, self._store = saving, store

    def in_force(self, account: str) -> InForce | None:
        """Return how the account is treated."""
        return self._book.in_force(account)

    async def hold(self, account: str, by: str, why: str, until: datetime | None, now: datetime) -> Response:
        """Hold what an account hands in."""
        settings = self._following.acting_settings
        response = await self._store.run(automatic.hold, self._book, settings, account, by, why, now, until)
        self._accounts.judge.held(account, now.timestamp(), why)
        await self._saving.save()
        return response

    async def block(self, account: str, by: str, why: str, until: datetime | None, now: datetime) -> Response:
        """Refuse what an account hands in."""
        settings = self._following.acting_settings
        response = await self._store.run(automatic.block, self._book, settings, account, by, why, now, until)
        self._accounts.judge.blocked(account, now.timestamp())
        await self._saving.save()
        return response

    async def give_back(self, account: str, by: str, why: str, wrongly: bool, now: datetime) -> tuple[Over, ...]:
        """End everything that stands about an account."""
        over = await self._store.run(automatic.end, self._book, account, by, why, now, wrongly)
        self._following.ended(over, now, wrongly=wrongly)
        if not over:
            self._accounts.judge.unblocked(account, now.timestamp(), wrongly)
        self._accounts.waiting_if_held.pop(account, None)
        await self._saving.save()
        return over


class ForTheDesk:
    """``AccountDeeds`` for the responders of the desk; what follows in the queue is done at its next look."""

    def __init__(self, deeds: LiveDeeds, loop: asyncio.AbstractEventLoop) -> None:
        self._deeds, self._loop = deeds, loop

    def in_force(self, account: str) -> InForce | None:
        """Return how the account is treated."""
        return self._deeds.in_force(account)

    def hold(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        """Hold what it hands in."""
        return self._waited(self._deeds.hold(account, by, why, until, now))

    def block(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        """Refuse what it hands in."""
        return self._waited(self._deeds.block(account, by, why, until, now))

    def give_back(self, account: str, by: str, why: str, wrongly: bool, now: datetime) -> None:
        """End all that stands about it."""
        self._waited(self._deeds.give_back(account, by, why, wrongly, now))

    def _waited(self, deed: Coroutine[Any, Any, _T]) -> _T:
        asked = asyncio.run_coroutine_threadsafe(deed, self._loop)
        try:
            return asked.result(_PATIENCE_SECONDS)
        except TimeoutError:
            asked.cancel()
            raise CouldNotAct("the service was busy for a minute, or ends") from None
