"""What every story needs: real programs, a folder others can enter, and the command under test."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# The stories share the small servers in lab/, which no other test may use.
sys.path.insert(0, str(Path(__file__).parent))
# A failed assertion there must show what differs, as one in a story does.
pytest.register_assert_rewrite("lab.mail_of_the_day", "lab.ledger")

Command = Callable[..., Any]


_FAILED = pytest.StashKey[bool]()
_TOLD = {"outwarden.words": 60, "maillog": 40}
"""How many of the last lines of which file a story that failed shows: real programs say there what went wrong."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture
def home(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a folder that the mail servers' own users can enter (pytest's is closed to them).

    It lies where only root may write, because Sendmail trusts no other.
    """
    folder = Path(tempfile.mkdtemp(prefix="outwarden-", dir="/var/lib"))
    folder.chmod(0o755)
    yield folder
    if request.node.stash.get(_FAILED, False):
        for name, most in _TOLD.items():
            if (folder / name).exists():
                print(  # noqa: T201 (pytest shows it beside the failure)
                    f"--- the end of {name}:", *_last_lines(folder / name, most), sep="\n"
                )
    shutil.rmtree(folder)


def _last_lines(file: Path, most: int) -> list[str]:
    """Return the last lines of what a program has said."""
    return file.read_text(errors="replace").splitlines()[-most:]


@pytest.fixture
def outwarden() -> Command:
    """Return the real command: it prints one JSON document, which is returned."""

    def run(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401 - it is JSON
        done = subprocess.run(
            [sys.executable, "-m", "outwarden", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        assert done.returncode in codes, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    return run
