"""TOML files and environment variables as tables that know on which line each key stands."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PREFIX = "OUTWARDEN__"
_HEADING = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")
_LONGEST_VALUE = 60
_TYPES = {
    "array": "a list in square brackets",
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "object": "a table",
    "bool": "true or false",
}


class Mistake(Exception):
    """Something in a file or variable cannot be used; one line says where, what, and the cure."""


class Table:
    """What one file or variable sets; ``source`` names it."""

    def __init__(self, source: str, content: dict[str, Any], text: str = "") -> None:
        self.source = source
        self.content = content
        self._text = text

    def has(self, key: str) -> bool:
        """Return whether this sets the key (``section.key``), or something inside of it."""
        return _at(self.content, key) is not None

    def value(self, key: str) -> object:
        """Return what is set for the key, None where nothing is."""
        return _at(self.content, key)

    def place(self, key: str) -> str:
        """Return the source, with the line of the key where it stands on one."""
        line = _line_of(self._text, key)
        return self.source if line is None else f"{self.source}:{line}"


def file_table(path: Path) -> Table:
    """Read one TOML file.  Raises ``Mistake``."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise Mistake(f"{path}: {fault.strerror}; name a configuration file that can be read") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path}: not UTF-8 text; save it as UTF-8") from None
    try:
        return Table(str(path), tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as fault:
        raise Mistake(f"{_toml_place(path, str(fault))}; see https://toml.io for how it is written") from None


def is_there(path: Path) -> bool:
    """Return whether there is a file; one in a folder that we may not look into is there, and cannot be read."""
    try:
        return path.exists()
    except OSError:
        return True


def environment_tables(environment: Mapping[str, str], fits: Callable[[dict[str, Any]], bool]) -> Iterator[Table]:
    """Yield one table for each ``OUTWARDEN__SECTION__KEY``.

    A value is text, or where text does not do (``fits``) what it means in TOML: a number, a list, a table.
    """
    for name in sorted(name for name in environment if name.startswith(PREFIX)):
        path = [part.lower() for part in name.removeprefix(PREFIX).split("__")]
        value = environment[name]
        candidates = [value, *_as_toml(value)]
        tables = [_nested(path, candidate) for candidate in candidates]
        yield Table(name, next((table for table in tables if fits(table)), tables[-1]))


def merged(tables: Sequence[Table]) -> dict[str, Any]:
    """Return all of them as one: tables are joined, everything else is replaced by what comes later."""
    whole: dict[str, Any] = {}
    for table in tables:
        whole = _joined(whole, table.content)
    return whole


def in_words(fault: str, table: Table, known: Mapping[str, Sequence[str]]) -> str:
    """Turn msgspec's message into ours: place, key, what is wrong, and what would do.

    ``known`` are the keys by section, those of ``""`` the sections.
    """
    told, _, path = fault.partition(" - at `$")
    inside = re.sub(r"\[[^\]]*\]", "", path.strip("`."))
    unknown = re.search(r"unknown field `([^`]*)`", told)
    if unknown:
        key = f"{inside}.{unknown[1]}" if inside else unknown[1]
        return f"{table.place(key)}: {key}: there is no such {_kind(inside)}; {_likely(inside, unknown[1], known)}"
    if told.startswith("Invalid enum value"):
        told = "there is no such choice; outwarden config schema shows what there is"
    for name, words in _TYPES.items():
        told = told.replace(f"`{name}`", words)
    # What somebody wrote in place of a key's file may be the key.
    value = "" if "keys" in inside else f" = {_shown(table.value(inside))}"
    return f"{table.place(inside)}: {inside}{value}: {told[:1].lower()}{told[1:]}"


def _kind(section: str) -> str:
    return "key" if section else "section"


def _likely(section: str, name: str, known: Mapping[str, Sequence[str]]) -> str:
    here = known.get(section, ())
    near = difflib.get_close_matches(name, here, n=1) or [key for key in here if key.startswith(name)]
    if near:
        return f"did you mean {f'{section}.{near[0]}' if section else near[0]}?"
    elsewhere = [
        f"{other}.{key}"
        for other, keys in known.items()
        if other
        for key in difflib.get_close_matches(name, keys, n=1, cutoff=0.8)
    ]
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return f"there are: {', '.join(here)}" if here else "remove it"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _at(content: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 (what TOML can hold)
    found: Any = content
    for part in key.split(".") if key else ():
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def _line_of(text: str, key: str) -> int | None:
    """Return the line on which a key is set or its table begins; None for what the eye must find itself."""
    heading = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _HEADING.match(line):
            heading = _bare(match[1])
            if heading == key:
                return number
        elif match := _KEY.match(line):
            name = _bare(match[1])
            if (f"{heading}.{name}" if heading else name) == key:
                return number
    # A key inside an inline table stands on the line of that table.
    outer = key.rpartition(".")[0]
    return _line_of(text, outer) if outer and text else None


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _nested(path: Sequence[str], value: object) -> dict[str, Any]:
    for part in reversed(path):
        value = {part: value}
    return value  # type: ignore[return-value]


def _as_toml(value: str) -> list[object]:
    try:
        return [tomllib.loads(f"value = {value}")["value"]]
    except (tomllib.TOMLDecodeError, KeyError):
        return []


def _joined(first: dict[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(first)
    for key, value in second.items():
        before = whole.get(key)
        whole[key] = _joined(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return whole


def _toml_place(path: Path, fault: str) -> str:
    """Put the line that ``tomllib`` names behind the file, where the eye looks for it."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", fault)
    return f"{path}:{found[2]}: not TOML: {found[1]}" if found else f"{path}: not TOML: {fault}"
