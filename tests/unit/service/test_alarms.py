"""Alarms reach the site's command once: through failures, kills and restarts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outwarden.detection.listing_changes import Turn
from outwarden.events import ListAnswer, ListAnswerKind
from outwarden.service.alarms import MOST_TRIES, AlarmSender
from outwarden.service.notices import notice_body, notice_line
from outwarden.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
PYTHON = (sys.executable, "-I", "-S", "-c")


def write_alarm(store: Store, target: str = "192.0.2.1", now: datetime = NOW) -> None:
    with store.writing():
        change = store.listings.take(ListAnswer(target, "big", "big.example", ListAnswerKind.LISTED), now)
        assert change is not None
        store.alarms.write(change.listing.id, Turn.BEGAN, f"{target} is listed by big", "What to do: $(id) `id`\n", now)


@pytest.fixture
def store(tmp_path: Path) -> Store:  # type: ignore[misc]
    with Store(tmp_path / "store.db") as made:
        yield made


def test_the_command_gets_all_of_it_and_no_shell(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys, os, json; "
        "json.dump([sys.argv[2:], sys.stdin.read(), os.environ['OUTWARDEN_ALARM']], open(sys.argv[1], 'w'))"
    )
    write_alarm(store)
    sender = AlarmSender(store, [*PYTHON, code, str(tmp_path / "got"), "Outwarden: {line}", "; echo $HOME"])
    assert sender.send(NOW) == 1
    arguments, body, everything = json.loads((tmp_path / "got").read_text())
    assert arguments == ["Outwarden: 192.0.2.1 is listed by big", "; echo $HOME"]
    assert body == "What to do: $(id) `id`\n"
    assert json.loads(everything) == {
        "id": 1, "turn": "began", "line": "192.0.2.1 is listed by big", "body": body, "at": "2026-11-25T03:00:00Z",
        "alarms": [{"id": 1, "line": "192.0.2.1 is listed by big", "at": "2026-11-25T03:00:00Z"}],
    }  # fmt: skip
    assert capfd.readouterr().err == "2026-11-25T03:00:00Z alarm 1 began: 192.0.2.1 is listed by big\n"
    assert sender.send(NOW + timedelta(days=1)) == 0


def test_without_a_command_stderr_is_told(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    write_alarm(store)
    assert AlarmSender(store, []).send(NOW) == 1
    assert capfd.readouterr().err == "2026-11-25T03:00:00Z alarm 1 began: 192.0.2.1 is listed by big\n"


@pytest.mark.parametrize("command", [(*PYTHON, "raise SystemExit(3)"), ("/nonexistent/pager",)])
def test_a_command_that_fails_is_tried_again_and_given_up(
    store: Store, command: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    write_alarm(store)
    sender = AlarmSender(store, command)
    sender.send(NOW)
    tried, now = [0], NOW
    while (at := store.alarms.next_try_at()) is not None:
        now = max(now, at)
        sender.send(now)
        tried.append(int((now - NOW) / timedelta(minutes=1)))
    assert tried == [0, 1, 3, 7, 15]
    assert len(tried) == MOST_TRIES
    (notice,) = store.alarms.notices()
    assert (notice.outcome or "").startswith("given up: the command ended with ")
    assert capfd.readouterr().err.count("alarm 1 began") == 1


def test_a_command_that_hangs_is_stopped_and_not_repeated(store: Store, tmp_path: Path) -> None:
    write_alarm(store)
    code = f"import time; open({str(tmp_path / 'got')!r}, 'a').write('x'); time.sleep(60)"
    assert AlarmSender(store, [*PYTHON, code], patience_seconds=0.5).send(NOW) == 1
    assert AlarmSender(store, [*PYTHON, code], patience_seconds=0.5).send(NOW + timedelta(hours=1)) == 0
    (notice,) = store.alarms.notices()
    assert notice.outcome == "begun, and not known how it ended"


def test_a_receipt_tells_a_restarted_service_how_it_went(store: Store, tmp_path: Path) -> None:
    receipts = tmp_path / "store.db-alarms"
    receipts.mkdir()
    for number, text in enumerate(("begun\n0\n", "begun\n7\n", "begun\n", ""), start=1):
        write_alarm(store, f"192.0.2.{number}")
        with store.writing():
            store.alarms.put_together(store.alarms.waiting(), "", NOW)
        (receipts / f"{store.alarms.notices()[-1].receipt}-1").write_text(text)
    code = f"open({str(tmp_path / 'got')!r}, 'a').write('x')"
    AlarmSender(store, [*PYTHON, code]).send(NOW)
    assert (tmp_path / "got").read_text() == "x", "only the one that was not begun"
    assert [notice.outcome for notice in store.alarms.notices()] == [
        "sent", "the command ended with 7", "begun, and not known how it ended", "sent",
    ]  # fmt: skip


@pytest.mark.parametrize("put_back", [False, True], ids=["deleted", "put back from a copy"])
def test_receipts_of_another_store_settle_nothing(tmp_path: Path, put_back: bool) -> None:
    path, got = tmp_path / "store.db", tmp_path / "got"
    command = [*PYTHON, "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')", str(got), "{line}"]
    with Store(path) as empty:
        write_alarm(empty, "192.0.2.1")
    copy = path.read_bytes()
    with Store(path) as first:
        AlarmSender(first, command).send(NOW)
    assert (tmp_path / "store.db-alarms").is_dir()
    path.unlink()
    if put_back:
        path.write_bytes(copy)
    with Store(path) as second:
        write_alarm(second, "192.0.2.2")
        AlarmSender(second, command).send(NOW)
        assert [notice.outcome for notice in second.alarms.notices()] == ["sent"]
    told = "192.0.2.1 is listed by big; 1 more listing began" if put_back else "192.0.2.2 is listed by big"
    assert got.read_text().splitlines() == ["192.0.2.1 is listed by big", told]


_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from outwarden.detection.listing_changes import Turn
from outwarden.events import ListAnswer, ListAnswerKind
from outwarden.service.alarms import AlarmSender
from outwarden.store.store import Store

now = datetime(2026, 11, 25, tzinfo=UTC)
store = Store(Path(sys.argv[1]), writer=True)
sender = AlarmSender(store, sys.argv[3:])
print("up", flush=True)
for number in range(int(sys.argv[2])):
    with store.writing():
        change = store.listings.take(ListAnswer(f"host{number}.example", "big", "z", ListAnswerKind.LISTED), now)
        if change is not None:
            store.alarms.write(change.listing.id, Turn.BEGAN, f"alarm about {number}", "body", now)
    sender.send(now)
sender.send(now)
"""


def test_killed_at_any_moment_each_alarm_is_sent_exactly_once(tmp_path: Path) -> None:
    """Twelve kills at random moments; then one run to the end.  None missing, none twice."""
    count, got = 25, tmp_path / "got"
    code = f"import os, sys; os.write(os.open({str(got)!r}, {_APPEND}), (sys.argv[1] + chr(10)).encode())"
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "store.db"), str(count), *PYTHON, code, "{line}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    chance = random.Random(20261125)
    for _ in range(12):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            try:
                child.wait(chance.uniform(0.0, 0.2))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    assert sorted(got.read_text().splitlines()) == sorted(f"alarm about {number}" for number in range(count))


def recorder(got: Path) -> tuple[str, ...]:
    """A command that writes down what it was told, one JSON line for each run."""
    code = f"import os; os.write(os.open({str(got)!r}, {_APPEND}), (os.environ['OUTWARDEN_ALARM'] + chr(10)).encode())"
    return (*PYTHON, code)


def told(got: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in got.read_text().splitlines()] if got.exists() else []


def test_what_waits_is_told_together_by_turn(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 4):
        write_alarm(store, f"192.0.2.{number}")
    with store.writing():
        change = store.listings.take(ListAnswer("192.0.2.1", "big", "z", ListAnswerKind.NOT_LISTED), NOW)
        assert change is not None
        store.alarms.write(change.listing.id, Turn.ENDED, "192.0.2.1 is no longer listed by big", "over\n", NOW)
    assert AlarmSender(store, recorder(tmp_path / "got"), 12).send(NOW) == 2
    began, ended = told(tmp_path / "got")
    assert began["line"] == "192.0.2.1 is listed by big; 2 more listings began"
    assert [each["id"] for each in began["alarms"]] == [1, 2, 3]
    assert began["body"].startswith("3 listings began:\n\n  - 192.0.2.1 is listed by big\n  - 192.0.2.2 is listed")
    assert began["body"].count("What to do: $(id) `id`\n") == 3
    assert (ended["line"], ended["body"]) == ("192.0.2.1 is no longer listed by big", "over\n")
    assert capfd.readouterr().err.count(" began: 192.0.2.") == 3


def test_who_calls_a_person_is_told_first_and_once(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    write_alarm(store)
    for account in ("rosa", "jan", "rosa"):
        with store.writing():
            store.alarms.call(
                f"response {account}", f"{account} waits", f"Type: outwarden account block {account}\n", NOW
            )
    assert AlarmSender(store, ()).send(NOW) == 2
    assert capfd.readouterr().err == (
        "2026-11-25T03:00:00Z alarm 2 call: rosa waits\n2026-11-25T03:00:00Z alarm 3 call: jan waits\n"
        "2026-11-25T03:00:00Z alarm 1 began: 192.0.2.1 is listed by big\n"
    )
    calling, listed = store.alarms.notices()
    assert (notice_line(calling), notice_line(listed)) == (
        "rosa waits; 1 more thing waits for you", "192.0.2.1 is listed by big",
    )  # fmt: skip
    assert notice_body(calling).startswith("2 things wait for you:\n\n  - rosa waits\n  - jan waits\n")
    with store.writing():
        store.alarms.call("response rosa", "again", "", NOW)
    assert store.alarms.waiting() == []


def test_the_last_alarm_of_an_hour_says_so_and_what_follows_comes_together(store: Store, tmp_path: Path) -> None:
    minute, got = timedelta(minutes=1), tmp_path / "got"
    sender = AlarmSender(store, recorder(got), 3)
    for number in range(1, 9):
        write_alarm(store, f"192.0.2.{number}")
        sender.send(NOW + number * minute)
    lines = [each["line"] for each in told(got)]
    assert lines == [
        "192.0.2.1 is listed by big",
        "192.0.2.2 is listed by big",
        "192.0.2.3 is listed by big (the last of 3 alarms within an hour: further ones wait until 04:01 UTC)",
    ]
    assert told(got)[2]["body"].endswith(
        "\nThis is the last of 3 alarms within an hour: further ones wait until 04:01 UTC, and come together then.\n"
    )
    assert [alarm.id for alarm in store.alarms.waiting()] == [4, 5, 6, 7, 8]
    assert sender.send(NOW + 60 * minute) == 0
    assert sender.send(NOW + 61 * minute) == 1
    assert [each["id"] for each in told(got)[3]["alarms"]] == [4, 5, 6, 7, 8]
    assert store.alarms.waiting() == []


def test_without_a_command_nothing_waits(store: Store) -> None:
    sender = AlarmSender(store, [], 1)
    for number in range(1, 4):
        write_alarm(store, f"192.0.2.{number}")
        assert sender.send(NOW) == 1


def test_a_whole_network_fits_into_what_a_command_can_be_given(store: Store, tmp_path: Path) -> None:
    with store.writing():
        for number in range(256):
            change = store.listings.take(ListAnswer(f"192.0.2.{number}", "big", "z", ListAnswerKind.LISTED), NOW)
            assert change is not None
            store.alarms.write(change.listing.id, Turn.BEGAN, f"192.0.2.{number} is listed by big", "ö" * 2_000, NOW)
    assert AlarmSender(store, recorder(tmp_path / "got"), 12).send(NOW) == 6
    runs = told(tmp_path / "got")
    assert [each["id"] for run in runs for each in run["alarms"]] == list(range(1, 257))
    assert all(
        f"  - 192.0.2.{number} is" in run["body"] for number, run in ((0, runs[0]), (49, runs[0]), (255, runs[5]))
    )
    assert "The texts of 43 more did not fit; see: outwarden blocklists --history\n" in runs[0]["body"]


_CAPPED_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from outwarden.detection.listing_changes import Turn
from outwarden.events import ListAnswer, ListAnswerKind
from outwarden.service.alarms import AlarmSender
from outwarden.store.store import Store

def at(turn):
    return datetime(2026, 11, 25, tzinfo=UTC) + timedelta(minutes=7 * turn)

store = Store(Path(sys.argv[1]), writer=True)
sender = AlarmSender(store, sys.argv[3:], 3)
begun = len(store.listings.history()) // 2
print("up", flush=True)
sender.send(at(begun))
for turn in range(begun, int(sys.argv[2])):
    with store.writing():
        for name in ("big", "small"):
            change = store.listings.take(ListAnswer(f"host{turn}.example", name, "z", ListAnswerKind.LISTED), at(turn))
            store.alarms.write(change.listing.id, Turn.BEGAN, f"host{turn}.example on {name}", "body", at(turn))
    sender.send(at(turn))
turn = int(sys.argv[2])
while store.alarms.waiting() or store.alarms.next_try_at():
    sender.send(at(turn))
    turn += 1
"""


def test_killed_at_any_moment_with_a_cap_nothing_is_lost_or_told_twice(tmp_path: Path) -> None:
    """Twelve kills at random moments among thirty rounds of two alarms, of which three an hour may be told."""
    rounds, got = 30, tmp_path / "got"
    command = [sys.executable, "-c", _CAPPED_WRITER, str(tmp_path / "store.db"), str(rounds), *recorder(got)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    chance = random.Random(20261126)
    for _ in range(12):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            try:
                child.wait(chance.uniform(0.0, 0.15))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    assert sorted(each["id"] for run in told(got) for each in run["alarms"]) == list(range(1, 2 * rounds + 1))
    with Store(tmp_path / "store.db", read_only=True) as store:
        made = [notice.made_at for notice in store.alarms.notices()]
    assert len(made) == len(told(got)) < rounds
    assert all(late - early >= timedelta(hours=1) for early, late in zip(made, made[3:], strict=False))
