"""A client's address is on a list of exploited hosts: that counts; that people live there never does; none waits long.

Three accounts send the same to strangers, each from a network that is new to it.  Only the list tells them apart.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.blocklists import LISTS, Blocklists
from lab.gate_world import ACCOUNTS, ACTING, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.past_mail import friends_of
from lab.waiting import wait_until

pytestmark = [*A_POSTFIX, *LISTS]

INFECTED, AT_HOME, LATE = ACCOUNTS[2:5]
EXPLOITED, DYNAMIC, EXPLOITED_TOO = "203.0.113.7", "192.0.2.77", "203.0.112.9"
LISTED = "client address on a list of exploited hosts"


@pytest.fixture
def lists(home: Path) -> Iterator[Blocklists]:
    lists = Blocklists(home, {"hosts": f"{EXPLOITED}\n{EXPLOITED_TOO}\n:127.0.0.10:dynamic\n192.0.2.0/24\n"})
    yield lists
    lists.stop()


def test_an_infected_client(home: Path, lists: Blocklists) -> None:
    with gate_world(home, ACTING + lists.settings, resolver=lists.resolver) as world:
        write_to_strangers(world, INFECTED, EXPLOITED)
        write_to_strangers(world, AT_HOME, DYNAMIC)
        assert LISTED in network_finding(world, INFECTED)["text"]
        assert LISTED not in network_finding(world, AT_HOME)["text"]
        assert network_finding(world, INFECTED)["points"] >= network_finding(world, AT_HOME)["points"] + 2
        (held,) = world.service.ask("status")["accounts"]
        assert (held["account"], held["standing"], held["in_force"]) == (INFECTED, "held", True)
        assert LISTED in held["finding"]
        wait_until(lambda: len(world.arrived(AT_HOME)) == 2, "mail from where people live to arrive")
        # What the owner writes to friends from the usual place goes on.
        friend = friend_of(world, INFECTED)
        assert world.send(INFECTED, [friend], subject="Friday", text="Dinner is at eight, as ever.\n") == (250, "")
        wait_until(lambda: friend in world.arrived(INFECTED), "the owner's mail to arrive")

        lists.fall_silent()
        begun = time.monotonic()
        assert world.send(LATE, ["stranger@bigmail.example"], EXPLOITED_TOO) == (250, "")
        assert time.monotonic() - begun < 2
        lists.speak_again()
        wait_until(lambda: bool(world.arrived(LATE)), "what was not known in time to arrive")
        assert LISTED not in network_finding(world, LATE)["text"]
        assert late(world) >= 1
        # The late answer counts for the next message.
        assert world.send(LATE, ["another@bigmail.example"], EXPLOITED_TOO) == (250, "")
        assert LISTED in network_finding(world, LATE)["text"]


def write_to_strangers(world: GateWorld, account: str, client: str) -> None:
    for number in range(2):
        assert world.send(account, [f"stranger{number}@bigmail.example"], client) == (250, "")


def friend_of(world: GateWorld, account: str) -> str:
    """Return somebody whom the account has written to."""
    past = (world.home / "maillog.1").read_text()
    return next(friend for friend in friends_of(account) if f"to=<{friend}>" in past)


def network_finding(world: GateWorld, account: str) -> dict[str, Any]:
    findings = world.service.ask("account", "show", account)["findings"]
    found: dict[str, Any] = next(one for one in findings if one["rule"] == "network")
    return found


def late(world: GateWorld) -> int:
    lists = world.service.ask("status", "--filter")["lists"]
    return sum(one["late"] for one in lists if one["name"] == "hosts")
