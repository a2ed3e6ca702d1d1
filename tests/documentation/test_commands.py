"""Every verb and every option has its entry in the reference, and nothing else has."""

import re
from pathlib import Path

import click
import pytest

from outwarden.cli.main import VERBS, root, shared_options

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def entries(section: str) -> set[str]:
    """The options that begin a row of a table in this section."""
    rows = re.findall(r"^\| (`-[^|]+) \|", SECTIONS[section], flags=re.MULTILINE)
    return {option for row in rows for option in re.findall(r"`(--?[a-z-]+)[^`]*`", row)}


def options(command: click.Command) -> set[str]:
    """The long options of a command and of its parts."""
    own = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    if isinstance(command, click.Group) and command is not root:
        own |= {name for part in command.commands.values() for name in options(part)}
    return own


SHARED = {name for option in shared_options() for name in option.opts}


def test_every_verb_has_a_section() -> None:
    assert [title for title in SECTIONS if title.startswith("outwarden ")] == [f"outwarden {verb}" for verb in VERBS]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_has_an_entry(verb: str) -> None:
    command = root.get_command(click.Context(root), verb)
    assert command is not None
    assert entries(f"outwarden {verb}") == options(command) - SHARED


def test_the_options_of_every_verb_have_an_entry() -> None:
    assert entries("Options of every verb") == SHARED | {"--help", "--version"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_usage_names_the_verb(verb: str) -> None:
    assert f"```text\noutwarden {verb} " in SECTIONS[f"outwarden {verb}"]
