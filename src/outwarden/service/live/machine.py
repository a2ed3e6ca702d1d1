"""One machine, wired: the logs it follows, the gate, the judge, the store, and what the operator may ask.

``open`` it, ``run`` it in an asyncio loop until told to stop, ``close`` it.  What fails in it for good ends it, so
that whoever started it starts it again; what fails for a while (the store, a log, the resolver) is said, and shown.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from outwarden.dns.blocklist import UnusableCatalogue
from outwarden.dns.door_lists import DoorLists
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.resolver import UnusableResolver
from outwarden.events import Decision
from outwarden.events.public_suffixes import public_suffixes
from outwarden.service.automatic.book import Book
from outwarden.service.control.server import ControlServer
from outwarden.service.desk.notice_site import notice_site
from outwarden.service.desk.site import desk_site
from outwarden.service.live import beginning
from outwarden.service.live.answers import Answers
from outwarden.service.live.consequences import Following
from outwarden.service.live.doors import doors
from outwarden.service.live.gate import Gate
from outwarden.service.live.left_on_hold import left_on_hold
from outwarden.service.live.live_desk import LiveDesk
from outwarden.service.live.log_hearing import LogHearing, known
from outwarden.service.live.log_thread import LogThread
from outwarden.service.live.minutes import Minutes
from outwarden.service.live.notify import notify, watchdog_seconds
from outwarden.service.live.queue_watch import QueueWatch
from outwarden.service.live.saving import Saving
from outwarden.service.live.site_files import SiteFiles
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.mark_keys import mark_keys, marking
from outwarden.service.own_lists import own_catalogue, own_resolver, wrong_resolver
from outwarden.service.settings import Configuration
from outwarden.service.time_zone import local_zone
from outwarden.sources.following import FileFollower, JournalFollower, JournalPosition, Position, journal_follow_command

Clock = Callable[[], datetime]
Say = Callable[[str], None]


class Machine:
    """Raises ``ConfigurationError`` where the settings ask for what cannot be, or for nothing at all."""

    def __init__(self, configuration: Configuration, clock: Clock, say: Say, watches_lists: bool) -> None:
        self._configuration, self._clock, self._say = configuration, clock, say
        self._settings = configuration.settings
        self._policy = beginning.policy_of(configuration)
        self._logs, found = beginning.logs_of(configuration, clock())
        self._catalogue = own_catalogue(configuration)
        self._keys = mark_keys(configuration)
        self._verdict_headers = beginning.verdict_headers_of(configuration)
        self._desk_site, _ = desk_site(configuration), notice_site(configuration)
        self._site_files = SiteFiles(configuration)
        self._doors_wanted = any(getattr(self._settings.gate, kind) for kind in ("milter", "policy_service", "rspamd"))
        if not self._logs and not self._doors_wanted and not watches_lists:
            raise beginning.nothing_to_do(found.looked_at if found is not None else ())
        self._store = StoreThread(Path(self._settings.store.path))
        self._acting = ThreadPoolExecutor(1, "acting")
        self._began_at = clock()

    def open(self) -> None:
        """Open the store and remember.  Raises ``StoreUnusable``."""
        self._store.open()
        self._kept = self._store.run_now(beginning.remembered)
        self._book = self._store.run_now(Book.load)
        self._accounts = beginning.accounts_of(self._kept, self._policy, self._clock(), self._say)
        beginning.take_up(self._accounts.judge, self._book, self._clock())
        self._accounts.find_network = self._site_files.find_network
        # Read here, or the first message would read it in the loop.
        public_suffixes()

    def close(self) -> None:
        """Close the store; ``run`` is over."""
        self._acting.shutdown()
        self._store.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop.  Raises ``CannotListen``, and whatever ends it for good."""
        self._saving = Saving(self._accounts, self._store, self._clock, self._say)
        self._following = Following(
            self._accounts, self._book, self._store, self._acting, self._configuration, self._clock, self._say
        )
        first_start = self._kept.shared_state is None
        self._hearing = LogHearing(
            self._accounts, self._saving, self._store, self._act_on_log, self._logs, first_start=first_start
        )
        lists = self._lists = await self._door_lists()
        self._gate = Gate(
            self._accounts,
            lists,
            self._following,
            self._clock,
            self._settings.site.domains,
            self._verdict_headers,
            None if self._keys is None else partial(marking, self._keys, self._settings.mark),
            lambda: bool(self._book.blocked()),
            self._site_files.listed_files,
        )
        self._queue = QueueWatch(self._settings.mail_server.postfix_config, local_zone())
        self._minutes = Minutes(
            self._accounts,
            self._following,
            self._queue,
            self._store,
            self._acting,
            self._settings,
            self._clock,
            self._say,
        )
        self._desk = self._live_desk()
        self._hearing.overhears = self._desk.bounces.overhears
        self._threads = [self._log_thread(log) for log in self._logs]
        self._doors = doors(self._configuration, self._gate, self._say)
        # At the very first start the past is read before anybody is judged.
        self._gate.learning = bool(self._logs) and not self._accounts.past_is_read
        self._control = self._control_server()
        try:
            await self._begin()
            await self._watch_over(stop)
        finally:
            notify("STOPPING=1")
            await self._end()
            if lists is not None:
                await lists.close()
                await self._lookup.close()

    # -- beginning and ending

    async def _begin(self) -> None:
        await self._desk.load()
        for thread in self._threads:
            thread.start()
        # What others hold in the queue must be known before anything of ours is held there.
        await self._following.let_held_mail_go()
        await self._take_up_what_is_on_hold()
        for door in self._doors.values():
            await door.start()
        if self._control is not None:
            await self._control.start()
        notify("READY=1")
        opened = ", ".join(f"{kind} {getattr(self._settings.gate, kind)}" for kind in self._doors)
        self._say(
            f"follows {', '.join(self._logs) or 'no log'}; gate: {opened or 'shut'}; "
            f"hold: {self._settings.acting.hold}, block: {self._settings.acting.block}; store {self._store.path}"
        )

    async def _take_up_what_is_on_hold(self) -> None:
        accounts = self._accounts
        events = left_on_hold(self._following.on_hold(), self._book, accounts.host, accounts.kind_of)
        if events:
            for event, is_known in zip(events, await self._store.run(known, events), strict=True):
                accounts.found_on_hold(event, known=is_known)

    async def _end(self) -> None:
        """Let what is under way be decided, read no further, save everything."""
        for door in self._doors.values():
            await door.stop()
        if self._control is not None:
            await self._control.stop()
        loop = asyncio.get_running_loop()
        for thread in self._threads:
            await loop.run_in_executor(None, thread.stop)
        self._gate.close()
        if not await self._saving.save(whole=True):
            self._say("what was not written down is read again from the logs at the next start")

    async def _watch_over(self, stop: asyncio.Event) -> None:
        """Run what runs beside until told to stop, or until one of them ends, which none may."""
        beside: dict[str, Coroutine[Any, Any, None]] = {
            "saving": self._saving.run(),
            "hearing the logs": self._hearing.run(),
            "the minutes": self._minutes.run(),
            "the desk": self._desk.work.run(),
            "the first day": self._first_day(),
            "the threads": self._threads_live(),
            "the site's files": self._site_files.look_after(self._say),
        }
        if (seconds := watchdog_seconds()) is not None:
            beside["the watchdog"] = _alive(seconds)
        tasks = {asyncio.create_task(each, name=name) for name, each in beside.items()}
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            while not stopped.done():
                done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopped}:
                    tasks.discard(task)
                    task.result()
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)

    async def _first_day(self) -> None:
        await self._hearing.caught_up.wait()
        self._accounts.past_is_read = True
        # What came of it stays, and may be much: nobody is to wait while the garbage collector looks through it.
        gc.freeze()
        if self._gate.learning:
            await self._saving.save(whole=True)
            self._gate.learning = False
            known = len(self._accounts.judge.records)
            self._say(f"the past is read: {self._hearing.events} events, {known} accounts; they are judged from now on")

    async def _threads_live(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for thread in self._threads:
                if thread.fault is not None:
                    raise thread.fault

    async def _act_on_log(self, decision: Decision) -> None:
        await self._following.act(decision, only_observe=self._gate.learning)

    # -- parts

    async def _door_lists(self) -> DoorLists | None:
        if not self._doors_wanted or not self._settings.gate.deadline_milliseconds:
            return None
        try:
            resolver = own_resolver(self._configuration)
        except UnusableResolver as fault:
            raise wrong_resolver(self._configuration, fault) from None
        self._lookup = LiveLookup(resolver, self._settings.gate.deadline_milliseconds / 1000)
        await self._lookup.start()
        try:
            lists = DoorLists(self._catalogue, self._lookup, self._settings.gate.lists, self._settings.site.addresses)
        except UnusableCatalogue as fault:
            raise self._configuration.wrong("gate.lists", str(fault)) from None
        await lists.start()
        return lists

    def _log_thread(self, log: str) -> LogThread:
        place = self._kept.places.get(log)
        history = () if place is not None else beginning.history_of(log, self._clock())
        return LogThread(log, partial(_follower, log), place, history, self._hearing.deliver, self._say, local_zone())

    def _control_server(self) -> ControlServer | None:
        control = self._settings.control
        if not control.socket:
            return None
        answers = Answers(
            accounts=self._accounts,
            book=self._book,
            following=self._following,
            gate=self._gate,
            doors=self._doors,
            minutes=self._minutes,
            saving=self._saving,
            site_files=self._site_files,
            store=self._store,
            logs=[thread.facts for thread in self._threads],
            resolver_fault=lambda: None if self._lists is None else self._lists.resolver_fault,
            settings=self._settings,
            clock=self._clock,
            began_at=self._began_at,
            desk=self._desk,
        )
        return ControlServer(Path(control.socket), control.group, {**answers.by_verb(), **self._desk.by_verb()})

    def _live_desk(self) -> LiveDesk:
        return LiveDesk(
            self._configuration,
            self._desk_site,
            accounts=self._accounts,
            book=self._book,
            following=self._following,
            saving=self._saving,
            store=self._store,
            minutes=self._minutes,
            clock=self._clock,
            say=self._say,
        )


def _follower(log: str, position: Position | JournalPosition | None) -> FileFollower | JournalFollower:
    if log == "journal":
        return JournalFollower(
            journal_follow_command(), position.cursor if isinstance(position, JournalPosition) else None
        )
    return FileFollower(Path(log), position if isinstance(position, Position) else None, from_start=True)


async def _alive(seconds: float) -> None:
    """Tell systemd that the loop still turns."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds)
