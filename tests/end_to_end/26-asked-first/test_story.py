"""Where a person is asked first, nothing is done before; and more blocks than the cap allows call a person too."""

import json
from pathlib import Path

from lab.gate_world import ACCOUNTS, ROSA, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.waiting import wait_until

pytestmark = A_POSTFIX

JAN = ACCOUNTS[1]


def test_a_person_is_asked(home: Path) -> None:
    told = home / "told"
    with gate_world(home, f'[acting]\nhold = "ask"\nblock = "ask"\n[alarms]\ncommand = {tell(told)}\n') as world:
        assert {code for code, _ in send_spam(world, ROSA, 12)} == {250}
        wait_until(lambda: bool(waits(world)), "a person to be asked")
        wait_until(lambda: told.exists() and ROSA in told.read_text(), "the person to be called", 30)
        first = waits(world)[0]
        world.service.ask(*first["command"].split()[1:], "--reason", "yes, it is stolen")
        send_spam(world, ROSA, 3, first=12)
        wait_until(lambda: len(on_hold(world)) >= 3 or refused(world), "what follows to be stopped")
        world.service.ask("account", "unblock", ROSA, "--wrongly", "--reason", "it was her")
        wait_until(lambda: not on_hold(world), "what was held to leave", 30)


def test_a_person_says_no(home: Path) -> None:
    with gate_world(home, '[acting]\nhold = "ask"\nblock = "ask"\n') as world:
        send_spam(world, ROSA, 6)
        wait_until(lambda: bool(waits(world)), "a person to be asked")
        while waiting := waits(world):
            reference = waiting[0]["command"].split()[-1]
            world.service.ask("account", "dismiss", reference, "--reason", "she is at a conference")
        newest = json.loads(world.service.run("--json", "account", "history", ROSA).stdout.partition("\n")[0])
        assert newest["what"].endswith(" declined")
        assert newest["why"] == "refused by root: she is at a conference"
        assert world.write_home(ROSA) == (250, "")
        wait_until(lambda: "friend0-of-rosa@bigmail.example" in world.arrived(ROSA), "her mail to arrive")
        assert waits(world) == []
        assert on_hold(world) == []


def test_more_than_the_cap_calls_a_person(home: Path) -> None:
    settings = '[acting]\nhold = "act"\nblock = "act"\nholds_per_hour = 1\nblocks_per_hour = 1\n'
    told = home / "told"
    with gate_world(home, f"{settings}[alarms]\ncommand = {tell(told)}\n") as world:
        send_spam(world, ROSA, 6)
        wait_until(lambda: bool(on_hold(world)), "Rosa to be held")
        send_spam(world, JAN, 6)
        (waiting,) = waits(world)
        assert JAN in waiting["what"]
        assert waiting["why"] == "over the hourly cap"
        assert not [line for line in on_hold(world) if JAN in line]
        wait_until(lambda: told.exists() and JAN in told.read_text(), "the person to be called", 30)
        world.service.ask(*waiting["command"].split()[1:], "--reason", "stolen as well")
        send_spam(world, JAN, 3, first=6)
        wait_until(lambda: bool([line for line in on_hold(world) if JAN in line]), "Jan to be held")


def tell(file: Path) -> str:
    return f'["/bin/sh", "-c", "cat >> {file}"]'


def send_spam(world: GateWorld, account: str, messages: int, first: int = 0) -> list[tuple[int, str]]:
    return [
        world.send(
            account,
            [f"{'unknown-' if number % 4 == 3 else ''}stranger{number}@bigmail.example"],
            f"203.0.{number}.9",
            "You have won",
            "Go to https://prize.example/claim\n",
        )
        for number in range(first, first + messages)
    ]


def waits(world: GateWorld) -> list[dict[str, str]]:
    waiting: list[dict[str, str]] = world.service.ask("status")["waits_for_me"]
    return waiting


def refused(world: GateWorld) -> bool:
    return bool(world.service.ask("status")["gate"]["refused"])


def on_hold(world: GateWorld) -> list[str]:
    return [line for line in world.postfix.run("postqueue", "-j").splitlines() if '"queue_name": "hold"' in line]
