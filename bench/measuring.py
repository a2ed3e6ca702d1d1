"""Whole processes measured beside their peers: wall time, processor time, peak memory.

The commands take turns, so that a machine that drifts drifts for all of them; what is quoted is
the median of five rounds, and ratios rather than seconds.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PYTHON = sys.executable
OUTWARDEN = [PYTHON, "-m", "outwarden"]


class Run(NamedTuple):
    """One finished process."""

    wall: float
    cpu: float
    peak_megabytes: float


def run(argv: Sequence[str], output: str = os.devnull) -> Run:
    """Run a command to its end, whatever its exit code; what it prints goes to a file.

    To a file and not to /dev/null where a peer would notice: grep -c stops at the first match there.
    """
    begun = time.perf_counter()
    with Path(output).open("wb") as sink:
        child = subprocess.Popen(argv, stdout=sink, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return Run(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(commands: dict[str, Sequence[str]], rounds: int = 5, scratch: str = os.devnull) -> dict[str, Run]:
    """Run the commands in turn and return each one's medians; a warm-up round is not counted."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, argv in commands.items():
            measured = run(argv, scratch)
            if turn:
                runs[name].append(measured)
    return {
        name: Run(*(statistics.median(column) for column in zip(*all_of, strict=True))) for name, all_of in runs.items()
    }


def print_table(medians: dict[str, Run], against: Sequence[str] = ()) -> None:
    """Print the medians, and how many times each peer's wall time each command takes."""
    print(f"{'':34}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}" + "".join(f"{'x ' + peer:>16}" for peer in against))
    for name, median in medians.items():
        ratios = "".join(f"{median.wall / medians[peer].wall:16.2f}" for peer in against)
        print(f"{name:34}{median.wall:9.3f}{median.cpu:9.3f}{median.peak_megabytes:9.0f}{ratios}")


def generated_log(lines: int, seed: int = 1, stamp: str = "rfc3164", queue_id: str = "short") -> tuple[Path, Path]:
    """Return a generated log and its truth, made on first use in ``bench/.logs`` (ignored by git)."""
    generator = Path(__file__).parents[2] / "shared" / "loggen" / "gen.py"
    folder = Path(__file__).parent / ".logs"
    log = folder / f"{lines}-{seed}-{stamp}-{queue_id}.log"
    truth = log.with_suffix(".json")
    if not truth.exists():
        if not generator.exists():
            sys.exit(f"{generator.parent} with the log generator is not beside the project: name a log of your own")
        folder.mkdir(exist_ok=True)
        arguments = ["--lines", str(lines), "--seed", str(seed), "--stamp", stamp, "--qid", queue_id]
        subprocess.run(
            [PYTHON, str(generator), *arguments, "--out", str(log), "--truth", str(truth)],
            check=True,
            capture_output=True,
        )
    return log, truth
