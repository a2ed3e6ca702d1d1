"""The lists of the gate through a real unbound, from a real rbldnsd: listed, new, by hash, silent, and back again."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.blocklists import LISTS, Blocklists

from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.door_lists import AboutMessage, DoorLists
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.resolver import Resolver
from outwarden.events import Link, LinkKind

pytestmark = LISTS
DEADLINE = 0.5
PAGE = hashlib.md5(b"bit.example/e3", usedforsecurity=False).hexdigest()
ENTRIES = {
    "hosts": "192.0.2.10\n192.0.2.11\n:127.0.0.10:dynamic\n192.0.2.0/24\n",
    "domains": "spam.example\n",
    "young": "new.example\n",
    "pages": f"{PAGE}\n",
}


@pytest.fixture
def lists(home: Path) -> Iterator[Blocklists]:
    lists = Blocklists(home, ENTRIES)
    yield lists
    lists.stop()


async def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_a_message_is_asked_about(lists: Blocklists) -> None:
    asyncio.run(story(load_catalogue(lists.catalogue), lists))


async def story(known: Catalogue, lists: Blocklists) -> None:
    # As if it were far away: with letters of random case, from many ports.
    lookup = LiveLookup(Resolver("127.0.0.1", lists.port, remote=True), DEADLINE)
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

    lists.fall_silent()
    begun = time.monotonic()
    assert await doors.about("192.0.2.11", links, (), ()) == AboutMessage((), marked, listed, late=("hosts",))
    assert time.monotonic() - begun < DEADLINE + 0.2
    lists.speak_again()
    await until(lambda: lookup.counts.late > 0)
    assert (await doors.about("192.0.2.11", (), (), ())).client_lists == ("hosts",)

    await doors.close()
    await lookup.close()
