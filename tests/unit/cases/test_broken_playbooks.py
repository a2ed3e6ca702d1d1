"""Each mistake in a playbook is named with its line, key and cure, in exactly these words."""

from pathlib import Path

import pytest

from outwarden.cases.playbook_reading import PlaybookError, read_playbook, shipped_text
from outwarden.cases.toml_lines import Lines
from outwarden.cases.troubles import Trouble

FOLDER = Path(__file__).with_name("broken_playbooks")
BROKEN = sorted(path.stem for path in FOLDER.glob("*.expected"))


def text(name: str) -> str:
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_in_these_words(name: str) -> None:
    with pytest.raises(PlaybookError) as told:
        read_playbook(text(name))
    expected = (FOLDER / f"{name}.expected").read_text(encoding="utf-8")
    assert "".join(f"{mistake}\n" for mistake in told.value.mistakes) == expected


def test_without_a_mistake_it_is_read() -> None:
    assert list(read_playbook(text("good")).states) == ["contain", "watch", "closed"]


def test_every_file_has_its_words() -> None:
    assert BROKEN == sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "good")


def test_a_playbook_cut_off_anywhere_is_refused_or_read_and_never_crashes() -> None:
    whole = shipped_text(Trouble.BACKSCATTER)
    for end in range(0, len(whole), 37):
        try:
            read_playbook(whole[:end])
        except PlaybookError as fault:
            assert all(fault.mistakes)


@pytest.mark.parametrize("value", ["7", "[]", "{}", '""', "[7]", '["x"]', "{ x = 7 }", "true", "1.5", "2026-04-07"])
def test_a_value_of_any_other_kind_is_refused_or_read_and_never_crashes(value: str) -> None:
    lines = shipped_text(Trouble.STOLEN_ACCOUNT).splitlines()
    keys = {line.partition(" = ")[0]: number for number, line in enumerate(lines) if " = " in line}
    for key, number in keys.items():
        changed = [*lines[:number], f"{key} = {value}", *lines[number + 1 :]]
        try:
            read_playbook("\n".join(changed))
        except PlaybookError as fault:
            assert all(fault.mistakes)


LINES = [
    ("a key", "a = 1", ("a",), 1),
    ("a table", "\n[b]\nc = 1", ("b", "c"), 3),
    ("the second of a list", "[[d]]\ne = 1\n[[d]]\ne = 2", ("d", 1, "e"), 4),
    ("a list inside a table", "[f.g]\nh = 1\n[[f.g.i]]\nj = 1\n[[f.g.i]]\nj = 2", ("f", "g", "i", 1, "j"), 6),
    ("not there: its table", "[k]\nl = 1", ("k", "m"), 1),
    ("inside a text", 'n = """\no = 1\n"""\no = 2', ("o",), 4),
    ("quoted", '["p q"]\nr = 1', ("p q", "r"), 2),
    ("nowhere", "s = 1", ("t",), None),
]


@pytest.mark.parametrize(("toml", "path", "line"), [each[1:] for each in LINES], ids=[each[0] for each in LINES])
def test_the_line_of_a_key(toml: str, path: tuple[str | int, ...], line: int | None) -> None:
    assert Lines(toml).of(*path) == line
