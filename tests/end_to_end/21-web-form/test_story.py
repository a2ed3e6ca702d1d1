"""A web form sends spam through ``sendmail -t``: the local account is held, and people write on."""

import subprocess
from pathlib import Path

from lab.gate_world import ACCOUNTS, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.waiting import wait_until

pytestmark = A_POSTFIX

SITE = "www-data@isp.example"
MESSAGES = 120
LEAK_AT_MOST = 80


def test_a_web_form_is_held(home: Path) -> None:
    with gate_world(home) as world:
        for number in range(MESSAGES):
            post_form(world, number)
        wait_until(lambda: bool(world.service.ask("status")["accounts"]), "the site to be held", 30)
        (held,) = world.service.ask("status")["accounts"]
        assert (held["account"], held["in_force"]) == (SITE, True)
        wait_until(lambda: not waits_to_leave(world), "what is not held to leave", 30)
        assert len(world.arrived(SITE)) <= LEAK_AT_MOST
        assert world.write_home(ACCOUNTS[1]) == (250, "")
        wait_until(lambda: bool(world.arrived(ACCOUNTS[1])), "Jan's mail to arrive")


def post_form(world: GateWorld, number: int) -> None:
    recipient = f"{'unknown-' if number % 3 == 2 else ''}visitor{number}@bigmail.example"
    message = (
        f"From: Prize <prize{number}@lottery.example>\nTo: {recipient}\nSubject: You have won\n\n"
        f"Claim it at https://prize{number % 2}.example/now\n"
    )
    program = ["/usr/sbin/sendmail", "-C", str(world.home / "etc"), "-f", SITE, "-t", "-i"]
    subprocess.run(program, input=message, text=True, check=True, timeout=30)


def waits_to_leave(world: GateWorld) -> bool:
    return any('"queue_name": "hold"' not in line for line in world.postfix.run("postqueue", "-j").splitlines())
