"""The journal of responses: only ever added to, and standing as its newest turn says."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outwarden.store.responses import OVER, ResponseKind, ResponseState
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
        assert [each.kind for each in store.responses.newest(2)] == [*reversed(ResponseKind)][:2]


def test_a_failed_pause_stands_until_it_is_undone(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        begun = store.responses.intend(ResponseKind.PAUSE_ACCOUNT, "rosa", "", "root", {}, None, NOW)
        store.responses.turn(begun, ResponseState.FAILED, NOW, "the mail server said no")
        assert [each.state for each in store.responses.standing()] == [ResponseState.FAILED]


def test_how_accounts_are_treated_is_no_pause_and_stands_until_it_is_over(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        made = {}
        with store.writing():
            for state in ResponseState:
                made[state] = store.responses.begin(
                    ResponseKind.BLOCK_ACCOUNT, state.value, "why", "outwarden run", {}, state, None, NOW, "{}", "first"
                )
        assert store.responses.standing() == []
        assert store.responses.accounts_standing() == [made[state] for state in ResponseState if state not in OVER]
        assert (made[ResponseState.ASKED].evidence, made[ResponseState.ASKED].remark) == ("{}", "first")
        with store.writing():
            done = store.responses.go_on(
                made[ResponseState.ASKED], ResponseState.DONE, NOW + MINUTE, NOW + MINUTE, "confirmed"
            )
        assert (done.state, done.evidence, done.expires_at) == (ResponseState.DONE, "{}", NOW + MINUTE)
        assert store.responses.of_accounts(NOW + MINUTE, 9) == [done]
        assert store.responses.of_accounts(NOW, 2) == [done, made[ResponseState.DECLINED]]
        assert store.responses.about(ResponseKind.BLOCK_ACCOUNT, "asked") == [done]
        # What a person confirmed was not done by itself.
        count = store.responses.begun_as_done
        assert count(ResponseKind.BLOCK_ACCOUNT, "outwarden run", NOW - MINUTE) == 1
        assert count(ResponseKind.BLOCK_ACCOUNT, "outwarden run", NOW) == 0
        assert count(ResponseKind.HOLD_ACCOUNT, "outwarden run", NOW - MINUTE) == 0
        assert count(ResponseKind.BLOCK_ACCOUNT, "root", NOW - MINUTE) == 0


def test_changes_of_the_queue_that_are_not_finished(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        begun, failed, done = (
            store.responses.intend(ResponseKind.QUEUE_RELEASE, name, "", "outwarden run", {}, None, NOW)
            for name in ("begun", "failed", "done")
        )
        store.responses.intend(ResponseKind.PAUSE_SERVER, "", "", "root", {}, None, NOW)
        failed = store.responses.turn(failed, ResponseState.FAILED, NOW, "postsuper said no")
        store.responses.turn(done, ResponseState.DONE, NOW)
        assert store.responses.unfinished() == [begun, failed]
