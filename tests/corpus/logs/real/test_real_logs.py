"""What real mail servers wrote in the stories of tests/end_to_end, kept so that every machine can read it.

``NAME.in`` is the log; ``NAME.expected.json`` is not what a reader once made of it, but what the story
has sent and been answered.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Attempted
from outwarden.sources.logs.account_table import AccountCounts, AccountTable, network_of
from outwarden.sources.logs.reading import MixedLog

CASES = sorted(Path(__file__).parent.glob("*.in"))


def told(row: AccountCounts) -> dict[str, object]:
    clients = row.clients()
    return {
        "kind": row.kind,
        "messages": row.messages,
        "recipients": row.recipients,
        "delivered": row.delivered,
        "deferred_attempts": row.deferred_attempts,
        "bounced": row.bounced,
        "expired": row.expired,
        "bounces_returned": row.bounces_returned,
        "refused": {str(name): count for name, count in (row.refused or {}).items()},
        "client_addresses": len(clients),
        "networks": len({network_of(client) for client in clients}),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
@pytest.mark.parametrize("block_size", [1 << 20, 700], ids=["whole", "cut"])
def test_what_the_story_knows(case: Path, block_size: int) -> None:
    expected = json.loads(case.with_suffix(".expected.json").read_text())
    log, table = MixedLog(newest=datetime(2026, 12, 1, tzinfo=UTC)), AccountTable()
    written = case.read_bytes()
    events = [
        event for begin in range(0, len(written), block_size) for event in log.feed(written[begin : begin + block_size])
    ] + log.finish()
    for event in events:
        table.add(event)
    accounts = {row.account: told(row) for row in table}
    assert set(accounts) == set(expected["accounts"])
    for account, counts in expected["accounts"].items():
        assert {field: accounts[account][field] for field in counts} == counts, account
    listings = [event for event in events if isinstance(event, Attempted) and event.outbound and event.listing]
    assert Counter(f"{event.listing} {event.listed}" for event in listings) == expected["listings"]
    assert log.lines_not_understood == expected["lines_not_understood"]
