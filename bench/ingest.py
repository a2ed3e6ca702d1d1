"""Claim: the store alone takes in the events of 60,000 log lines a second, three times what the live service wants.

    python bench/ingest.py [LINES]

The events of a generated log are made first, and then written in checkpoints, each of as many as a second has at
20,000 lines/s.  Beside the store stands bare SQLite: the same fields of the same events into one table without an
index, in as many transactions.  Both take turns; what is printed is the median of three.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from measuring import generated_log
from outwarden.events import Event, Submitted
from outwarden.sources.files import log_files, read_blocks
from outwarden.sources.logs.reading import MixedLog
from outwarden.store.database import microseconds
from outwarden.store.ingest import Checkpoint, Retention
from outwarden.store.store import Store
from outwarden.store.sums import Step

LINES_A_SECOND = 20_000
ROUNDS = 3
Seconds = list[list[Event]]


class Taken(NamedTuple):
    """How long one took, and what the slowest checkpoint and the file were."""

    wall: float
    cpu: float
    slowest: float
    octets: int


def events_by_second(log: Path) -> tuple[Seconds, int]:
    """Return the events of a log, in portions of a second's lines, and how many lines it has."""
    reader = MixedLog(datetime.now(UTC))
    seconds: Seconds = [[]]
    for file in log_files([str(log)]):
        for block in read_blocks(file):
            seconds[-1] += reader.feed(block)
            if reader.lines >= LINES_A_SECOND * len(seconds):
                seconds.append([])
    seconds[-1] += reader.finish()
    return [portion for portion in seconds if portion], reader.lines


def timed(path: Path, seconds: Seconds, write: Callable[[list[Event]], object]) -> Taken:
    """Write all portions, and measure that."""
    slowest, begun, cpu_begun = 0.0, time.perf_counter(), time.process_time()
    for portion in seconds:
        before = time.perf_counter()
        write(portion)
        slowest = max(slowest, time.perf_counter() - before)
    return Taken(time.perf_counter() - begun, time.process_time() - cpu_begun, slowest, path.stat().st_size)


def into_the_store(path: Path, seconds: Seconds) -> Taken:
    """Write the portions as checkpoints."""
    with Store(path) as store:
        now = seconds[-1][-1].at
        return timed(
            path, seconds, lambda events: store.ingest.write(Checkpoint(now, events, positions={"log": b"here"}))
        )


def row(event: Event) -> tuple[Any, ...]:
    """Return the fields of an event that the store keeps too, as SQLite takes them."""
    fields = [getattr(event, name, None) for name in FIELDS]
    return (type(event).__name__, microseconds(event.at), *fields)


FIELDS = (
    *(
        "host",
        "queue_id",
        "account",
        "kind",
        "client_address",
        "sender",
        "recipients",
        "size",
        "message_id",
        "recipient",
    ),
    *("outcome", "refusal_class", "reply", "relay", "status", "listing", "listed", "outbound", "service", "ok"),
)


def into_bare_sqlite(path: Path, seconds: Seconds) -> Taken:
    """Write the portions with ``executemany`` into one table."""
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")
    file.execute(f"CREATE TABLE event (type, at, {', '.join(FIELDS)})")
    insert = f"INSERT INTO event VALUES (?, ?{', ?' * len(FIELDS)})"  # noqa: S608 (our own words)

    def write(events: list[Event]) -> None:
        file.execute("BEGIN IMMEDIATE")
        file.executemany(insert, map(row, events))
        file.execute("COMMIT")

    taken = timed(path, seconds, write)
    file.close()
    return taken


def tell_of_the_rest(path: Path, events: Sequence[Event]) -> None:
    """Say what it takes to write the same again, to ask, and to forget."""
    begin, end = events[0].at, events[-1].at
    with Store(path) as store:
        largest = store.sums.largest_accounts(begin, 1)[0].account

        def forget_all() -> int:
            gone = 0
            while some := store.ingest.forget(end + timedelta(days=30), Retention(14, 90, 800)):
                gone += some
            return gone

        deeds: dict[str, Callable[[], int]] = {
            "events written again, as known": lambda: store.ingest.write(Checkpoint(end, events)).doubled,
            "hours of the largest account": lambda: len(store.sums.of_account(largest, Step.HOUR, begin)),
            "accounts, largest first": lambda: len(store.sums.largest_accounts(begin, 1000)),
            "messages of it, with what became of them": lambda: len(store.messages.of_account(largest, begin, 100)),
            "rows forgotten, 5,000 at once": forget_all,
        }
        for name, deed in deeds.items():
            begun = time.perf_counter()
            count = deed()
            print(f"{count:9,} {name}: {(time.perf_counter() - begun) * 1000:,.1f} ms")


def main() -> None:
    """Measure and print."""
    lines = int(float(sys.argv[1])) if len(sys.argv) > 1 else 500_000
    seconds, lines = events_by_second(generated_log(lines)[0])
    events = [event for portion in seconds for event in portion]
    kinds = Counter(type(event).__name__ for event in events)
    print(f"{lines:,} lines, {len(events):,} events: {dict(kinds)}")
    writers = {"the store": into_the_store, "bare SQLite, one table": into_bare_sqlite}
    taken: dict[str, list[Taken]] = {name: [] for name in writers}
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        for turn in range(ROUNDS):
            for name, write in writers.items():
                taken[name].append(write(Path(folder) / f"{write.__name__}-{turn}.db", seconds))
        print(f"{'':24}{'events/s':>10}{'lines/s':>10}{'lines/cpu s':>13}{'slowest s':>11}{'bytes a message':>17}")
        for name, rounds in taken.items():
            wall, cpu, slowest, octets = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(
                f"{name:24}{len(events) / wall:10,.0f}{lines / wall:10,.0f}{lines / cpu:13,.0f}{slowest:11.2f}"
                f"{octets / kinds[Submitted.__name__]:17,.0f}"
            )
        tell_of_the_rest(Path(folder) / f"{into_the_store.__name__}-0.db", events)


if __name__ == "__main__":
    main()
