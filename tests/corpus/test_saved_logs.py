"""Generated Postfix logs, saved and restored at random bytes, keep their events; so does the journal of them."""

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.corpus.test_generated_logs import FORMS, GENERATOR

from outwarden.events import Event
from outwarden.sources.logs.reading import MixedLog

NEWEST = datetime(2026, 11, 24, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not GENERATOR.exists(), reason="the shared log generator is not beside the project")


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: f"seed {form[0]}, {form[1]}, {form[2]}")
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    seed, stamp, queue_id = request.param
    log = tmp_path_factory.mktemp("generated") / "mail.log"
    arguments = ["--lines", "20000", "--seed", str(seed), "--stamp", stamp, "--qid", queue_id]
    command = [sys.executable, GENERATOR, *arguments, "--out", log, "--truth", Path(f"{log}.json")]
    subprocess.run(command, check=True, capture_output=True)
    return log.read_bytes()


def in_the_journal(log: bytes) -> bytes:
    entries = []
    for number, line in enumerate(log.decode().splitlines()):
        head, _, message = line.partition("]: ")
        program, _, pid = head.rpartition(" ")[2].partition("[")
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(milliseconds=100 * number)
        entry = {
            "__REALTIME_TIMESTAMP": f"{at.timestamp() * 1e6:.0f}",
            "SYSLOG_IDENTIFIER": program,
            "_PID": pid,
            "MESSAGE": message,
        }
        entries.append(json.dumps(entry))
    return "\n".join(entries).encode()


def read(content: bytes, cuts: list[int], *, saving: bool) -> tuple[list[Event], tuple[object, ...]]:
    log = MixedLog(NEWEST)
    events: list[Event] = []
    for begin, end in pairwise((0, *cuts, len(content))):
        events += log.feed(content[begin:end])
        if saving:
            log = MixedLog.restored(log.saved(), NEWEST)
    events += log.finish()
    return events, (log.lines, log.lines_understood, log.lines_not_understood, log.lines_of_other_programs)


@pytest.mark.parametrize("journal", [False, True], ids=["a file", "the journal"])
def test_saved_at_random_bytes(generated: bytes, journal: bool) -> None:
    content = in_the_journal(generated) if journal else generated
    cuts = sorted(random.Random(1).sample(range(len(content)), 40))
    events, counts = read(content, cuts, saving=True)
    assert (events, counts) == read(content, cuts, saving=False)
    assert len(events) > 5000
    assert (counts[0], counts[2]) == (20000, 0)
