"""Claim: the gate's memory is flat: however many messages were judged, the next hundred thousand add nothing.

    python bench/gate_memory.py [MESSAGES]        (200,000 without)

The gate itself, with the judge, the clusters of texts, the limits and the store in a temporary folder, but no doors and
no lists.  2,000 accounts write 20 messages a day, each another text and mostly other links; what is taken is heard
again from the log, with its delivery, and saved once in so many messages as the service saves in a second.  Rows of
the store are forgotten as the days go by.  Printed is the process's resident memory after each tenth, and what the
second half added.
"""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/end_to_end"), str(ROOT / "src")]

from gate_parts.letters import Letter, Letters, accounts  # noqa: E402
from outwarden.detection.live import shipped_policy  # noqa: E402
from outwarden.events import AccountKind, Attempted, Mailbox, Outcome, Submitted  # noqa: E402
from outwarden.filter import Accept, Envelope, Spool, SpoolSpace, Verdict  # noqa: E402
from outwarden.service.automatic.book import Book  # noqa: E402
from outwarden.service.live.accounts import Accounts  # noqa: E402
from outwarden.service.live.beginning import accounts_of, remembered  # noqa: E402
from outwarden.service.live.consequences import Following  # noqa: E402
from outwarden.service.live.gate import Gate  # noqa: E402
from outwarden.service.live.saving import Saving  # noqa: E402
from outwarden.service.live.store_thread import StoreThread  # noqa: E402
from outwarden.service.settings import load  # noqa: E402
from outwarden.store.ingest import Retention  # noqa: E402
from outwarden.store.store import Store  # noqa: E402

ACCOUNTS = 2_000
A_DAY = 20
SAVED_EVERY = 300
FORGOTTEN_EVERY = 10_000
KEPT = Retention(events_days=2, hours_days=90, days_days=800)
HOST = "mail"
Write = Callable[[Letters], Letter]


class Days:
    """The clock of the simulated days."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.step = timedelta(days=1) / (ACCOUNTS * A_DAY)

    def __call__(self) -> datetime:
        """Return what time it is."""
        return self.now


class Simulation:
    """The gate with all that is behind it; ``opened`` in a loop, ``closed`` at the end."""

    def __init__(self, folder: Path, write: Write) -> None:
        (folder / "outwarden.toml").write_text(f'[store]\npath = "{folder}/outwarden.db"\n')
        self._configuration = load(folder / "outwarden.toml", {})
        self._store = StoreThread(folder / "outwarden.db")
        self._acting = ThreadPoolExecutor(1)
        self._spool = Spool(SpoolSpace(folder))
        self._clock = Days()
        self._write = write
        people = accounts(ACCOUNTS)
        # A network of its own for each account, as people have.
        clients = [f"198.{18 + number // 256 // 128}.{number // 256}.{number % 256}" for number in range(ACCOUNTS)]
        self._letters = Letters(1, people, clients)
        self._draw = Random(1)
        self._queue_ids = self._numbered()
        self.verdicts: dict[str, int] = {}

    def open(self) -> None:
        """Open the store, and begin."""
        self._store.open()
        policy = shipped_policy("university")
        self._accounts: Accounts = accounts_of(self._store.run_now(remembered), policy, self._clock(), print)
        book = self._store.run_now(Book.load)
        self._saving = Saving(self._accounts, self._store, self._clock, print)
        following = Following(
            self._accounts, book, self._store, self._acting, self._configuration, self._clock, lambda _line: None
        )
        self.gate = Gate(self._accounts, None, following, self._clock, ("isp.example",))

    def close(self) -> None:
        """End it."""
        self.gate.close()
        self._acting.shutdown()
        self._store.close()

    async def hand_in(self, messages: int) -> None:
        """Hand in so many, one after the other, and let time go by."""
        for number in range(1, messages + 1):
            await self._one()
            if number % SAVED_EVERY == 0:
                await self._saving.save()
            if number % FORGOTTEN_EVERY == 0:
                await self._store.run(_forget, self._clock())

    async def _one(self) -> None:
        self._clock.now += self._clock.step
        letter, queue_id = self._write(self._letters), next(self._queue_ids)
        envelope = Envelope(
            sender=Mailbox(letter.account),
            recipients=(Mailbox(letter.recipient),),
            recipient_count=1,
            login=letter.account,
            client_address=letter.client,
            queue_id=queue_id,
            host=HOST,
        )
        self._spool.write(letter.octets)
        decided = self.gate.decide_message(envelope, self._spool)
        verdict: Verdict = decided if isinstance(decided, Accept) else await decided  # type: ignore[misc]
        self._spool.clear()
        name = type(verdict).__name__
        self.verdicts[name] = self.verdicts.get(name, 0) + 1
        if isinstance(verdict, Accept):
            self._tell_of_it(letter, queue_id)

    def _tell_of_it(self, letter: Letter, queue_id: str) -> None:
        """Be the log: what was handed in, and that it arrived."""
        now, kind = self._clock(), AccountKind.LOGIN
        self._accounts.hear(Submitted(now, HOST, queue_id, letter.account, kind))
        self._accounts.hear(
            Attempted(now, HOST, queue_id, letter.account, kind, letter.recipient, Outcome.DELIVERED, status="2.0.0")
        )

    def _numbered(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"4{number:011X}"


def _forget(store: Store, now: datetime) -> None:
    while store.ingest.forget(now, KEPT):
        pass


def short(letters: Letters) -> Letter:
    """Write a short letter with a link."""
    return letters.plain(1_000, 1)


def resident_megabytes() -> float:
    """Return what this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


async def drive(simulation: Simulation, messages: int) -> list[float]:
    """Hand in ten tenths; print, and return the memory after each."""
    simulation.open()
    after = []
    for tenth in range(10):
        begun = time.perf_counter()
        await simulation.hand_in(messages // 10)
        after.append(resident_megabytes())
        each = (time.perf_counter() - begun) / (messages // 10) * 1000
        print(f"{(tenth + 1) * (messages // 10):12,} messages {after[-1]:8.1f} MB {each:8.3f} ms each", flush=True)
    return after


def main(messages: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        simulation = Simulation(Path(folder), short)
        try:
            after = asyncio.run(drive(simulation, messages))
        finally:
            simulation.close()
    print(f"the second half added {after[-1] - after[4]:.1f} MB; what was answered: {simulation.verdicts}")


if __name__ == "__main__":
    main(int(float(sys.argv[1].replace(",", ""))) if len(sys.argv) > 1 else 200_000)
