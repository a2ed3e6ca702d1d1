"""Each contract catches the sin it is for: committed here on a copy of the package, one at a time."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

ROOMS = "Rooms: imports run down towards the vocabulary"
NO_INPUT_OUTPUT = "Thinking rooms touch nothing outside"
GIVEN_TEXT = "Thinking rooms are given text and never open it"
ACTING = "Only the service acts on the world"
STRANGERS = "The log readers are strangers to each other"
NO_CIRCLES = "No two neighbours import each other in a circle"

SINS = [
    ("the vocabulary knows detection", "events/refusals.py", "import outwarden.detection", ROOMS),
    ("a reader knows a command", "sources/__init__.py", "import outwarden.cli", ROOMS),
    ("detection reads a log", "detection/sin.py", "import outwarden.sources.files", GIVEN_TEXT),
    ("a room that is in no list", "utils/__init__.py", "", ROOMS),
    ("detection asks a database", "detection/sin.py", "import sqlite3", NO_INPUT_OUTPUT),
    ("detection reads a clock", "detection/sin.py", "from time import time", NO_INPUT_OUTPUT),
    ("a playbook asks the store", "cases/sin.py", "import outwarden.store.store", ROOMS),
    ("a case looks at the clock", "cases/sin.py", "import time", NO_INPUT_OUTPUT),
    ("a case throws dice", "cases/sin.py", "import random", NO_INPUT_OUTPUT),
    ("an answer's reading asks the list", "dns/list_answers.py", "import outwarden.dns.lookup", NO_INPUT_OUTPUT),
    ("the vocabulary opens a file", "events/sin.py", "from pathlib import Path", NO_INPUT_OUTPUT),
    ("a new reader runs a program", "sources/logs/sin.py", "import subprocess", NO_INPUT_OUTPUT),
    ("a reader throws dice inside a function", "sources/queue/sin.py", "def f():\n    import random", NO_INPUT_OUTPUT),
    ("a check of SPF opens a socket", "authentication/spf_checks.py", "import socket", NO_INPUT_OUTPUT),
    ("a reader opens its log", "sources/logs/sin.py", "import outwarden.sources.files", GIVEN_TEXT),
    ("a reader follows its log", "sources/logs/sin.py", "import outwarden.sources.following", GIVEN_TEXT),
    ("one log reader knows another", "sources/logs/exim.py", "import outwarden.sources.logs.postfix", STRANGERS),
    ("a command acts by itself", "cli/sin.py", "import outwarden.responses.postfix", ACTING),
    ("a command acts without the wiring", "cli/sin.py", "from outwarden.responses import subjects", ACTING),
    ("two neighbours know each other", "events/refusals.py", "import outwarden.events.happenings", NO_CIRCLES),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to be sinned against."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(house: Path) -> set[str]:
    """The contracts that import-linter reports broken in this copy."""
    answer = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = set(re.findall(r"^(.*) BROKEN\b", answer.stdout, flags=re.MULTILINE))
    assert bool(broken) == (answer.returncode != 0), answer.stdout + answer.stderr
    return broken


def test_the_code_as_it_is_keeps_every_contract(house: Path) -> None:
    assert broken_contracts(house) == set()


@pytest.mark.parametrize(("path", "line", "contract"), [sin[1:] for sin in SINS], ids=[sin[0] for sin in SINS])
def test_a_sin_is_caught(house: Path, path: str, line: str, contract: str) -> None:
    file = house / "src" / "outwarden" / path
    file.parent.mkdir(exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(f"{before}\n{line}\n", encoding="utf-8")
    assert contract in broken_contracts(house)
