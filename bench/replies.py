"""Claim: a refusal takes at most 60 microseconds to understand, and at most 4 when its wording is known.

python bench/replies.py [FILE]

FILE holds one refusal a line; without it the samples of the rules are used.  Each text is timed alone
and the best of its runs counts, because what disturbs a run of microseconds is never the text.
A wording that is known is met again with another mailbox and address, as in a log.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from measuring import PYTHON, compare
from outwarden.events import Refusal
from outwarden.sources.refusals import classify, classify_cached
from outwarden.sources.refusals.rulebook import rulebook

ROUNDS = 15
HOSTILE = {
    "one word of 1 MB": "a" * 1_000_000,
    "1 MB of mailboxes": "a@b " * 250_000,
    "1 MB of codes": "550-" * 250_000,
}


def microseconds(judge: Callable[[str], Refusal], variants: list[str]) -> float:
    """Return the best time of several texts of one wording."""
    times = []
    for text in variants:
        begun = time.perf_counter_ns()
        judge(text)
        times.append(time.perf_counter_ns() - begun)
    return min(times) / 1000


def variants_of(text: str) -> list[str]:
    """Return the text said of other mailboxes and addresses."""
    return [
        text.replace("192.0.2.1", f"192.0.2.{number}").replace("a@b.example", f"a{number}@b.example")
        for number in range(ROUNDS)
    ]


def print_row(name: str, times: list[float]) -> None:
    """Print the median and the 95th percentile."""
    print(f"{name:34}{statistics.median(times):10.1f}{sorted(times)[int(len(times) * 0.95)]:10.1f}")


def main() -> None:
    """Measure and print."""
    given = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines() if sys.argv[1:] else []
    wordings = [variants_of(text) for text in given or [rule.sample for rule in rulebook().rules]]
    for variants in wordings:
        classify_cached(variants[0])
    print(f"{'microseconds a refusal':34}{'median':>10}{'95 %':>10}")
    print_row("a wording not met before", [microseconds(classify, variants) for variants in wordings])
    print_row("a wording met before", [microseconds(classify_cached, variants) for variants in wordings])
    for name, text in HOSTILE.items():
        print_row(name, [microseconds(classify, [text] * 3)])
    rooms = ("outwarden.events", "outwarden.sources.refusals")
    started = compare({room: [PYTHON, "-c", f"import {room}"] for room in rooms})
    vocabulary, refusals = (median.wall for median in started.values())
    print(f"{'import beyond the vocabulary, ms':34}{(refusals - vocabulary) * 1000:10.1f}")


if __name__ == "__main__":
    main()
