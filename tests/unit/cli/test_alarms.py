"""``outwarden alarms``: what was told, who has taken it up, and a test of each channel."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.cli.main import run
from outwarden.service.alarms import AlarmSender
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("SUDO_USER", "kim")
    with Store(tmp_path / "store.db") as store:
        with store.writing():
            store.alarms.call("response 1", "rosa waits\x1b[31m", "Type: outwarden account show rosa\n", NOW)
        AlarmSender(store, ()).send(NOW)
    file = tmp_path / "outwarden.toml"
    file.write_text(
        f'[store]\npath = "{tmp_path}/store.db"\n[alarms.channels.log]\nkind = "syslog"\nsocket = "{tmp_path}/log"\n'
    )
    return ["--config", str(file)]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run([*arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_list_show_and_answer(site: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code, text = said(capsys, "alarms", "list", *site)
    assert (code, "\x1b" in text) == (0, False)
    assert "1  2026-11-25T03:00:00Z  call    rosa waits" in text
    assert said(capsys, "alarms", "answer", "1", *site) == (0, "alarm 1 is taken up by kim\n")
    assert said(capsys, "alarms", "answer", "1", *site) == (0, "alarm 1 is taken up by kim\n")
    assert said(capsys, "alarms", "list", "--open", *site) == (0, "")
    document = json.loads(said(capsys, "--json", "alarms", "show", "1", *site)[1])
    assert (document["turn"], document["answered_by"], document["told"]) == ("call", "kim", [])
    assert "taken up by kim" in said(capsys, "alarms", "show", "1", *site)[1]
    assert "alarm-answer" in said(capsys, "audit", "list", *site)[1]


def test_no_such_alarm(site: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "alarms", "answer", "99", *site)
    assert (code, text.splitlines()[-1]) == (3, "outwarden: there is no alarm 99; outwarden alarms list shows them")


def test_a_test(site: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code, text = said(capsys, "alarms", "test", *site)
    assert (code, "log: " in text, "could not be told: 1" in text) == (1, True, True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(f"{tmp_path}/log")
        assert said(capsys, "alarms", "test", "log", *site) == (0, "log: told\n")
        assert b"this is a test" in log.recv(4096)
    assert said(capsys, "alarms", "test", "desk", *site)[0] == 2
