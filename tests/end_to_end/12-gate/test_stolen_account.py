"""A botnet steals an account: it is held within a few messages, everybody else writes on, and it is put right."""

import os
import shutil
from pathlib import Path

import pytest
from lab.gate_world import ACCOUNTS, ROSA, GateWorld, gate_world
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

LEAK_AT_MOST = 20
SPAM = "You have won. Go to https://prize{number}.example/claim and say who you are.\n"


def botnet_sends(world: GateWorld, messages: int, first: int = 0) -> list[tuple[int, str]]:
    """Send spam as Rosa from everywhere; one recipient in four is an invention."""
    answers = []
    for number in range(first, first + messages):
        recipient = f"{'unknown-' if number % 4 == 3 else ''}stranger{number}@bigmail.example"
        client = f"203.0.{number % 50}.{number % 200 + 1}"
        answers.append(world.send(ROSA, [recipient], client, "You have won", SPAM.format(number=number % 3)))
    return answers


def test_a_stolen_account_is_held_then_put_right(home: Path) -> None:
    with gate_world(home) as world:
        assert world.write_home(ROSA) == (250, "")
        answers = botnet_sends(world, 60)
        assert {code for code, _ in answers} <= {250, 451, 550}
        # What the remote world took is counted when the queue has only what is held.
        wait_until(lambda: not _waits_to_leave(world), "the queue to be empty but for what is held")
        leaked = [one for one in world.arrived(ROSA) if one.startswith("stranger")]
        assert len(leaked) <= LEAK_AT_MOST, leaked
        _others_write_on(world)
        _status_says_so(world)
        _rosa_is_told(world)
        _it_is_put_right(world)


def _waits_to_leave(world: GateWorld) -> bool:
    return any('"queue_name": "hold"' not in line for line in world.postfix.run("postqueue", "-j").splitlines())


def _others_write_on(world: GateWorld) -> None:
    for account in ACCOUNTS[1:6]:
        assert world.write_home(account, 1) == (250, "")
    wait_until(lambda: all(world.arrived(account) for account in ACCOUNTS[1:6]), "the others' mail to arrive")


def _status_says_so(world: GateWorld) -> None:
    status = world.service.ask("status")
    # Who is stopped sends nothing more.
    assert status["sending_spam"] == "no"
    assert [(one["account"], one["in_force"]) for one in status["accounts"]] == [(ROSA, True)]
    assert [one["whom"] for one in status["done_by_itself"]][-1] == ROSA


def _rosa_is_told(world: GateWorld) -> None:
    world.service.ask("account", "block", ROSA, "--reason", "seen by the desk")
    code, words = world.write_home(ROSA, 2)
    assert code == 550
    assert words.startswith("5.7.1 ")
    assert "555-0100" in words
    assert "OW-" in words


def _it_is_put_right(world: GateWorld) -> None:
    deleted = world.service.ask("queue", "delete", "--account", ROSA, "--reason", "spam")
    assert deleted
    assert "stranger" not in world.postfix.run("postqueue", "-p")
    world.service.ask("account", "unblock", ROSA, "--reason", "her password is changed")
    assert world.write_home(ROSA, 3) == (250, "")
    wait_until(lambda: any(one.startswith("friend3-of-rosa") for one in world.arrived(ROSA)), "Rosa's mail to arrive")
