"""A theft becomes a case: contained, its owner told in Italian, given back; the third offence needs one level up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world
from lab.needs import A_POSTFIX
from lab.waiting import wait_until

from outwarden.cases.desk import Desk
from outwarden.cases.happening import Evidence, Said, happening_id
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.policy import Role
from outwarden.cases.subscriber import Subscribers, account_subject
from outwarden.cases.troubles import Trouble
from outwarden.sources.message.mark import KEY_BYTES, key_line
from outwarden.store.store import Store

pytestmark = A_POSTFIX

JAN = ACCOUNTS[1]
HOME, OLD = "rosa@home.example", "unknown-rosa@old.example"
SUBSCRIBERS = f"""\
[subscribers.rosa]
name = "Rosa Bianchi"
accounts = ["{ROSA}"]
language = "it"
contacts = [{{ role = "owner", address = "{OLD}" }}, {{ role = "owner", address = "{HOME}" }}]
"""
CASES = """\
[cases]
mode = "act"
[cases.roles]
reader = ["eve"]
desk = ["anna"]
lead = ["kim"]
"""
As = Callable[[str], None]


@pytest.fixture
def acts_as(monkeypatch: pytest.MonkeyPatch) -> As:
    """Say who is behind sudo."""
    return lambda name: monkeypatch.setenv("SUDO_USER", name)


def test_a_theft_becomes_a_case_and_its_owner_is_told(home: Path, acts_as: As) -> None:
    acts_as("anna")
    told = home / "told"
    (home / "subscribers.toml").write_text(SUBSCRIBERS)
    offended_twice(home / "outwarden.db", JAN)
    settings = f'{ACTING}{CASES}[subscribers]\nfile = "{home}/subscribers.toml"\n'
    settings += f'[alarms]\ncommand = ["/bin/sh", "-c", "cat >> {told}"]\n'
    with gate_world(home, settings) as world:
        notices_go_by(world)
        steal(world)
        case = contained(world, told)
        rosa_is_told(world, case)
        given_back(world, case)
        the_third_offence_needs_a_lead(world, acts_as)


def offended_twice(store_path: Path, account: str) -> None:
    """Write two closed cases of the last year."""
    with Store(store_path) as store:
        desk = Desk(store.cases, shipped_playbooks(), Subscribers())
        for days in (200, 100):
            at = datetime.now(UTC) - timedelta(days=days)
            number = happening_id("past", account, days)
            with store.writing():
                turn = desk.hear(
                    Evidence(number, at, Trouble.STOLEN_ACCOUNT, account_subject(account), "stolen", 12.0), at
                )
                assert turn is not None
                said = Said(happening_id(number, "resolve"), at, turn.case.id, "kim", Role.LEAD, "resolve")
                desk.hear(said, at)
                desk.time_comes(at + timedelta(days=31))


def notices_go_by(world: GateWorld) -> None:
    """Have notices handed to this Postfix, whose port is known only now."""
    world.service.stop()
    (world.home / "conf.d").mkdir()
    keys = world.home / "keys"
    keys.write_text(key_line(b"k" * KEY_BYTES))
    keys.chmod(0o600)
    lines = (
        "[mark]",
        f'keys_file = "{keys}"',
        "[notices]",
        'from_name = "Servizio clienti"',
        'from_address = "notices@isp.example"',
        'bounce_address = "notices+{token}@isp.example"',
        f'smtp = "127.0.0.1:{world.postfix.smtp}"',
        'time_zone = "Europe/Rome"',
    )
    (world.home / "conf.d/notices.toml").write_text("\n".join(lines))
    world.service.start()


def steal(world: GateWorld) -> None:
    for number in range(40):
        recipient = f"{'unknown-' if number % 4 == 3 else ''}stranger{number}@bigmail.example"
        world.send(ROSA, [recipient], f"203.0.{number}.9", "You have won", "Go to https://prize.example/claim\n")
    if not cases(world):
        # It is held, and waits for its probes; the desk is quicker.
        world.service.ask("account", "block", ROSA, "--reason", "seen by the desk")


def cases(world: GateWorld) -> list[dict[str, Any]]:
    import json

    lines = world.service.run("--json", "case", "list").stdout.splitlines()
    return [json.loads(line) for line in lines]


def shown(world: GateWorld, case: str) -> dict[str, Any]:
    answer: dict[str, Any] = world.service.ask("case", "show", case)
    return answer


def contained(world: GateWorld, told: Path) -> str:
    wait_until(lambda: any(one["place"] == "by-hand" for one in cases(world)), "the case to call a person")
    (case,) = (one["case"] for one in cases(world))
    tries = {one["what"].split()[0]: one for one in shown(world, case)["tries"]}
    assert tries["block-account"]["answer"] == "done"
    assert tries["queue-hold"]["answer"] == "done"
    assert "nothing here is set up for it" in tries["reset-password"]["words"]
    assert world.write_home(ROSA)[0] == 550
    wait_until(lambda: told.exists() and case in told.read_text(), "the person to be called", 30)
    assert "reset-password" in told.read_text()
    return str(case)


def rosa_is_told(world: GateWorld, case: str) -> None:
    # The service dies, and the case goes on.
    world.service.kill()
    world.service.start()
    world.service.ask("case", "step", case, "contained", "--reason", "new password by telephone")
    wait_until(lambda: letters_to(world, HOME), "the notice in the second mailbox")
    (letter,) = letters_to(world, HOME)
    assert (letter["Content-Language"], letter["Auto-Submitted"]) == ("it", "auto-generated")
    assert str(letter["Outwarden-Notice"]) == case
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert ROSA in text and "password" in text and "555-0100" in text
    first, second = shown(world, case)["notices"]
    assert (first["address"], bool(first["bounced"])) == (OLD, True)
    assert (second["address"], second["state"], second["bounced"]) == (HOME, "taken", None)
    wait_until(lambda: shown(world, case)["place"] == "owner", "the case to wait for the owner")


def letters_to(world: GateWorld, address: str) -> list[EmailMessage]:
    found = []
    for each, octets in zip(list(world.sink.accepted), list(world.sink.letters), strict=False):
        letter = message_from_bytes(octets.removesuffix(b".\r\n"), policy=default)
        if address in each.recipients and isinstance(letter, EmailMessage):
            found.append(letter)
    return found


def given_back(world: GateWorld, case: str) -> None:
    world.service.ask("account", "unblock", ROSA, "--reason", "her telephone is clean")
    wait_until(lambda: shown(world, case)["place"] == "watch", "the case to watch")
    assert "account-given-back: by anna: her telephone is clean" in str(shown(world, case)["timeline"])
    assert world.write_home(ROSA, 3) == (250, "")
    history = world.service.run("account", "history", ROSA).stdout
    assert history.startswith("offences: 1 in 30 days, 1 in 90 days, 1 in 365 days\n")
    assert len(letters_to(world, HOME)) == 1


def the_third_offence_needs_a_lead(world: GateWorld, acts_as: As) -> None:
    world.service.ask("account", "block", JAN, "--reason", "spam again")
    wait_until(lambda: any(one["subscriber"].endswith(JAN) for one in cases(world)), "Jan's case")
    (case,) = (one for one in cases(world) if one["subscriber"].endswith(JAN))
    assert case["offence"] == 3
    refused = world.service.run("account", "unblock", JAN, "--reason", "he is sorry")
    assert refused.returncode == 4
    assert "is offence 3, so it is locked until a lead unlocks it, and anna is desk" in refused.stderr
    assert world.write_home(JAN)[0] == 550
    acts_as("eve")
    for words in (("account", "unblock", JAN, "--wrongly"), ("case", "note", case["case"], "hello")):
        assert "needs desk, and eve is reader" in world.service.run(*words).stderr
    acts_as("kim")
    world.service.ask("account", "unblock", JAN, "--reason", "his contract says so")
    assert world.write_home(JAN, 1) == (250, "")
    assert world.service.run("audit", "verify").returncode == 0
