"""A judge that dies between any two events goes on from its last save, and says what it would have said."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detection.live.happenings import Happening, happenings, tell, tell_all

from outwarden.detection.live import Judge
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)


def save(judge: Judge, store: Store) -> None:
    records = judge.records
    store.account_records.save(records.changed(), NOW, records.unreadable(), judge.shared_state())


@settings(max_examples=40, deadline=None)
@given(happenings(), st.integers(0, 40), st.integers(0, 40))
def test_from_the_last_save_and_the_events_since(told: list[Happening], saved_at: int, died_at: int) -> None:
    straight = Judge()
    said = tell_all(straight, told)
    with TemporaryDirectory() as folder, Store(Path(folder) / "outwarden.db") as store:
        judge = Judge()
        for number, one in enumerate(told[:died_at]):
            if number in (saved_at, saved_at // 2):
                save(judge, store)
            tell(judge, one)
        # Here the process dies: what it knows since the last save is lost.
        last = max((at for at in (saved_at, saved_at // 2) if at < min(died_at, len(told))), default=0)
        again = Judge.resume(store.account_records.all(), store.account_records.shared_state())
        assert tell_all(again, told[last:]) == said[last:]
    assert again.save() == straight.save()
