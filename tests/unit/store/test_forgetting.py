"""What is over its time goes, a slice at a time, and nothing else does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.store.mail import (
    DAY,
    HOUR,
    HUGO,
    NOW,
    ROSA,
    attempted,
    complained,
    login,
    one_of_each,
    returned,
    submitted,
)

from outwarden.store.ingest import Checkpoint, Retention, Written
from outwarden.store.store import Store
from outwarden.store.sums import Step

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RETENTION = Retention(14, 90, 800)
TABLES = ("message", "attempt", "feedback", "login", "login_sums", "sums", "name")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "outwarden.db") as opened:
        yield opened


def forget_all(store: Store, now: datetime, most_rows: int = 5_000) -> int:
    gone = 0
    while slice_of := store.ingest.forget(now, RETENTION, most_rows):
        gone += slice_of
    return gone


def rows(store: Store) -> dict[str, int]:
    return {table: store._database.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def steps(store: Store) -> list[int]:
    return [len(store.sums.of_account(ROSA, step, LONG_AGO)) for step in Step]


def test_each_goes_in_its_time(store: Store) -> None:
    store.ingest.write(Checkpoint(NOW, [*one_of_each(), complained("", at=NOW), attempted("", at=NOW)]))
    assert forget_all(store, NOW + 14 * DAY) == 0
    assert forget_all(store, NOW + 14 * DAY + 2 * HOUR) == 8
    assert store.messages.by_queue_id("mx1", "3A") == []
    assert (rows(store)["attempt"], rows(store)["feedback"], rows(store)["login"]) == (0, 0, 0)
    assert (steps(store), rows(store)["login_sums"]) == ([2, 2, 1], 1)
    forget_all(store, NOW + 91 * DAY)
    assert (steps(store), rows(store)["login_sums"]) == ([0, 0, 1], 0)
    forget_all(store, NOW + 804 * DAY)
    assert rows(store) == dict.fromkeys(TABLES, 0)
    assert forget_all(store, NOW + 804 * DAY) == 0


def test_attempts_go_with_their_message(store: Store) -> None:
    store.ingest.write(
        Checkpoint(NOW + 4 * DAY, [submitted(), attempted(at=NOW + 4 * DAY), returned(at=NOW + 4 * DAY)])
    )
    store.ingest.write(Checkpoint(NOW + 4 * DAY, [submitted("4B", at=NOW + DAY), attempted("4B", at=NOW + 4 * DAY)]))
    assert forget_all(store, NOW + 14 * DAY + HOUR) == 3
    (left,) = store.messages.of_account(ROSA, LONG_AGO, 9)
    assert (left.queue_id, len(left.attempts), rows(store)["attempt"]) == ("4B", 1, 1)


@pytest.mark.parametrize("most_rows", [1, 2, 3, 7, 1000])
def test_slices_are_of_the_size_asked_for(store: Store, most_rows: int) -> None:
    events = [
        event
        for number in range(6)
        for event in (submitted(str(number)), *(attempted(str(number), f"{one}@far.example") for one in range(number)))
    ]
    store.ingest.write(Checkpoint(NOW, [*events, submitted("young", at=NOW + 10 * DAY), login()]))
    gone = []
    while slice_of := store.ingest.forget(NOW + 20 * DAY, RETENTION, most_rows):
        gone.append(slice_of)
        (broken,) = store._database.rows("SELECT count(*) FROM pragma_foreign_key_check")
        assert broken == (0,)
    assert sum(gone) == 6 + 15 + 1
    assert all(slice_of == most_rows for slice_of in gone[:-1])
    assert [message.queue_id for message in store.messages.of_account(ROSA, LONG_AGO, 9)] == ["young"]


def test_what_is_forgotten_and_read_again_is_summed_no_second_time(store: Store) -> None:
    events = one_of_each()
    store.ingest.write(Checkpoint(NOW, events))
    forget_all(store, NOW + 20 * DAY)
    before = [store.sums.of_server(step, LONG_AGO) for step in Step]
    assert store.ingest.write(Checkpoint(NOW + 20 * DAY, events)) == Written(0, 0, out_of_time=6)
    assert [store.sums.of_server(step, LONG_AGO) for step in Step] == before


def test_a_clock_that_ran_ahead_keeps_nothing_new_out(store: Store) -> None:
    forget_all(store, NOW + 5000 * DAY)
    assert store.ingest.write(Checkpoint(NOW, [submitted(at=NOW - HOUR)])) == Written(1, 0)
    forget_all(store, NOW)
    assert store.ingest.write(Checkpoint(NOW, [submitted("4B", HUGO, NOW - 10 * DAY)])) == Written(1, 0)


def test_names_in_use_stay(store: Store) -> None:
    for days in range(0, 1000, 10):
        at = NOW + days * DAY
        store.ingest.write(Checkpoint(at, [submitted(str(days), at=at), attempted(str(days), at=at)]))
        forget_all(store, at)
    (newest, earlier) = store.messages.of_account(ROSA, LONG_AGO, 9)
    assert (newest.host, earlier.attempts[0].outcome) == ("mx1", "delivered")
    assert len(store.sums.of_account(ROSA, Step.DAY, LONG_AGO)) == 81


def test_the_file_grows_no_further_once_as_much_goes_as_comes(store: Store) -> None:
    pages = []
    for day in range(20):
        begin = NOW + day * DAY
        times = [begin + number * timedelta(minutes=10) for number in range(100)]
        ids = [f"{day}-{number}" for number in range(100)]
        events = [
            *(submitted(queue_id, at=at) for queue_id, at in zip(ids, times, strict=True)),
            *(attempted(queue_id, at=at, reply="250 OK" * 9) for queue_id, at in zip(ids, times, strict=True)),
        ]
        store.ingest.write(Checkpoint(begin + DAY, events))
        while store.ingest.forget(begin + DAY, Retention(5, 5, 5), 100):
            pass
        pages.append(store._database.rows("PRAGMA page_count")[0][0])
    assert pages[19] <= pages[9] * 1.1
