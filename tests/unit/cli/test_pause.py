"""What an operator may get wrong with the verbs that act, and what each mistake ends with."""

import json
import os
from pathlib import Path

import pytest

from outwarden.cli.main import run

MISTAKES = [
    ("two pauses at once", ["pause", "--account", "rosa", "--destination", "a.example"], 2, "name one at a time"),
    ("a time that is none", ["pause", "--for", "soon"], 2, "name a time as 30m, 2h or 1d12h"),
    ("no time at all", ["pause", "--for", "0m"], 2, "longer than nothing"),
    ("a year", ["pause", "--for", "365d"], 2, "30 days at most"),
    ("an account that is an option", ["pause", "--account=-Mrm"], 2, "is no account"),
    ("a destination that is everything", ["pause", "--destination", "*"], 2, "is no domain"),
    ("a mail server that is only printed", ["pause", "--mta", "exchange"], 1, "add --dry-run"),
    ("a pause that ends two ways", ["resume", "--all", "--expired"], 2, "stand alone"),
    ("nothing to hold", ["queue", "hold"], 2, "name either --account or queue IDs"),
    ("both", ["queue", "hold", "4C9D2E1A", "--account", "rosa"], 2, "name either --account or queue IDs"),
    ("every message there is", ["queue", "delete", "ALL"], 2, "'ALL' is no queue ID"),
    ("an ID that is an option", ["queue", "delete", "--", "-d"], 2, "'-d' is no queue ID"),
    ("queue IDs of Exchange", ["queue", "hold", "4C9D2E1A", "--mta", "exchange", "--dry-run"], 1, "name --account"),
]


@pytest.fixture
def settings(tmp_path: Path) -> str:
    file = tmp_path / "outwarden.toml"
    file.write_text(f'[store]\npath = "{tmp_path}/kept/outwarden.db"\n[control]\nsocket = ""\n')
    return str(file)


@pytest.mark.parametrize(("words", "code", "says"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line_and_changes_nothing(
    settings: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
) -> None:
    assert run(["--config", settings, *words]) == code
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert says in told.err
    assert not (Path(settings).parent / "kept").exists()


@pytest.mark.parametrize(
    "words", [["pause"], ["resume"], ["queue", "delete", "4C9D2E1A"]], ids=["pause", "resume", "queue"]
)
def test_only_root_may_act(
    settings: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run(["--config", settings, *words]) == 4
    assert "only root may act on the mail server" in capsys.readouterr().err


def test_what_is_not_paused_is_no_error(
    settings: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert run(["--config", settings, "resume"]) == 0
    assert run(["--config", settings, "pause", "--list"]) == 0
    assert capsys.readouterr().out == (
        "nothing to resume: it is not paused by Outwarden\nnothing is paused by Outwarden\n"
    )


@pytest.mark.parametrize("mta", ["sendmail", "exchange"])
@pytest.mark.parametrize(
    "words",
    [["pause"], ["resume"], ["pause", "--account", "Rosa@isp.example"], ["queue", "delete", "--account", "rosa"]],
    ids=" ".join,
)
def test_the_commands_of_other_mail_servers_are_printed_anywhere(
    settings: str, capsys: pytest.CaptureFixture[str], mta: str, words: list[str]
) -> None:
    assert run(["--config", settings, "--json", *words, "--mta", mta, "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["mail_server"], plan["dry_run"]) == (mta, True)
    assert plan["commands"]
