"""Spam links to a page on a shared host: the page is held against whoever links to it, and its host is not."""

from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from lab.blocklists import LISTS, Blocklists
from lab.gate_world import ACCOUNTS, ACTING, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.past_mail import friends_of
from lab.waiting import wait_until

pytestmark = [*A_POSTFIX, *LISTS]

LISTED, INNOCENT, SPAM, NEW, OTHER = ACCOUNTS[2:7]
THIEVES, PASSES_IT_ON = ACCOUNTS[7:9], ACCOUNTS[9]
PAGE = "bit.ly/3prize"
FOLDER = "https://www.dropbox.com/s/9prize/claim.zip?dl=1"


@pytest.fixture
def lists(home: Path) -> Iterator[Blocklists]:
    page = md5(PAGE.encode(), usedforsecurity=False).hexdigest()
    # Shared hosts stand on a list of domains here: they must not even be asked about.
    domains = "spam.example\nbit.ly\ndropbox.com\n"
    lists = Blocklists(home, {"domains": domains, "young": "new.example\n", "pages": f"{page}\n"})
    yield lists
    lists.stop()


def test_links(home: Path, lists: Blocklists) -> None:
    with gate_world(home, ACTING + lists.settings, resolver=lists.resolver) as world:
        links = {
            LISTED: f"https://{PAGE}",
            INNOCENT: "https://bit.ly/minutes",
            SPAM: "http://www.spam.example/now",
            NEW: "https://shop.new.example/",
            OTHER: "https://fine.example/",
        }
        for account, link in links.items():
            assert write_to_a_friend(world, account, link) == (250, "")
        points = {account: points_of(world, account) for account in links}
        assert points[LISTED]["listed-links"] > 0
        assert points[SPAM]["listed-links"] > 0
        assert points[NEW]["fresh-links"] > 0
        for account in (INNOCENT, NEW, OTHER):
            assert "listed-links" not in points[account]
        assert "fresh-links" not in points[OTHER]
        for account in links:
            wait_until(lambda: bool(world.arrived(account)), f"the mail of {account}")  # noqa: B023

        # No list has this page; that two stolen accounts send it to strangers is enough.
        for account in THIEVES:
            send_spam(world, account)
            assert sum(points_of(world, account).values()) >= 4
        assert write_to_a_friend(world, INNOCENT, "https://www.dropbox.com/s/2minutes/may.pdf") == (250, "")
        assert write_to_a_friend(world, PASSES_IT_ON, FOLDER) == (250, "")
        assert points_of(world, PASSES_IT_ON)["campaign"] > 0
        assert "campaign" not in points_of(world, INNOCENT)
        wait_until(lambda: len(world.arrived(INNOCENT)) == 2, "innocent mail with the same host")
        held = {one["account"] for one in world.service.ask("status")["accounts"] if one["in_force"]}
        assert held.isdisjoint({INNOCENT, SPAM, NEW, OTHER})


def write_to_a_friend(world: GateWorld, account: str, link: str) -> tuple[int, str]:
    return world.send(account, [friends_of(account)[3]], subject="For you", text=f"As promised: {link}\n{account}\n")


def send_spam(world: GateWorld, account: str) -> None:
    for number in range(4):
        recipient = f"stranger{number}-of-{account.partition('@')[0]}@bigmail.example"
        world.send(account, [recipient], f"203.0.{ACCOUNTS.index(account)}.{number}", "A prize", f"Take it: {FOLDER}\n")


def points_of(world: GateWorld, account: str) -> dict[str, Any]:
    return {one["rule"]: one["points"] for one in world.service.ask("account", "show", account)["findings"]}
