"""What the README shows is what the program prints."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = "var/sample/mail.log"


def block(language: str) -> str:
    """The first fenced block of this language."""
    found = re.search(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def outwarden(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outwarden", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def lines_not_printed(shown: str, printed: str) -> list[str]:
    """Lines of ``shown`` that do not follow each other in ``printed``.

    A line of dots stands for any lines left out, and dots at the end of a line for its rest.
    """
    rest = iter(printed.splitlines())
    missing = []
    for line in shown.splitlines():
        beginning = line.removesuffix("...").rstrip()
        if beginning and not any(
            candidate.startswith(beginning) if line.endswith("...") else candidate.rstrip() == beginning
            for candidate in rest
        ):
            missing.append(line)
    return missing


def test_the_first_two_commands_are_run_and_test() -> None:
    assert re.findall(r"^make (\w+)", block("sh"), flags=re.MULTILINE) == ["run", "test"]


def test_ci_runs_the_second_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == "exec make test"


def test_the_sample_answer_is_the_real_one(tmp_path: Path) -> None:
    (tmp_path / SAMPLE).parent.mkdir(parents=True)
    assert outwarden(tmp_path, "demo", "--out", SAMPLE).returncode == 0
    answer = outwarden(tmp_path, "check", SAMPLE)
    assert answer.returncode == 2, answer.stderr
    assert lines_not_printed(block("text"), answer.stdout) == []


def test_the_json_is_the_real_one(tmp_path: Path) -> None:
    (command,) = re.findall(r"^outwarden (reply .*)$", README, flags=re.MULTILINE)
    answer = outwarden(tmp_path, *shlex.split(command))
    assert json.loads(answer.stdout) == json.loads(block("json"))


def test_every_verb_is_shown() -> None:
    from outwarden.cli.main import VERBS

    shown = set(re.findall(r"^\| `outwarden (\w+)", README, flags=re.MULTILINE))
    assert shown | {"demo", "completion"} == set(VERBS)
