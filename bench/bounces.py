"""Claim: bounces are read right to these shares, at 1,500 messages a second and more, beside flufl.bounce.

PYTHONPATH=src:. python bench/bounces.py [PYTHON]

PYTHON is an interpreter that has flufl.bounce, for an environment of its own; without it this one is tried.  The
collections of messages lie beside the project.  Both read the same messages from memory, one core, the median of five
rounds in turn.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.corpus.bounce_grades import COLLECTIONS, Grades, grade, rows_of

from outwarden.sources.reports import read_report

ROUNDS = 5
FIGURES = (*("recipients exact", "no false recipient", "status exact", "permanent", "class", "Message-ID", "kind"),)
# What flufl.bounce is asked for in the other interpreter: the recipients of each file, and how long it took.
PEER = """
import email, json, sys, time
from flufl.bounce import all_failures
import logging
logging.disable(logging.CRITICAL)
files = json.load(sys.stdin)
messages = [open(file, "rb").read() for file in files]
found = {}
times = []
for turn in range(6):
    begun = time.process_time()
    for file, message in zip(files, messages):
        try:
            parts = all_failures(email.message_from_bytes(message))
            found[file] = sorted({one.decode("latin-1").lower() for part in parts for one in part})
        except Exception:
            found[file] = ["raised"]
    times.append(time.process_time() - begun)
json.dump({"found": found, "seconds": sorted(times[1:])[2]}, sys.stdout)
"""


def seconds(read: Callable[[bytes], object], messages: list[bytes]) -> float:
    """Return the median of the processor time of all messages."""
    times = []
    for turn in range(ROUNDS + 1):
        begun = time.process_time()
        for message in messages:
            read(message)
        if turn:
            times.append(time.process_time() - begun)
    return statistics.median(times)


def print_grades(grades: Grades) -> None:
    """Print the share of each figure, by source and over all."""
    sources = sorted({source for source, _ in grades.counts})
    print(f"{'':20}" + "".join(f"{figure:>20}" for figure in FIGURES))
    for source in sources:
        cells = [grades.counts.get((source, figure)) for figure in FIGURES]
        print(f"{source:20}" + "".join(f"{f'{cell[0]} of {cell[1]}' if cell else '-':>20}" for cell in cells))
    print(f"{'all':20}" + "".join(f"{grades.share(figure):20.3f}" for figure in FIGURES))


def peer_of(python: str, files: list[Path]) -> tuple[float, dict[str, list[str]]] | None:
    """Return the seconds and the recipients of flufl.bounce, None where it is not installed."""
    asked = subprocess.run(
        [python, "-c", PEER],
        input=json.dumps([str(file) for file in files]),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        return None
    told = json.loads(asked.stdout)
    return told["seconds"], told["found"]


def main() -> None:
    """Measure and print."""
    if not COLLECTIONS.is_dir():
        sys.exit("the collections of messages are not beside the project; nothing to measure")
    print_grades(grade())
    rows = rows_of("truth_bounce.jsonl")
    files = [COLLECTIONS / row["file"] for row in rows]
    messages = [file.read_bytes() for file in files]
    own = seconds(read_report, messages)
    print(f"{len(messages)} messages: {len(messages) / own:.0f}/s with everything extracted")
    peer = peer_of(sys.argv[1] if sys.argv[1:] else sys.executable, files)
    if peer is None:
        print("flufl.bounce is not installed in that interpreter; nothing to compare with")
        return
    print(f"flufl.bounce, addresses alone: {len(messages) / peer[0]:.0f}/s; ours is {peer[0] / own:.2f} of that")
    labelled = [row for row in rows if row["labelled"] and row["recipients"] and "kind" in row["recipients"][0]]
    asked = [row for row in labelled if row["recipients"][0]["kind"] in ("failed", "delayed")]
    right = sum(
        set(peer[1][str(COLLECTIONS / row["file"])]) == {one["recipient"].lower() for one in row["recipients"]}
        for row in asked
    )
    print(f"flufl.bounce has exactly the recipients of {right} of {len(asked)} labelled bounces")


if __name__ == "__main__":
    main()
