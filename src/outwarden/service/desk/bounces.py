"""Bounces of our own notices, as the followed log tells of them: the notice's case hears it, and the next is told.

Known by the queue ID under which the mail server took the notice, or by the address that only this notice has: as the
sender of what bounced, or as the recipient of what came back.  It is written down before the event itself is, so that a
service that dies meanwhile reads the line again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from outwarden.cases.happening import Signal, Told, happening_id
from outwarden.events import Attempted, Event, Outcome, Submitted
from outwarden.responses.notices.bounce_address import BounceAddresses
from outwarden.service.desk.news import tell
from outwarden.service.desk.notice_facts import message_id_of
from outwarden.service.desk.site import DeskSite
from outwarden.store.database import StoreUnusable
from outwarden.store.owner_notices import NoticeState, OwnerNotice
from outwarden.store.store import Store

_REMEMBERED = timedelta(days=7)
_MOST = 100_000
_STORE_TRIED_AGAIN_AFTER_SECONDS = 5.0
_GONE = frozenset({Outcome.BOUNCED, Outcome.EXPIRED})


class _StoreThread(Protocol):
    async def run(self, deed: Callable[..., None], *arguments: object) -> None: ...


class NoticeBounces:
    """``overhears`` is asked about every event of the log, and must be quick."""

    def __init__(
        self, site: DeskSite, store: _StoreThread, addresses: BounceAddresses | None, clock: Callable[[], datetime]
    ) -> None:
        self._site, self._store, self._addresses, self._clock = site, store, addresses, clock
        self._by_queue_id: dict[str, int] = {}
        self._by_message_id: dict[str, int] = {}

    def load(self, store: Store) -> None:
        """Remember the notices of the last days."""
        for notice in store.owner_notices.since(self._clock() - _REMEMBERED):
            if notice.queue_id and notice.bounced_at is None:
                self._by_queue_id[notice.queue_id] = notice.id
            if notice.state in (NoticeState.BEGUN, NoticeState.NOT_KNOWN):
                self.sends(notice)

    def taken(self, notice: int, queue_id: str) -> None:
        """Note under which queue ID a notice was taken; called by the thread that acts."""
        self._by_queue_id[queue_id] = notice
        if len(self._by_queue_id) > _MOST:
            del self._by_queue_id[next(iter(self._by_queue_id))]

    def overhears(self, event: Event) -> Awaitable[None] | None:
        """Return what is to be awaited before the event is kept; None for nearly all events."""
        if type(event) is Submitted:
            return self._taken(event)
        if type(event) is not Attempted:
            return None
        notice = self._notice(event)
        if notice is None:
            return None
        words = f"{event.recipient or 'it'}: {event.outcome.value} {event.status or ''} {event.reply}".strip()
        return self._written(hear_bounce, self._site, notice, words[:300], self._clock())

    def _taken(self, event: Submitted) -> Awaitable[None] | None:
        """Where the log has one of our messages, it was taken, whatever we know of it."""
        number = self._by_message_id.get((event.message_id or "").partition("@")[0])
        if number is None:
            return None
        self.taken(number, event.queue_id)
        return self._written(_seen, number, event.queue_id)

    async def _written(self, deed: Callable[..., None], *arguments: object) -> None:
        """Write it down, however long the store cannot be written: the log is read no further meanwhile."""
        while True:
            try:
                return await self._store.run(deed, *arguments)
            except StoreUnusable:
                await asyncio.sleep(_STORE_TRIED_AGAIN_AFTER_SECONDS)

    def sends(self, notice: OwnerNotice) -> None:
        """Note what a notice is called that is about to be sent; called by the thread that acts."""
        self._by_message_id[message_id_of(notice)] = notice.id
        if len(self._by_message_id) > _MOST:
            del self._by_message_id[next(iter(self._by_message_id))]

    def _notice(self, event: Attempted) -> int | None:
        if event.outcome in _GONE:
            known = self._by_queue_id.get(event.queue_id)
            if known is not None or self._addresses is None:
                return known
            return self._addresses.notice(event.sender or event.account)
        if self._addresses is None or event.outcome is not Outcome.DELIVERED:
            return None
        return self._addresses.notice(event.original_recipient or event.recipient)


def hear_bounce(store: Store, site: DeskSite, number: int, words: str, now: datetime) -> None:
    """Write down that a notice came back, and tell its case.  Raises ``StoreUnusable``."""
    with store.writing():
        notice = store.owner_notices.one(number)
        if notice is None or not store.owner_notices.bounced(notice, words, now):
            return
        store.audit.record(
            actor="outwarden", action="notice", object=notice.address, at=now, before=notice.state.value,
            after=f"bounced, {notice.case}", reason=words,
        )  # fmt: skip
        if store.cases.case(notice.case) is not None:
            text = f"{notice.address}: {words}"
            told = Told(happening_id("notice-bounced", notice.id), now, notice.case, Signal.NOTICE_BOUNCED, text)
            # Its case may not know yet that it was sent.
            tell(store, site, told, now)


def _seen(store: Store, number: int, queue_id: str) -> None:
    with store.writing():
        store.owner_notices.seen_in_the_log(number, queue_id)
