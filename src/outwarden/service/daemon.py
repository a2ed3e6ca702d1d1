"""The service: the live machine in the main thread, the rounds in a thread of their own, one store for both."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from outwarden.service.alarm_channels import checked
from outwarden.service.live.machine import Machine
from outwarden.service.rounds import Rounds
from outwarden.service.settings import Configuration
from outwarden.service.takedown_table import reporter_of
from outwarden.service.takedowns import TakedownSite, takedown_site
from outwarden.service.watch_list import WatchList
from outwarden.store.database import StoreUnusable

_ROUNDS_BEGIN_ANEW_AFTER = timedelta(seconds=10)
_THREADS_TAKE_TURNS_AFTER = 0.0005
"""Seconds.  Whoever waits at the gate waits for the threads that read and write; Python's own 5 ms for each is much."""

_LONGEST_GOODBYE_SECONDS = 1.5
"""The command for alarms may take a minute.  It goes on without the service, and leaves a receipt for the next one."""

Clock = Callable[[], datetime]
Say = Callable[[str], None]


def run_once(configuration: Configuration, clock: Clock, say: Say, stop: threading.Event) -> None:
    """Go the rounds once.  Raises ``ConfigurationError`` and ``StoreUnusable``."""
    checked(configuration)
    takedowns = takedown_site(configuration, reporter_of(configuration))
    rounds = Rounds(configuration, WatchList(configuration), takedowns, clock, say, stop, alone=True)
    try:
        rounds.introduce()
        rounds.run_once()
    finally:
        rounds.close()


def run(configuration: Configuration, clock: Clock, say: Say, stop: threading.Event) -> None:
    """Run until told to stop.  Raises ``ConfigurationError``, ``CannotListen`` and ``StoreUnusable``."""
    checked(configuration)
    takedowns = takedown_site(configuration, reporter_of(configuration))
    watch = WatchList(configuration, may_be_empty=True)
    machine = Machine(configuration, clock, say, bool(watch.targets))
    going_round = threading.Thread(
        target=_go_round, args=(configuration, watch, takedowns, clock, say, stop), name="rounds", daemon=True
    )
    machine.open()
    sys.setswitchinterval(_THREADS_TAKE_TURNS_AFTER)
    # Nobody is to wait while the garbage collector looks through what stays: not through what is there now, and ten
    # times more rarely than is usual through all that came since, as little but closed connections needs it.
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 100)
    try:
        going_round.start()
        with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
            runner.run(_until(stop, machine))
    finally:
        stop.set()
        if going_round.is_alive():
            going_round.join(_LONGEST_GOODBYE_SECONDS)
        machine.close()
        if going_round.is_alive():
            say("what becomes of an alarm that is under way is told at the next start")
    say("stopped")


async def _until(stop: threading.Event, machine: Machine) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        stop.set()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell)
    await machine.run(told)


def _go_round(
    configuration: Configuration,
    watch: WatchList,
    takedowns: TakedownSite,
    clock: Clock,
    say: Say,
    stop: threading.Event,
) -> None:
    """Go the rounds until told to stop; a store that cannot be written passes, and mail must not wait for it."""
    introduced, said = False, ""
    while not stop.is_set():
        try:
            rounds = Rounds(configuration, watch, takedowns, clock, say, stop, alone=False)
            try:
                if not introduced:
                    rounds.introduce()
                introduced = True
                rounds.run()
            finally:
                rounds.close()
        except StoreUnusable as fault:
            if str(fault) != said:
                say(f"the rounds stand still: {fault}")
            said = str(fault)
            stop.wait(_ROUNDS_BEGIN_ANEW_AFTER.total_seconds())


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop where it is installed (the extra ``speed``), else None for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return cast(Callable[[], asyncio.AbstractEventLoop], uvloop.new_event_loop)
