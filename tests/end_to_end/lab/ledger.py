"""Settles accounts at the end of a story: what the mail server accepted against the store, the queue and the world."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lab.gate_world import GateWorld
from lab.load import Taken
from lab.waiting import wait_until

_ENDS = "('delivered', 'bounced', 'expired')"
_OPEN = "('intended', 'failed', 'observed', 'asked', 'capped', 'done')"


class Ledger:
    """What the store holds, read beside the service."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Return what a query finds."""
        path = f"{self._store.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as store:
            return store.execute(sql, values).fetchall()

    def messages(self, *, submitted: bool) -> Counter[str]:
        """Return how often each queue ID has a row; of those whose submission was seen, or of the others."""
        which = "IS NOT NULL" if submitted else "IS NULL"
        return Counter(
            str(queue_id)
            for (queue_id,) in self.rows(f"SELECT queue_id FROM message WHERE event_id {which}")  # noqa: S608
            if not str(queue_id).startswith("PAST")
        )

    def ends(self) -> Counter[str]:
        """Return how many final attempts each queue ID has."""
        return Counter(
            str(queue_id)
            for (queue_id,) in self.rows(
                "SELECT queue_id FROM attempt JOIN message ON message.number = attempt.message "  # noqa: S608
                f"JOIN name ON name.number = outcome WHERE name IN {_ENDS}"
            )
            if not str(queue_id).startswith("PAST")
        )

    def orphaned_attempts(self) -> int:
        """Return how many attempts belong to no message."""
        ((number,),) = self.rows("SELECT count(*) FROM attempt WHERE message IS NULL")
        assert isinstance(number, int)
        return number

    def doubled_responses(self) -> list[tuple[object, ...]]:
        """Return what stands twice about the same subject in the journal."""
        return self.rows(
            "SELECT kind, subject, count(*) FROM response JOIN response_turn AS turn ON turn.id = "  # noqa: S608
            "(SELECT max(id) FROM response_turn WHERE response = response.id) "
            f"WHERE kind IN ('hold-account', 'block-account') AND state IN {_OPEN} GROUP BY 1, 2 HAVING count(*) > 1"
        )

    def sums_agree(self) -> None:
        """Assert that each account's sums of every step are those of its rows."""
        rows = {
            account: counts
            for account, *counts in self.rows(
                "SELECT account, count(*), sum(recipients), (SELECT count(*) FROM attempt JOIN message AS m ON "
                "m.number = attempt.message JOIN name ON name.number = outcome WHERE name = 'delivered' AND "
                "m.account = message.account) FROM message WHERE event_id IS NOT NULL GROUP BY account"
            )
        }
        for step in (5, 60, 1440):
            sums = {
                account: counts
                for account, *counts in self.rows(
                    "SELECT name, sum(messages), sum(recipients), sum(delivered) FROM sums "
                    "WHERE subject = 1 AND step = ? GROUP BY name",
                    step,
                )
            }
            assert sums == rows, f"step {step}"


def waiting_to_leave(world: GateWorld) -> list[str]:
    """Return the queue IDs that wait and are not held."""
    return [one["queue_id"] for one in _queue(world) if one["queue_name"] != "hold"]


def held(world: GateWorld) -> set[str]:
    """Return the queue IDs on hold."""
    return {one["queue_id"] for one in _queue(world) if one["queue_name"] == "hold"}


def settle(world: GateWorld, taken: Sequence[Taken], seconds: float = 60) -> Ledger:
    """Assert that nothing was lost or doubled anywhere; the service runs and is stopped at the end."""
    ledger = Ledger(world.service.store)
    wait_until(lambda: not waiting_to_leave(world), "the queue to be empty but for what is held", seconds)
    kept = held(world)
    gone = Counter(each.queue_id for each in taken if each.queue_id not in kept)
    wait_until(lambda: _is_read(ledger, gone), "the log to be read", seconds)
    # It may have been started a moment ago, and not be at its socket yet.
    wait_until(lambda: world.service.answers(), "the service to answer", seconds)
    wait_until(lambda: bool(world.service.ask("status")["logs"][0]["caught_up"]), "the log to be caught up", seconds)
    # What is heard late, and would be too much, is written by now.
    assert world.service.stop() == 0
    stored, handed_in = ledger.messages(submitted=True), Counter(each.queue_id for each in taken)
    assert (stored - handed_in, handed_in - stored) == (Counter(), Counter())
    assert ledger.messages(submitted=False) == Counter()
    assert ledger.ends() == gone
    assert ledger.orphaned_attempts() == 0
    assert ledger.doubled_responses() == []
    ledger.sums_agree()
    arrived = Counter(each.message_id for each in world.sink.accepted if each.message_id)
    assert arrived == Counter(each.message_id for each in taken if each.queue_id not in kept)
    return ledger


def _is_read(ledger: Ledger, gone: Counter[str]) -> bool:
    return ledger.ends().total() >= gone.total()


def _queue(world: GateWorld) -> list[dict[str, str]]:
    return [json.loads(line) for line in world.postfix.run("postqueue", "-j").splitlines()]
