"""Records of accounts in the store: saved together or not at all, and read back whatever one of them holds."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.detection.live.encoding import encode_record
from outwarden.detection.live.record import AccountRecord, new_record
from outwarden.detection.live.records import Records
from outwarden.events import AccountKind
from outwarden.store.database import StoreUnusable
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)
DAY = timedelta(days=1)
ROSA, HUGO = "rosa@isp.example", "hugo@isp.example"

SAVES_FOREVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from outwarden.store.store import Store

with Store(Path(sys.argv[1])) as store:
    number = 0
    while True:
        number += 1
        whole = b"%d." % number * 400
        store.account_records.save(((f"account{one}", whole[: 300 + 8 * one]) for one in range(200)), datetime.now(UTC))
        print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "outwarden.db") as opened:
        yield opened


def record_of(account: str, messages: int = 0) -> AccountRecord:
    record = new_record(account, AccountKind.LOGIN, NOW.timestamp())
    record.messages = messages
    return record


def records_of(*accounts: str) -> Records:
    records = Records()
    for account in accounts:
        records.put(record_of(account))
    return records


def test_what_was_saved_is_loaded(store: Store) -> None:
    records = records_of(ROSA, HUGO)
    store.account_records.save(records.changed(), NOW)
    records.put(record_of(ROSA, messages=3))
    store.account_records.save(records.changed(), NOW)
    loaded = Records(store.account_records.all())
    assert list(loaded.all()) == list(records.all())
    assert loaded.get(ROSA) == record_of(ROSA, messages=3)


@pytest.mark.parametrize("account", ["", "rósa@isp.example", "nul\0nul", "\udcff", "x" * 10_000])
def test_any_name_of_an_account_comes_back(store: Store, account: str) -> None:
    records = Records()
    records.get_or_new(account, AccountKind.LOCAL, 0.0)
    store.account_records.save(records.changed(), NOW)
    assert list(Records(store.account_records.all()).all()) == list(records.all())


def test_nothing_is_saved_where_one_of_them_fails(store: Store) -> None:
    store.account_records.save([(ROSA, b"before")], NOW)
    with pytest.raises(StoreUnusable, match="NOT NULL"):
        store.account_records.save([(ROSA, b"after"), (HUGO, None)], NOW)  # type: ignore[list-item]
    assert list(store.account_records.all()) == [(ROSA, b"before")]


@pytest.mark.parametrize(
    ("saved", "reason"),
    [
        (b"", "an empty record"),
        (b"\x63" + encode_record(record_of(HUGO))[1:], "a record of version 99; this program reads version 1"),
        (encode_record(record_of(HUGO))[:-1], "a record that cannot be read: Input data was truncated"),
        (b"\x01\xc0", "a record that cannot be read: Expected `array`, got `None`"),
    ],
)
def test_what_cannot_be_read_is_kept_aside(store: Store, saved: bytes, reason: str) -> None:
    store.account_records.save([(HUGO, saved), (ROSA, encode_record(record_of(ROSA)))], NOW)
    records = Records(store.account_records.all())
    assert records.get(HUGO) is None
    assert records.get(ROSA) == record_of(ROSA)
    begun_anew = records.get_or_new(HUGO, AccountKind.LOGIN, NOW.timestamp())
    (found,) = records.unreadable()
    assert found == (HUGO, saved, reason)
    store.account_records.save(records.changed(), NOW, [found])
    assert store.account_records.unreadable() == 1
    assert Records(store.account_records.all()).get(HUGO) == begun_anew
    assert records.unreadable() == []


def test_an_account_that_does_not_begin_anew_is_gone_from_the_others(store: Store) -> None:
    store.account_records.save([(HUGO, b"?")], NOW)
    records = Records(store.account_records.all())
    assert records.get(HUGO) is None
    store.account_records.save(records.changed(), NOW, records.unreadable())
    assert list(store.account_records.all()) == []
    assert store.account_records.unreadable() == 1


def test_who_is_not_heard_of_is_forgotten(store: Store) -> None:
    store.account_records.save(records_of(ROSA, HUGO).changed(), NOW, [("x", b"?", "an empty record")])
    store.account_records.save(records_of(ROSA).changed(), NOW + 30 * DAY)
    assert store.account_records.forget(60, NOW + 60 * DAY) == 0
    assert store.account_records.forget(60, NOW + 61 * DAY) == 1
    assert [account for account, _ in store.account_records.all()] == [ROSA]
    assert store.account_records.unreadable() == 0


@pytest.mark.parametrize("saves", [1, 2, 5, 9, 20])
def test_who_is_killed_while_saving_leaves_no_half_set(tmp_path: Path, saves: int) -> None:
    """The child is somewhere in a later save when it is killed."""
    path = tmp_path / "outwarden.db"
    told = 0
    with subprocess.Popen([sys.executable, "-c", SAVES_FOREVER, path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(saves):
            told = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        told = max([told, *map(int, child.stdout.read().split())])
    with Store(path) as store:
        kept = list(store.account_records.all())
    assert len(kept) == 200
    (number,) = {int(record.partition(b".")[0]) for _, record in kept}
    assert number in (told, told + 1), "at most the save that was not yet told of"
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()
