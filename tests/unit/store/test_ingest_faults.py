"""A checkpoint when something goes wrong: killed, no room on the disk, held by another program."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.store.mail import NOW, ROSA, SECOND, attempted, submitted

from outwarden.events import Event
from outwarden.store.database import StoreUnusable
from outwarden.store.ingest import Checkpoint, Written
from outwarden.store.store import Store
from outwarden.store.sums import Step

DIES_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from tests.unit.store.test_ingest_faults import checkpoint
from outwarden.store.store import Store

with Store(Path(sys.argv[1])) as store:
    store.ingest.write(checkpoint(1))
    left = int(sys.argv[2])
    def count(statement):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    store._database._connection.set_trace_callback(count)
    store.ingest.write(checkpoint(2))
    print("written")
"""


def checkpoint(number: int) -> Checkpoint:
    """Thirty messages delivered, and all else that a checkpoint has; no two share an event."""
    events: list[Event] = []
    for one in range(30):
        queue_id, at = f"{number}-{one}", NOW + one * SECOND
        events += [submitted(queue_id, f"a{number}{one % 7}@isp.example", at), attempted(queue_id, at=at)]
    mark = b"%d" % number
    return Checkpoint(NOW, events, [(ROSA, mark * number * 20_000)], (), mark, {"log": mark}, {"state": mark})


def kept(store: Store) -> tuple[object, ...]:
    sums = [store.sums.of_server(step, NOW - SECOND)[0].counts for step in Step]
    return (
        len({(each.messages, each.recipients, each.delivered) for each in sums}),
        sums[0].messages,
        sums[0].delivered,
        sum(store.ingest.known(checkpoint(2).events)),
        dict(store.account_records.all())[ROSA][:1],
        store.account_records.shared_state(),
        store.ingest.positions(),
        store.ingest.states(),
    )


BEFORE = (1, 30, 30, 0, b"1", b"1", {"log": b"1"}, {"state": b"1"})
AFTER = (1, 60, 60, 60, b"2", b"2", {"log": b"2"}, {"state": b"2"})


@pytest.mark.parametrize("statements", [1, 2, 9, 60, 150, 240, 290, 340, 5000])
def test_who_is_killed_while_writing_leaves_all_or_nothing(tmp_path: Path, statements: int) -> None:
    path = tmp_path / "outwarden.db"
    child = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_WRITING, path, str(statements)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.returncode in (0, -signal.SIGKILL), child.stderr
    with Store(path) as store:
        found = kept(store)
        assert found == (AFTER if child.stdout else BEFORE)
        store.ingest.write(checkpoint(2))
        assert kept(store) == AFTER
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()


def test_without_room_nothing_is_written_and_with_room_all_of_it(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        store.ingest.write(checkpoint(1))
        ((pages,),) = store._database.rows("PRAGMA page_count")
        store._database.rows(f"PRAGMA max_page_count = {pages + 2}")
        for _ in range(2):
            with pytest.raises(StoreUnusable, match="full; make room on the disk"):
                store.ingest.write(checkpoint(2))
            assert kept(store) == BEFORE
        store._database.rows("PRAGMA max_page_count = 100000")
        assert store.ingest.write(checkpoint(2)) == Written(60, 0)
        assert kept(store) == AFTER


def test_names_of_a_checkpoint_that_failed_are_not_taken_for_written(tmp_path: Path) -> None:
    """Their numbers go to others: an account would have the mail of another one."""
    with Store(tmp_path / "outwarden.db") as store:
        failing = Checkpoint(NOW, [submitted(account="gone@isp.example")], states={"x": None})  # type: ignore[dict-item]
        with pytest.raises(StoreUnusable):
            store.ingest.write(failing)
        store.ingest.write(Checkpoint(NOW, [submitted("4B", "other@isp.example")]))
        store.ingest.write(Checkpoint(NOW, [submitted("5C", "gone@isp.example")]))
        assert [each.queue_id for each in store.messages.of_account("gone@isp.example", NOW - SECOND, 9)] == ["5C"]
        assert [each.queue_id for each in store.messages.of_account("other@isp.example", NOW - SECOND, 9)] == ["4B"]


def test_what_another_program_holds_is_written_when_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "outwarden.db"
    with Store(path) as store:
        store.ingest.write(checkpoint(1))
        store._database.rows("PRAGMA busy_timeout = 20")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnusable, match="another program holds it; try again"):
            store.ingest.write(checkpoint(2))
        assert kept(store) == BEFORE, "who only reads need not wait"
        other.execute("ROLLBACK")
        other.close()
        assert store.ingest.write(checkpoint(2)) == Written(60, 0)
        assert kept(store) == AFTER
