"""Runs a named list of checks one after the other and says how each ended and how long it took.

``make check``, ``make unit``, ``make test`` and the rest call this with the name of their list, so
what a developer runs and what CI runs can't drift apart.  A failed step does not stop the later
ones: whoever waits ten minutes wants to hear everything at once.  The exit code is 1 if any failed.

The end-to-end stories wait for mail servers most of their time.  They run beside the other steps, in two halves, and
what they print comes when those are through.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON_CODE = "src tests bench tools docs/conf.py"


def _halves() -> tuple[list[str], list[str]]:
    """Return the stories in two parts, every second one each: neighbours take about as long."""
    stories = sorted(f"tests/end_to_end/{path.name}" for path in (ROOT / "tests/end_to_end").iterdir() if _tells(path))
    return stories[::2], stories[1::2]


def _tells(path: Path) -> bool:
    return path.is_dir() and any(path.glob("test_*.py"))


STEPS = {
    "lint": f"ruff check {PYTHON_CODE}",
    "format": f"ruff format --check {PYTHON_CODE}",
    "types": "mypy",
    "layers": "lint-imports --no-logo",
    "unit": "pytest -q tests/unit tests/corpus",
    "bad input": "pytest -q tests/bad_input tests/bad_configuration",
    "architecture": "pytest -q tests/architecture",
    "documentation": "pytest -q tests/documentation",
    "fuzz smoke": "pytest -q tests/fuzz",
    **{f"end to end {half}": f"pytest -q {' '.join(stories)}" for half, stories in enumerate(_halves(), 1)},
    "docs": "sphinx-build -q -n -W --keep-going -b html docs docs/_build/html",
    "fuzz": "python -m tests.fuzz",
    **{
        f"bench {script.stem}": f"python bench/{script.name}"
        for script in sorted((ROOT / "bench").glob("*.py"))
        # What the others measure with, and two that run inside the containment benchmark.
        if script.stem not in ("measuring", "containment", "containment_curve")
    },
}

LISTS = {
    "check": ["lint", "format", "types", "layers"],
    "unit": ["unit"],
    "docs": ["docs"],
    "fuzz": ["fuzz"],
    "bench": [step for step in STEPS if step.startswith("bench ")],
    "test": [
        *("lint", "format", "types", "layers"),
        *("unit", "bad input", "architecture", "documentation", "fuzz smoke", "docs"),
        *("end to end 1", "end to end 2"),
    ],
}


def main() -> int:
    """Run the list named on the command line and print its table.  Returns the exit code."""
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    environment.pop("CI", None)  # With it pytest prints every difference whole: megabytes of a generated log.
    began = time.monotonic()
    wanted = LISTS[sys.argv[1]]
    beside = [_Beside(step, environment) for step in wanted if step.startswith("end to end")]
    results = []
    for step in wanted:
        if not step.startswith("end to end"):
            _head(step)
            started = time.monotonic()
            ended = subprocess.run(shlex.split(STEPS[step]), cwd=ROOT, env=environment, check=False)
            results.append((step, ended.returncode == 0, time.monotonic() - started))
    results += [each.result() for each in beside]
    print_table(results, time.monotonic() - began)
    return 0 if all(passed for _, passed, _ in results) else 1


class _Beside:
    """A step that runs beside the others, and prints when it is asked for its result."""

    def __init__(self, step: str, environment: dict[str, str]) -> None:
        self._step, self._began = step, time.monotonic()
        self._printed = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            shlex.split(STEPS[step]), cwd=ROOT, env=environment, stdout=self._printed, stderr=subprocess.STDOUT
        )
        self._took = 0.0
        self._waiting = threading.Thread(target=self._wait)
        self._waiting.start()

    def result(self) -> tuple[str, bool, float]:
        """Wait for it, and print what it printed."""
        self._waiting.join()
        _head(self._step)
        self._printed.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(self._printed.read())
        sys.stdout.flush()
        return self._step, self._process.returncode == 0, self._took

    def _wait(self) -> None:
        self._process.wait()
        self._took = time.monotonic() - self._began


def _head(step: str) -> None:
    print(f"\n=== {step}: {STEPS[step]}", flush=True)


def print_table(results: list[tuple[str, bool, float]], seconds_in_all: float) -> None:
    """Print one line per step, and how long all of it took: less than their sum, as some ran at once."""
    print()
    for step, passed, seconds in results:
        print(f"  {step:<16}{'ok' if passed else 'FAILED':<8}{seconds:7.1f} s")
    print(f"  {'all':<24}{seconds_in_all:7.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
