"""The page of the places where passwords are kept is what their settings and their statements say."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from outwarden.cli.config import toml
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.passwd_file_settings import PasswdFileSettings
from outwarden.responses.accounts.sql_settings import STATEMENTS, SqlSettings, settled

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "accounts.md").read_text(encoding="utf-8")
SECTIONS = [("SQL", SqlSettings), ("LDAP", LdapSettings), ("passwd-file", PasswdFileSettings)]
KINDS = SqlSettings | LdapSettings | PasswdFileSettings
READY = [("postfixadmin", "mariadb"), ("dovecot", "postgresql")]


@pytest.mark.parametrize(("title", "settings"), SECTIONS, ids=[case[0] for case in SECTIONS])
def test_every_setting_has_its_row_and_nothing_else_has(title: str, settings: type[msgspec.Struct]) -> None:
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    shown = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", section[1], flags=re.MULTILINE)
    assert shown == [(each.name, _default(each), _sentence(each)) for each in _fields(settings)]
    assert all(sentence.endswith(".") for _, _, sentence in shown)


def test_every_example_can_be_read() -> None:
    examples = [text for text in _toml() if "[accounts." in text]
    assert len(examples) == 5
    for text in examples:
        (table,) = tomllib.loads(text)["accounts"].values()
        msgspec.convert(table, KINDS)


@pytest.mark.parametrize(("tables", "engine"), READY, ids=[case[0] for case in READY])
def test_ready_statements_are_shown_as_they_are(tables: str, engine: str) -> None:
    ready = settled(msgspec.convert({"kind": "sql", "engine": engine, "database": "x", "tables": tables}, KINDS))
    named = {name: getattr(ready, name) for name in (*STATEMENTS, "locked", "unlocked")}
    shown = [tomllib.loads(text) for text in _toml() if "[accounts." not in text]
    assert {name: value for name, value in named.items() if value != ""} in shown


def _toml() -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def _fields(settings: type[msgspec.Struct]) -> tuple[msgspec.inspect.Field, ...]:
    told = msgspec.inspect.type_info(settings)
    assert isinstance(told, msgspec.inspect.StructType)
    return told.fields


def _default(field: msgspec.inspect.Field) -> str:
    if field.required:
        return "needed"
    return "none" if field.default is None else f"`{toml(field.default)}`"


def _sentence(field: msgspec.inspect.Field) -> str:
    assert isinstance(field.type, msgspec.inspect.Metadata)
    return str((field.type.extra_json_schema or {})["description"])
