"""What the pages point at exists: commands of the Makefile, files, rooms, and the pages themselves."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "outwarden"
DOCS = ROOT / "docs"
PAGES = sorted(ROOT.glob("*.md")) + [page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts]

# Made by a command, so not in a fresh clone.
MADE = ("var/", "docs/_build/", ".venv/")


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def targets() -> set[str]:
    """The Makefile's targets that have a name, not those that are files."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def code(page: Path) -> list[str]:
    """What stands between backticks on a page: fenced lines and inline pieces."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line for block in fenced for line in block.splitlines()] + inline


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_make_command_is_a_target(page: Path) -> None:
    named = {match[1] for piece in code(page) if (match := re.match(r"make ([a-z]+)\b", piece))}
    assert named <= targets()


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_path_named_exists(page: Path) -> None:
    roots = {entry.name for entry in [*ROOT.iterdir(), *PACKAGE.iterdir()] if entry.is_dir()}
    paths = {
        piece
        for piece in code(page)
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", piece) and piece.partition("/")[0] in roots and "/" in piece
    }
    missing = {
        path for path in paths if not path.startswith(MADE) and not any((at / path).exists() for at in (ROOT, PACKAGE))
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_to_a_file_leads_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    entries = [
        line
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```", index, flags=re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith(":")
    ]
    found = {page for entry in entries for page in DOCS.glob(f"{entry}.md")}
    assert found == {page for page in PAGES if page.is_relative_to(DOCS)} - {DOCS / "index.md"}


def test_the_rooms_are_those_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    in_words = " > ".join(layers).replace("(", "").replace(")", "")
    for page in (ROOT / "CONTRIBUTING.md", DOCS / "decisions" / "0001-rooms-and-imports.md"):
        assert in_words in page.read_text(encoding="utf-8"), page.name


def test_the_overview_describes_each_room_that_stands() -> None:
    standing = {entry.name for entry in PACKAGE.iterdir() if (entry / "__init__.py").exists()}
    overview = (DOCS / "overview.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(\w+)` \|", overview, flags=re.MULTILINE)
    assert sorted(described) == sorted(standing)
