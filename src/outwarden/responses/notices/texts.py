"""Reads the templates: those that are shipped, and over them the files of the same names in a folder of the site."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from outwarden.responses.notices.checking import Fault, folder_faults, template_faults
from outwarden.responses.notices.facts import Language, NoticeKind
from outwarden.responses.notices.letter import Templates
from outwarden.responses.notices.wording import Words, read_words

PARTS = ("facts", "done", "answer")
"""What the templates of a language share."""
_WORDS = "words.toml"
_FRAME = "frame.html"


class UnusableTemplates(Exception):
    """Templates of the site that cannot be used; ``faults`` names files and lines, the text is all of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def load_templates(folder: Path | None = None) -> Templates:
    """Return the templates, those of the site's folder first.

    Raises ``UnusableTemplates`` with everything that is wrong in that folder.
    """
    shipped = files("outwarden.responses.notices").joinpath("templates")
    texts: dict[str, str] = {}
    sources: dict[str, str] = {}
    faults = [] if folder is None else list(_misplaced(folder))
    for name, place in _places():
        found, file = _read(shipped, folder, name, faults)
        texts[place], sources[place] = found, file
    words = {language: _words(shipped, folder, language, faults) for language in Language}
    made = Templates(texts, {language: each for language, each in words.items() if each is not None}, sources)
    if folder is not None and not faults:
        own = {place for name, place in _places() if (folder / name).is_file()}
        faults += template_faults(made, own)
    if faults:
        raise UnusableTemplates(faults)
    return made


def _places() -> Iterator[tuple[str, str]]:
    """Yield the name of each file, and that of its template."""
    yield _FRAME, "frame"
    for language in Language:
        for name in (*NoticeKind, *PARTS):
            yield f"{language.value}/{name}.txt", f"{language.value}/{name}"


def _read(shipped: Traversable, folder: Path | None, name: str, faults: list[Fault]) -> tuple[str, str]:
    own = None if folder is None else folder / name
    try:
        if own is not None and own.is_file():
            return own.read_text(encoding="utf-8"), str(own)
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        faults.append(Fault(str(own), 0, str(why)))
    return shipped.joinpath(name).read_text(encoding="utf-8"), name


def _words(shipped: Traversable, folder: Path | None, language: Language, faults: list[Fault]) -> Words | None:
    name = f"{language.value}/{_WORDS}"
    table = tomllib.loads(shipped.joinpath(name).read_text(encoding="utf-8"))
    own = None if folder is None else folder / name
    try:
        if own is not None and own.is_file():
            table = _over(table, tomllib.loads(own.read_text(encoding="utf-8")))
        return read_words(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        faults.append(Fault(str(own), 0, str(fault)))
        return None


def _over(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the shipped table with what the site's says, single sentences of a table too."""
    return shipped | {
        key: shipped[key] | value if isinstance(value, dict) and isinstance(shipped.get(key), dict) else value
        for key, value in own.items()
    }


def _misplaced(folder: Path) -> Iterator[Fault]:
    if not folder.is_dir():
        yield Fault(str(folder), 0, "no such folder")
        return
    known = {name for name, _ in _places()} | {f"{language.value}/{_WORDS}" for language in Language}
    yield from folder_faults(str(folder), known, sorted(str(each.relative_to(folder)) for each in _files(folder)))


def _files(folder: Path) -> Iterator[Path]:
    # Hidden files are an editor's or a version control's.
    for each in folder.iterdir():
        if each.name.startswith("."):
            continue
        if each.is_dir():
            yield from (below for below in each.iterdir() if not below.name.startswith("."))
        else:
            yield each
