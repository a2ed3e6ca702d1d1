"""From TOML to a playbook, or every mistake in it, each in one line with line, key and cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

from outwarden.cases.case import CaseState, Mark
from outwarden.cases.conditions import Condition
from outwarden.cases.playbook import Playbook, State, Step, Transition, Trigger
from outwarden.cases.playbook_checks import mistakes
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import ResponseName
from outwarden.cases.toml_lines import Lines, Path, hint
from outwarden.cases.troubles import Trouble

T = TypeVar("T")

_WORDS: dict[str, tuple[str, type[StrEnum]]] = {
    "trouble": ("trouble", Trouble),
    "case": ("case state", CaseState),
    "ask": ("response", ResponseName),
    "step": ("response", ResponseName),
    "on": ("event", Trigger),
    "who": ("role", Role),
    "mark": ("mark", Mark),
    "when": ("condition", Condition),
    "unless": ("condition", Condition),
}
"""Keys whose value is one word, or a list of words, of a closed set."""


class PlaybookError(ValueError):
    """A playbook that cannot be used; ``mistakes`` has one line for each reason."""

    def __init__(self, found: tuple[str, ...]) -> None:
        super().__init__("\n".join(found))
        self.mistakes = found


def read_playbook(text: str) -> Playbook:
    """Read a playbook and check it.  Raises ``PlaybookError``."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError((f"{error}; correct the TOML",)) from error
    lines = Lines(text)
    found = [lines.said(path, message) for path, message in _unreadable(tables)]
    if not found:
        playbook = msgspec.convert(tables, Playbook)
        found = [lines.said(path, message) for path, message in mistakes(playbook)]
    if found:
        raise PlaybookError(tuple(found))
    return playbook


@cache
def shipped_playbooks() -> dict[Trouble, Playbook]:
    """Return the playbooks of the package, one for each trouble."""
    return {trouble: read_playbook(shipped_text(trouble)) for trouble in Trouble}


def shipped_text(trouble: Trouble) -> str:
    """Return a playbook of the package as it was written."""
    return files("outwarden.cases").joinpath(f"playbooks/{trouble.value}.toml").read_text("utf-8")


def _unreadable(tables: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield what cannot be understood, table by table: msgspec alone would not say which state it was."""
    plain = {key: value for key, value in tables.items() if key not in ("states", "everywhere")}
    yield from _table({**plain, "states": {}}, Playbook, ())
    states = tables.get("states")
    if not isinstance(states, dict) or not states:
        yield ("states",), "there is no state; write [states.NAME] with case, about and the ways out"
        return
    for name, state in states.items():
        yield from _state(name, state)
    yield from _list(tables.get("everywhere", []), Transition, ("everywhere",))


def _state(name: str, state: object) -> Iterator[tuple[Path, str]]:
    here: Path = ("states", name)
    if not isinstance(state, dict):
        yield here, "not a table; write [states.NAME]"
        return
    plain = {key: value for key, value in state.items() if key not in ("steps", "transitions")}
    yield from _table(plain, State, here)
    yield from _list(state.get("steps", []), Step, (*here, "steps"))
    yield from _list(state.get("transitions", []), Transition, (*here, "transitions"))


def _list(entries: object, kind: type[Any], here: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(entries, list):
        yield here, f"not a list of tables; write [[{'.'.join(map(str, here))}]]"
        return
    for number, entry in enumerate(entries):
        yield from _table(entry, kind, (*here, number))


def _table(value: object, kind: type[Any], here: Path) -> Iterator[tuple[Path, str]]:
    unknown = list(_unknown_words(value, here))
    if unknown:
        yield from unknown
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        sentence, _, place = str(error).partition(" - at `$")
        inside = tuple(part for part in re.split(r"[.\[\]]+", place.rstrip("`")) if part)
        if field := re.search(r"contains unknown field `([^`]*)`", sentence):
            names = [one.encode_name for one in msgspec.structs.fields(kind)]
            yield (*here, field[1]), f"unknown key; {hint(field[1], names)}"
        elif field := re.search(r"missing required field `([^`]*)`", sentence):
            yield here, f"{field[1]} is missing; write it"
        else:
            yield (*here, *inside), f"{sentence[0].lower()}{sentence[1:]}; write what the reference says of it"


def _unknown_words(value: object, here: Path) -> Iterator[tuple[Path, str]]:
    for key, given in value.items() if isinstance(value, dict) else ():
        if key not in _WORDS:
            continue
        name, words = _WORDS[key]
        for word in given if isinstance(given, list) else [given]:
            if isinstance(word, str) and word not in list(words):
                yield (*here, key), f"no {name} {word!r}; {hint(word, [one.value for one in words])}"
