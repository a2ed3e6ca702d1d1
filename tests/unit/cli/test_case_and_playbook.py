"""``outwarden case`` on a real store, and ``outwarden playbook``, through the whole command line."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.cases.desk_of import Day

from outwarden.cli.main import run
from outwarden.store.case_tries import TryState
from outwarden.store.store import Store

BROKEN = Path(__file__).parents[1] / "cases" / "broken_playbooks"
Captured = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture
def case(tmp_path: Path) -> str:
    """A case in the store, and the configuration that names it."""
    day = Day(tmp_path)
    turn = day.hear(day.evidence())
    assert turn is not None
    day.store.close()
    (tmp_path / "ow.toml").write_text(f'[store]\npath = "{tmp_path}/outwarden.db"\n', encoding="utf-8")
    return turn.case.id


def outwarden(tmp_path: Path, *words: str) -> int:
    return run(["--config", str(tmp_path / "ow.toml"), *words])


def test_list_and_show(tmp_path: Path, case: str, capsys: Captured) -> None:
    assert outwarden(tmp_path, "case", "list") == 0
    (head, row) = capsys.readouterr().out.splitlines()
    assert head.split() == ["case", "kind", "subscriber", "state", "changed", "marks", "with"]
    assert row.split()[:5] == [case, "stolen-account", "rosa", "new:", "contain"]
    assert outwarden(tmp_path, "case", "show", case.lower()) == 0
    shown = capsys.readouterr().out
    assert "request   block-account rosa@isp.example until 2026-05-07 01:44 UTC" in shown
    assert "waits for steps-done (tell), step-failed (by-hand), after 15m (by-hand)" in shown


def test_the_shape_of_json(tmp_path: Path, case: str, capsys: Captured) -> None:
    assert outwarden(tmp_path, "case", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed) == [
        "case", "kind", "subscriber", "state", "place", "marks", "offence", "points", "subjects", "opened", "changed",
        "last_evidence", "due", "assigned_to", "version",
    ]  # fmt: skip
    assert outwarden(tmp_path, "case", "show", case, "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == set(listed) | {
        "timeline", "asked", "waits_for", "tries", "notices",
    }  # fmt: skip


def test_note_assign_resolve_and_reopen_are_written_with_who_did_it(
    tmp_path: Path, case: str, capsys: Captured
) -> None:
    assert outwarden(tmp_path, "case", "note", case, "spoke to kim@isp.example") == 0
    assert outwarden(tmp_path, "case", "assign", case, "rosa") == 0
    assert outwarden(tmp_path, "case", "resolve", case, "--reason", "by telephone") == 0
    assert outwarden(tmp_path, "case", "resolve", case) == 4
    assert "is resolved already; there is nothing to resolve" in capsys.readouterr().err
    assert outwarden(tmp_path, "case", "reopen", case, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["assigned_to"], answer["marks"], answer["dry_run"]) == (
        "new", "rosa", ["regressed"], False,
    )  # fmt: skip
    assert len(answer["requests"]) == 6
    assert outwarden(tmp_path, "audit", "list", "--json") == 0
    actions = [json.loads(line)["action"] for line in capsys.readouterr().out.splitlines()]
    assert actions == ["case evidence", "case note", "case assign", "case resolve", "case reopen"]


def test_a_dry_run_writes_nothing(tmp_path: Path, case: str, capsys: Captured) -> None:
    assert outwarden(tmp_path, "case", "step", case, "mistaken", "--dry-run") == 0
    assert capsys.readouterr().out.startswith(f"would be: {case} in-progress in mistaken\n")
    assert outwarden(tmp_path, "case", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)["place"] == "contain"
    assert outwarden(tmp_path, "case", "step", case, "unlock") == 4
    assert "does not understand 'unlock'; there are mistaken" in capsys.readouterr().err


def test_yes_and_no_are_understood_where_something_waits_for_a_person(
    tmp_path: Path, case: str, capsys: Captured
) -> None:
    assert outwarden(tmp_path, "case", "step", case, "yes") == 4
    assert f"{case}: nothing waits for a yes or no" in capsys.readouterr().err
    with Store(tmp_path / "outwarden.db") as store, store.writing():
        for trial in store.case_tries.of_case(case):
            store.case_tries.put(replace(trial, state=TryState.ASKED))
    assert outwarden(tmp_path, "case", "show", case) == 0
    assert "waits for your yes or no: block-account rosa@isp.example, queue-hold" in capsys.readouterr().out
    assert outwarden(tmp_path, "case", "step", case, "yes", "--only", "queue-hold", "--dry-run") == 0
    assert capsys.readouterr().out.endswith("  yes       queue-hold rosa@isp.example\n")
    assert outwarden(tmp_path, "case", "step", case, "yes", "--only", "queue-hold") == 0
    assert outwarden(tmp_path, "case", "step", case, "no", "--only", "block-account", "--reason", "a mistake") == 0
    assert "answer    block-account rosa@isp.example: declined: " in capsys.readouterr().out
    with Store(tmp_path / "outwarden.db") as store:
        states = {trial.request.response.value: trial.state for trial in store.case_tries.of_case(case)}
    assert (states["queue-hold"], states["block-account"]) == (TryState.DUE, TryState.ANSWERED)
    assert outwarden(tmp_path, "case", "step", case, "yes", "--only", "reset-pasword") == 4
    assert "did you mean 'reset-password'?" in capsys.readouterr().err


def test_who_may_only_read_changes_nothing(tmp_path: Path, case: str, capsys: Captured, monkeypatch: Patch) -> None:
    with (tmp_path / "ow.toml").open("a") as settings:
        settings.write('[cases.roles]\nreader = ["anna"]\nlead = ["kim"]\n')
    monkeypatch.setenv("SUDO_USER", "anna")
    assert outwarden(tmp_path, "case", "note", case, "hello") == 4
    assert "note needs desk, and anna is reader" in capsys.readouterr().err
    monkeypatch.setenv("SUDO_USER", "kim")
    assert outwarden(tmp_path, "case", "note", case, "hello") == 0


def test_export_whole_and_redacted(tmp_path: Path, case: str, capsys: Captured) -> None:
    outwarden(tmp_path, "case", "note", case, "spoke to kim@isp.example")
    capsys.readouterr()
    assert outwarden(tmp_path, "case", "export", case) == 0
    assert "spoke to kim@isp.example" in capsys.readouterr().out
    assert outwarden(tmp_path, "case", "export", case, "--redacted") == 0
    out = capsys.readouterr().out
    assert "kim@isp.example" not in out and "k...@isp.example" in out


def test_what_is_not_there(tmp_path: Path, case: str, capsys: Captured) -> None:
    assert outwarden(tmp_path, "case", "show", "C-NONE") == 3
    assert "C-NONE: there is no such case; outwarden case list --all shows them" in capsys.readouterr().err
    assert outwarden(tmp_path, "case", "list", "--unresolved") == 0
    assert capsys.readouterr().out == "nothing is unresolved\n"
    (tmp_path / "ow.toml").write_text(f'[store]\npath = "{tmp_path}/none.db"\n', encoding="utf-8")
    assert outwarden(tmp_path, "case", "list") == 5


def test_playbooks_are_listed_drawn_and_checked(tmp_path: Path, capsys: Captured) -> None:
    assert run(["playbook", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12
    picture = tmp_path / "one.svg"
    assert run(["playbook", "graph", "backscatter", "--svg", str(picture)]) == 0
    assert capsys.readouterr().out.startswith("Backscatter (backscatter)\n")
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    assert run(["playbook", "check", str(BROKEN / "good.toml")]) == 0
    assert capsys.readouterr().out == f"{BROKEN / 'good.toml'}: good\n"


def test_every_mistake_is_one_line(capsys: Captured) -> None:
    broken = BROKEN / "dead-end-by-circle.toml"
    assert run(["playbook", "check", str(broken)]) == 78
    lines = capsys.readouterr().err.splitlines()
    expected = broken.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    assert lines == [f"outwarden: {broken}: {mistake}" for mistake in expected]
    assert run(["playbook", "graph", str(broken)]) == 78
    assert "(2 more: outwarden playbook check)" in capsys.readouterr().err


def test_a_playbook_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    assert run(["playbook", "graph", "stolen"]) == 3
    assert capsys.readouterr().err == (
        "outwarden: stolen: there is no such playbook; name a file, or one that outwarden playbook list shows\n"
    )
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    assert run(["playbook", "check", str(tmp_path / "latin.toml")]) == 78
