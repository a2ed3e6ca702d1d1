"""What every story needs: real programs, a folder others can enter, and the command under test."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# The stories share the small servers in lab/, which no other test may use.
sys.path.insert(0, str(Path(__file__).parent))
# A failed assertion there must show what differs, as one in a story does.
pytest.register_assert_rewrite("lab.mail_of_the_day")

Command = Callable[..., Any]


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder that the mail servers' own users can enter (pytest's is closed to them).

    It lies where only root may write, because Sendmail trusts no other.
    """
    folder = Path(tempfile.mkdtemp(prefix="outwarden-", dir="/var/lib"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


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
