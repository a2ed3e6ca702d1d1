"""Claim: with the whole gate on Postfix takes 0.80 of the mail of 2 kB and 0.75 of 20 kB that it takes without.

    python bench/gate.py [--messages 1000] [--rounds 3]      (as root)

And it is ahead of rspamd 3.4 that only asks blocklists and limits rates, with less processor time at 20 kB.

A real Postfix on loopback (Debian: postfix dovecot-core unbound rbldnsd rspamd), in a network namespace of its own so
that clients have addresses of their own; submission with logins through Dovecot, a connection for each message, twenty
at once; what is taken is discarded.  The service examines every message, asks six lists through a local unbound, judges
the account, whose past week it has read, marks, follows the log and saves.  rspamd asks the same lists about the same,
and a Redis for its limit where there is one.  Both run all the time, so each remembers what it asked lately; the
service is stopped by a signal while others are measured.  A third filter is our milter that accepts without a look:
what that costs, no check can save.  All by a UNIX socket.  In each round all take turns, another first each time;
ratios are to the unfiltered run of the same round, and medians are shown.  How long a message waits for the gate is
what the service itself counts, from the end of the message to the verdict: at full load, where twenty wait for one
another, and at a hundred messages a second.

The processor time of a filter is that of all its processes (rspamd's with its Redis, ours with what follows from the
log until it has been read), of Postfix that of master and all below it, of the resolver that of unbound and rbldnsd.
The client's is not looked at: it is the same for all, and on the same cores.
"""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/end_to_end"), str(ROOT / "src")]

from lab.dovecot import Dovecot  # noqa: E402
from lab.past_mail import write_past  # noqa: E402
from lab.postfix import Postfix  # noqa: E402
from lab.service import Service  # noqa: E402
from lab.smtp_world import Sink  # noqa: E402
from lab.waiting import free_port, wait_until  # noqa: E402

from gate_parts.letters import accounts  # noqa: E402
from gate_parts.local_lists import LocalLists, local_lists  # noqa: E402
from gate_parts.rspamd import Rspamd, rspamd  # noqa: E402
from gate_parts.submission import PASSWORD  # noqa: E402
from outwarden.service.mark_keys import new_key  # noqa: E402

ACCOUNTS = 200
SESSIONS = 20
WARM_UP = 150
PACE, PACED = 100, 2_000
SIZES = ("2k", "20k")
NONE, BLIND, OURS, PEER = "no filter", "no look", "outwarden", "rspamd"
MILLISECONDS_A_TICK = 1000 / os.sysconf("SC_CLK_TCK")
DAEMONS = "/usr/sbin:/usr/bin"
# Without in_flow_delay = 0 Postfix slows clients down when it takes in more than it discards, now and then.
POSTFIX = """\
default_transport = discard
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_peername_lookup = no
milter_default_action = tempfail
"""
SERVICE = """\
[site]
domains = ["isp.example"]
[mail_server]
kind = "postfix"
postfix_config = "{home}/etc"
[blocklists]
catalogue = "{lists.catalogue}"
[acting]
hold = "act"
block = "act"
limit = "act"
[mark]
keys_file = "{home}/mark.keys"
"""


class Measured(NamedTuple):
    """One run: messages a second; for each message processor milliseconds, and questions to the resolver."""

    rate: float
    filter_ms: float
    postfix_ms: float
    resolver_ms: float
    questions: float


class World:
    """Everything that runs."""

    def __init__(
        self, home: Path, postfix: Postfix, service: Service, lists: LocalLists, peer: Rspamd | None, blind: int
    ) -> None:
        """``blind`` is the process of the milter that looks at nothing."""
        self.home, self.postfix, self.service, self.lists, self.peer = home, postfix, service, lists, peer
        self._blind = blind
        self._seed = 0

    @property
    def filters(self) -> list[str]:
        """Return what there is to measure, in the order of a round."""
        return [NONE, BLIND, OURS, *([PEER] if self.peer is not None else [])]

    def arrange(self, case: str) -> None:
        """Let Postfix ask this filter alone; the service stands still, and follows no log, while another is asked."""
        sockets = {BLIND: self.home / "blind.sock", OURS: self.service.milter, PEER: self.peer and self.peer.milter}
        socket = f"unix:{sockets[case]}" if case in sockets else ""
        self._signal(signal.SIGCONT if case == OURS else signal.SIGSTOP)
        if case == OURS:
            self.wait_for_the_log()
        self.postfix.run("postconf", "-e", f"smtpd_milters={socket}")
        # Postfix waits two seconds before it believes a file that has just changed.
        past = time.time() - 10
        os.utime(self.home / "etc/main.cf", (past, past))
        self.postfix.run("postfix", "reload")
        time.sleep(0.5)

    def _signal(self, number: int) -> None:
        if self.service.process is not None:
            self.service.process.send_signal(number)

    def wait_for_the_log(self) -> None:
        """Return when the service has read the log to its end."""
        wait_until(lambda: all(log["caught_up"] for log in self.status()["logs"]), "the log to be read", 60)

    def status(self) -> dict[str, Any]:
        """Return what the service says of itself."""
        answer: dict[str, Any] = self.service.ask("status", codes=(0, 1, 2, 3))
        return answer

    def measure(self, case: str, size: str, messages: int) -> Measured:
        """Hand in so many."""
        self.hand_in(size, WARM_UP)
        master = int((self.home / "spool/pid/master.pid").read_text())
        of_whom = (self._pids(case), [master], self.lists.pids)
        before, asked = [cpu_ms(*pids) for pids in of_whom], self.lists.asked()
        seconds = self.hand_in(size, messages)
        asked = self.lists.asked() - asked
        self._wait_until_discarded()
        if case == OURS:
            self.wait_for_the_log()
        took = [(cpu_ms(*pids) - earlier) / messages for pids, earlier in zip(of_whom, before, strict=True)]
        return Measured(messages / seconds, *took, asked / messages)

    def hand_in(self, size: str, messages: int, pace: int = 0) -> float:
        """Have a client hand in what nobody has handed in before; return the seconds it took.

        ``pace`` is how many a second it hands in, 0 for as many as it can.
        """
        self._seed += 1
        arguments = [self.postfix.submission, SESSIONS, messages, size, self._seed, ACCOUNTS, pace]
        done = subprocess.run(
            [sys.executable, "-m", "gate_parts.submission", *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
        )
        told = json.loads(done.stdout)
        if set(told["outcomes"]) != {"250"}:
            sys.exit(f"not everything was taken: {told['outcomes']}")
        return float(told["seconds"])

    def _pids(self, case: str) -> list[int]:
        if case == OURS and self.service.process is not None:
            return [self.service.process.pid]
        if case == BLIND:
            return [self._blind]
        return self.peer.pids if case == PEER and self.peer is not None else []

    def _wait_until_discarded(self) -> None:
        spool = self.home / "spool"

        def empty() -> bool:
            return not any(files for each in ("incoming", "active") for _, _, files in os.walk(spool / each))

        wait_until(empty, "the queue to be empty", 60)


def cpu_ms(*pids: int) -> float:
    """Return the processor time of processes, of all below them, and of those below them that have ended."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) * MILLISECONDS_A_TICK
            total += cpu_ms(*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return total


@contextmanager
def world() -> Iterator[World]:
    """Start everything, with the accounts' past read; end everything."""
    home = Path(tempfile.mkdtemp(prefix="outwarden-", dir="/var/lib"))
    home.chmod(0o755)
    people = accounts(ACCOUNTS)
    with ExitStack() as running:
        running.callback(shutil.rmtree, home)
        lists = running.enter_context(local_lists(home / "lists"))
        peer = running.enter_context(rspamd(home / "rspamd", lists.resolver))
        sink = Sink()
        running.callback(sink.stop)
        postfix = Postfix(home, sink, settings=POSTFIX)
        write_past(home / "maillog.1", people, datetime.now(UTC))
        (home / "maillog").touch()
        dovecot = Dovecot(home / "dovecot", postfix.socket, dict.fromkeys(people, PASSWORD))
        running.callback(dovecot.stop)
        postfix.start(free_port())
        running.callback(postfix.stop)
        postfix.run("postconf", "-Me", "discard/unix=discard unix - - n - - discard")
        service = running.enter_context(_service(home, lists))
        service.start()
        wait_until(lambda: service.says("the past is read"), f"the past to be read; see {service.words}", 120)
        blind = running.enter_context(_blind(home / "blind.sock"))
        yield World(home, postfix, service, lists, peer, blind)


@contextmanager
def _service(home: Path, lists: LocalLists) -> Iterator[Service]:
    (home / "mark.keys").write_text(f"{new_key()}\n")
    (home / "mark.keys").chmod(0o600)
    service = Service(
        home,
        home / "maillog",
        SERVICE.format(home=home, lists=lists),
        f'milter = "unix:{home}/milter.sock"\ngroup = "postfix"\ndeadline_milliseconds = 300',
        lists.resolver,
    )
    try:
        yield service
    finally:
        if service.process is not None:
            service.process.send_signal(signal.SIGCONT)
            service.stop()


@contextmanager
def _blind(path: Path) -> Iterator[int]:
    """Run a milter that accepts everything without looking; gives its process id."""
    loop = ["--uvloop"] if importlib.util.find_spec("uvloop") else []
    argv = [sys.executable, str(ROOT / "bench/milter.py"), "--serve", str(path), *loop]
    with subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}) as process:
        wait_until(path.exists, "the milter that looks at nothing")
        path.chmod(0o666)
        try:
            yield process.pid
        finally:
            process.terminate()


def main(messages: int, rounds: int) -> None:
    """Measure and print."""
    found: dict[tuple[str, str], list[Measured]] = {}
    with world() as here:
        for number in range(rounds):
            # Who is first after a pause finds another machine than who is last, so each is first once.
            first = number % len(here.filters)
            for case in here.filters[first:] + here.filters[:first]:
                here.arrange(case)
                for size in SIZES:
                    found.setdefault((case, size), []).append(here.measure(case, size, messages))
                    print(f"round {number + 1}: {case}, {size}: {found[case, size][-1]}", file=sys.stderr)
                if case == OURS:
                    gate = here.status()["gate"]
        here.arrange(OURS)
        latencies = {f"{SIZES[-1]}, as many as can be": latency(gate)}
        for size in SIZES:
            here.hand_in(size, PACED, PACE)
            latencies[f"{size}, {PACE} a second"] = latency(here.status()["gate"])
        tell(found, here)
    print("\nadded to a message by the gate, with its questions to the resolver, half and 99 of 100 in at most")
    for name, said in latencies.items():
        print(f"  {name:28}{said}")
    print(f"of the gate, last round: {json.dumps(gate)}")


def latency(gate: dict[str, Any]) -> str:
    """Return how long the last 2,000 messages waited for the gate."""
    return f"{gate['p50_milliseconds']:.1f} ms, {gate['p99_milliseconds']:.1f} ms"


def tell(found: dict[tuple[str, str], list[Measured]], here: World) -> None:
    """Print the medians."""
    if here.peer is None:
        print("rspamd is left out: it is not installed")
    elif not here.peer.limits:
        print("rspamd limits no rates: Redis is not installed")
    print(f"{'':18}{'rate/s':>8}{'ratio':>7}{'filter ms':>11}{'Postfix ms':>12}{'resolver ms':>13}{'questions':>11}")
    for size in SIZES:
        for case in here.filters:
            rates = [run.rate for run in found[case, size]]
            ratio = statistics.median(a / b.rate for a, b in zip(rates, found[NONE, size], strict=True))
            rate, *rest, questions = map(statistics.median, zip(*found[case, size], strict=True))
            took = "".join(f"{each:{wide}.2f}" for each, wide in zip(rest, (11, 12, 13), strict=True))
            print(f"{case + ', ' + size:18}{rate:8.0f}{ratio:7.2f}{took}{questions:11.1f}")


def inside_own_network(arguments: list[str]) -> int:
    """Run this again where the loopback is all there is, and the accounts' addresses are on it."""
    missing = [name for name in ("postfix", "dovecot", "unbound", "rbldnsd", "ip", "unshare") if not _is_there(name)]
    if missing or os.geteuid() != 0:
        sys.exit(f"not installed: {', '.join(missing)}" if missing else "a real Postfix needs root")
    prepare = "ip link set lo up && ip route add local 198.51.100.0/24 dev lo && exec "
    words = " ".join([sys.executable, __file__, "--inside", *arguments])
    return subprocess.run(["unshare", "--net", "sh", "-c", prepare + words], check=False).returncode


def _is_there(name: str) -> bool:
    return shutil.which(name, path=DAEMONS) is not None


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.inside:
        main(given.messages, given.rounds)
    else:
        sys.exit(inside_own_network(sys.argv[1:]))
