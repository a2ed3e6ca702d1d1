"""Feeds a reader hostile lines for as long as is asked, and measures what very long lines cost it.

    python tests/fuzz/long_run.py postfix --inputs 1000000 --seed 7

Nothing but the standard library and the readers is needed.  A find is printed with the input that shows it, and
the exit code is 1.  The same seed gives the same inputs.
"""

import argparse
import faulthandler
import random
import sys
import time
import traceback
from collections.abc import Callable

from hostile_lines import LONGEST, hostile_block, pumped
from targets import TARGETS, Feed, Target

from outwarden.events import encode_event

# So often a reader begins afresh: it keeps state between blocks, and that is to be fuzzed too.
_INPUTS_PER_READER = 500
_SHORTEST_PUMPED = 1 << 12
# Four times the length takes 4 times as long where time is linear and 16 times where it is quadratic.
_MOST_GROWTH = 9
_TOO_SHORT_TO_TELL_SECONDS = 0.02
# A reader that hangs is ended with a traceback that shows where.
_HANGS_SECONDS = 300


def crash(target: Target, inputs: int, seed: int) -> str | None:
    """Feed so many inputs.  Returns what was found: the input and its traceback; None if nothing was."""
    chance = random.Random(seed)
    feed: Feed | None = None
    for number in range(inputs):
        if feed is None or number % _INPUTS_PER_READER == 0:
            faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
            feed = target.begin()
        block = hostile_block(chance, target.lines)
        try:
            found = feed(block)
            for event in found if isinstance(found, list) else ():
                encode_event(event)
        except Exception:  # noqa: BLE001 - whatever it raises is the find
            return f"input {number} of seed {seed}: {block!r}\n{traceback.format_exc()}"
    return None


def slow(target: Target, lines: int, seed: int, longest: int = LONGEST) -> str | None:
    """Feed so many lines at growing lengths.  Returns one that raises or whose time grows faster; None if none does."""
    chance = random.Random(seed)
    for number in range(lines):
        faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
        line_of = pumped(chance, target.lines)
        length = _SHORTEST_PUMPED
        while length <= longest:
            what = f"line {number} of seed {seed} at {length} characters: {line_of(200)!r}"
            try:
                took = _seconds(target, line_of(length), 1)
                if took > _TOO_SHORT_TO_TELL_SECONDS and _grows_too_fast(target, line_of, length):
                    return f"{what} takes {took:.2f} s"
            except Exception:  # noqa: BLE001 - whatever it raises is the find
                return f"{what}\n{traceback.format_exc()}"
            length *= 2
    return None


def _grows_too_fast(target: Target, line_of: Callable[[int], str], length: int) -> bool:
    """Return whether time outgrows the length, up to this length and beyond it.

    One of the two alone proves little: what is remembered of a short line makes it cheap.
    """
    shorter, this, longer = (_seconds(target, line_of(size), 3) for size in (length // 4, length, length * 4))
    return this > _MOST_GROWTH * shorter and longer > _MOST_GROWTH * this


def _seconds(target: Target, block: str, times: int) -> float:
    best = float("inf")
    for _ in range(times):
        feed = target.begin()
        started = time.perf_counter()
        feed(block)
        best = min(best, time.perf_counter() - started)
    return best


def main() -> int:
    """Run what the command line asks for.  Returns 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("reader", nargs="*", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--inputs", type=int, default=100_000, help="hostile inputs for each reader")
    parser.add_argument("--lines", type=int, default=200, help="lines made very long for each reader")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="repeats a run")
    asked = parser.parse_args()
    if unknown := set(asked.reader) - set(TARGETS):
        parser.error(f"no such reader: {', '.join(unknown)}")
    found = 0
    for name in asked.reader or TARGETS:
        started = time.perf_counter()
        finds = [crash(TARGETS[name], asked.inputs, asked.seed), slow(TARGETS[name], asked.lines, asked.seed)]
        faulthandler.cancel_dump_traceback_later()
        finds = [find for find in finds if find]
        found += len(finds)
        took = time.perf_counter() - started
        said = [f"{name}: {asked.inputs} inputs, {asked.lines} long lines, seed {asked.seed}, {took:.0f} s"]
        said += [f"FOUND in {name}: {find}" for find in finds]
        sys.stdout.write("\n".join(said) + "\n")
        sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
