"""The rounds: what comes round beside the mail itself.  Blocklists are asked in their turn, alarms sent, pauses ended.

One thread, one target at a time: what is asked is spread over the hour anyway.  It sleeps until the next turn
or alarm, and a stop wakes it.  A fault of the store ends a round, and whoever started it starts it again; one
that only a command of the site's own has does not.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event

from outwarden.service.alarm_digest import Digest
from outwarden.service.alarms import AlarmSender
from outwarden.service.blocklist_monitor import BlocklistMonitor, Watched
from outwarden.service.expired_pauses import ExpiredPauses
from outwarden.service.late_held import LateHeld
from outwarden.service.scheduler import Schedule
from outwarden.service.settings import Configuration
from outwarden.service.takedowns import TakedownDesk, TakedownSite
from outwarden.service.watch_list import WatchList
from outwarden.store.store import Store

_LONGEST_SLEEP = timedelta(seconds=10)
_TOGETHER = 64

Clock = Callable[[], datetime]
Say = Callable[[str], None]


class Rounds:
    """From opening the store to closing it, in one thread."""

    def __init__(
        self,
        configuration: Configuration,
        watch: WatchList,
        takedowns: TakedownSite,
        clock: Clock,
        say: Say,
        stop: Event,
        *,
        alone: bool,
    ) -> None:
        """``say`` is told what it does, a line at a time; ``alone``: nobody else writes this store.

        Raises ``StoreUnusable``.
        """
        self._clock = clock
        self._say = say
        self._stop = stop
        self._watch = watch
        self._store = Store(Path(configuration.settings.store.path), writer=alone)
        alarms = configuration.settings.alarms
        self._sender = AlarmSender(self._store, alarms.command, alarms.most_per_hour, channels=alarms.channels)
        self._takedowns = TakedownDesk(self._store, takedowns, clock)
        self._digest = Digest(self._store, alarms.digest_at)
        self._monitor = BlocklistMonitor(self._store, self._watch.catalogue, self._watch.lookup(stop.is_set))
        self._pauses = ExpiredPauses(self._store, configuration.settings.mail_server, clock, say)
        self._late_held = LateHeld(self._store, configuration.settings.mail_server, clock, say)
        self._resolver_fault: str | None = None
        self._targets = {target.text: target for target in self._watch.targets}

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def run(self) -> None:
        """Go round until told to stop.  Raises ``StoreUnusable``."""
        self._begin()
        asked = self._store.listings.last_asked()
        chance = Random(secrets.randbits(64))  # noqa: S311 (to spread questions, not to keep a secret)
        schedule = Schedule(tuple(self._targets), self._watch.every, asked, self._clock(), chance)
        while not self._stop.is_set():
            self._pauses.end()
            self._late_held.let_go()
            self._follow_takedowns()
            self._digest.write(self._clock())
            self._sender.send(self._clock())
            name = schedule.take_due(self._clock())
            if name is None:
                self._sleep(schedule)
            else:
                self._tell(self._monitor.ask((self._targets[name],), self._clock()), name)
        self._sender.send(self._clock())

    def run_once(self) -> None:
        """Ask about everything now, send the alarms, and be done.  Raises ``StoreUnusable``."""
        self._begin()
        self._pauses.end()
        self._sender.send(self._clock())
        targets = tuple(self._targets.values())
        for start in range(0, len(targets), _TOGETHER):
            if self._stop.is_set():
                break
            part = targets[start : start + _TOGETHER]
            what = part[0].text if len(part) == 1 else f"{part[0].text} and {len(part) - 1} more"
            self._tell(self._monitor.ask(part, self._clock()), what)
        # One round, and what it changed is told together.
        self._sender.send(self._clock())
        self._say("stopped" if self._stop.is_set() else "done")

    def introduce(self) -> None:
        """Say what is watched, where anything is."""
        if self._targets:
            self._say(
                f"to watch: {len(self._targets)}, on {len(self._watch.catalogue.asked)} blocklists, "
                f"each {self._watch.every.total_seconds() / 60:.0f} minutes; resolver {self._watch.resolver}, "
                f"store {self._store.path}"
            )

    def _begin(self) -> None:
        lists = [each.id for each in self._watch.catalogue.asked]
        dead = [zone for zone, _ in self._watch.catalogue.asked_dead]
        gone = self._store.listings.keep_only(self._targets, [*lists, *dead], self._clock())
        if gone:
            self._say(f"listings no longer watched: {gone}")
        self._sender.tidy(self._clock())

    def _follow_takedowns(self) -> None:
        for line in self._takedowns.follow():
            self._say(line)

    def _tell(self, watched: Watched | None, what: str) -> None:
        fault, self._resolver_fault = self._resolver_fault, self._monitor.resolver_fault
        if self._resolver_fault is not None and self._resolver_fault != fault:
            self._say(self._resolver_fault)
        if watched is not None:
            self._say(
                f"asked about {what}: listed {watched.listed}, not listed {watched.not_listed}, "
                f"could not ask {watched.could_not_ask}; began {watched.began}, ended {watched.ended}"
            )

    def _sleep(self, schedule: Schedule) -> None:
        now = self._clock()
        nexts = (schedule.next_at(), self._sender.next_try_at(), self._pauses.next_end())
        wakes = [at for at in nexts if at is not None]
        until = min([*wakes, now + _LONGEST_SLEEP])
        self._stop.wait(max((until - now).total_seconds(), 0.0))
