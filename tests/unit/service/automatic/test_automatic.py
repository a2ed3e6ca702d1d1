"""What begins and ends about accounts, written into a real store and kept in the book."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.service.automatic.deeds import HOUR, JAN, MINUTE, NOW, ROSA, Journal, decided

from outwarden.events import Action
from outwarden.service.acting import NothingFound
from outwarden.service.automatic import automatic
from outwarden.service.automatic.automatic import already_begun, block, confirm, end, expire, refuse
from outwarden.service.automatic.book import Book, decision_of
from outwarden.store.responses import ResponseKind, ResponseState
from outwarden.store.store import Store

ROOT = Path(__file__).resolve().parents[4]
HOLD, BLOCK = ResponseKind.HOLD_ACCOUNT, ResponseKind.BLOCK_ACCOUNT
DONE, OBSERVED, ASKED = ResponseState.DONE, ResponseState.OBSERVED, ResponseState.ASKED
CAPPED, UNDONE, DECLINED = ResponseState.CAPPED, ResponseState.UNDONE, ResponseState.DECLINED


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "outwarden.db")
    yield made
    made.store.close()


def leaving(journal: Journal) -> list[object]:
    """What the mail follows from that is to leave."""
    return [each.undo["of"] for each in journal.book.unfinished() if each.kind is ResponseKind.QUEUE_RELEASE]


MODES = [
    # (hold, block), action: states of what stands about the account, and whether it is in force.
    ("observe", "observe", Action.HOLD, [(HOLD, OBSERVED)], False),
    ("observe", "observe", Action.BLOCK, [(BLOCK, OBSERVED)], False),
    ("ask", "ask", Action.HOLD, [(HOLD, ASKED)], False),
    ("ask", "ask", Action.DEFER, [(HOLD, ASKED)], False),
    ("ask", "ask", Action.BLOCK, [(BLOCK, ASKED)], False),
    ("act", "act", Action.HOLD, [(HOLD, DONE)], True),
    ("act", "act", Action.BLOCK, [(BLOCK, DONE)], True),
    # What may not be blocked by itself is held where that may be done.
    ("act", "ask", Action.BLOCK, [(HOLD, DONE), (BLOCK, ASKED)], True),
    ("act", "observe", Action.BLOCK, [(HOLD, DONE), (BLOCK, OBSERVED)], True),
    ("ask", "observe", Action.BLOCK, [(BLOCK, OBSERVED)], False),
]


@pytest.mark.parametrize(("hold", "how", "action", "stands", "in_force"), MODES)
def test_the_modes(
    tmp_path: Path,
    hold: str,
    how: str,
    action: Action,
    stands: list[tuple[ResponseKind, ResponseState]],
    in_force: bool,
) -> None:
    journal = Journal(tmp_path / "outwarden.db", hold=hold, block=how)
    begun = journal.begin(action)
    assert (begun.in_force, begun.capped, begun.response.kind) == (in_force, False, stands[-1][0])
    assert [(each.kind, each.state) for each in journal.book.about(ROSA)] == stands
    assert decision_of(begun.response) == decided(action)
    before = journal.said()
    # The same again, and after a restart, changes nothing, and needs no store.
    assert journal.begin(action) == begun
    journal.restart()
    assert already_begun(journal.book, journal.settings, decided(action), journal.now) == begun
    assert journal.said() == before
    assert len(journal.alarms()) == sum(state is ASKED for _, state in stands)
    journal.store.close()


def test_what_is_in_force_is_known_by_a_look(journal: Journal) -> None:
    begun = journal.begin(Action.HOLD)
    stands = journal.book.in_force("Rosa@ISP.example")
    assert stands is not None
    assert (stands.response, stands.reference, stands.kind) == (begun.response.id, f"OW-{begun.response.id}", HOLD)
    assert (stands.account, stands.since) == (ROSA, NOW)
    assert "password" in stands.why
    assert journal.book.in_force(JAN) is None
    assert (begun.response.expires_at, begun.response.asked_by) == (None, "outwarden run")
    assert begun.response.reason.startswith("7.2 points, stolen-password: network +4.0: used from 2 networks")


def test_a_hold_becomes_a_block(journal: Journal) -> None:
    journal.book.looked({ROSA: ["4C9D2E1A"]})
    hold = journal.begin(Action.HOLD).response
    # What is on hold by now is ours; what was before still is not.
    journal.book.looked({ROSA: ["4C9D2E1A", "4C9D2E1B"]})
    begun = journal.later(MINUTE).begin(Action.BLOCK).response
    assert [(each.id, each.state) for each in journal.book.about(ROSA)] == [(begun.id, DONE)]
    assert [each.undo for each in (hold, begun)] == [{"held_before": ["4C9D2E1A"]}] * 2
    ended = journal.book.by_number(hold.id)
    assert ended is not None
    assert (ended.state, ended.remark) == (UNDONE, f"became OW-{begun.id}")
    assert begun.expires_at == NOW + MINUTE + 168 * HOUR
    (holding,) = journal.book.unfinished()
    assert (holding.kind, holding.subject, holding.undo) == (
        ResponseKind.QUEUE_HOLD, ROSA, {"of": [str(begun.id)], "held_before": ["4C9D2E1A"]},
    ), "nothing leaves, and what is queued is to be held"  # fmt: skip
    # Mail that comes meanwhile begins no hold beside it.
    assert journal.begin(Action.HOLD).response == begun


def test_the_caps_outlast_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "outwarden.db", holds_per_hour=2, blocks_per_hour=1)
    states = [journal.begin(Action.HOLD, f"{name}@isp.example").response.state for name in "abc"]
    journal.restart(holds_per_hour=2, blocks_per_hour=1)
    states.append(journal.begin(Action.HOLD, "d@isp.example").response.state)
    assert states == [DONE, DONE, CAPPED, CAPPED]
    # One that has ended was done all the same.
    end(journal.store, journal.book, "a@isp.example", "outwarden run", "its probes came to nothing", journal.now)
    capped = journal.begin(Action.HOLD, "e@isp.example")
    assert (capped.capped, capped.in_force) == (True, False)
    assert journal.alarms() == [
        f"{name}@isp.example: its mail held is wanted, but no more is done by itself this hour; OW-{number} waits"
        for name, number in (("c", 3), ("d", 4), ("e", 6))
    ]
    assert [each.subject for each in journal.book.waiting()] == ["c@isp.example", "d@isp.example", "e@isp.example"]
    # Blocks are counted by themselves, and who is not blocked stays held.
    assert journal.begin(Action.BLOCK, "b@isp.example").response.state is DONE
    over = journal.begin(Action.BLOCK, "f@isp.example")
    assert (over.response.state, over.capped, over.in_force) == (CAPPED, True, False)
    # What waits for a person waits on; others may be held an hour later.
    journal.later(HOUR)
    assert journal.begin(Action.HOLD, "c@isp.example").response.state is CAPPED
    assert journal.begin(Action.HOLD, "g@isp.example").response.state is DONE
    # What a person confirms, or wants, counts for no cap.
    confirm(journal.store, journal.book, journal.settings, "c@isp.example", "root", journal.now)
    block(journal.store, journal.book, journal.settings, "h@isp.example", "root", "seen in the news", journal.now)
    assert journal.begin(Action.HOLD, "i@isp.example").response.state is DONE
    assert journal.begin(Action.BLOCK, "j@isp.example").response.state is DONE
    journal.store.close()


def test_no_cap_at_all_is_a_cap_of_none(tmp_path: Path) -> None:
    with Store(tmp_path / "outwarden.db") as store:
        book = Book.load(store)
        settings = automatic.ActingSettings(hold="act", block="act", holds_per_hour=0, blocks_per_hour=0)
        assert automatic.begin(store, book, settings, decided(Action.BLOCK), NOW).capped


def test_a_person_says_yes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "outwarden.db", hold="ask", block="ask", block_hours=5)
    asked = journal.begin(Action.HOLD).response
    heavier = journal.begin(Action.BLOCK).response
    (held_line, blocked_line) = journal.alarms()
    assert held_line == f"{ROSA}: its mail held is wanted; OW-{asked.id} waits for you"
    assert blocked_line == f"{ROSA}: it blocked is wanted; OW-{heavier.id} waits for you"
    body = journal.store.alarms.waiting()[1].body
    assert f"outwarden account confirm OW-{heavier.id}\n" in body
    assert "  +4.0  network: used from 2 networks new to it within a day\n" in body
    journal.restart(hold="ask", block="ask", block_hours=5)
    # By the account it is the heavier that is done, and the other is over.
    done = confirm(journal.store, journal.book, journal.settings, ROSA, "root", journal.later(MINUTE).now)
    assert (done.id, done.state, done.remark) == (heavier.id, DONE, "confirmed by root")
    assert done.expires_at == NOW + MINUTE + 5 * HOUR
    assert journal.book.about(ROSA) == [done]
    # Again it is renewed.
    renewed = confirm(journal.store, journal.book, journal.settings, f"ow-{done.id}", "root", journal.later(HOUR).now)
    assert (renewed.id, renewed.expires_at) == (done.id, NOW + MINUTE + 6 * HOUR)
    with pytest.raises(NothingFound, match="OW-77"):
        confirm(journal.store, journal.book, journal.settings, "OW-77", "root", journal.now)
    with pytest.raises(NothingFound):
        confirm(journal.store, journal.book, journal.settings, f"OW-{asked.id}", "root", journal.now)
    journal.store.close()


def test_a_person_says_no(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "outwarden.db", hold="act", block="ask")
    journal.book.looked({ROSA: ["4C9D2E1A"]})
    asked = journal.begin(Action.BLOCK).response
    over = refuse(journal.store, journal.book, f"OW-{asked.id}", "root", journal.now)
    assert [(each.kind, each.was, each.response.state, each.account) for each in over] == [
        (BLOCK, ASKED, DECLINED, ROSA), (HOLD, DONE, UNDONE, ROSA),
    ]  # fmt: skip
    assert journal.book.in_force(ROSA) is None
    # The hold that stood meanwhile has ended too: what it held leaves.
    (leaving,) = journal.book.unfinished()
    assert (leaving.kind, leaving.subject, leaving.undo["held_before"]) == (
        ResponseKind.QUEUE_RELEASE, ROSA, ["4C9D2E1A"],
    )  # fmt: skip
    with pytest.raises(NothingFound):
        refuse(journal.store, journal.book, ROSA, "root", journal.now)
    journal.store.close()


def test_the_settings_of_now_decide_about_what_was_only_observed(journal: Journal) -> None:
    journal.restart(hold="observe", block="observe")
    observed = journal.begin(Action.HOLD).response
    assert observed.expires_at == NOW + 24 * HOUR
    journal.restart(hold="act")
    begun = journal.begin(Action.HOLD)
    assert (begun.response.state, begun.in_force) == (DONE, True)
    assert [each.id for each in journal.book.about(ROSA)] == [begun.response.id]
    (before,) = [each for each in journal.book.recent(NOW) if each.id == observed.id]
    assert (before.state, before.remark) == (UNDONE, f"now OW-{begun.response.id}")


def test_what_is_to_be_typed_does_no_harm_in_a_shell(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "outwarden.db", hold="ask")
    journal.begin(Action.HOLD, "$(reboot);\n`id`@isp.example")
    (alarm,) = journal.store.alarms.waiting()
    assert alarm.body.splitlines()[-1] == "To see more:  outwarden account show '$(reboot); `id`@isp.example'"
    assert alarm.line.isprintable()
    journal.store.close()


def test_what_has_lasted_its_time_ends(journal: Journal) -> None:
    journal.begin(Action.BLOCK)
    journal.begin(Action.HOLD, JAN)
    journal.restart(hold="observe", block="observe", block_hours=168)
    journal.begin(Action.BLOCK, "mia@isp.example")
    assert expire(journal.store, journal.book, NOW + 24 * HOUR - MINUTE) == ()
    (observed,) = expire(journal.store, journal.book, NOW + 24 * HOUR)
    assert (observed.account, observed.kind, observed.was) == ("mia@isp.example", BLOCK, OBSERVED)
    (blocked,) = expire(journal.store, journal.book, NOW + 168 * HOUR)
    assert (blocked.account, blocked.was, blocked.response.remark) == (ROSA, DONE, "its time was over")
    assert journal.alarms() == [
        f"{ROSA}: no longer blocked, as nobody renewed OW-{blocked.response.id}; what it held is still on hold"
    ]
    assert expire(journal.store, journal.book, NOW + 9999 * HOUR) == (), "a hold ends by the judge"
    assert [each.account for each in journal.book.held()] == [JAN]
    assert leaving(journal) == [], "what a block held is for a person to look at"


@pytest.mark.parametrize(
    ("action", "wrongly", "leaves"),
    [(Action.HOLD, False, True), (Action.BLOCK, False, False), (Action.BLOCK, True, True)],
)
def test_what_leaves_when_it_ends(journal: Journal, action: Action, wrongly: bool, leaves: bool) -> None:
    begun = journal.begin(action).response
    (over,) = end(journal.store, journal.book, ROSA.upper(), "anna", "called us", journal.now, wrongly)
    assert (over.response.id, over.was, over.response.state) == (begun.id, DONE, UNDONE)
    assert over.response.remark == "anna: called us" + ("; it was wrong" if wrongly else "")
    assert leaving(journal) == ([[str(begun.id)]] if leaves else [])
    assert end(journal.store, journal.book, ROSA, "anna", "called us", journal.now, wrongly) == ()
    before = journal.said()
    journal.restart()
    assert journal.said() == before


def test_who_is_held_again_keeps_what_was_to_leave(journal: Journal) -> None:
    journal.book.looked({ROSA: ["4C9D2E1A"]})
    journal.begin(Action.HOLD)
    end(journal.store, journal.book, ROSA, "outwarden run", "its probes came to nothing", journal.now)
    journal.book.looked({})
    again = journal.begin(Action.HOLD).response
    assert journal.book.unfinished() == []
    assert again.undo == {"held_before": ["4C9D2E1A"]}


def test_a_person_blocks_for_as_long_as_the_settings_say_and_renews(journal: Journal) -> None:
    journal.begin(Action.HOLD)
    why = "Jan complained about her"
    first = block(journal.store, journal.book, journal.settings, "Rosa@isp.example", "anna", why, journal.now)
    again = block(journal.store, journal.book, journal.settings, ROSA, "anna", "x", journal.later(HOUR).now)
    assert (again.id, again.expires_at, again.reason) == (first.id, NOW + 169 * HOUR, why)
    assert journal.book.about(ROSA) == [again]
    stands = journal.book.in_force(ROSA)
    assert stands is not None
    assert (stands.why, stands.since) == ("the people who run this mail server have stopped it", NOW)


@pytest.mark.parametrize("where", ["before it is written", "once it is written"])
def test_killed_at_the_deed_it_is_the_same_in_the_end(tmp_path: Path, where: str) -> None:
    path = tmp_path / "outwarden.db"
    victim = {
        "before it is written": "outwarden.store.alarms.Alarms.call",
        "once it is written": "outwarden.service.automatic.book.Book.put",
    }[where]
    module, _, name = victim.rpartition(".")
    program = (
        "import os, signal, sys\n"
        f"from {module.rpartition('.')[0]} import {module.rpartition('.')[2]} as victim\n"
        f"victim.{name} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from pathlib import Path\n"
        "from outwarden.events import Action\n"
        "from tests.unit.service.automatic.deeds import Journal\n"
        "Journal(Path(sys.argv[1]), block='ask').begin(Action.BLOCK)\n"
    )
    paths = f"{ROOT / 'src'}:{ROOT}"
    killed = subprocess.run([sys.executable, "-c", program, path], env={**os.environ, "PYTHONPATH": paths}, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    journal = Journal(path, block="ask")
    assert len(journal.book.all_standing()) == (0 if where == "before it is written" else 2)
    journal.begin(Action.BLOCK)
    assert [(each.id, each.kind, each.state) for each in journal.book.all_standing()] == [
        (1, HOLD, DONE), (2, BLOCK, ASKED),
    ]  # fmt: skip
    assert len(journal.alarms()) == 1
    journal.store.close()


def test_when_the_store_fails_the_book_says_nothing_new(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = journal.said()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    journal.settings = type(journal.settings)(hold="act", block="ask")
    monkeypatch.setattr(journal.store.alarms, "call", broken)
    with pytest.raises(ZeroDivisionError):
        journal.begin(Action.BLOCK)
    assert journal.said() == before == journal.said(Book.load(journal.store))
