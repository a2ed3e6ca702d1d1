"""Claim: a /20 on 60 lists in an eighth of pydnsbl's time, in under 64 MB; one silent list at most triples it.

    python bench/blocklists.py [--peer-python PYTHON] [--rounds 5]

One rbldnsd on loopback serves 100 invented lists of 2,000 entries.  Each client asks it about each address on each
list (pydnsbl about a quarter of the addresses: it holds all at once), first with all lists up, then with one that
swallows queries.  Then one address on 100 lists, one of them silent: when 99 answers are in hand, beside a bare
gather of aiodns, and when all is done, beside the deadline.

``--peer-python`` names an interpreter that can import pydnsbl, which needs an aiodns below 4.  Judge by processor
time where the machine is shared: client and server want a core each.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RBLDNSD = shutil.which("rbldnsd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ADDRESSES, LISTS, ENTRIES = 4096, 60, 2000
ALL_LISTS = 100
DEADLINE = 1.0
# The last of the sixty and of the hundred that are asked.
SILENT = "silent"


def zones(count: int, silent: bool) -> list[str]:
    """Return the zones to ask, the silent one in place of the last."""
    names = [f"list{number}.example" for number in range(count)]
    return [*names[:-1], f"{SILENT}.example"] if silent else names


@contextmanager
def lists_served() -> Iterator[int]:
    """Serve the lists, and yield the port."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        Path(folder).chmod(0o755)
        dice = random.Random(1)
        for number in range(ALL_LISTS):
            entries = [f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}" for _ in range(ENTRIES)]
            (Path(folder) / f"list{number}").write_text("\n".join([":127.0.0.2:listed", *entries, ""]))
        (Path(folder) / "nobody").write_text(":ignore\n0.0.0.0/0\n")
        (Path(folder) / "none").write_text(":127.0.0.2:listed\n192.0.2.1\n")
        datasets = [f"list{number}.example:ip4set:list{number}" for number in range(ALL_LISTS)]
        silent = [f"{SILENT}.example:acl:nobody", f"{SILENT}.example:ip4set:none"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [str(RBLDNSD), "-n", "-b", f"127.0.0.1/{port}", "-u", "nobody", "-r", folder, *datasets, *silent],
            stdout=log,
            stderr=log,
        )
        try:
            until_it_answers(port)
            yield port
        finally:
            server.terminate()
            server.wait(10)


def until_it_answers(port: int) -> None:
    """Return when the server has read its lists."""
    query = b"\0\1\1\0\0\1\0\0\0\0\0\0\x05list0\x07example\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", port))
        asking.settimeout(0.1)
        for _ in range(100):
            try:
                asking.send(query)
                asking.recv(512)
            except OSError:
                time.sleep(0.1)
            else:
                return
    sys.exit("rbldnsd does not answer")


# --- the clients, each in a process of its own --------------------------------------------------


def sweep_ours(port: int, addresses: int, names: list[str]) -> dict[str, float]:
    """Ask with Outwarden's look-up path."""
    from outwarden.dns.lookup import Lookup, Question
    from outwarden.dns.resolver import Resolver

    def questions() -> Iterator[Question]:
        for number in range(addresses):
            reverse = f"{number & 255}.{number >> 8}.77.10."
            for name in names:
                yield Question(reverse + name, 1, name)

    answered = asked = 0
    lookup = Lookup(Resolver("127.0.0.1", port, remote=False), DEADLINE)
    first, begun, used = time.perf_counter(), time.perf_counter(), time.process_time()
    for reply in lookup.ask(questions()):
        asked += 1
        answered += reply.failure is None
        if asked == len(names) - 1:
            first = time.perf_counter()
    return {
        "asked": asked,
        "answered": answered,
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
        "all_but_one": first - begun,
    }


def sweep_pydnsbl(port: int, addresses: int, names: list[str]) -> dict[str, float]:
    """Ask with pydnsbl, all addresses at once, as its own bulk check does."""
    import aiodns  # type: ignore[import-not-found,unused-ignore]
    import pydnsbl.checker  # type: ignore[import-not-found,unused-ignore]
    from pydnsbl.providers import Provider  # type: ignore[import-not-found,unused-ignore]

    here = aiodns.DNSResolver
    pydnsbl.checker.aiodns.DNSResolver = lambda **options: here(nameservers=["127.0.0.1"], udp_port=port, **options)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    checker = pydnsbl.DNSBLIpChecker(providers=[Provider(name) for name in names], timeout=1, tries=2, loop=loop)
    begun, used = time.perf_counter(), time.process_time()
    results = checker.bulk_check([f"10.77.{number >> 8}.{number & 255}" for number in range(addresses)])
    failed = sum(len(result.failed_providers) for result in results)
    return {
        "asked": addresses * len(names),
        "answered": addresses * len(names) - failed,
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
        "all_but_one": 0.0,
    }


def gather_aiodns(port: int, _addresses: int, names: list[str]) -> dict[str, float]:
    """Ask with a bare gather of aiodns, about one address on all lists but the last."""
    import aiodns

    async def gather() -> float:
        resolver = aiodns.DNSResolver(nameservers=["127.0.0.1"], udp_port=port)
        begun = time.perf_counter()
        asked = [resolver.query(f"0.0.77.10.{name}", "A") for name in names[:-1]]
        await asyncio.gather(*asked, return_exceptions=True)
        return time.perf_counter() - begun

    seconds = asyncio.run(gather())
    return {"asked": len(names) - 1, "answered": len(names) - 1, "seconds": seconds, "cpu": 0.0, "all_but_one": seconds}


CLIENTS = {"ours": sweep_ours, "pydnsbl": sweep_pydnsbl, "aiodns": gather_aiodns}


# --- measuring ---------------------------------------------------------------------------------


def measured(python: str, client: str, port: int, addresses: int, lists: int, silent: bool) -> dict[str, float]:
    """Run one client in its own process and return what it found, and its peak memory in MB."""
    argv = [python, __file__, "--client", client, str(port), str(addresses), str(lists), str(int(silent))]
    with tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen(argv, stdout=printed, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        if status:
            sys.exit(f"{client} failed")
        printed.seek(0)
        found: dict[str, float] = json.load(printed)
    return {**found, "megabytes": used.ru_maxrss / 1024}


def medians(rounds: int, clients: dict[str, tuple[str, str, int, int, int, bool]]) -> dict[str, dict[str, float]]:
    """Let the clients take turns and return each one's medians."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, client in clients.items():
            runs[name].append(measured(*client))
    return {
        name: {key: statistics.median(run[key] for run in all_of) for key in all_of[0]} for name, all_of in runs.items()
    }


def print_sweeps(found: dict[str, dict[str, float]]) -> None:
    """Print the sweeps, and their ratios."""
    print(f"{'sweep':36}{'look-ups':>10}{'answered':>10}{'seconds':>9}{'per second':>12}{'us CPU':>8}{'MB':>6}")
    for name, run in found.items():
        rate, cost = run["asked"] / run["seconds"], run["cpu"] / run["asked"] * 1e6
        print(
            f"{name:36}{run['asked']:10,.0f}{run['answered']:10,.0f}{run['seconds']:9.2f}{rate:12,.0f}{cost:8.2f}"
            f"{run['megabytes']:6.0f}"
        )
    print(f"one silent list takes {found['ours, one silent']['seconds'] / found['ours']['seconds']:.1f} x as long")
    if "pydnsbl" in found:
        ours, peer = found["ours"], found["pydnsbl"]
        rate = ours["asked"] / ours["seconds"] / (peer["asked"] / peer["seconds"])
        cost = peer["cpu"] / peer["asked"] / (ours["cpu"] / ours["asked"])
        print(f"x pydnsbl: {rate:.1f} by the clock, {cost:.1f} by processor time")


def main() -> None:
    """Measure and print; after ``--client``, be the process that is measured."""
    if sys.argv[1:2] == ["--client"]:
        client, (port, addresses, lists, silent) = sys.argv[2], map(int, sys.argv[3:7])
        print(json.dumps(CLIENTS[client](port, addresses, zones(lists, bool(silent)))))
        return
    options = argparse.ArgumentParser()
    options.add_argument("--peer-python", default=sys.executable)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    if RBLDNSD is None:
        print("rbldnsd is not installed: nothing measured")
        return
    peer = chosen.peer_python
    has_peer = subprocess.run([peer, "-c", "import pydnsbl"], capture_output=True).returncode == 0
    if not has_peer:
        print(f"{peer} cannot import pydnsbl: measured without it (--peer-python)")
    with lists_served() as port:
        sweeps = {
            "ours": (sys.executable, "ours", port, ADDRESSES, LISTS, False),
            "ours, one silent": (sys.executable, "ours", port, ADDRESSES, LISTS, True),
        }
        single = {"ours": (sys.executable, "ours", port, 1, ALL_LISTS, True)}
        if has_peer:
            sweeps["pydnsbl"] = (peer, "pydnsbl", port, ADDRESSES // 4, LISTS, False)
            single["aiodns"] = (peer, "aiodns", port, 1, ALL_LISTS, True)
        print_sweeps(medians(chosen.rounds, sweeps))
        found = medians(chosen.rounds, single)
    print(f"\none address, {ALL_LISTS} lists, one silent: {ALL_LISTS - 1} answers after", end=" ")
    print(f"{found['ours']['all_but_one'] * 1e3:.1f} ms, all after {found['ours']['seconds'] * 1e3:.0f} ms", end=" ")
    print(f"(deadline {DEADLINE * 1e3:.0f} ms)")
    if has_peer:
        print(f"a bare gather of aiodns about the {ALL_LISTS - 1}: {found['aiodns']['all_but_one'] * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
