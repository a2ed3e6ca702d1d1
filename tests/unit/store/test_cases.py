"""Cases in the store: brought into a store of the schema before, and promises of the file itself."""

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.cases.desk_of import Day

from outwarden.store import database
from outwarden.store.database import StoreUnusable
from outwarden.store.store import Store


def test_a_store_of_the_schema_before_gets_cases_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "outwarden.db"
    scripts = sorted((Path(database.__file__).parent / "schema").glob("*.sql"))[:8]
    with sqlite3.connect(path) as old:
        for script in scripts:
            old.executescript(script.read_text())
        old.execute(f"PRAGMA application_id = {0x4F757477}")
        old.execute("PRAGMA user_version = 8")
        old.execute("INSERT INTO audit VALUES (1, 5, 'kim', 'pause', 'server', '', 'paused', 'spam', x'00')")
    old.close()
    with Store(path) as store:
        assert (store.cases.all_cases(), len(store.audit.entries())) == ([], 1)


def test_the_file_itself_refuses_two_open_cases_of_a_kind(tmp_path: Path) -> None:
    day = Day(tmp_path)
    turn = day.hear(day.evidence())
    assert turn is not None
    second = replace(turn, case=replace(turn.case, id="C-OTHER"))
    with pytest.raises(StoreUnusable, match="UNIQUE"), day.store.writing():
        day.store.cases.put(second, day.evidence())
    assert [case.id for case in day.store.cases.all_cases()] == [turn.case.id]


def test_everything_of_a_turn_is_written_or_nothing(tmp_path: Path) -> None:
    day = Day(tmp_path)
    with pytest.raises(ZeroDivisionError), day.store.writing():
        day.desk.hear(day.evidence(), day.now)
        raise ZeroDivisionError
    assert (day.store.cases.all_cases(), day.store.cases.requests_waiting(), day.store.audit.entries()) == ([], [], [])


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    day = Day(tmp_path)
    turn = day.hear(day.evidence())
    assert turn is not None
    day.store.close()
    with Store(tmp_path / "outwarden.db", read_only=True) as store:
        assert store.cases.case(turn.case.id) == turn.case
        assert tuple(store.cases.timeline(turn.case.id)) == turn.entries
        waiting = sorted(store.cases.requests_waiting(), key=lambda one: one.id)
        assert waiting == sorted(turn.requests, key=lambda one: one.id)
        assert store.cases.due(day.now) == []
        assert turn.case.next_due_at is not None
        assert store.cases.due(turn.case.next_due_at) == [turn.case]
