"""Claim: with known answers a message's lists cost under 0.1 ms; with none known, a small part of what dnspython needs.

    python bench/door_lists.py [--messages 2000] [--rounds 3]

One rbldnsd on loopback serves seven invented lists: two of clients, three of domains, one of new domains, one of
pages.  A message has a client and three links, one of them a short one: eleven questions.  Asked about are messages of
which all is known, then such of which nothing is, one after the other and 64 at a time.  Beside it dnspython's resolver
asks the same, all questions of a message at once, with a cache of its own.  What is quoted is the median of the rounds;
judge by processor time where the machine is shared.

dnspython is given less to do: it has no coalescing, no breaker and no deadline, and reads no codes.
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.resolver

from outwarden.dns.catalogue import load_catalogue
from outwarden.dns.door_answers import DoorQuestions
from outwarden.dns.door_choice import door_lists
from outwarden.dns.door_lists import DoorLists
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.resolver import Resolver
from outwarden.events import Link, LinkKind

RBLDNSD = shutil.which("rbldnsd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CLIENTS, DOMAINS = ("exploited", "attackers"), ("spam", "phishing", "malware", "young")
AT_ONCE = 64
Message = tuple[str, tuple[Link, ...]]
Ask = Callable[[Message], Awaitable[object]]


def lists_file() -> str:
    """Return the catalogue of the invented lists."""
    lines = []
    for name in (*CLIENTS, *DOMAINS, "pages"):
        asks = "ipv4" if name in CLIENTS else "surbl-url" if name == "pages" else "domain"
        votes = "compromise" if name in CLIENTS else "domain"
        lines += [
            f"[{name}]",
            f'zone = "{name}.example"',
            'operator = "Somebody"\nmeaning = "invented"\ntier = "major"',
            f'asks = ["{asks}"]',
            'life = { state = "alive", source = "invented" }',
            "new_within_days = 5" if name == "young" else "",
            f'codes."127.0.0.2" = {{ means = "listed", votes = "{votes}" }}',
        ]
    return "\n".join(lines)


@contextmanager
def lists_served() -> Iterator[tuple[int, Path]]:
    """Serve the lists; yield the port and the catalogue."""
    if RBLDNSD is None:
        sys.exit("rbldnsd is not installed")
    with tempfile.TemporaryDirectory() as name, (Path(name) / "log").open("w") as log:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "lists.toml").write_text(lists_file())
        head = "$SOA 300 ns.example hostmaster.example 1 600 300 86400 300\n:127.0.0.2:listed\n"
        (folder / "addresses").write_text(head + "127.0.0.2\n" + "\n".join(f"192.0.2.{n}" for n in range(0, 256, 9)))
        domains = "\n".join(f"d{n}.example" for n in range(0, 3000, 9))
        (folder / "names").write_text(f"{head}test\n2.0.0.127\n{domains}\n")
        kinds = {
            each: "ip4set:addresses" if each in CLIENTS else "dnset:names" for each in (*CLIENTS, *DOMAINS, "pages")
        }
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        zones = [f"{each}.example:{kind}" for each, kind in kinds.items()]
        command = [RBLDNSD, "-n", "-b", f"127.0.0.1/{port}", "-u", "nobody", "-r", name, *zones]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield port, folder / "lists.toml"
        finally:
            server.terminate()
            server.wait(10)


def messages(count: int, seed: int) -> list[Message]:
    """Return messages of which none shares a client or a link with another."""
    made = []
    for number in range(count):
        client = f"198.{18 + seed % 2}.{number >> 8 & 255}.{number & 255}"
        links = [Link(LinkKind.DOMAIN, f"d{number}-{seed}-{one}.example") for one in range(2)]
        made.append((client, (*links, Link(LinkKind.SHORTENER, f"bit.example/{seed}-{number}"))))
    return made


async def one_by_one(ask: Ask, wanted: Sequence[Message]) -> list[float]:
    """Return how long each takes, in microseconds."""
    times = []
    for message in wanted:
        begun = time.perf_counter_ns()
        await ask(message)
        times.append((time.perf_counter_ns() - begun) / 1000)
    return times


async def many_at_once(ask: Ask, wanted: Sequence[Message]) -> tuple[float, float]:
    """Return messages a second, and microseconds of processor time for each."""
    left = iter(wanted)

    async def work() -> None:
        for message in left:
            await ask(message)

    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return len(wanted) / (time.perf_counter() - begun), (time.process_time() - used) * 1e6 / len(wanted)


async def ours(port: int, catalogue: Path, story: Callable[[Ask], Awaitable[None]]) -> None:
    """Tell a story with the lists of the gate."""
    lookup = LiveLookup(Resolver("127.0.0.1", port, remote=False), 1.0)
    await lookup.start()
    lists = DoorLists(load_catalogue(catalogue), lookup)
    await lists.start()
    while not all(health is not None and health.fit for health in lists.health.values()):
        await asyncio.sleep(0.01)
    await story(lambda message: lists.about(message[0], message[1], (), ()))
    if lookup.counts.timed_out:
        sys.exit(f"{lookup.counts.timed_out} questions had no answer in time: the machine is too busy")
    await lists.close()
    await lookup.close()


async def dnspython(port: int, catalogue: Path, story: Callable[[Ask], Awaitable[None]]) -> None:
    """Tell the same story with dnspython's resolver."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    resolver.cache = dns.resolver.LRUCache(100_000)
    questions = DoorQuestions(door_lists(load_catalogue(catalogue)))

    async def one(name: str) -> object:
        try:
            return await resolver.resolve(name, "A", lifetime=5, search=False)
        except dns.exception.DNSException:
            return None

    async def ask(message: Message) -> None:
        asked = [question.name for _, question in questions.about_client(message[0])]
        asked += [question.name for _, _, row in questions.about_links(message[1], ()) for _, question in row]
        await asyncio.gather(*map(one, asked))

    await story(ask)


def row(name: str, times: list[float]) -> None:
    """Print the median and the 99th percentile."""
    print(f"{name:44}{statistics.median(times):10.1f}{sorted(times)[int(len(times) * 0.99)]:10.1f}")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with lists_served() as (port, catalogue):
        for name, way in (("outwarden", ours), ("dnspython", dnspython)):
            rates, costs, cold, warm = [], [], [], []

            async def story(ask: Ask) -> None:
                for turn in range(given.rounds):
                    fresh = messages(given.messages // 4, 2 * turn)
                    cold.extend(await one_by_one(ask, fresh))  # noqa: B023 - told before the next way begins.
                    rate, cost = await many_at_once(ask, messages(given.messages, 2 * turn + 1))
                    rates.append(rate)  # noqa: B023
                    costs.append(cost)  # noqa: B023
                    warm.extend(await one_by_one(ask, [fresh[-1]] * given.messages))  # noqa: B023

            asyncio.run(way(port, catalogue, story))
            print(f"{name + ', microseconds a message':44}{'median':>10}{'99 %':>10}")
            row("  all known", warm)
            row("  nothing known, one after the other", cold)
            print(f"  nothing known, {AT_ONCE} at a time: {statistics.median(rates):,.0f} messages/s, ", end="")
            print(f"{statistics.median(costs):,.0f} microseconds of processor time each")


if __name__ == "__main__":
    main()
