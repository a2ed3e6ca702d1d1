"""``docs/standards.md`` and the citations in the code say the same."""

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
    """Each (standard, file) in the table."""
    page = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (RFC \d+) \| (.*?) \|", page, flags=re.MULTILINE)
    return {(standard, file) for standard, files in rows for file in re.findall(r"`([^`]+)`", files)}


def test_every_citation_is_listed() -> None:
    assert sorted(cited() - listed()) == []


def test_every_row_is_obeyed_where_it_says() -> None:
    assert sorted(listed() - cited()) == []
