"""The audit log: rows that hang together, whatever happens to the file or to who writes it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.store.audit import OURSELVES, AuditEntry, Head, MalformedHead, Verified, head_line, read_heads
from outwarden.store.database import StoreUnusable
from outwarden.store.responses import ResponseKind, ResponseState
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).resolve().parents[3]
COLUMNS = ("at", "actor", "action", "object", "before", "after", "reason", "hash")


def written(path: Path, rows: int) -> Head:
    """Write so many rows; return the head."""
    with Store(path) as store, store.writing():
        for number in range(rows):
            store.audit.record(
                actor="anna", action="block-account", object=f"account{number}@isp.example", at=NOW + number * MINUTE,
                before="done", after=f"undone {number}", reason="because",
            )  # fmt: skip
        head = store.audit.head()
    assert head is not None
    return head


def verified(path: Path, *heads: Head) -> Verified:
    with Store(path, read_only=True) as store:
        return store.audit.verify(heads)


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody does who may write it and removes what is in the way."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER audit_stays")
        raw.execute("DROP TRIGGER audit_is_kept")
        yield raw
        raw.commit()


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    head = written(tmp_path / "store.db", 3)
    with Store(tmp_path / "store.db", read_only=True) as store:
        second = AuditEntry(
            2, NOW + MINUTE, "anna", "block-account", "account1@isp.example", "done", "undone 1", "because"
        )
        assert store.audit.entries("Account1@isp.example") == [second]
        assert [each.number for each in store.audit.entries(actor="anna", since=NOW + MINUTE)] == [2, 3]
        assert store.audit.entries(actor="bert") == []
        assert store.audit.head() == head
        assert store.audit.verify([head]) == Verified(3, head, 3, 3, None, "")


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        assert (store.audit.head(), store.audit.verify()) == (None, Verified(0, None, 0, 0, None, ""))


def test_the_log_is_only_added_to(tmp_path: Path) -> None:
    written(tmp_path / "store.db", 2)
    with closing(sqlite3.connect(tmp_path / "store.db")) as raw:
        for change in ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                raw.execute(change)


@settings(max_examples=40, deadline=None)
@given(said=st.tuples(*[st.text(st.characters(codec=None), max_size=20)] * 6))
def test_any_words_can_be_written(said: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> None:
    actor, action, thing, before, after, reason = said
    path = tmp_path_factory.mktemp("words") / "store.db"
    with Store(path) as store:
        with store.writing():
            store.audit.record(
                actor=actor, action=action, object=thing, at=NOW, before=before, after=after, reason=reason
            )
        assert store.audit.verify().broken_at is None
        (entry,) = store.audit.entries()
        assert entry.reason == reason.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", [1, 3, 5])
def test_each_byte_of_each_row_counts(tmp_path: Path, column: str, row: int) -> None:
    path = tmp_path / "store.db"
    written(path, 5)
    with tampering(path) as raw:
        ((kept, kind),) = raw.execute(
            f"SELECT CAST({column} AS BLOB), typeof({column}) FROM audit WHERE id = ?",  # noqa: S608
            (row,),
        ).fetchall()
    back = {"integer": "CAST(CAST(? AS TEXT) AS INTEGER)", "text": "CAST(? AS TEXT)", "blob": "?"}[kind]
    for place in range(len(kept)):
        changed = bytearray(kept)
        changed[place] = changed[place] ^ 1
        with closing(sqlite3.connect(path)) as raw:
            raw.execute(f"UPDATE audit SET {column} = {back} WHERE id = ?", (bytes(changed), row))  # noqa: S608
            raw.commit()
        found = verified(path)
        assert (found.broken_at, found.fits_to) == (row, row - 1), place
        assert found.why == f"row {row} was changed, or the one before it was"


@pytest.mark.parametrize(
    ("change", "broken_at", "why"),
    [
        ("DELETE FROM audit WHERE id = 3", 3, "row 3 is missing: row 4 comes next"),
        ("DELETE FROM audit WHERE id = 1", 1, "row 1 is missing: row 2 comes next"),
        ("UPDATE audit SET reason = CAST(reason AS BLOB) WHERE id = 2", 2, "row 2 is damaged"),
        (
            "UPDATE audit SET reason = CAST(x'ff' AS TEXT) WHERE id = 2",
            2,
            "row 2 was changed, or the one before it was",
        ),
        (
            "UPDATE audit SET id = CASE id WHEN 2 THEN -3 ELSE id END",
            1,
            "row 1 is missing: row -3 comes next",
        ),
        (
            "INSERT INTO audit SELECT 6, at, actor, action, object, before, after, reason, hash FROM audit "
            "WHERE id = 5",
            6,
            "row 6 was changed, or the one before it was",
        ),
    ],
)
def test_what_was_done_to_the_rows_is_named(tmp_path: Path, change: str, broken_at: int, why: str) -> None:
    path = tmp_path / "store.db"
    written(path, 5)
    with tampering(path) as raw:
        raw.execute(change)
    found = verified(path)
    assert (found.broken_at, found.why) == (broken_at, why)


def test_the_last_rows_taken_off_are_noticed_by_an_exported_head(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    head = written(path, 9)
    with tampering(path) as raw:
        raw.execute("DELETE FROM audit WHERE id > 6")
    assert verified(path).broken_at is None, "nothing in the file itself tells"
    found = verified(path, head)
    assert (found.broken_at, found.fits_to) == (7, 6)
    assert found.why == "the log ends at row 6, and had 9 rows when a head was exported"


def test_a_log_written_anew_is_noticed_by_an_exported_head(tmp_path: Path) -> None:
    old, early = written(tmp_path / "old.db", 9), written(tmp_path / "early.db", 4)
    with tampering(tmp_path / "old.db") as raw:
        raw.execute("DELETE FROM audit WHERE id > 6")
    with Store(tmp_path / "old.db") as store, store.writing():
        for _ in range(5):
            store.audit.record(actor="nobody", action="nothing", object="nothing", at=NOW)
    assert verified(tmp_path / "old.db").broken_at is None
    found = verified(tmp_path / "old.db", old, early)
    assert (found.rows, found.proved_to, found.fits_to, found.broken_at) == (11, 4, 8, 9)
    assert "row 9 is another than when its head was exported" in found.why


def test_a_flipped_bit_of_the_file_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    written(path, 5)
    with Store(path, read_only=True) as store:
        before = store.audit.entries()
    whole = path.read_bytes()
    place = whole.index(b"account3@isp.example")
    page = place // 4096 * 4096
    for flipped in range(page, page + 4096):
        if not (page <= flipped < page + 16 or place - 300 <= flipped < place + 300):
            continue
        damaged = bytearray(whole)
        damaged[flipped] ^= 0x10
        path.write_bytes(damaged)
        try:
            with Store(path, read_only=True) as store:
                assert store.audit.verify().broken_at is not None or store.audit.entries() == before, flipped
        except StoreUnusable as fault:
            assert str(path) in str(fault)


def test_heads_are_read_as_they_were_printed() -> None:
    head = Head(12, "ab" * 32)
    assert read_heads(f"\n{head_line(head)}\n{head_line(head)} of Monday\n") == [head, head]
    for text, words in (
        ("x", "begins with no number"),
        ("0 " + "a" * 64, "begins with no number"),
        ("1 abc", "no hash of 64 letters"),
    ):
        with pytest.raises(MalformedHead, match=words):
            read_heads(text)


def test_a_response_and_its_row_are_written_together(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        begun = store.responses.intend(ResponseKind.PAUSE_SERVER, "", "spam", "anna", {}, NOW + MINUTE, NOW)
        store.responses.turn(begun, ResponseState.DONE, NOW + MINUTE, "two transports")
        with store.writing():
            store.responses.go_on(begun, ResponseState.UNDONE, None, NOW + 2 * MINUTE, "enough", by="bert")
        with pytest.raises(ZeroDivisionError), store.writing():
            store.responses.go_on(begun, ResponseState.FAILED, None, NOW, "", by="bert")
            raise ZeroDivisionError
        rows = [(each.actor, each.action, each.object, each.before, each.after) for each in store.audit.entries()]
        assert rows == [
            ("anna", "pause-server", "server", "", "intended until 2026-11-25T03:13:40Z, response 1"),
            (OURSELVES, "pause-server", "server", "intended", "done until 2026-11-25T03:13:40Z, response 1"),
            ("bert", "pause-server", "server", "done", "undone, response 1"),
        ]
        assert [each.reason for each in store.audit.entries()] == ["spam", "two transports", "enough"]
        assert store.audit.verify().rows == 3


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from outwarden.store.responses import ResponseKind, ResponseState
from outwarden.store.store import Store
path, name, times = sys.argv[1:]
now = datetime(2026, 11, 25, tzinfo=UTC)
for number in range(int(times)):
    with Store(Path(path)) as store:
        begun = store.responses.intend(ResponseKind.PAUSE_ACCOUNT, name, "", name, {}, None, now)
        store.responses.turn(begun, ResponseState.DONE, now, str(number))
    print(number, flush=True)
"""


def writer(path: Path, name: str, times: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(times)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


def turns(path: Path) -> int:
    with closing(sqlite3.connect(path)) as raw:
        ((count,),) = raw.execute("SELECT count(*) FROM response_turn").fetchall()
    return int(count)


def test_several_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    writers = [writer(path, name, 20) for name in ("service", "anna", "bert")]
    for each in writers:
        assert each.communicate(timeout=60) and each.returncode == 0
    found = verified(path)
    assert (found.broken_at, found.rows, turns(path)) == (None, 120, 120)


def test_a_kill_in_the_middle_leaves_a_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    for times in range(1, 5):
        killed = writer(path, "service", 100_000)
        assert killed.stdout is not None
        for _ in range(times):
            killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=30)
        with Store(path) as store:
            found = store.audit.verify()
        assert (found.broken_at, found.rows) == (None, turns(path))


def test_a_hundred_thousand_rows_are_verified_in_seconds(tmp_path: Path) -> None:
    head = written(tmp_path / "store.db", 100_000)
    begin = time.monotonic()
    assert verified(tmp_path / "store.db", head).proved_to == 100_000
    assert time.monotonic() - begin < 10
