"""Where a key stands in a TOML file, so that a mistake is named with its line.

``tomllib`` forgets lines.  This reads headers and keys again and is right for files that ``tomllib`` accepts; a key
inside an inline table or a list is found at the line that begins it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

_KEY = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]")
_SETS = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
Path = tuple[str | int, ...]


class Lines:
    """The lines of one file.  A place in a list of tables is its number, from 0."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        tables: dict[Path, int] = {}
        table: Path = ()
        for number, line in _outside_texts(text):
            header = _HEADER.match(line)
            if header:
                table = _resolved(_names(header[2]), tables, is_list=header[1] == "[[")
                self._lines.setdefault(table, number)
            elif sets := _SETS.match(line):
                self._lines.setdefault((*table, *_names(sets[1])), number)

    def of(self, *path: str | int) -> int | None:
        """Return the line of a key, or of the nearest table that it stands or should stand in."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None

    def said(self, path: Path, message: str) -> str:
        """Return a message with its line and key before it."""
        line = self.of(*path)
        key = ".".join(f"{part + 1}" if isinstance(part, int) else part for part in path)
        return (f"line {line}: " if line else "") + (f"{key}: " if key else "") + message


def hint(wrong: object, names: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """Return what was probably meant, or what there is."""
    known = [str(name) for name in names]
    near = get_close_matches(str(wrong), known, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, dotted))


def _resolved(names: tuple[str, ...], tables: dict[Path, int], *, is_list: bool) -> Path:
    """Return the path of a header, with the number of the table where it is in a list of them."""
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        last = place == len(names) - 1
        if is_list and last:
            tables[path] = tables.get(path, -1) + 1
        if path in tables:
            path = (*path, tables[path])
    return path


def _outside_texts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that do not begin inside a text of several lines."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not inside:
            yield number, line
        for mark in ('"""', "'''"):
            if inside in ("", mark) and line.count(mark) % 2:
                inside = "" if inside else mark
                break
