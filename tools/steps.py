"""Runs a named list of checks one after the other and says how each ended and how long it took.

``make check``, ``make unit``, ``make test`` and the rest call this with the name of their list, so
what a developer runs and what CI runs can't drift apart.  A failed step does not stop the later
ones: whoever waits ten minutes wants to hear everything at once.  The exit code is 1 if any failed.
"""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON_CODE = "src tests bench tools docs/conf.py"

STEPS = {
    "lint": f"ruff check {PYTHON_CODE}",
    "format": f"ruff format --check {PYTHON_CODE}",
    "types": "mypy",
    "layers": "lint-imports --no-logo",
    "unit": "pytest -q -n auto --dist loadfile tests/unit tests/corpus",
    "bad input": "pytest -q tests/bad_input tests/bad_configuration",
    "architecture": "pytest -q tests/architecture",
    "documentation": "pytest -q tests/documentation",
    "fuzz smoke": "pytest -q tests/fuzz",
    "end to end": "pytest -q -n 2 --dist loadfile tests/end_to_end",
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
        *("unit", "bad input", "architecture", "documentation", "fuzz smoke", "end to end", "docs"),
    ],
}


def main() -> int:
    """Run the list named on the command line and print its table.  Returns the exit code."""
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    environment.pop("CI", None)  # With it pytest prints every difference whole: megabytes of a generated log.
    results = []
    for step in LISTS[sys.argv[1]]:
        print(f"\n=== {step}: {STEPS[step]}", flush=True)
        started = time.monotonic()
        ended = subprocess.run(shlex.split(STEPS[step]), cwd=ROOT, env=environment, check=False)
        results.append((step, ended.returncode == 0, time.monotonic() - started))
    print_table(results)
    return 0 if all(passed for _, passed, _ in results) else 1


def print_table(results: list[tuple[str, bool, float]]) -> None:
    """Print one line per step and the sum."""
    print()
    for step, passed, seconds in results:
        print(f"  {step:<16}{'ok' if passed else 'FAILED':<8}{seconds:7.1f} s")
    print(f"  {'all':<24}{sum(seconds for _, _, seconds in results):7.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
