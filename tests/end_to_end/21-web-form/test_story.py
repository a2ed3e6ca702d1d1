"""A web form sends spam through ``sendmail -t``: the local account is held, and people write on."""

import subprocess
from pathlib import Path

from lab.gate_world import ACCOUNTS, ACTING, GateWorld, gate_world
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


def test_a_form_that_runs_wild_is_limited_and_nothing_is_lost(home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text("[limits.script]\nmessages = { minute = 3 }\n")
    with gate_world(home, f'{ACTING}[judging]\npolicy = "{policy}"\n') as world:
        for number in range(5):
            post_form(world, 3 * number)
        wait_until(lambda: len(world.arrived(SITE)) == 3, "what is within the limit to arrive")
        wait_until(lambda: world.service.ask("status")["gate"]["deferred"] >= 2, "the rest to be put off")
        # Postfix keeps it where programs put it, and tries again a minute later.
        assert len(list((world.home / "spool/maildrop").iterdir())) == 2
        # People write as always.
        assert world.write_home(ACCOUNTS[1]) == (250, "")
        assert len(world.arrived(SITE)) == 3


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
