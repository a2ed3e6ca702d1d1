"""``config show`` is TOML that means the same, with places; ``config schema`` describes every key."""

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from outwarden.cli.config import toml
from outwarden.cli.main import run
from outwarden.service.settings import Settings, fields, load

TEXT = '[site]\naddresses = ["192.0.2.1"]\n\n[blocklists]\nweights = { spamcop = "major" }\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "outwarden.toml").write_text(TEXT)
    return tmp_path / "outwarden.toml"


def test_what_is_shown_means_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(file), "config", "show"]) == 0
    shown = capsys.readouterr().out
    assert msgspec.convert(tomllib.loads(shown), Settings) == load(file, {}).settings
    assert f'addresses = ["192.0.2.1"]  # {file}:2\n' in shown
    assert "every_minutes = 60  # default\n" in shown


def test_json_has_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(file), "--json", "config", "show"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Settings) == load(file, {}).settings


def test_the_schema_describes_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    described = json.loads(capsys.readouterr().out)["$defs"]
    keys = {key for table in described.values() for key in table["properties"]}
    assert {each.key.partition(".")[2] for _, _, inside in fields() for each in inside} <= keys
    assert all(part["description"] for table in described.values() for part in table["properties"].values())
    assert all(table.get("additionalProperties") is False for table in described.values())


@pytest.mark.parametrize(
    "value", ["", 'quo"ted \\ \n', 5, 0.5, [], ["a", "b"], {}, {"a.b": "c", "d": {"e": [1]}}, True], ids=repr
)
def test_a_value_comes_back_from_toml(value: object) -> None:
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def test_a_missing_store_is_code_5(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = f'[store]\npath = "{file}/store.db"\n[dns]\nresolver = "127.0.0.1"\n'
    file.write_text(TEXT.replace("[blocklists]", more + "[blocklists]"))
    assert run(["--config", str(file), "delisting", "list"]) == 5
    told = capsys.readouterr().err
    assert told == f"outwarden: {file}/store.db: there is no store yet; start outwarden run\n"
