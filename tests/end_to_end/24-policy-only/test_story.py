"""A site that can run no milter: Postfix asks the policy service alone, which sees envelopes and no text.

A stolen account is held all the same, by where it writes from, to whom, and what the world answers.
"""

import json
from pathlib import Path

import lab.postfix
import pytest
from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.waiting import wait_until

pytestmark = A_POSTFIX

JAN, CHOIR = ACCOUNTS[1:3]
PASTED = (Path(__file__).parents[3] / "packaging/postfix/outwarden-policy-service.cf").read_text()
POLICY = f'[bulk."{CHOIR}"]\n[limits.bulk]\nrecipients = {{ hour = 3 }}\n'
LEAK_AT_MOST = 20
BOTNET = 40


def test_hold_refuse_and_put_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = "".join(f"{line[1:]}\n" for line in PASTED.splitlines() if line.startswith("#   -o"))
    before = "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n127.0.0.1:{filtered}"
    assert lab.postfix._MASTER.count(before) == 1
    monkeypatch.setattr(lab.postfix, "_MASTER", lab.postfix._MASTER.replace(before, options + before))
    (home / "policy.toml").write_text(POLICY)
    door = home / "policy.sock"
    gate = f'policy_service = "unix:{door}"\ngroup = "postfix"\ndeadline_milliseconds = 0'
    settings = f'{ACTING}[judging]\npolicy = "{home}/policy.toml"\n'
    pasted = PASTED.replace("unix:outwarden/policy.sock", f"unix:{door}")
    assert pasted != PASTED
    with gate_world(home, settings, gate, pasted) as world:
        assert world.write_home(ROSA) == (250, "")
        botnet_sends(world)
        wait_until(lambda: not waits_to_leave(world), "the queue to be empty but for what is held")
        leaked = [one for one in world.arrived(ROSA) if one.startswith("stranger")]
        assert 0 < len(leaked) <= LEAK_AT_MOST
        assert on_hold(world)
        assert [(one["account"], one["in_force"]) for one in world.service.ask("status")["accounts"]] == [(ROSA, True)]

        world.service.ask("account", "block", ROSA, "--reason", "seen by the desk")
        code, words = world.write_home(ROSA, 2)
        assert code == 550
        assert "Recipient address rejected: This account may send no mail for now: " in words
        assert "555-0100" in words
        assert "reference OW-" in words

        assert world.send(CHOIR, ["ann@bigmail.example", "bob@bigmail.example"]) == (250, "")
        code, words = world.send(CHOIR, ["cy@bigmail.example", "dan@bigmail.example"])
        assert code == 451
        assert "<END-OF-MESSAGE>: End-of-data rejected: A limit of this account is reached: " in words

        assert world.write_home(JAN) == (250, "")
        wait_until(lambda: bool(world.arrived(JAN)) and len(world.arrived(CHOIR)) == 2, "the others' mail to arrive")
        counts = world.service.ask("status")["gate"]
        assert counts["refused_early"] >= 1
        assert counts["deferred"] == 1

        world.service.ask("queue", "delete", "--account", ROSA, "--reason", "spam")
        world.service.ask("account", "unblock", ROSA, "--reason", "her password is changed")
        assert world.write_home(ROSA, 3) == (250, "")
        wait_until(lambda: "friend3-of-rosa@bigmail.example" in world.arrived(ROSA), "Rosa's mail to arrive")
        assert on_hold(world) == []


def botnet_sends(world: GateWorld) -> None:
    for number in range(BOTNET):
        recipient = f"{'unknown-' if number % 4 == 3 else ''}stranger{number}@bigmail.example"
        code, words = world.send(ROSA, [recipient], f"203.0.{number}.9", "You have won", "Claim it now.\n")
        assert code in (250, 550), words


def queue(world: GateWorld) -> list[dict[str, str]]:
    return [json.loads(line) for line in world.postfix.run("postqueue", "-j").splitlines()]


def on_hold(world: GateWorld) -> list[dict[str, str]]:
    return [one for one in queue(world) if one["queue_name"] == "hold"]


def waits_to_leave(world: GateWorld) -> bool:
    return len(on_hold(world)) < len(queue(world))
