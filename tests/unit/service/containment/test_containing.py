"""Containment and its undo at places that may break at any call: killed anywhere, it goes on from what is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from outwarden.cases.case import Case, CaseState
from outwarden.cases.response_requests import Answer as Said
from outwarden.cases.response_requests import ResponseName, ResponseRequest
from outwarden.cases.subscriber import account_subject
from outwarden.cases.troubles import Trouble
from outwarden.responses.accounts.connector import (
    Answer,
    Before,
    Deed,
    Found,
    Leftover,
    OperatorFault,
    Outcome,
    TemporaryFault,
)
from outwarden.responses.accounts.secret import Secret
from outwarden.service.acting import CouldNotAct, NotAllowed, NothingFound
from outwarden.service.containment.by_hand import ByHand
from outwarden.service.containment.places import Places
from outwarden.service.containment.responders import ContainmentResponder
from outwarden.service.containment_settings import ContainmentSettings
from outwarden.store.store import Store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROSA, JAN = "rosa@isp.example", "jan@isp.example"
EVERY = (
    ResponseName.RESET_PASSWORD,
    ResponseName.LOCK_ACCOUNT,
    ResponseName.REVOKE_APP_PASSWORDS,
    ResponseName.END_SESSIONS,
    ResponseName.DISABLE_RULES,
)


class Killed(BaseException):
    """What kill -9 is to a test."""


@dataclass
class Fuse:
    """Counts the calls that reach a place, and ends the program before or after the one that is meant."""

    at: int = -1
    calls: int = 0

    def burn(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise Killed


@dataclass
class Row:
    password: str = "old-hash"
    locked: bool = False
    app_passwords: list[str] = field(default_factory=lambda: ["phone", "printer"])

    def kept(self) -> dict[str, Any]:
        return {"password": self.password, "locked": self.locked, "app_passwords": list(self.app_passwords)}


class Tables:
    """A place that keeps passwords."""

    abilities = frozenset(Deed)

    def __init__(self, fuse: Fuse, name: str = "tables", accounts: tuple[str, ...] = (ROSA, JAN)) -> None:
        self.name, self._fuse = name, fuse
        self.rows = {account: Row() for account in accounts}
        self.fault: Exception | None = None

    def check(self) -> None:
        self._asked()

    def find(self, account: str) -> Found | None:
        self._asked()
        row = self.rows.get(account)
        return None if row is None else Found(Before(row.kept()), row.locked, app_passwords=len(row.app_passwords))

    def lock(self, account: str) -> Outcome:
        return self._change(account, lambda row: setattr(row, "locked", True))

    def unlock(self, account: str) -> Outcome:
        return self._change(account, lambda row: setattr(row, "locked", False))

    def set_password(self, account: str, secret: Secret) -> Outcome:
        return self._change(account, lambda row: setattr(row, "password", f"hash of {len(secret.reveal())} letters"))

    def revoke_app_passwords(self, account: str) -> Outcome:
        return self._change(account, lambda row: row.app_passwords.clear())

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        raise AssertionError("each deed verifies itself")

    def restore(self, account: str, before: Before) -> Outcome:
        # In three steps, as a directory would: it may be killed between them.
        self._change(account, lambda row: setattr(row, "password", before.kept["password"]))
        self._change(account, lambda row: setattr(row, "locked", before.kept["locked"]))
        return self._change(account, lambda row: setattr(row, "app_passwords", list(before.kept["app_passwords"])))

    def _change(self, account: str, change: Callable[[Row], object]) -> Outcome:
        self._asked()
        change(self.rows[account])
        self._fuse.burn()
        return Outcome(Answer.DONE, f"{self.name}: it stands")

    def _asked(self) -> None:
        if self.fault is not None:
            raise self.fault
        self._fuse.burn()


class Sessions:
    """A place where people are logged in."""

    name = "server"

    def __init__(self, fuse: Fuse) -> None:
        self._fuse, self.open, self.remembered = fuse, {ROSA}, {ROSA}

    def end_sessions(self, account: str) -> Outcome:
        self._fuse.burn()
        self.open.discard(account)
        self._fuse.burn()
        return Outcome(Answer.DONE, "server: none is open")

    def forget_logins(self, account: str) -> None:
        self._fuse.burn()
        self.remembered.discard(account)


class Rules:
    """A place where rules lie."""

    name = "rules"

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self.active = {"spy": NOW - timedelta(hours=1), "old": NOW - timedelta(days=400), "undated": None}

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        self._fuse.burn()
        return [
            Leftover("rule", key, f"rule {key}", at, active=True, before=Before({}))
            for key, at in self.active.items()
            if account == ROSA and (at is None or at >= since)
        ]

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        self._fuse.burn()
        self.active.pop(leftover.key, None)
        self._fuse.burn()
        return Outcome(Answer.DONE, f"rules: {leftover.key} does nothing")

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        self._fuse.burn()
        self.active[leftover.key] = leftover.changed_at
        self._fuse.burn()
        return Outcome(Answer.DONE, f"rules: {leftover.key} is back")


class Machine:
    """All places together, and the responder on them."""

    def __init__(self, store: Path, settings: ContainmentSettings | None = None) -> None:
        self.fuse = Fuse()
        self.tables, self.sessions, self.rules = Tables(self.fuse), Sessions(self.fuse), Rules(self.fuse)
        self.more: tuple[Tables, ...] = ()
        self.store, self.settings = store, settings or ContainmentSettings()

    def places(self) -> Places:
        return Places((self.tables, *self.more), (self.sessions,), (self.rules,))

    def responder(self) -> ContainmentResponder:
        return ContainmentResponder(self.places(), self.settings, self.store, lambda: NOW)

    def state(self) -> object:
        return (
            {name: row.kept() for name, row in self.tables.rows.items()},
            dict(sorted(self.rules.active.items())),
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "store.db")


def case() -> Case:
    return Case(
        "C-0000000000", f"account:{ROSA}", Trouble.STOLEN_ACCOUNT, "stolen-account", CaseState.IN_PROGRESS, "contain",
        NOW, NOW, NOW,
    )  # fmt: skip


def request(response: ResponseName, account: str = ROSA, number: str = "1") -> ResponseRequest:
    return ResponseRequest(
        f"C/{response}/{number}", "C-0000000000", response, account_subject(account), {}, "stolen", "e1", NOW, None
    )


def contained(machine: Machine) -> None:
    row = machine.tables.rows[ROSA]
    assert (row.locked, row.app_passwords) == (True, [])
    assert row.password.startswith("hash of ")
    assert machine.sessions.open == machine.sessions.remembered == set()
    assert sorted(machine.rules.active) == ["old", "undated"]
    assert machine.tables.rows[JAN] == Row()


def through_every_kill(machine: Machine, deed: Callable[[], None]) -> Iterator[int]:
    """Do it again and again, killed at the first call to a place, at the second, and so on, until it ends by itself."""
    for at in itertools.count(1):
        machine.fuse.at, machine.fuse.calls = at, 0
        try:
            deed()
        except Killed:
            yield at
            continue
        return


def test_everything_is_done_and_taken_back(machine: Machine) -> None:
    before, responder = machine.state(), machine.responder()
    for response in EVERY:
        carried = responder.carry_out(request(response), case(), NOW)
        assert (carried.answer, response) == (Said.DONE, response)
    contained(machine)
    for response in reversed(EVERY):
        assert responder.undo(request(response), case(), NOW).answer is Said.UNDONE
    assert machine.state() == before


@pytest.mark.parametrize("response", EVERY, ids=str)
def test_killed_anywhere_it_goes_on(tmp_path: Path, response: ResponseName) -> None:
    """Each boundary by itself: killed there once, done again, and undone to what was there before the first try."""
    for at in itertools.count(1):
        machine = Machine(tmp_path / f"store-{at}.db")
        before = machine.state()
        machine.fuse.at = at
        killed = False
        try:
            machine.responder().carry_out(request(response), case(), NOW)
        except Killed:
            killed = True
        machine.fuse.at = -1
        assert machine.responder().carry_out(request(response), case(), NOW).answer is Said.DONE
        undone = machine.responder().undo(request(response), case(), NOW)
        assert undone.answer is Said.UNDONE
        assert machine.state() == before
        if not killed:
            break
    assert at > 2


def test_killed_at_every_boundary_in_a_row(machine: Machine) -> None:
    before = machine.state()

    def contain() -> None:
        for response in EVERY:
            machine.responder().carry_out(request(response), case(), NOW)

    kills = list(through_every_kill(machine, contain))
    assert len(kills) > 5
    contained(machine)

    def undo() -> None:
        for response in reversed(EVERY):
            machine.responder().undo(request(response), case(), NOW)

    assert len(list(through_every_kill(machine, undo))) > 5
    assert machine.state() == before


def test_the_same_request_is_done_once(machine: Machine) -> None:
    responder = machine.responder()
    first = responder.carry_out(request(ResponseName.RESET_PASSWORD), case(), NOW)
    machine.tables.rows[ROSA].password = "hash of the owner's own"
    assert responder.carry_out(request(ResponseName.RESET_PASSWORD), case(), NOW) == first
    assert machine.tables.rows[ROSA].password == "hash of the owner's own"


def test_a_password_that_the_owner_chose_since_is_not_taken_from_him(machine: Machine) -> None:
    responder = machine.responder()
    for response in (ResponseName.RESET_PASSWORD, ResponseName.LOCK_ACCOUNT):
        responder.carry_out(request(response), case(), NOW)
    machine.tables.rows[ROSA].password = "hash of the owner's own"
    for response in (ResponseName.LOCK_ACCOUNT, ResponseName.RESET_PASSWORD):
        undone = responder.undo(request(response), case(), NOW)
        assert undone.answer is Said.UNDONE
        assert "somebody has changed" in undone.checklist[0].words
    assert (machine.tables.rows[ROSA].password, machine.tables.rows[ROSA].locked) == ("hash of the owner's own", False)


def test_what_lies_under_a_later_step_is_taken_out_alone(machine: Machine) -> None:
    before, responder = machine.state(), machine.responder()
    for response in (ResponseName.RESET_PASSWORD, ResponseName.LOCK_ACCOUNT):
        responder.carry_out(request(response), case(), NOW)
    responder.undo(request(ResponseName.RESET_PASSWORD), case(), NOW)
    row = machine.tables.rows[ROSA]
    assert (row.password, row.locked) == ("old-hash", True)
    responder.undo(request(ResponseName.LOCK_ACCOUNT), case(), NOW)
    assert machine.state() == before


def test_unlock_gives_back_what_we_locked_and_nothing_else(machine: Machine) -> None:
    responder, row = machine.responder(), machine.tables.rows[ROSA]
    responder.carry_out(request(ResponseName.RESET_PASSWORD), case(), NOW)
    responder.carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW)
    assert responder.carry_out(request(ResponseName.UNLOCK_ACCOUNT), case(), NOW).answer is Said.DONE
    assert (row.locked, row.password.startswith("hash of")) == (False, True)
    row.locked = True
    waits = responder.carry_out(request(ResponseName.UNLOCK_ACCOUNT, number="2"), case(), NOW)
    assert (waits.answer, row.locked) == (Said.WAITING, True)
    responder.carry_out(request(ResponseName.LOCK_ACCOUNT, number="2"), case(), NOW)
    assert responder.carry_out(request(ResponseName.UNLOCK_ACCOUNT, number="3"), case(), NOW).answer is Said.WAITING
    assert row.locked


def test_who_came_back_by_an_app_password_is_put_out_again(machine: Machine) -> None:
    responder = machine.responder()
    responder.carry_out(request(ResponseName.END_SESSIONS), case(), NOW)
    machine.sessions.open.add(ROSA)
    carried = responder.carry_out(request(ResponseName.REVOKE_APP_PASSWORDS), case(), NOW)
    assert machine.sessions.open == set()
    assert [line.deed for line in carried.checklist][-1] == "end open sessions (server)"


def test_the_end_of_the_service(machine: Machine) -> None:
    before = machine.state()
    carried = machine.responder().carry_out(request(ResponseName.END_SERVICE), case(), NOW)
    assert carried.answer is Said.DONE
    row = machine.tables.rows[ROSA]
    assert (row.locked, row.app_passwords, machine.sessions.open) == (True, [], set())
    machine.responder().undo(request(ResponseName.END_SERVICE), case(), NOW)
    assert machine.state() == before


def test_whom_nobody_knows(machine: Machine) -> None:
    carried = machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT, "nobody@isp.example"), case(), NOW)
    assert (carried.answer, carried.words) == (Said.FAILED, "no account nobody@isp.example in tables")


def test_an_account_in_two_places(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "one.db")
    machine.more = (Tables(machine.fuse, "directory"),)
    with pytest.raises(NotAllowed, match="several places"):
        machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW)
    assert not machine.tables.rows[ROSA].locked
    machine.settings = ContainmentSettings(several_places="all")
    assert machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW).answer is Said.DONE
    assert machine.tables.rows[ROSA].locked
    assert machine.more[0].rows[ROSA].locked


def test_a_place_that_is_down_is_tried_later_and_a_wrong_secret_is_a_persons(machine: Machine) -> None:
    machine.tables.fault = TemporaryFault("tables: connection refused")
    with pytest.raises(CouldNotAct, match="connection refused"):
        machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW)
    machine.tables.fault = OperatorFault("tables: the login is refused")
    with pytest.raises(NotAllowed, match="the login is refused"):
        machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW)
    machine.tables.fault = None
    assert machine.responder().carry_out(request(ResponseName.LOCK_ACCOUNT), case(), NOW).answer is Said.DONE


@pytest.mark.parametrize(
    ("rules", "left"),
    [("list", ["old", "spy", "undated"]), ("changed", ["old", "undated"]), ("all", ["old"])],
)
def test_rules_by_policy(tmp_path: Path, rules: Literal["list", "changed", "all"], left: list[str]) -> None:
    machine = Machine(tmp_path / "store.db", ContainmentSettings(rules=rules))
    carried = machine.responder().carry_out(request(ResponseName.DISABLE_RULES), case(), NOW)
    assert sorted(machine.rules.active) == left
    assert len(carried.checklist) == 2
    assert sum(line.holds is None for line in carried.checklist) == len(left) - 1


def test_a_dry_run_changes_nothing(machine: Machine) -> None:
    before = machine.state()
    lines = [line for each in EVERY for line in machine.responder().dry_run(request(each), case())]
    assert "set a password that nobody knows (tables)" in lines
    assert machine.state() == before
    with Store(machine.store) as store:
        assert store.containment.standing(ROSA) == []


def test_no_secret_is_written_down(machine: Machine) -> None:
    for response in EVERY:
        machine.responder().carry_out(request(response), case(), NOW)
    kept = b"".join(each.read_bytes() for each in machine.store.parent.iterdir())
    assert b"old-hash" not in kept
    with Store(machine.store) as store:
        store.containment.forget(NOW + timedelta(days=30))
    undone = machine.responder().undo(request(ResponseName.RESET_PASSWORD), case(), NOW)
    assert undone.answer is Said.FAILED
    assert "cannot be undone any more" in undone.words


# -- by a person's word


def by_hand(machine: Machine, store: Store) -> ByHand:
    def nobody(verb: str, arguments: dict[str, object]) -> str:
        raise CouldNotAct("the service is not there")

    return ByHand(store, machine.places(), machine.settings, lambda: NOW, "jan", nobody)


def test_by_hand_everything_is_tried_whatever_is_down(machine: Machine) -> None:
    before = machine.state()
    with Store(machine.store) as store:
        machine.tables.fault = TemporaryFault("tables: connection refused")
        done = by_hand(machine, store).contain(ROSA, "spam")
        assert done.failed
        assert machine.sessions.open == set()
        assert "spy" not in machine.rules.active
        machine.tables.fault = None
        done = by_hand(machine, store).contain(ROSA, "spam")
        assert not done.failed
        undone = by_hand(machine, store).undo(ROSA, "wrongly accused")
        assert not undone.failed
        assert machine.state() == before
        with pytest.raises(NothingFound):
            by_hand(machine, store).undo(ROSA, "again")


def test_by_hand_nobody_is_refused_at_once(machine: Machine) -> None:
    with Store(machine.store) as store:
        with pytest.raises(NothingFound):
            by_hand(machine, store).contain("nobody@isp.example", "spam")
        assert machine.sessions.open == {ROSA}
        assert by_hand(machine, store).plan(ROSA).dry_run
        with pytest.raises(NothingFound):
            by_hand(machine, store).plan_undo(ROSA)
