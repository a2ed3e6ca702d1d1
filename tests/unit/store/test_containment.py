"""The journal of containment: what is written before it is tried, and how what undoing needs is kept."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.store.containment import ContainmentStep, StepState
from outwarden.store.database import StoreUnusable
from outwarden.store.sealing import SealBroken
from outwarden.store.store import Store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HASH = b'{"hash":"$6$secret"}'


def intend(store: Store, request: str = "r1", deed: str = "lock", account: str = "rosa@isp.example") -> ContainmentStep:
    return store.containment.intend(
        request=request, account=account, response="lock-account", place="tables", deed=deed, reason="stolen",
        asked_by="outwarden", now=NOW, undo_until=NOW + timedelta(days=30), before=HASH,
    )  # fmt: skip


def test_a_step_and_its_turns(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        step = intend(store)
        assert (step.state, step.is_over) == (StepState.INTENDED, False)
        done = store.containment.go_on(step, StepState.DONE, "it holds", NOW)
        assert store.containment.of_request("r1") == [done]
        assert store.containment.standing("rosa@isp.example") == [done]
        store.containment.go_on(done, StepState.UNDONE, "it is back", NOW, "jan")
        assert store.containment.standing("rosa@isp.example") == []
        said = [(each.actor, each.after.partition(",")[0]) for each in store.audit.entries("rosa@isp.example")]
        assert said == [("outwarden", "intended"), ("outwarden", "done"), ("jan", "undone")]


def test_the_same_step_is_not_begun_twice(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        intend(store)
        with pytest.raises(StoreUnusable):
            intend(store)


def test_hashes_are_sealed_and_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with Store(file) as store:
        step = intend(store)
        store.containment.keep(step, after=b'{"hash":"$6$after"}')
        assert store.containment.before(step) == HASH
        assert store.containment.after(step) == b'{"hash":"$6$after"}'
        assert store.containment.forget(NOW + timedelta(days=29)) == 0
        assert not any(b"$6$" in each.read_bytes() for each in tmp_path.iterdir())
        assert store.containment.forget(NOW + timedelta(days=30)) == 1
        assert store.containment.before(step) is None
    assert stat.S_IMODE((tmp_path / "store.db.seal").stat().st_mode) == 0o600


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        step = intend(store)
    (tmp_path / "store.db.seal").write_bytes(b"k" * 64)
    with Store(tmp_path / "store.db") as store, pytest.raises(SealBroken, match="not the key"):
        store.containment.before(step)
    (tmp_path / "store.db.seal").write_bytes(b"k")
    with Store(tmp_path / "store.db") as store, pytest.raises(SealBroken, match="holds no key"):
        store.containment.before(step)


def test_accounts_are_counted_once(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        for number, account in enumerate(("a@x.example", "a@x.example", "b@x.example", "c@x.example")):
            intend(store, f"r{number}", account=account)
        hour = NOW - timedelta(hours=1)
        assert store.containment.accounts_begun("outwarden", hour, "c@x.example") == 2
        assert store.containment.accounts_begun("jan", hour, "") == 0
        assert store.containment.accounts_begun("outwarden", NOW, "") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
def test_the_key_is_for_whom_the_store_belongs_to(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1235)
    with Store(tmp_path / "store.db") as store:
        intend(store)
    made = (tmp_path / "store.db.seal").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (1234, 1235, 0o600)
