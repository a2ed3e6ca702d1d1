"""Claim: all events of a Postfix log, with all their fields, in a quarter of pflogsumm's time.

    python bench/events.py [LINES]

The events are made by the reader that ``check`` uses, through the dispatcher that recognises formats, and dropped.
"""

import shutil
import sys
from datetime import UTC, datetime

from measuring import PYTHON, compare, generated_log, print_table


def read(path: str) -> None:
    """Read one log into events, and drop them."""
    from outwarden.sources.files import log_files, read_blocks
    from outwarden.sources.logs.reading import MixedLog

    log = MixedLog(datetime.now(UTC))
    events = sum(len(log.feed(block)) for file in log_files([path]) for block in read_blocks(file))
    print(events + len(log.finish()), log.lines, log.lines_not_understood)


def main() -> None:
    """Measure and print; with a path after ``--read``, be the process that is measured."""
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2])
        return
    lines = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    for stamp, queue_id in (("rfc3164", "short"), ("iso", "long")):
        log, _ = generated_log(lines, 1, stamp, queue_id)
        commands = {"events, all fields": [PYTHON, __file__, "--read", str(log)]}
        if shutil.which("pflogsumm"):
            commands["pflogsumm"] = ["pflogsumm", str(log)]
        print(f"\n{lines:,} lines, {stamp} stamps, {queue_id} queue IDs")
        print_table(compare(commands), [peer for peer in ("pflogsumm",) if peer in commands])


if __name__ == "__main__":
    main()
