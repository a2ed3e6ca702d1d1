"""Claim: `outwarden run` catches up at 20,000 log lines a second, judged and in the store, and then keeps up.

    python bench/live_ingest.py [LINES]

The service runs as a process of its own on a generated log whose end is now: measured is how long it takes until the
past is read, everything of it in the store.  Then 5,000 lines a second are written to the log for 20 seconds, among
them ten messages a second whose coming into the store is watched: the lag.  Meanwhile a task in the service's loop
asks to be woken every 5 ms; by how much that is late is how long a message at the gate would have waited.  While the
past is read an operator asks twenty times a second how everything stands.

At the end the sums of every account in the store must be the generator's truth.  Beside it: pflogsumm and the bare
reader over the same log.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from events import __file__ as bare_reader
from measuring import PYTHON, generated_log, run
from outwarden.service.control.client import ask

LINES_A_SECOND = 5_000
SECONDS = 20
PORTIONS_A_SECOND = 50
PROBES_A_SECOND = 10
WAKE_SECONDS = 0.005
PATIENCE_SECONDS = 300.0
_TICK = os.sysconf("SC_CLK_TCK")
_STAMP = len("2025-01-15T00:00:12.494870+00:00")
PROBES = "probes.example"


# -- the service


def serve(configuration: str, noted: str) -> None:
    """Be ``outwarden run``, with a task beside it that notes when it was to be woken, and by how much that was late."""
    from outwarden.cli.main import main as outwarden
    from outwarden.service import daemon
    from outwarden.service.live.machine import Machine

    late: list[tuple[float, float]] = []

    class Watched(Machine):
        async def run(self, stop: asyncio.Event) -> None:
            waking = asyncio.create_task(wake(late))
            await super().run(stop)
            waking.cancel()

    daemon.Machine = Watched  # type: ignore[attr-defined]
    sys.argv = ["outwarden", "-v", "--config", configuration, "run"]
    try:
        outwarden()
    finally:
        Path(noted).write_text(json.dumps(late))


async def idle(noted: str) -> None:
    """Be a loop with nothing else to do: what it is late by is the machine's doing."""
    late: list[tuple[float, float]] = []
    waking = asyncio.create_task(wake(late))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, waking.cancel)
    await asyncio.wait([waking])
    Path(noted).write_text(json.dumps(late))


async def wake(late: list[tuple[float, float]]) -> None:
    """Note each time when it was to be woken, and by how much that was late."""
    while True:
        due = time.monotonic() + WAKE_SECONDS
        await asyncio.sleep(WAKE_SECONDS)
        late.append((due, max(0.0, time.monotonic() - due)))


class Watch:
    """A process of this script that notes how late its loop is."""

    def __init__(self, noted: Path, *arguments: str) -> None:
        self.words = noted.with_suffix(".words")
        self._noted = noted
        with self.words.open("wb") as words:
            self.process = subprocess.Popen(
                [PYTHON, __file__, *arguments, str(noted)], stdout=words, stderr=subprocess.STDOUT
            )

    def stop(self) -> list[tuple[float, float]]:
        """End it as systemd does; return when its loop was to wake, and by how much it was late."""
        self.process.terminate()
        if self.process.wait(60):
            sys.exit(f"it ended badly:\n{self.words.read_text()[-2000:]}")
        return [(due, late) for due, late in json.loads(self._noted.read_text())]


class Service(Watch):
    """The service as a process, without a gate; no question of it leaves the machine, as nobody listens there."""

    def __init__(self, home: Path, log: Path) -> None:
        self.store = home / "outwarden.db"
        self._control = home / "control.sock"
        configuration = home / "outwarden.toml"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            nobody = f"127.0.0.1:{free.getsockname()[1]}"
        configuration.write_text(
            f'[store]\npath = "{self.store}"\n[control]\nsocket = "{self._control}"\n[logs]\nfollow = ["{log}"]\n'
            f'[dns]\nresolver = "{nobody}"\n[gate]\nmilter = ""\n'
        )
        super().__init__(home / "service.json", "--serve", str(configuration))

    def wait_until(self, done: Callable[[], bool], every_seconds: float = 0.005) -> None:
        """Wait for something, which must come; the service must live."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the service did not do it:\n{self.words.read_text()[-2000:]}")
            time.sleep(every_seconds)

    def says(self, text: str) -> bool:
        """Return whether it has said this."""
        return text in self.words.read_text(errors="replace")

    def status_took(self) -> float:
        """Ask how everything stands, as an operator does; return how many seconds the answer took."""
        begun = time.monotonic()
        ask(self._control, "status", {})
        return time.monotonic() - begun

    def cpu(self) -> float:
        """Return how much processor time it has used, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def peak_megabytes(self) -> float:
        """Return the most memory it has had."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


# -- the log


def until_now(log: Path) -> bytes:
    """Return a log with all its times moved so that it ends a moment ago."""
    lines = log.read_bytes().splitlines(keepends=True)
    moments = [datetime.fromisoformat(line[:_STAMP].decode()) for line in lines]
    behind = datetime.now(UTC) - max(moments)
    return b"".join([_stamp(at + behind) + line[_STAMP:] for at, line in zip(moments, lines, strict=True)])


def _stamp(at: datetime) -> bytes:
    return at.isoformat(timespec="microseconds").encode()


def stamped(lines: Sequence[bytes]) -> bytes:
    """Return lines that happen now, in their order."""
    now = datetime.now(UTC)
    return b"".join([_stamp(now + timedelta(microseconds=at)) + line for at, line in enumerate(lines)])


def live_portions(log: Path) -> list[list[bytes]]:
    """Return what is written at a time: whole lines without their stamps."""
    lines = [line[_STAMP:] for line in log.read_bytes().splitlines(keepends=True)]
    size = LINES_A_SECOND // PORTIONS_A_SECOND
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def probe(number: int) -> list[bytes]:
    """Return the lines, without stamps, of a message that is watched; its queue ID ends with its number."""
    queue_id, account = f"FACADE{number:05X}", f"probe{number}@{PROBES}"
    lines = (
        f"submission/smtpd[900]: {queue_id}: client=p.example[192.0.2.7], sasl_method=PLAIN, sasl_username={account}",
        f"cleanup[901]: {queue_id}: message-id=<{account}>",
        f"qmgr[902]: {queue_id}: from=<{account}>, size=1000, nrcpt=1 (queue active)",
    )
    return [f" mx1 postfix/{line}\n".encode() for line in lines]


class Lag(NamedTuple):
    """From the moment a line was written until its event was in the store, in seconds, in order."""

    seconds: list[float]
    took: float
    cpu: float
    lines: int


def measure_lag(service: Service, log: Path, live: Path) -> Lag:
    """Write the lines of the second log to the followed one at their rate, and watch the probes."""
    store = sqlite3.connect(f"file:{service.store}?mode=ro", uri=True, isolation_level=None)
    written: dict[str, float] = {}
    lags: list[float] = []

    def look() -> None:
        for queue_id in list(written):
            if not store.execute("SELECT 1 FROM message WHERE queue_id = ? LIMIT 1", (queue_id,)).fetchone():
                break
            lags.append(time.monotonic() - written.pop(queue_id))

    def all_there() -> bool:
        look()
        return not written

    portions = live_portions(live)
    begun, cpu = time.monotonic(), service.cpu()
    probes = 0
    with log.open("ab", buffering=0) as file:
        for number, portion in enumerate(portions):
            file.write(stamped(portion))
            if number % (PORTIONS_A_SECOND // PROBES_A_SECOND) == 0:
                file.write(stamped(probe(probes)))
                written[f"FACADE{probes:05X}"] = time.monotonic()
                probes += 1
            while True:
                look()
                left = begun + (number + 1) / PORTIONS_A_SECOND - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(left, 0.01))
    took, cpu = time.monotonic() - begun, service.cpu() - cpu
    service.wait_until(all_there)
    store.close()
    return Lag(sorted(lags), took, cpu, sum(map(len, portions)) + 3 * probes)


# -- whether it is right


def accounts_wrong(store: Path, truths: list[Path]) -> tuple[list[str], int]:
    """Return the accounts with any sum that is not the truth's, and how many accounts there are."""
    from outwarden.store.store import Store
    from outwarden.store.sums import Step

    wanted: dict[str, Counter[str]] = {}
    for truth in truths:
        for account, row in json.loads(truth.read_text())["senders"].items():
            flat = {**row, "bounced": sum(row["bounced"].values())}
            wanted.setdefault(account, Counter()).update(flat)
    with Store(store, read_only=True) as kept:
        found = kept.sums.largest_accounts(datetime.now(UTC) - timedelta(days=10), 1_000_000, Step.DAY)
    names = {"sent": "delivered", "ndr": "returned"}
    wrong = []
    of_ours = [one for one in found if one.counts.messages and not one.account.endswith(PROBES)]
    for one in of_ours:
        truth_of = {key: count for key, count in wanted.get(one.account, Counter()).items()}
        counted = {key: getattr(one.counts, names.get(key, key)) for key in truth_of}
        if not truth_of or counted != truth_of:
            wrong.append(f"{one.account}: {counted} is {truth_of}")
    return wrong, len(of_ours)


# -- the whole


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:4])
        return
    if sys.argv[1:2] == ["--idle"]:
        asyncio.run(idle(sys.argv[2]))
        return
    lines = int(float(sys.argv[1])) if len(sys.argv) > 1 else 500_000
    (past, past_truth), (live, live_truth) = (
        generated_log(count, seed, "iso", "long") for count, seed in ((lines, 1), (LINES_A_SECOND * SECONDS, 2))
    )
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        log = Path(folder) / "mail.log"
        log.write_bytes(until_now(past))
        beside = Watch(Path(folder) / "idle.json", "--idle")
        begun = time.monotonic()
        service = Service(Path(folder), log)
        service.wait_until(lambda: service.says("follows "))
        asked = sorted(wait_for_the_past(service))
        read_at, cpu = time.monotonic(), service.cpu()
        print(
            f"{lines:,} lines of the past: {lines / (read_at - begun):,.0f} lines/s, {lines / cpu:,.0f} lines/cpu s; "
            f"{service.peak_megabytes():.0f} MB; status answered in {1000 * at(asked, 0.5):.0f} ms, "
            f"at most {1000 * at(asked, 1.0):.0f} ms, asked {len(asked)} times"
        )
        lag = measure_lag(service, log, live)
        print(
            f"{lag.lines:,} lines in {lag.took:.1f} s: lag median {at(lag.seconds, 0.5):.2f} s, "
            f"99 % {at(lag.seconds, 0.99):.2f} s, worst {at(lag.seconds, 1.0):.2f} s of {len(lag.seconds)}; "
            f"processor {lag.cpu / lag.took:.0%}; {service.peak_megabytes():.0f} MB"
        )
        for what, woken in (("the service's loop", service.stop()), ("a loop with nothing to do", beside.stop())):
            print_lateness(f"{what}, catching up", [late for due, late in woken if begun <= due < read_at])
            print_lateness(f"{what}, keeping up", [late for due, late in woken if due >= read_at])
        wrong, known = accounts_wrong(service.store, [past_truth, live_truth])
        print(f"exact: {known - len(wrong)} of {known} accounts", *wrong[:5], sep="\n  ")
        print(f"store: {service.store.stat().st_size / (lines + lag.lines):.0f} bytes a line")
        print_peers(log, lines + lag.lines)


def wait_for_the_past(service: Service) -> list[float]:
    """Wait until it is read; return in how many seconds it was answered meanwhile how everything stands."""
    took: list[float] = []

    def is_read() -> bool:
        took.append(service.status_took())
        return service.says("the past is read")

    service.wait_until(is_read, every_seconds=0.05)
    return took


def print_lateness(when: str, late: Sequence[float]) -> None:
    """Print by how many milliseconds the loop was late."""
    median, most, worst = (1000 * at(sorted(late), share) for share in (0.5, 0.99, 1.0))
    print(f"{when}, is late: median {median:.1f} ms, 99 % {most:.1f} ms, worst {worst:.1f} ms")


def print_peers(log: Path, lines: int) -> None:
    """Print what others take for all the lines."""
    peers = {"the bare reader": [PYTHON, bare_reader, "--read", str(log)]}
    if shutil.which("pflogsumm"):
        peers["pflogsumm"] = ["pflogsumm", str(log)]
    for name, command in peers.items():
        taken = run(command)
        print(f"{name}: {lines / taken.wall:,.0f} lines/s, {lines / taken.cpu:,.0f} lines/cpu s")


def at(ordered: Sequence[float], share: float) -> float:
    """Return the value that so large a share is not above."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    main()
