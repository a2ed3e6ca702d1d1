"""What follows from a decision: it is written down, then the mail server is told; the rest is done beside.

In the mode *observe* it is written down what would have been done, and the message goes on.  Where the store cannot be
written nothing is done that nobody could look up later: the message is put off, and comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import msgspec

from outwarden.events import Action, Decision, Finding, Standing, Submitted
from outwarden.filter import Accept, Defer, Hold, Refuse, Verdict
from outwarden.responses.mail_server import Queued
from outwarden.service.acting import CouldNotAct, NotAllowed
from outwarden.service.automatic.automatic import BY_ITSELF, Begun, Over, already_begun, begin, end, expire
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.held_mail import HeldMail
from outwarden.service.automatic.in_force import InForce
from outwarden.service.automatic.words import limit_words, verdict_words
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.mail_servers import mail_server
from outwarden.service.settings import ActingSettings, Configuration
from outwarden.store.database import StoreUnusable
from outwarden.store.responses import ResponseKind
from outwarden.store.store import Store

_NOT_WRITTEN = Defer("Your message could not be taken just now; please try again in a few minutes")
_JUDGE_SECONDS = 20.0
_STORE_TRIED_AGAIN_AFTER_SECONDS = 5.0
"""A store that is locked fails after seconds; not every message is to wait for that."""
_OBSERVING = ActingSettings()

Clock = Callable[[], datetime]
Say = Callable[[str], None]
_T = TypeVar("_T")


class Following:
    """Sees to what follows from decisions; ``fault`` says what could not be done in the mail server the last time."""

    def __init__(
        self,
        accounts: Accounts,
        book: Book,
        store: StoreThread,
        acting: ThreadPoolExecutor,
        configuration: Configuration,
        clock: Clock,
        say: Say,
    ) -> None:
        self.fault = ""
        self._accounts, self._book, self._store, self._acting = accounts, book, store, acting
        self._settings = configuration.settings
        self._clock, self._say = clock, say
        self._loop = asyncio.get_running_loop()
        self._unwritten, self._store_tried_again_at = "", float("-inf")
        gate = self._settings.gate
        # A policy service and Exim's two doors refuse a blocked account just as the milter does.
        self._gate_open = bool(gate.milter or gate.policy_service or gate.rspamd or gate.readsocket)
        wanted = self._settings.acting
        # Without a gate there is nobody who holds a message: what would be held is only said.
        self.acting_settings = wanted if self._gate_open else msgspec.structs.replace(wanted, hold="observe")
        self._held_mail: HeldMail | None = None

    # -- what the gate asks

    def blocked_words(self, account: str) -> str | None:
        """Return what the owner of an account is told that may hand nothing in; None where it may."""
        stands = self._book.in_force(account)
        if stands is None or stands.kind is not ResponseKind.BLOCK_ACCOUNT:
            return None
        return verdict_words(None, stands, self.acting_settings)

    async def verdict_on(self, decision: Decision) -> Verdict:
        """Write down what a decision leads to, and return what the mail server is told."""
        try:
            begun = await self._begun(decision, self.acting_settings)
        except StoreUnusable as fault:
            self._not_written(fault)
            return _NOT_WRITTEN if self._would_act(decision) else Accept()
        stands = self._book.in_force(decision.account)
        if not begun.in_force or stands is None:
            return Accept()
        return self._verdict(decision, stands)

    def over_limit(self, event: Submitted, limit: Finding) -> Verdict:
        """Return what the mail server is told about a message that is over a limit."""
        if self.acting_settings.limit == "observe":
            return Accept()
        return Defer(limit_words(limit, self.acting_settings))

    # -- what the log, people and the minutes ask

    async def act(self, decision: Decision, *, only_observe: bool = False) -> None:
        """Write down what a decision leads to that was made when the message had gone already.

        ``only_observe``: of the past, where nobody knows what was put right since.
        """
        try:
            await self._begun(decision, _OBSERVING if only_observe else self.acting_settings)
        except StoreUnusable as fault:
            self._not_written(fault)

    async def expire(self, now: datetime) -> None:
        """End what has lasted its time, and give those accounts back.  Raises ``StoreUnusable``."""
        self.ended(await self._store.run(expire, self._book, now), now, by_a_person=False)

    def ended(self, over: Sequence[Over], now: datetime, *, wrongly: bool = False, by_a_person: bool = True) -> None:
        """Tell the judge what stands no more, and the operator.

        Only a person's word makes usual what an account did: that nobody looked within a day says nothing for it.
        """
        for each in over:
            account = each.account
            self._say(f"{account}: {each.kind.value} has ended: {each.response.remark}")
            if self._book.about(account):
                continue
            held = each.kind is ResponseKind.HOLD_ACCOUNT
            if by_a_person and (wrongly or held):
                self._accounts.watch.released(account, (), "person", now)
            if self._accounts.judge.standing(account) is Standing.BLOCKED:
                self._accounts.judge.unblocked(account, now.timestamp(), wrongly)
            elif by_a_person and held:
                self._accounts.judge.passed(account, now.timestamp())

    async def let_held_mail_go(self) -> None:
        """Look after what is held in the mail server's queue."""
        if self._nothing_in_the_queue():
            return
        try:
            for line in await self.in_acting_thread(self._look_after_queue):
                self._say(line)
        except (CouldNotAct, NotAllowed) as fault:
            self._failed(str(fault))
        else:
            self.fault = ""

    def on_hold(self) -> list[Queued]:
        """Return what was on hold in the queue when it was last looked after."""
        return [] if self._held_mail is None else self._held_mail.on_hold

    async def in_acting_thread(self, deed: Callable[[], _T]) -> _T:
        """Return what a deed returns that waits for the mail server's programs; one at a time."""
        return await self._loop.run_in_executor(self._acting, deed)

    # -- within

    async def _begun(self, decision: Decision, settings: ActingSettings) -> Begun:
        now = self._clock()
        begun = already_begun(self._book, settings, decision, now)
        if begun is None:
            self._store_may_be_tried()
            begun = await self._store.run(self._begin, settings, decision, now)
            self._unwritten = ""
            self._say(_begun_words(decision, begun))
            if begun.in_force and decision.action is Action.BLOCK:
                self._loop.create_task(self.let_held_mail_go())
        return begun

    def _begin(self, store: Store, settings: ActingSettings, decision: Decision, now: datetime) -> Begun:
        """Runs in the store thread, where others may have waited behind one that failed."""
        self._store_may_be_tried()
        try:
            return begin(store, self._book, settings, decision, now)
        except StoreUnusable:
            self._store_tried_again_at = self._loop.time() + _STORE_TRIED_AGAIN_AFTER_SECONDS
            raise

    def _store_may_be_tried(self) -> None:
        if self._loop.time() < self._store_tried_again_at:
            raise StoreUnusable(self._unwritten or "the store failed a moment ago")

    def _not_written(self, fault: StoreUnusable) -> None:
        """Say it once, however many messages it meets."""
        if not self._unwritten:
            self._say(f"nothing is done by itself that cannot be written down: {fault}")
            self._unwritten = str(fault)

    def _would_act(self, decision: Decision) -> bool:
        acting = self.acting_settings
        return (acting.block if decision.action is Action.BLOCK else acting.hold) == "act"

    def _verdict(self, decision: Decision, stands: InForce) -> Verdict:
        words = verdict_words(decision, stands, self.acting_settings)
        if stands.kind is ResponseKind.BLOCK_ACCOUNT:
            return Refuse(words)
        return Defer(words) if decision.action is Action.DEFER else Hold(words)

    def _nothing_in_the_queue(self) -> bool:
        """Return whether the queue need not be looked after; where we may act it is, to know what others hold there."""
        acting = self.acting_settings
        may_act = acting.hold != "observe" or acting.block != "observe"
        return not (may_act or self._book.held() or self._book.blocked() or self._book.unfinished())

    def _look_after_queue(self) -> list[str]:
        """Runs in the acting thread."""
        if self._held_mail is None:
            server = mail_server(self._settings.mail_server)
            self._held_mail = HeldMail(self._store.path, server, self._book, self._clock, self._gate_open)
        return self._held_mail.look(self._may_leave)

    def _may_leave(self, account: str, waiting: int, smallest: int) -> int:
        """Ask the judge, who lives in the loop; called in the acting thread."""
        asked = asyncio.run_coroutine_threadsafe(self._released(account, waiting, smallest), self._loop)
        try:
            return asked.result(_JUDGE_SECONDS)
        except TimeoutError:
            # The service ends; what is held waits for the next.
            return 0

    async def _released(self, account: str, waiting: int, smallest: int) -> int:
        judge, now = self._accounts.judge, self._clock()
        release = judge.release(account, now.timestamp(), waiting, smallest)
        if release.decision is not None:
            await self.act(release.decision)
        elif judge.standing(account) in (Standing.NORMAL, Standing.PROBATION):
            # The hold came to nothing: what waits leaves with it.
            await self._let_go(account, now)
        return release.recipients

    async def _let_go(self, account: str, now: datetime) -> None:
        stands = self._book.in_force(account)
        if stands is not None and stands.kind is ResponseKind.HOLD_ACCOUNT:
            self._accounts.watch.released(account, (), "probe", now)
            for each in await self._store.run(_hold_came_to_nothing, self._book, account, now):
                self._say(f"{each.account}: held mail leaves: {each.response.remark}")

    def _failed(self, fault: str) -> None:
        if fault != self.fault:
            self._say(f"the mail server's queue is not looked after: {fault}")
        self.fault = fault


def _hold_came_to_nothing(store: Store, book: Book, account: str, now: datetime) -> tuple[Over, ...]:
    return end(store, book, account, BY_ITSELF, "the answers to its probes were good", now)


def _begun_words(decision: Decision, begun: Begun) -> str:
    response = begun.response
    heaviest = "; ".join(f"{one.rule} {one.points:+.1f}: {one.text}" for one in decision.findings[:2])
    return f"{response.subject}: {response.kind.value} {response.state.value} as OW-{response.id}: {heaviest}"
