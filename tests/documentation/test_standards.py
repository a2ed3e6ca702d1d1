"""``docs/standards.md`` and the citations in the code say the same.

A row names files, or a folder where several files of it cite the standard.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "outwarden"


def cited() -> set[tuple[str, str]]:
    """Each (standard, file) in the code, comments and docstrings included."""
    return {
        (f"RFC {number}", str(file.relative_to(PACKAGE)))
        for file in PACKAGE.rglob("*")
        if file.suffix in {".py", ".toml", ".html"}
        for number in re.findall(r"\bRFC[ -]?(\d{3,5})\b", file.read_text(encoding="utf-8"))
    }


def listed() -> set[tuple[str, str]]:
    """Each (standard, file or folder) in the table."""
    page = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (RFC \d+) \| (.*?) \|", page, flags=re.MULTILINE)
    return {(standard, place) for standard, places in rows for place in re.findall(r"`([^`]+)`", places)}


def places(file: str) -> set[str]:
    """The file itself and the folders it lies in, as the table would name them."""
    return {file} | {f"{folder}/" for folder in Path(file).parents if str(folder) != "."}


def test_every_citation_is_listed() -> None:
    rows = listed()
    assert sorted((rfc, file) for rfc, file in cited() if not any((rfc, place) in rows for place in places(file))) == []


def test_every_row_is_obeyed_where_it_says() -> None:
    obeyed = {(standard, place) for standard, file in cited() for place in places(file)}
    assert sorted(listed() - obeyed) == []
