"""No gate: a theft that only the log shows is stopped in the mail server itself, and taken back by one command."""

from pathlib import Path

from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world, letter
from lab.needs import A_POSTFIX
from lab.past_mail import friends_of
from lab.waiting import wait_until

pytestmark = A_POSTFIX

NO_GATE = 'undecided = "defer"'


def test_a_theft_in_the_log_alone(home: Path) -> None:
    with gate_world(home, ACTING, gate=NO_GATE) as world:
        send_spam_until_blocked(world)
        wait_until(lambda: world.write_home(ROSA) == (250, ""), "Rosa's mail to be taken")
        # The pause of an account lets Postfix take its mail, and keeps it.
        wait_until(lambda: bool(on_hold(world)), "her mail to be on hold", 30)
        arrived = len(world.arrived(ROSA))
        assert world.write_home(ACCOUNTS[1]) == (250, "")
        wait_until(lambda: bool(world.arrived(ACCOUNTS[1])), "Jan's mail to arrive")
        assert len(world.arrived(ROSA)) == arrived
        world.service.ask("account", "unblock", ROSA, "--reason", "her password is changed", "--wrongly")
        wait_until(lambda: not on_hold(world), "what was held to leave", 30)
        assert world.write_home(ROSA, 1) == (250, "")
        wait_until(lambda: "friend1-of-rosa@bigmail.example" in world.arrived(ROSA), "her mail to arrive", 30)
        assert pauses(world) == ""


def test_who_was_connected_when_a_pause_ended(home: Path) -> None:
    """Such a session goes on by the settings of before: Postfix puts on hold what it hands in."""
    with gate_world(home, ACTING, gate=NO_GATE) as world:
        world.service.ask("pause", "--account", ROSA, "--reason", "a look at her mail")
        with world.session(ROSA) as session:
            world.service.ask("resume", "--account", ROSA)
            (friend,) = recipients = [friends_of(ROSA)[0]]
            session.sendmail(ROSA, recipients, letter(ROSA, recipients, "As ever", "See you.\n"))
            assert on_hold(world)
        wait_until(lambda: friend in world.arrived(ROSA), "her mail to arrive")


def send_spam_until_blocked(world: GateWorld) -> None:
    for number in range(400):
        recipient = f"{'unknown-' if number % 3 == 2 else ''}stranger{number}@bigmail.example"
        world.send(ROSA, [recipient], f"203.0.{number % 50}.7", "You have won", "https://prize.example/claim\n")
        if number % 20 == 19 and any(one["in_force"] for one in world.service.ask("status")["accounts"]):
            break
    wait_until(lambda: paused(world), "Rosa to be paused", 30)


def paused(world: GateWorld) -> bool:
    return ROSA in pauses(world)


def pauses(world: GateWorld) -> str:
    return world.service.run("--json", "pause", "--list").stdout


def on_hold(world: GateWorld) -> list[str]:
    return [line for line in world.postfix.run("postqueue", "-j").splitlines() if '"queue_name": "hold"' in line]
