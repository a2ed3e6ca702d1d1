"""``outwarden audit``: what is listed, and what is said of a log that is whole, and of one that is not."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outwarden.cli.main import root
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "outwarden.db"
    with Store(path) as store, store.writing():
        for number in range(3):
            store.audit.record(
                actor="anna\x1b[2J", action="block-account", object="rosa@isp.example",
                at=NOW + timedelta(days=number), before="asked" if number else "", after="done", reason="spam",
            )  # fmt: skip
    (tmp_path / "outwarden.toml").write_text(f'[store]\npath = "{path}"\n')
    return tmp_path


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--config", str(site / "outwarden.toml"), "audit", *arguments])


def test_a_list_is_one_line_a_row_and_harmless(site: Path) -> None:
    answer = run(site, "list", "--since", "2026-11-26", "--of", "rosa@isp.example")
    first = r"2  2026-11-26 03:12:40 UTC  anna\x1b[2J  block-account  rosa@isp.example  asked -> done: spam"
    assert (answer.exit_code, answer.output.splitlines()[0], len(answer.output.splitlines())) == (0, first, 2)
    assert run(site, "list", "--by", "bert").output == ""
    assert json.loads(run(site, "list", "--json").output.splitlines()[0])["object"] == "rosa@isp.example"


def test_a_whole_log_verifies_and_a_head_proves_it(site: Path) -> None:
    answer = run(site, "verify")
    assert (answer.exit_code, "give --heads FILE" in answer.output) == (0, True)
    (site / "heads").write_text(run(site, "head").output)
    answer = run(site, "verify", "--heads", str(site / "heads"))
    assert answer.output == (
        "3 rows, each as it was written, as far as the log itself can show; up to row 3 it is proved by an exported "
        "head\n"
    )
    assert json.loads(run(site, "verify", "--json").output)["broken_at"] is None


def test_a_broken_log_is_named_with_what_can_be_trusted(site: Path) -> None:
    (site / "heads").write_text(run(site, "head").output)
    with Store(site / "outwarden.db") as store, store.writing():
        for _ in range(3):
            store.audit.record(actor="bert", action="pause-server", object="server", at=NOW)
    with closing(sqlite3.connect(site / "outwarden.db")) as raw:
        raw.execute("DROP TRIGGER audit_stays")
        raw.execute("UPDATE audit SET actor = 'nobody' WHERE id = 5")
        raw.commit()
    answer = run(site, "verify", "--heads", str(site / "heads"))
    assert (answer.exit_code, answer.output) == (
        1,
        "outwarden: the audit log is broken: row 5 was changed, or the one before it was; rows 1 to 3 are proved by an "
        "exported head, rows 4 to 4 fit together, which alone is no proof, nothing after row 4 can be trusted\n",
    )
    answer = run(site, "verify", "--json")
    assert (answer.exit_code, json.loads(answer.output)["broken_at"]) == (1, 5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("list", "--since", "yesterday"), 2, "--since yesterday: no time; write 2026-11-25 or 2026-11-25T03:00"),
        (("verify", "--heads", "/nowhere/heads"), 1, "/nowhere/heads: No such file or directory"),
        (("verify", "--heads", "/dev/null"), 1, "/dev/null is empty; `outwarden audit head` prints such lines"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(site: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    answer = run(site, *arguments)
    assert (answer.exit_code, answer.output) == (code, f"outwarden: {words}\n")
