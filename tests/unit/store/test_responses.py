"""The journal of responses: only ever added to, and standing as its newest turn says."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outwarden.store.responses import ResponseKind, ResponseState
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_pause_from_its_intention_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "outwarden.db"
    with Store(path) as store:
        begun = store.responses.intend(
            ResponseKind.PAUSE_SERVER, "", "spam", "root", {"transports": ["smtp"]}, NOW + MINUTE, NOW
        )
        assert (begun.state, begun.undo, begun.expires_at) == (
            ResponseState.INTENDED, {"transports": ["smtp"]}, NOW + MINUTE,
        )  # fmt: skip
    with Store(path) as store:
        assert store.responses.standing() == [begun], "what was begun outlives who began it"
        done = store.responses.turn(begun, ResponseState.DONE, NOW + MINUTE / 2, "two things", "kept")
        assert (done.state, done.remark, done.evidence, done.intended_at) == (
            ResponseState.DONE, "two things", "kept", NOW,
        )  # fmt: skip
        assert store.responses.expired(NOW + MINUTE / 2) == []
        assert store.responses.expired(NOW + MINUTE) == [done]
        longer = store.responses.until(done, None, NOW + MINUTE)
        assert (longer.expires_at, longer.evidence, store.responses.expired(NOW + 9 * MINUTE)) == (None, "kept", [])
        store.responses.turn(longer, ResponseState.UNDONE, NOW + 2 * MINUTE)
        assert store.responses.standing() == []
    with sqlite3.connect(path) as raw:
        states = [state for (state,) in raw.execute("SELECT state FROM response_turn ORDER BY id")]
    raw.close()
    assert states == ["intended", "done", "intended", "undone"], "nothing is written over"


def test_changes_of_the_queue_do_not_stand(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        for kind in ResponseKind:
            store.responses.intend(kind, "rosa@isp.example", "", "root", {}, None, NOW)
        assert {each.kind for each in store.responses.standing()} == {
            ResponseKind.PAUSE_SERVER, ResponseKind.PAUSE_ACCOUNT, ResponseKind.PAUSE_DESTINATION,
        }  # fmt: skip
        assert [each.kind for each in store.responses.newest(2)] == [
            ResponseKind.QUEUE_DELETE, ResponseKind.QUEUE_RELEASE,
        ]  # fmt: skip


def test_a_failed_pause_stands_until_it_is_undone(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        begun = store.responses.intend(ResponseKind.PAUSE_ACCOUNT, "rosa", "", "root", {}, None, NOW)
        store.responses.turn(begun, ResponseState.FAILED, NOW, "the mail server said no")
        assert [each.state for each in store.responses.standing()] == [ResponseState.FAILED]
