"""Generated Postfix logs with their truth: every account's counts are exact, however the log is read."""

import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from outwarden.service.counting import count_accounts
from outwarden.service.log_reading import log_sources
from outwarden.sources.logs.account_table import AccountTable
from outwarden.sources.logs.reading import MixedLog

GENERATOR = Path(__file__).parents[3] / "shared" / "loggen" / "gen.py"
FORMS = [(3, "rfc3164", "short"), (4, "iso", "long"), (5, "rfc3164", "long"), (6, "iso", "short")]

pytestmark = pytest.mark.skipif(not GENERATOR.exists(), reason="the shared log generator is not beside the project")

Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: f"seed {form[0]}, {form[1]}, {form[2]}")
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    seed, stamp, queue_id = request.param
    folder = tmp_path_factory.mktemp("generated")
    log, truth = folder / "mail.log", folder / "truth.json"
    arguments = ["--lines", "60000", "--seed", str(seed), "--stamp", stamp, "--qid", queue_id]
    command = [sys.executable, GENERATOR, *arguments, "--out", log, "--truth", truth]
    subprocess.run(command, check=True, capture_output=True)
    return log, json.loads(truth.read_text())["senders"]


def rows_of(table: AccountTable) -> Rows:
    return {
        row.account: {
            "messages": row.messages,
            "recipients": row.recipients,
            "sent": row.delivered,
            "deferred": row.deferred_attempts,
            "bounced": {str(name): count for name, count in sorted((row.refused or {}).items())},
            "expired": row.expired,
            "ndr": row.bounces_returned,
        }
        for row in table
    }


def test_events_read_whole(generated: tuple[Path, Rows]) -> None:
    log, truth = generated
    reader, table = MixedLog(datetime.now(UTC)), AccountTable()
    for event in reader.feed(log.read_bytes()) + reader.finish():
        table.add(event)
    assert rows_of(table) == truth
    assert (reader.lines, reader.lines_not_understood) == (60000, 0)


def test_events_followed_live_in_random_chunks(generated: tuple[Path, Rows]) -> None:
    log, truth = generated
    reader, table, chance = MixedLog(datetime.now(UTC)), AccountTable(), random.Random(1)
    text, at = log.read_bytes(), 0
    while at < len(text):
        size = chance.choice((1, 7, 80, 500, 5000, 70000))
        for event in reader.feed(text[at : at + size]):
            table.add(event)
        at += size
    for event in reader.finish():
        table.add(event)
    assert rows_of(table) == truth


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_counts(generated: tuple[Path, Rows], jobs: int) -> None:
    log, truth = generated
    counting = count_accounts(log_sources([str(log)]), jobs=jobs)
    assert rows_of(counting.table) == truth
    assert counting.lines == 60000
