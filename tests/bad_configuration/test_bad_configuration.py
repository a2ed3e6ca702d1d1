"""One folder per mistake: the configuration, and in ``says`` the exact line that we promise.

``environment``, where it is there, has variables.  Each verb that reads the configuration says the same; a monitor
says it where monitors read, with exit code 3.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
NOTHING = HERE / "nothing-to-watch"
# That is a mistake only for who is to ask about something: the service follows a log as well.
MISTAKES = sorted(folder for folder in HERE.iterdir() if (folder / "says").exists() and folder != NOTHING)


def outwarden(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = folder / "environment"
    lines = variables.read_text().splitlines() if variables.exists() else []
    return subprocess.run(
        [sys.executable, "-m", "outwarden", "--config", "outwarden.toml", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        | dict(line.split("=", 1) for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("folder", MISTAKES, ids=lambda folder: folder.name)
def test_the_line_names_the_place_and_the_cure(folder: Path) -> None:
    answer = outwarden(folder, "config", "check")
    assert (answer.stderr, answer.stdout) == ((folder / "says").read_text(), "")
    assert answer.returncode == 78


@pytest.mark.parametrize("folder", [HERE / "misspelt-key", NOTHING], ids=lambda folder: folder.name)
def test_the_service_does_not_start_with_it(folder: Path) -> None:
    answer = outwarden(folder, "run", "--once")
    assert (answer.returncode, answer.stderr) == (78, (folder / "says").read_text())


@pytest.mark.parametrize("folder", [HERE / "misspelt-key", HERE / "text-for-a-list"], ids=lambda folder: folder.name)
def test_a_monitor_reads_unknown(folder: Path) -> None:
    answer = outwarden(folder, "monitor", "blocklists")
    told = (folder / "says").read_text().removeprefix("outwarden: ")
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, f"OUTWARDEN BLOCKLISTS UNKNOWN - {told}", "")


_FOR_LISTS = ["misspelt-key", "key-file-missing", "key-for-nobody", "unknown-list", "list-unknown", "not-toml"]


@pytest.mark.parametrize("folder", [HERE / name for name in _FOR_LISTS], ids=lambda folder: folder.name)
def test_who_asks_the_lists_once_is_told_the_same(folder: Path) -> None:
    told = (folder / "says").read_text()
    answer = outwarden(folder, "blocklists", "192.0.2.1")
    assert (answer.returncode, answer.stdout, answer.stderr) == (78, "", told)
    # A monitor that calls check must not take a mistake for a verdict.
    answer = outwarden(folder, "check", "--address", "192.0.2.1")
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "", told)


def test_a_good_one_is_good(tmp_path: Path) -> None:
    (tmp_path / "outwarden.toml").write_text(
        '[site]\naddresses = ["192.0.2.1"]\n[dns]\nresolver = "127.0.0.1"\n[blocklists]\nlists = ["spamcop"]\n'
    )
    answer = outwarden(tmp_path, "config", "check")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "good (read: outwarden.toml); to watch: 1, on 1 blocklists\n"
