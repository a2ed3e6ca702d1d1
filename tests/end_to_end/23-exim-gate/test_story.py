"""A botnet steals an account of a site with Exim: its mail is frozen within a few messages, and it is put right."""

import os
from pathlib import Path

import pytest
from lab.exim_world import EximWorld, exim_world
from lab.gate_world import ACCOUNTS, ROSA
from lab.waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root")

MESSAGES = 50
LEAK_AT_MOST = 20
BOTNET = [f"203.0.{number}.9" for number in range(MESSAGES)]
SPAM = "You have won. Go to https://prize{number}.example/claim and say who you are.\n"


def test_a_stolen_account_is_held_then_put_right(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with exim_world(home, monkeypatch, BOTNET) as world:
        assert world.write_home(ROSA) == (250, "")
        botnet_sends(world)
        wait_until(lambda: world.waiting() == world.frozen() > 0, "the queue to be empty but for what is held")
        leaked = [one for one in world.arrived(ROSA) if one.startswith("stranger")]
        assert 0 < len(leaked) <= LEAK_AT_MOST
        assert world.exim.log_says(f" of {ROSA}: Mail of this account is kept back for now, and not lost: ")
        status = world.service.ask("status")
        assert [(one["account"], one["in_force"]) for one in status["accounts"]] == [(ROSA, True)]

        for account in ACCOUNTS[1:6]:
            assert world.write_home(account, 1) == (250, "")
        wait_until(lambda: all(world.arrived(account) for account in ACCOUNTS[1:6]), "the others' mail to arrive")

        world.service.ask("account", "block", ROSA, "--reason", "seen by the desk")
        code, words = world.write_home(ROSA, 2)
        assert code == 550
        assert words.startswith("5.7.1 This account may send no mail for now: ")
        assert "555-0100" in words
        assert "OW-" in words

        deleted = world.service.ask("queue", "delete", "--account", ROSA, "--reason", "spam")
        assert Path(deleted["archive"]).stat().st_size > 500
        assert deleted["queue_ids"]
        assert world.exim.run("-bp") == ""

        world.service.ask("account", "unblock", ROSA, "--reason", "her password is changed")
        assert world.write_home(ROSA, 3) == (250, "")
        wait_until(lambda: "friend3-of-rosa@bigmail.example" in world.arrived(ROSA), "Rosa's mail to arrive")


def botnet_sends(world: EximWorld) -> None:
    for number, client in enumerate(BOTNET):
        recipient = f"{'unknown-' if number % 4 == 3 else ''}stranger{number}@bigmail.example"
        code, words = world.send(ROSA, [recipient], client, "You have won", SPAM.format(number=number % 3))
        assert code in (250, 550), words
