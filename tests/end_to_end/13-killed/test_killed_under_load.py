"""The service is killed fifty times while people and thieves write: nothing is lost, doubled, or let go."""

import time
from pathlib import Path
from random import Random

from lab.gate_world import ACCOUNTS, ACTING, ROSA, GateWorld, gate_world
from lab.ledger import Ledger, held, settle
from lab.load import load
from lab.needs import A_POSTFIX
from lab.thieves import SPAM_HEADER, Botnet, Mailers, held_by_the_gate
from lab.waiting import wait_until

pytestmark = A_POSTFIX

WHILE_IT_READS_THE_PAST, WHILE_IT_ACTS, WHILE_IT_OBSERVES = 12, 28, 10
HONEST, MAILERS = ACCOUNTS[1:5], ACCOUNTS[5:15]
# Nothing leaves by probes, so whatever leaves was let go by mistake.
POLICY = "[quantity]\nfloor = 5\ntimes_record = 1.0\n[probing]\ntrust_floor = 0\ntrust_times_record = 0.0\n"


def test_killed_while_it_acts(home: Path) -> None:
    """What is held stays held and what is blocked stays blocked, from the moment that anybody was told so."""
    policy = home / "policy.toml"
    policy.write_text(POLICY)
    (home / "conf.d").mkdir()
    (home / "conf.d/filter.toml").write_text(f'[gate]\nverdict_headers = ["{SPAM_HEADER}"]\n')
    settings = f'{ACTING}[judging]\npolicy = "{policy}"\n'
    with gate_world(home, settings, started=False, messages_a_day=40) as world:
        chance = Random(5)
        with load(world, HONEST) as honest:
            _kill_while_the_past_is_read(world, chance)
            with Mailers(world, MAILERS) as mailers, Botnet(world, [ROSA]) as botnet:
                for number in range(1, WHILE_IT_ACTS + 1):
                    time.sleep(chance.uniform(0.1, 1.1))
                    world.service.kill()
                    (world.service.launch if number < WHILE_IT_ACTS else world.service.start)()
                    mailers.one_more()
                wait_until(lambda: botnet.refused_accounts == {ROSA}, "Rosa to be refused")
                wait_until(lambda: _held(world) == set(MAILERS), "all the mailers to be held")
        assert (honest.refused, mailers.refused) == ([], [])
        _nothing_is_let_go(world, mailers, botnet)
        ledger = settle(world, [*honest.taken, *mailers.taken, *botnet.taken])
        _the_journal_says_it_once(ledger)
        assert held_by_the_gate(world.home / "maillog") - held(world) == set()


def test_killed_where_the_mail_server_goes_on_without_it(home: Path) -> None:
    with gate_world(home, settings="", fallback="accept") as world:
        chance = Random(6)
        with load(world, ACCOUNTS[:8]) as writing:
            for _ in range(WHILE_IT_OBSERVES):
                time.sleep(chance.uniform(0.1, 1.2))
                world.service.kill()
                world.service.launch()
        assert (writing.refused, writing.put_off) == ([], 0)
        assert len(writing.taken) > 5 * WHILE_IT_OBSERVES
        settle(world, writing.taken)


def _kill_while_the_past_is_read(world: GateWorld, chance: Random) -> None:
    for number in range(WHILE_IT_READS_THE_PAST):
        world.service.launch()
        wait_until(lambda begun=number + 1: world.service.says("reads ", begun), "the past to be read")  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 0.4))
        world.service.kill()
    assert not world.service.says("the past is read")
    world.service.launch()
    wait_until(lambda: world.service.says("the past is read"), "the past to be read to its end")


def _held(world: GateWorld) -> set[str]:
    accounts = world.service.ask("status")["accounts"]
    return {one["account"] for one in accounts if one["in_force"] and one["standing"] == "held"}


def _nothing_is_let_go(world: GateWorld, mailers: Mailers, botnet: Botnet) -> None:
    """Assert that an account once held or refused stays so; ``taken`` of an account is in its order."""
    on_hold = held_by_the_gate(world.home / "maillog")
    for account in MAILERS:
        ids = [each.queue_id for each in mailers.taken if each.account == account]
        first = next(number for number, queue_id in enumerate(ids) if queue_id in on_hold)
        let_in = [queue_id for queue_id in ids[first:] if queue_id not in on_hold]
        assert let_in == [], f"{account}: {len(let_in)} of {len(ids) - first} since it was held"
    assert botnet.taken_after_a_refusal == []


def _the_journal_says_it_once(ledger: Ledger) -> None:
    holds = ledger.rows("SELECT subject FROM response WHERE kind = 'hold-account' ORDER BY subject")
    assert [account for (account,) in holds if account != ROSA] == sorted(MAILERS)
    assert ledger.rows("SELECT subject FROM response WHERE kind = 'block-account'") == [(ROSA,)]
