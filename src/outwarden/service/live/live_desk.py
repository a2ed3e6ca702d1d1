"""The desk in the live service: its cases in the store thread, its errands in the thread that acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from outwarden.cases.case import Case
from outwarden.cases.policy import Role
from outwarden.service.automatic.book import Book
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.server import Answer, Asker
from outwarden.service.desk.bounces import NoticeBounces
from outwarden.service.desk.case_answers import CaseAnswers
from outwarden.service.desk.case_work import CaseWork
from outwarden.service.desk.errands import Errands
from outwarden.service.desk.notice_site import notice_site
from outwarden.service.desk.repeats import UNLOCK
from outwarden.service.desk.settings_log import record_settings
from outwarden.service.desk.site import DeskSite
from outwarden.service.live.account_deeds import ForTheDesk, LiveDeeds
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.minutes import Minutes
from outwarden.service.live.responders import responders
from outwarden.service.live.saving import Saving
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.settings import Configuration


class LiveDesk:
    """Made in the loop; ``work`` is to be run in it.  Raises ``ConfigurationError``."""

    def __init__(
        self,
        configuration: Configuration,
        site: DeskSite,
        *,
        accounts: Accounts,
        book: Book,
        following: Following,
        saving: Saving,
        store: StoreThread,
        minutes: Minutes,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        self.site, self._store = site, store
        self._configuration, self._clock = configuration, clock
        self.deeds = LiveDeeds(accounts, book, following, saving, store)
        for_the_desk = ForTheDesk(self.deeds, asyncio.get_running_loop())
        notices = notice_site(configuration)
        addresses = None if notices is None else notices.bounces
        self.bounces = NoticeBounces(site, store, addresses, clock)
        able = responders(configuration, site, notices, for_the_desk, self.bounces, clock)
        errands = Errands(store.run_now, able, site, clock, say)
        self.work = CaseWork(site, errands, store.run, following.in_acting_thread, lambda: minutes.findings, clock, say)
        self._answers = CaseAnswers(site, store, clock)

    async def load(self) -> None:
        """Remember what may come back, and write down where the settings are others.  Raises ``StoreUnusable``."""
        await self._store.run(record_settings, self._configuration, self._clock())
        await self._store.run(lambda opened: self.bounces.load(opened))

    def role(self, asker: Asker) -> Role:
        """Return what somebody may do."""
        return self.site.role(asker.uid, asker.name)

    async def unlock(self, case: Case, asker: Asker, why: str) -> None:
        """Say the word that gives a locked account back, where its playbook understands it there."""
        wanted = {"case": case.id, "verb": "step", "text": UNLOCK, "reason": why}
        try:
            await self._answers.change(wanted, asker)
        except Fault as fault:
            if fault.kind is not FaultKind.NOT_ALLOWED:
                raise

    def by_verb(self) -> dict[str, Answer]:
        """Return who answers which verb about cases."""
        return self._answers.by_verb()
