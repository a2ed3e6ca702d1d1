"""A declared bulk sender's newsletter passes; that of an account that never sent one is held, and let out by probes."""

from pathlib import Path

from lab.gate_world import ACCOUNTS, ACTING, GateWorld, gate_world
from lab.ledger import Ledger, held
from lab.needs import A_POSTFIX
from lab.past_mail import client_of
from lab.waiting import wait_until

pytestmark = A_POSTFIX

CHOIR, CLUB = ACCOUNTS[2], ACCOUNTS[3]
POLICY = f"""
[quantity]
floor = 40
[bulk."{CHOIR}"]
link_domains = ["choir.example"]
"""
READERS = 200
AT_ONCE = 20


def test_a_newsletter_passes_and_another_is_held(home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text(POLICY)
    with gate_world(home, f'{ACTING}[judging]\npolicy = "{policy}"\n') as world:
        assert set(send_to_readers(world, CHOIR, "See https://choir.example/spring\n")) == {(250, "")}
        wait_until(lambda: len(world.arrived(CHOIR)) == READERS, "the newsletter to arrive", 30)
        assert set(send_to_readers(world, CLUB, "The summer party is on Friday.\n")) == {(250, "")}
        (held,) = world.service.ask("status")["accounts"]
        assert (held["account"], held["standing"], held["in_force"]) == (CLUB, "held", True)
        assert "more than go out unseen" in held["finding"] or held["finding"]
        before = len(world.arrived(CLUB))
        assert before < READERS
        # A minute later a probe leaves; a person who knows the club does not wait for more of them.
        world.service.ask("queue", "release", "--account", CLUB, "--reason", "it is the club")
        wait_until(lambda: len(world.arrived(CLUB)) == READERS, "the club's mail to arrive", 30)
        assert world.service.ask("status")["accounts"] == []
        # What a declared sender links to is declared too.
        world.send(CHOIR, ["reader1@bigmail.example"], text="Win at https://prizes.example/\n")
        (held,) = world.service.ask("status")["accounts"]
        assert (held["account"], held["in_force"]) == (CHOIR, True)


def test_one_message_to_five_hundred_and_one_from_elsewhere(home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text(f'[quantity]\nfloor = 40\n[bulk."{CHOIR}"]\nnetworks = ["{client_of(CHOIR, ACCOUNTS)}/32"]\n')
    readers = [f"reader{number}@bigmail.example" for number in range(500)]
    with gate_world(home, f'{ACTING}[judging]\npolicy = "{policy}"\n') as world:
        assert world.send(CHOIR, readers, subject="News") == (250, "")
        wait_until(lambda: sorted(world.arrived(CHOIR)) == sorted(readers), "the newsletter to arrive", 30)
        ledger = Ledger(world.service.store)
        whole = "SELECT count(*) FROM message WHERE recipients = 500"
        wait_until(lambda: ledger.rows(whole) == [(1,)], "it to be one message in the store")
        # From home it may be the choir's or a thief's: a person is to say which.
        assert world.send(CHOIR, readers[:1], client="203.0.113.77", subject="News") == (250, "")
        wait_until(lambda: bool(held(world)), "it to be held")
        (stands,) = world.service.ask("status")["accounts"]
        assert (stands["account"], stands["standing"], stands["in_force"]) == (CHOIR, "held", True)
        assert ledger.rows("SELECT count(*) FROM response_turn WHERE evidence LIKE '%network%not declared%'") == [(1,)]


def test_probes_let_a_newsletter_out(home: Path) -> None:
    policy = home / "policy.toml"
    # As large a first probe as the list, which is trusted so far.
    policy.write_text(f"[quantity]\nfloor = 40\n[probing]\nfirst = {READERS}\ntrust_floor = {2 * READERS}\n")
    with gate_world(home, f'{ACTING}[judging]\npolicy = "{policy}"\n') as world:
        assert set(send_to_readers(world, CLUB, "The summer party is on Friday.\n")) == {(250, "")}
        (held,) = world.service.ask("status")["accounts"]
        assert (held["account"], held["in_force"]) == (CLUB, True)
        wait_until(lambda: len(world.arrived(CLUB)) == READERS, "the club's mail to be let out", 30)
        wait_until(lambda: not world.service.ask("status")["accounts"], "the hold to end", 30)


def send_to_readers(world: GateWorld, account: str, text: str) -> list[tuple[int, str]]:
    readers = [f"reader{number}@bigmail.example" for number in range(READERS)]
    return [
        world.send(account, readers[first : first + AT_ONCE], subject="News", text=text)
        for first in range(0, READERS, AT_ONCE)
    ]
