"""The store on a real SQLite file: schema, lock, whole transactions, and what stands in it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.detection.listing_changes import Turn
from outwarden.detection.listing_state import Asked
from outwarden.events import ListAnswer, ListAnswerKind, WhyNot
from outwarden.store import database
from outwarden.store.database import Database, StoreUnusable, microseconds, moment
from outwarden.store.delistings import NoSuchListing, RequestRefused
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
LISTED, UNLISTED, UNASKED = ListAnswerKind
US = "192.0.2.1"


def answer(kind: ListAnswerKind, target: str = US, listed_by: str = "big") -> ListAnswer:
    return ListAnswer(
        target,
        listed_by,
        f"{listed_by}.example",
        kind,
        codes=("127.0.0.2", "127.0.0.4") if kind is LISTED else (),
        meaning="spam source",
        text="see our page" if kind is LISTED else None,
        why_not=WhyNot.TIMEOUT if kind is UNASKED else None,
        major=True,
        delisting="https://big.example/remove",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "outwarden.db"


def take(store: Store, kind: ListAnswerKind, hours: int = 0) -> Turn | None:
    with store.writing():
        change = store.listings.take(answer(kind), NOW + hours * HOUR)
    return None if change is None else change.turn


def test_history_outlives_the_process(path: Path) -> None:
    with Store(path) as store:
        assert [take(store, kind, hours) for hours, kind in enumerate((LISTED, LISTED, UNASKED, UNLISTED))] == [
            Turn.BEGAN, None, None, Turn.ENDED,
        ]  # fmt: skip
    with Store(path, read_only=True) as store:
        (listing,) = store.listings.history(US)
    assert (listing.began_at, listing.last_seen_at, listing.ended_at) == (NOW, NOW + HOUR, NOW + 3 * HOUR)
    assert (listing.codes, listing.meaning, listing.text) == (
        ("127.0.0.2", "127.0.0.4"), "spam source", "see our page",
    )  # fmt: skip
    assert listing.page == "https://big.example/remove"


def test_the_newest_answer_is_kept(path: Path) -> None:
    with Store(path) as store:
        take(store, LISTED)
        take(store, UNASKED, 1)
        (last,) = store.listings.last_answers()
        assert (last.answer, last.why_not, last.major, last.asked_at) == (UNASKED, "timeout", True, NOW + HOUR)
        assert store.listings.last_asked() == {US: NOW + HOUR}
        with store.writing():
            store.listings.take(answer(UNLISTED, listed_by="other"), NOW)
        assert store.listings.asked() == [Asked(US, NOW + HOUR, 1, 1, 2, 1)]
        assert store.listings.open_on_major_lists() == {1}
        assert [each.target for each in store.listings.open()] == [US], "could-not-ask ends nothing"


def test_nothing_is_written_when_something_fails_on_the_way(path: Path) -> None:
    with Store(path) as store:
        with pytest.raises(ZeroDivisionError), store.writing():
            change = store.listings.take(answer(LISTED), NOW)
            assert change is not None
            store.alarms.write(change.listing.id, change.turn, "line", "body", NOW)
            _ = 1 / 0
        assert (store.listings.history(), store.alarms.waiting(), store.listings.last_answers()) == ([], [], [])


def test_no_listing_has_two_alarms_for_one_turn(path: Path) -> None:
    with Store(path) as store:
        with store.writing():
            change = store.listings.take(answer(LISTED), NOW)
            assert change is not None
            store.alarms.write(change.listing.id, change.turn, "line", "body", NOW)
        with pytest.raises(StoreUnusable, match="UNIQUE"), store.writing():
            store.alarms.write(change.listing.id, change.turn, "line", "body", NOW)


def test_alarms_of_the_first_schema_keep_number_and_state(path: Path) -> None:
    """Their receipts go by the number: another one would send again what was begun."""
    path.parent.mkdir()
    first = next(Path(database.__file__).with_name("schema").glob("0001-*.sql")).read_text()
    with sqlite3.connect(path) as old:
        old.executescript(first)
        old.execute(f"PRAGMA application_id = {0x4F757477}")
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO listing VALUES (1, ?, 'big', 0, 0, NULL, NULL, 0, '', '', NULL, NULL, NULL, NULL)", [US]
        )
        old.execute("INSERT INTO alarm VALUES (4, 1, 'began', 'one', 'text', 5, 0, 5, 6, 'sent')")
        old.execute(
            "INSERT INTO alarm VALUES (7, 1, 'ended', 'two', 'text', 8, 1, 9, NULL, 'the command ended with 1')"
        )
    old.close()
    with Store(path) as store:
        sent, tried = store.alarms.notices()
        assert (sent.id, sent.outcome, sent.settled_at) == (4, "sent", moment(6))
        assert (tried.id, tried.attempts, [alarm.line for alarm in tried.alarms]) == (7, 1, ["two"])
        assert (sent.receipt, tried.receipt) == ("4", "7")
        assert store.alarms.due(moment(9)) == [tried]
        assert store.alarms.waiting() == []


def test_what_is_no_longer_watched_is_let_go(path: Path) -> None:
    with Store(path) as store:
        take(store, LISTED)
        assert store.listings.keep_only([US], ["big"], NOW) == 0
        assert store.listings.keep_only([US], ["other"], NOW + HOUR) == 1
        assert (store.listings.open(), store.listings.last_answers()) == ([], [])
        assert store.listings.history()[0].ended_at == NOW + HOUR


def test_delisting_goes_its_way(path: Path) -> None:
    with Store(path) as store:
        take(store, LISTED)
        assert [task.step for task in store.delistings.tasks()] == ["fix the cause"]
        with pytest.raises(RequestRefused, match="not marked as fixed"):
            store.delistings.request(US, "big", NOW + HOUR)
        assert store.delistings.mark_fixed(US, "big", "a script", NOW + HOUR).step == "ask the list"
        assert store.delistings.request(US, "big", NOW + 2 * HOUR).requests == (NOW + 2 * HOUR,)
        with pytest.raises(RequestRefused, match="already asked"):
            store.delistings.request(US, "big", NOW + 3 * HOUR)
        take(store, UNLISTED, 4)
        assert store.delistings.tasks() == []
        assert take(store, LISTED, 10) is Turn.BEGAN
        store.delistings.mark_fixed(US, "big", "the same script", NOW + 11 * HOUR)
        with pytest.raises(RequestRefused, match="again within 6 h of its delisting"):
            store.delistings.request(US, "big", NOW + 12 * HOUR)
        with pytest.raises(NoSuchListing, match="other has not listed"):
            store.delistings.request(US, "other", NOW)


def test_only_one_service_writes(path: Path) -> None:
    with Store(path, writer=True):
        with pytest.raises(StoreUnusable, match="another outwarden run is at work on it; stop that one first"):
            Store(path, writer=True)
        with Store(path) as operator:
            take(operator, LISTED)
    Store(path, writer=True).close()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()


def _newer(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as ours:
        ours.execute("PRAGMA user_version = 99")
    ours.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_foreign, "a database of another program; name another file"),
        (_newer, "written by a newer Outwarden (schema 99); install that one"),
        (
            lambda path: path.write_bytes(b"no database" * 99),
            "not a store, or damaged; move it away, a new one is made",
        ),
        (lambda path: path.mkdir(), "unable to open database file; look at the rights of the file and its folder"),
    ],
)
def test_what_is_no_store_of_ours_is_refused(make, says: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    path = tmp_path / "some.db"
    make(path)
    with pytest.raises(StoreUnusable) as refused:
        Store(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert str(refused.value).endswith(says)


def test_reading_makes_no_store(path: Path) -> None:
    with pytest.raises(StoreUnusable, match="there is no store yet; start outwarden run"):
        Database(path, read_only=True)
    assert not path.exists()


def test_every_commit_is_on_the_disk_first(path: Path) -> None:
    with Database(path) as database:
        assert database.rows("PRAGMA journal_mode") == [("wal",)]
        assert database.rows("PRAGMA synchronous") == [(2,)]


@pytest.mark.parametrize(
    "when", [NOW, datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_times_come_back_as_they_were(when: datetime) -> None:
    assert moment(microseconds(when)) == when
