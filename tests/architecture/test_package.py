"""What is built ships every file of the package, and needs nothing that it does not declare."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "outwarden"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


IMPORTED_AS = {"dnspython": "dns"}
"""Packages that are imported under another name than they are installed by."""


EXTRAS = PROJECT["optional-dependencies"].keys() - {"dev"}
"""What some sites need at run time."""


def declared() -> set[str]:
    """The run-time dependencies, without their version bounds."""
    return {re.split(r"[<>=~! \[]", requirement)[0] for requirement in PROJECT["dependencies"]}


def extra(name: str) -> set[str]:
    """What an extra adds."""
    return {re.split(r"[<>=~! \[]", requirement)[0] for requirement in PROJECT["optional-dependencies"][name]}


def imported() -> set[str]:
    """The packages from outside that some module of ours imports, wherever in the file."""
    roots = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                roots.add(node.module.partition(".")[0])
    return roots - set(sys.stdlib_module_names) - {"outwarden"}


def test_dependencies_are_those_that_are_imported() -> None:
    assert imported() == {IMPORTED_AS.get(name, name) for name in declared()}.union(*map(extra, EXTRAS))


def test_dependencies_are_those_argued_for() -> None:
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    argued = set(re.findall(r"^\| ([a-z0-9-]+) \| \d", page, flags=re.MULTILINE))
    assert argued == declared()


def test_extras_are_argued_for() -> None:
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    argued = {
        (name, package) for name, package in re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z0-9-]+) \| \d", page, re.MULTILINE)
    }
    assert argued == {(name, package) for name in EXTRAS for package in extra(name)}


def test_dependencies_are_pinned_in_the_release_the_decision_names() -> None:
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    argued = dict(re.findall(r"^\| ([a-z0-9-]+) \| (\d[\w.]*) ", page, flags=re.MULTILINE))
    pins = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, flags=re.MULTILINE))
    assert {name: pinned.get(name) for name in argued} == argued


def test_pins_carry_hashes_and_no_addresses() -> None:
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        packages = re.findall(r"^\S+==.*?(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        assert packages, file.name
        assert all("--hash=sha256:" in package for package in packages), file.name
        assert "://" not in text, file.name
        assert "index" not in re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE), file.name


def test_the_wheel_ships_every_file(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("outwarden/")}
    ours = {file.relative_to(PACKAGE) for file in PACKAGE.rglob("*") if file.is_file()}
    # Caches of Python and of tools, which git ignores too.
    ours = {file for file in ours if not any(part.startswith((".", "__pycache__")) for part in file.parts)}
    assert shipped == {f"outwarden/{file}" for file in ours}


def test_every_folder_of_code_is_a_package() -> None:
    # A folder without __init__.py is invisible to import-linter: no contract would see into it.
    folders = {file.parent for file in PACKAGE.rglob("*.py")}
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").exists()) == []
