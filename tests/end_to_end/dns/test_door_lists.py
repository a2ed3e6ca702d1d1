"""The lists of the gate through a real unbound, from a real rbldnsd: listed, new, by hash, silent, and back again."""

import asyncio
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.door_lists import AboutMessage, DoorLists
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.resolver import Resolver
from outwarden.events import Link, LinkKind

PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
RBLDNSD, UNBOUND = (shutil.which(program, path=PLACES) for program in ("rbldnsd", "unbound"))
pytestmark = pytest.mark.skipif(
    None in (RBLDNSD, UNBOUND), reason="rbldnsd or unbound is not installed (tests/debian-packages.txt)"
)
DEADLINE = 0.5
PAGE = hashlib.md5(b"bit.example/e3", usedforsecurity=False).hexdigest()
SOA = "$SOA 300 ns.example hostmaster.example 1 600 300 86400 300\n"
ZONES = {
    "hosts": (
        "ip4set",
        f"{SOA}127.0.0.2\n:127.0.0.4:exploited\n192.0.2.10\n192.0.2.11\n:127.0.0.10:dynamic\n192.0.2.0/24\n",
    ),
    "domains": ("dnset", f"{SOA}:127.0.1.2:spam\ntest\nspam.example\n"),
    "young": ("dnset", f"{SOA}:127.0.0.2:new\ntest\nnew.example\n"),
    "pages": ("dnset", f"{SOA}:127.0.0.8:phishing\n2.0.0.127\n{PAGE}\n"),
}
ASKS = {"hosts": "ipv4", "domains": "domain", "young": "domain", "pages": "surbl-url"}
CODES = {
    "hosts": '"127.0.0.4" = { means = "x", votes = "compromise" }\n"127.0.0.10" = { means = "x", votes = "policy" }',
    "domains": '"127.0.1.2" = { means = "x", votes = "domain" }',
    "young": '"127.0.0.2" = { means = "x" }',
    "pages": '"127.0.0.8" = { means = "x" }',
}
UNBOUND_CONFIGURATION = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  local-zone: "lists.example." transparent
  local-zone: "com." static
  local-zone: "net." static
  local-zone: "org." static
  local-zone: "de." static
  local-zone: "uk." static
stub-zone:
  name: "lists.example"
  stub-addr: 127.0.0.1@{lists}
remote-control:
  control-enable: no
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def servers(home: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Yield the resolver's port, and the lists' process."""
    for name, (_, text) in ZONES.items():
        (home / name).write_text(text, encoding="ascii")
    lists, port = free_port(), free_port()
    configuration = home / "unbound.conf"
    configuration.write_text(UNBOUND_CONFIGURATION.format(port=port, lists=lists, folder=home))
    zones = [f"{name}.lists.example:{kind}:{name}" for name, (kind, _) in ZONES.items()]
    with (home / "log").open("w") as log:
        started = [
            subprocess.Popen([str(program), *arguments], stdout=log, stderr=log)
            for program, arguments in (
                (RBLDNSD, ["-n", "-b", f"127.0.0.1/{lists}", "-u", "nobody", "-r", str(home), *zones]),
                (UNBOUND, ["-d", "-c", str(configuration)]),
            )
        ]
        try:
            yield port, started[0]
        finally:
            for process in started:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(10)


def catalogue(folder: Path) -> Catalogue:
    tables = [
        f'[{name}]\nzone = "{name}.lists.example"\noperator = "us"\nmeaning = "x"\nasks = ["{ASKS[name]}"]\n'
        f'tier = "major"\nlife = {{ state = "alive", source = "us" }}\n'
        f"{'new_within_days = 5' if name == 'young' else ''}\n[{name}.codes]\n{CODES[name]}\n"
        for name in ZONES
    ]
    path = folder / "lists.toml"
    path.write_text("\n".join(tables), encoding="ascii")
    return load_catalogue(path)


async def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_a_message_is_asked_about(home: Path, servers: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, lists = servers
    asyncio.run(story(catalogue(home), port, lists))


async def story(known: Catalogue, port: int, lists: subprocess.Popen[bytes]) -> None:
    # As if it were far away: with letters of random case, from many ports.
    lookup = LiveLookup(Resolver("127.0.0.1", port, remote=True), DEADLINE)
    await lookup.start()
    doors = DoorLists(known, lookup)
    await doors.start()
    await until(lambda: all(health is not None for health in doors.health.values()))
    while not all(health is not None and health.fit for health in doors.health.values()):
        # The servers were not up yet; nobody waits a minute for them here.
        await doors.close()
        doors = DoorLists(known, lookup)
        await doors.start()
        await until(lambda: all(health is not None for health in doors.health.values()))  # noqa: B023

    links = (
        Link(LinkKind.DOMAIN, "spam.example"), Link(LinkKind.DOMAIN, "new.example"),
        Link(LinkKind.SHORTENER, "bit.example/e3"), Link(LinkKind.DOMAIN, "fine.example"),
    )  # fmt: skip
    marked = (
        Link(LinkKind.DOMAIN, "spam.example", listed=True), Link(LinkKind.DOMAIN, "new.example", age_days=5),
        Link(LinkKind.SHORTENER, "bit.example/e3", listed=True), links[3],
    )  # fmt: skip
    listed = (("spam.example", "domains"), ("bit.example/e3", "pages"))
    about = await doors.about("192.0.2.10", links, ("bit.example/e3?utm=1",), ())
    assert about == AboutMessage(("hosts",), marked, (listed[0], ("bit.example/e3?utm=1", "pages")))
    # Dynamic addresses are where people live.
    assert await doors.about("192.0.2.77", (), (), ()) == AboutMessage()

    # All this is known now, also what is not listed.
    asked = lookup.counts.asked
    assert await doors.about("192.0.2.10", links, (), ()) == AboutMessage(("hosts",), marked, listed)
    assert lookup.counts.asked == asked

    lists.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    assert await doors.about("192.0.2.11", links, (), ()) == AboutMessage((), marked, listed, late=("hosts",))
    assert time.monotonic() - begun < DEADLINE + 0.2
    lists.send_signal(signal.SIGCONT)
    await until(lambda: lookup.counts.late > 0)
    assert (await doors.about("192.0.2.11", (), (), ())).client_lists == ("hosts",)

    await doors.close()
    await lookup.close()
