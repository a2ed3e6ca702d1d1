"""The verbs that ask the running service: what it answers is shown on one screen, and what it cannot in one line."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from outwarden.cases.policy import Measure
from outwarden.cli.filter_lines import filter_lines
from outwarden.cli.log_options import Screen
from outwarden.cli.main import run
from outwarden.cli.status_lines import status_lines
from outwarden.detection.filter_report import FilterReport, Mistakes
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.records import ChangeRecord, ResponseRecord, Resumed
from outwarden.service.control.server import Answer, Asker, ControlServer
from outwarden.service.control.status import (
    AccountChange,
    AccountReport,
    AccountStatus,
    Deed,
    DoorStatus,
    FaultStatus,
    FindingTold,
    GateStatus,
    HistoryEntry,
    LogStatus,
    Offender,
    OpenListing,
    QueueStatus,
    Status,
    Waiting,
)
from outwarden.service.desk.repeats import Counted, Offences
from outwarden.sources.queue.reading import QueueForm, QueueReading

AT = datetime(2026, 11, 25, 7, 12, tzinfo=UTC)
STOLEN_AT = datetime(2026, 11, 25, 3, 12, tzinfo=UTC)
PAUSE = ResponseRecord(9, "pause-account", "rosa@isp.example", "done", "stolen password", "carla", STOLEN_AT, None)

CALM = Status(
    at=AT,
    running_since=AT - timedelta(days=3, hours=4),
    version="0.1.0",
    sending_spam="no",
    modes={"hold": "act", "block": "ask"},
    gate=GateStatus(
        doors=(DoorStatus("milter", "unix:/run/outwarden/milter.sock", 311, 12_345),),
        messages=12_345,
        accepted=12_201,
        held=120,
        refused=14,
        refused_early=10,
        p50_milliseconds=1.9,
        p99_milliseconds=8.4,
    ),
    logs=(LogStatus("/var/log/mail.log", True, 0, 0.0, 1_204_221, 12),),
    queue=QueueStatus(38, AT, 12, 0, "as usual at this hour"),
)
BAD_NIGHT = msgspec.structs.replace(
    CALM,
    sending_spam="yes",
    because=(
        "web17: 310 recipients that it never wrote to in an hour (own record 4); it is not stopped",
        "spamhaus-zen has 192.0.2.1",
    ),
    queue=QueueStatus(412, AT, 190, 37, "grew from its usual 38 messages since 03:10"),
    pauses=(PAUSE,),
    accounts=(
        AccountStatus(
            "rosa@isp.example",
            "blocked",
            True,
            13.4,
            "stolen-password",
            STOLEN_AT,
            "OW-7",
            "9 networks never seen before within 2 hours",
            37,
            412,
        ),
        AccountStatus(
            "web17", "blocked", False, 9.1, "hijacked-site", STOLEN_AT, "OW-8", "310 new recipients in an hour"
        ),
    ),
    accounts_in_all=2,
    done_by_itself=(
        Deed(
            STOLEN_AT,
            "blocked",
            "rosa@isp.example",
            "9 networks never seen before",
            "OW-7",
            "outwarden account unblock rosa@isp.example",
        ),
    ),
    waits_for_me=(
        Waiting("block web17?", "310 new recipients in an hour", "outwarden account confirm OW-8", STOLEN_AT),
    ),
    listings=(OpenListing("spamhaus-zen", "192.0.2.1", STOLEN_AT, True),),
    faults=(FaultStatus("resolver", "127.0.0.53 does not answer", STOLEN_AT),),
)
Serve = Callable[[dict[str, Any]], list[tuple[str, Any]]]
Outwarden = Callable[..., tuple[int, str, str]]
EVIL = "\x1b[2J\u202e\r\n\x9b31m"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Answer verbs with fixed values; return what was asked."""
    path = tmp_path / "control.sock"
    (tmp_path / "outwarden.toml").write_text(
        f'[control]\nsocket = "{path}"\n[store]\npath = "{tmp_path}/kept/outwarden.db"\n'
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[ControlServer] = []

    def begin(answers: dict[str, Any]) -> list[tuple[str, Any]]:
        asked: list[tuple[str, Any]] = []

        def answer(verb: str, value: object) -> Answer:
            async def give(arguments: dict[str, Any], _asker: Asker) -> object:
                asked.append((verb, arguments))
                if isinstance(value, Exception):
                    raise value
                return value

            return Answer(give)

        server = ControlServer(path, "", {verb: answer(verb, value) for verb, value in answers.items()})
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        servers.append(server)
        return asked

    yield begin
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def outwarden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Outwarden:
    """Run a verb with the served configuration; return exit code, output and complaints."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["--config", str(tmp_path / "outwarden.toml"), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_screen_of_a_calm_day() -> None:
    lines = status_lines(CALM, Screen(80, 24, True))
    assert [click.unstyle(line) for line in lines] == [
        "NO, this server is not sending spam (2026-11-25 07:12 UTC)",
        "service  up 3 d 4 h, 0.1.0; hold: act, block: ask",
        "gate     milter unix:/run/outwarden/milter.sock",
        "         12,201 accepted, 120 held, 24 refused; 1.9 ms, p99 8.4 ms",
        "log      /var/log/mail.log: read to its end; 1,204,221 lines, 12 not understood",
        "queue    38 messages, oldest 12 min; as usual at this hour",
    ]


def test_the_screen_of_a_bad_night() -> None:
    lines = [click.unstyle(line) for line in status_lines(BAD_NIGHT, Screen(80, 24, True))]
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    whole = "\n".join(lines)
    for words in (
        "YES, this server is sending spam",
        "  web17: 310 recipients that it never wrote to",
        "paused   account rosa@isp.example, until resumed (response 9), by carla: stolen",
        "  resolver: 127.0.0.53 does not answer, since 2026-11-25 03:12 UTC",
        "  block web17?: 310 new recipients in an hour\n    outwarden account confirm OW-8",
        "would be blocked",
        "    undo: outwarden account unblock rosa@isp.example",
        "  192.0.2.1 on spamhaus-zen, since 2026-11-25 03:12 UTC",
    ):
        assert words in whole


def test_a_screen_of_a_thousand_accounts_is_still_one_screen() -> None:
    many = msgspec.structs.replace(
        BAD_NIGHT,
        accounts=tuple(AccountStatus(f"n{n}@isp.example", "held", True, 5.0) for n in range(300)),
        accounts_in_all=1000,
        done_by_itself=BAD_NIGHT.done_by_itself * 50,
        waits_for_me=BAD_NIGHT.waits_for_me * 50,
        because=BAD_NIGHT.because * 20,
        listings=BAD_NIGHT.listings * 30,
    )
    lines = [click.unstyle(line) for line in status_lines(many, Screen(80, 30, True))]
    assert len(lines) < 30
    assert "and 999 more accounts" in lines
    assert "  and 49 more" in lines
    assert len(status_lines(many, Screen(80, None, True))) > 300


def test_hostile_names_move_no_terminal() -> None:
    hostile = msgspec.structs.replace(
        BAD_NIGHT,
        because=(EVIL,),
        accounts=(AccountStatus(EVIL, "blocked", True, 9.0, EVIL, AT, EVIL, EVIL),),
        done_by_itself=(Deed(AT, EVIL, EVIL, EVIL, EVIL, EVIL),),
        waits_for_me=(Waiting(EVIL, EVIL, EVIL),),
        listings=(OpenListing(EVIL, EVIL, AT),),
        faults=(FaultStatus(EVIL, EVIL),),
        pauses=(msgspec.structs.replace(PAUSE, subject=EVIL, reason=EVIL, asked_by=EVIL),),
        logs=(LogStatus(EVIL, False, remark=EVIL),),
    )
    shown = click.unstyle("".join(status_lines(hostile, Screen(1000, None, True))))
    assert not set("\x1b\u202e\r\n\x9b") & set(shown)


def test_status_is_printed_and_ends_with_0(serve: Serve, outwarden: Outwarden) -> None:
    serve({"status": BAD_NIGHT})
    code, out, _ = outwarden("status")
    assert code == 0
    assert out.startswith("YES, this server is sending spam")
    assert "\x1b" not in out
    code, out, _ = outwarden("status", "--json")
    assert code == 0
    assert msgspec.json.decode(out, type=Status) == BAD_NIGHT


@pytest.mark.parametrize(
    "words", [("status",), ("account", "show", "rosa"), ("account", "confirm", "OW-7")], ids=" ".join
)
def test_without_the_service_the_cure_is_said(tmp_path: Path, outwarden: Outwarden, words: tuple[str, ...]) -> None:
    (tmp_path / "outwarden.toml").write_text(f'[control]\nsocket = "{tmp_path}/none.sock"\n')
    code, out, err = outwarden(*words)
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert "systemctl start outwarden" in err


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.MALFORMED, 2),
        (FaultKind.NOT_FOUND, 3),
        (FaultKind.NOT_ALLOWED, 4),
        (FaultKind.STORE, 5),
        (FaultKind.COULD_NOT, 1),
        (FaultKind.FAILED, 1),
        (FaultKind.BUSY, 1),
    ],
)
def test_a_fault_is_one_line_and_its_exit_code(serve: Serve, outwarden: Outwarden, kind: FaultKind, code: int) -> None:
    serve({"account.block": Fault(kind, "not this time"), "pause": Fault(kind, "not this time")})
    assert outwarden("account", "block", "rosa") == (code, "", "outwarden: not this time\n")
    assert outwarden("pause") == (code, "", "outwarden: not this time\n")


def test_an_account_is_shown(serve: Serve, outwarden: Outwarden) -> None:
    report = AccountReport(
        "rosa@isp.example",
        "login",
        "blocked",
        True,
        13.4,
        "stolen-password",
        ("9 new networks",),
        STOLEN_AT,
        "OW-7",
        (FindingTold("network", 2.3, "9 networks never seen before", STOLEN_AT, ("4jYgM74ky5zJbNv",)),),
        messages=14,
        recipients=390,
        new_recipients=388,
        networks=("203.0.113.0/24",),
        usual=("3 messages a day",),
        offences=1,
        next_steps=(Waiting("reset its password"), Waiting("then give it back", "", "outwarden account unblock rosa")),
    )
    asked = serve({"account.show": report})
    code, out, _ = outwarden("account", "show", "rosa@isp.example")
    assert code == 0
    assert out.splitlines() == [
        "rosa@isp.example is blocked since 2026-11-25 03:12 UTC (OW-7): stolen-password",
        "13.4 points; login",
        "  because 9 new networks",
        "   +2.3  9 networks never seen before",
        "         4jYgM74ky5zJbNv",
        "24 hours  14 messages, 390 recipients, 388 of them new",
        "usual     3 messages a day",
        "networks  203.0.113.0/24",
        "offences  1",
        "next      reset its password",
        "next      then give it back",
        "          outwarden account unblock rosa",
    ]
    assert asked == [("account.show", {"account": "rosa@isp.example"})]


def test_an_account_is_blocked_and_given_back(serve: Serve, outwarden: Outwarden) -> None:
    blocked = AccountChange(
        "rosa", "blocked rosa", "OW-7", ("37 messages put on hold",), "outwarden account unblock rosa"
    )
    asked = serve(
        {
            "account.block": blocked,
            "account.unblock": AccountChange("rosa", "unblock rosa", dry_run=True),
            "response.confirm": blocked,
            "response.dismiss": AccountChange("rosa", "dismissed: block rosa", "OW-8"),
        }
    )
    says = "blocked rosa (OW-7)\n  37 messages put on hold\n  undo: outwarden account unblock rosa\n"
    assert outwarden("account", "block", "rosa", "--reason", "spam run") == (0, says, "")
    assert outwarden("account", "unblock", "rosa", "--wrongly", "--dry-run") == (0, "would be: unblock rosa\n", "")
    assert outwarden("account", "confirm", "OW-7")[:2] == (0, says)
    assert outwarden("account", "dismiss", "OW-8")[:2] == (0, "dismissed: block rosa (OW-8)\n")
    assert asked == [
        ("account.block", {"account": "rosa", "reason": "spam run", "dry_run": False}),
        ("account.unblock", {"account": "rosa", "wrongly": True, "reason": "", "dry_run": True}),
        ("response.confirm", {"reference": "OW-7", "reason": "", "dry_run": False}),
        ("response.dismiss", {"reference": "OW-8", "reason": "", "dry_run": False}),
    ]


def test_history_and_offenders(serve: Serve, outwarden: Outwarden) -> None:
    serve(
        {
            "account.history": [HistoryEntry(STOLEN_AT, "blocked", "9 new networks", "outwarden run", "OW-7")],
            "account.offences": Offences(
                "rosa", "rosa", Counted(1, 1, 2), Counted(0, 1, 1), Measure.LOCK,
                "the next would be offence 3 within 365 days: it is locked until a lead unlocks it",
            ),
            "account.offenders": [
                Offender("rosa", 2, STOLEN_AT, "blocked", "stolen-password", 1, 1, 2, 1, "lock")
            ],
        }
    )  # fmt: skip
    says = "offences: 1 in 30 days, 1 in 90 days, 2 in 365 days\n"
    says += "new passwords: 0 in 30 days, 1 in 90 days, 1 in 365 days\n"
    says += "the next would be offence 3 within 365 days: it is locked until a lead unlocks it\n\n"
    says += "2026-11-25 03:12 UTC  blocked (OW-7), by outwarden run: 9 new networks\n"
    assert outwarden("account", "history", "rosa") == (0, says, "")
    assert outwarden("account", "offenders")[1].splitlines()[1].split()[:7] == ["rosa", "2", "1", "1", "2", "1", "lock"]
    lines = outwarden("--json", "account", "offenders")[1].splitlines()
    assert json.loads(lines[0])["account"] == "rosa"


def test_pause_and_resume_ask_the_service(serve: Serve, outwarden: Outwarden) -> None:
    asked = serve({"pause": PAUSE, "pause.list": [PAUSE], "resume": Resumed((PAUSE,), ())})
    code, out, err = outwarden("pause", "--account", "rosa@isp.example", "--for", "30m", "--reason", "stolen password")
    assert (code, err) == (0, "")
    assert out == (
        "paused: account rosa@isp.example, until resumed (response 9)\n"
        "  undo: outwarden resume --account rosa@isp.example\n"
    )
    assert outwarden("pause", "--list")[1].startswith("account rosa@isp.example, until resumed (response 9)  since")
    assert outwarden("resume", "--all")[1] == "resumed: account rosa@isp.example, until resumed (response 9)\n"
    printed = json.loads(outwarden("--json", "pause", "--list")[1])
    assert printed["since"] == "2026-11-25T03:12:00Z"
    assert asked[0] == (
        "pause",
        {
            "account": "rosa@isp.example",
            "destination": None,
            "seconds": 1800.0,
            "reason": "stolen password",
            "mail_server": "",
        },
    )
    assert asked[2][1] == {
        "account": None,
        "destination": None,
        "everything": True,
        "expired": False,
        "mail_server": "",
    }


def test_queue_verbs_ask_the_service(serve: Serve, outwarden: Outwarden) -> None:
    changed = ChangeRecord(7, "queue-delete", "rosa", "done", "", "carla", AT, None, (), ("A1B2C3D4",), "/kept/7", "ab")
    reading = QueueReading(QueueForm.POSTQUEUE_JSON, 0)
    asked = serve({"queue.delete": changed, "queue.list": reading})
    assert outwarden("queue", "delete", "--account", "rosa") == (
        0,
        "deleted: 1 message (response 7)\n  kept in /kept/7\n  sha256 ab\n",
        "",
    )
    assert outwarden("queue", "list", "--account", "rosa")[0] == 0
    assert asked[1] == ("queue.list", {"account": "rosa"})


@pytest.mark.parametrize("kind", [FaultKind.SERVICE_MAY_NOT, FaultKind.UNKNOWN_VERB])
def test_what_the_service_has_no_right_to_is_done_without_it(
    serve: Serve, outwarden: Outwarden, monkeypatch: pytest.MonkeyPatch, kind: FaultKind
) -> None:
    serve({"resume": Fault(kind, "only root may act"), "pause.list": Fault(kind, "no such verb")})
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert outwarden("resume")[:2] == (0, "nothing to resume: it is not paused by Outwarden\n")
    assert outwarden("pause", "--list")[:2] == (0, "nothing is paused by Outwarden\n")


def test_the_filter_owns_up() -> None:
    report = FilterReport(
        AT - timedelta(days=30),
        AT,
        Mistakes("filter", "", 120_000, 340, 12, 31),
        rules=(
            Mistakes(
                "rule", "volume", 0, 210, 9, rising=("9 of 30 stopped were released (0.8 % before)",), evidence=("A1",)
            ),
        ),
        lists=(Mistakes("list", "spamhaus-dbl", late=41, could_not_ask=3),),
        days=(Mistakes("day", "2026-11-25", 4_000, 30, 9, 1),),
    )
    lines = [click.unstyle(line) for line in filter_lines(report, Screen(80, 24, True))]
    assert lines[0].startswith("RISING, since 2026-10-26 07:12 UTC: 31 of 120,000 accepted were spam elsewhere")
    assert lines[1:3] == ["! rule volume: 9 of 30 stopped were released (0.8 % before)", "    A1"]
    assert any(line.split() == ["spamhaus-dbl", "41", "3"] for line in lines)


@pytest.mark.parametrize(
    "words",
    [("status",), ("account", "show", "rosa"), ("pause",), ("pause", "--list"), ("resume",), ("queue", "list")],
    ids=" ".join,
)
def test_who_asks_the_service_imports_no_store_and_nothing_heavy(
    serve: Serve, tmp_path: Path, words: tuple[str, ...]
) -> None:
    serve(
        {
            "status": BAD_NIGHT,
            "account.show": AccountReport("rosa", "login", "normal"),
            "pause": PAUSE,
            "pause.list": [PAUSE],
            "resume": Resumed((PAUSE,), ()),
            "queue.list": QueueReading(QueueForm.POSTQUEUE_JSON, 0),
        }
    )
    program = (
        "import sys; from outwarden.cli.main import run; code = run(sys.argv[1:]); "
        "print([name for name in ('sqlite3', 'dns', 'cryptography', 'jinja2', 'asyncio', 'outwarden.store') "
        "if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(tmp_path / "outwarden.toml"), *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
