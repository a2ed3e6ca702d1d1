"""Claim: the whole answer of ``outwarden check``, verdict and classes included, in 0.7 of pflogsumm's time.

python bench/check.py [LINES]
"""

import shutil
import sys

from measuring import OUTWARDEN, compare, generated_log, print_table


def main() -> None:
    """Measure and print."""
    lines = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    for stamp, queue_id in (("rfc3164", "short"), ("iso", "long")):
        log, _ = generated_log(lines, 1, stamp, queue_id)
        commands = {"outwarden check": [*OUTWARDEN, "check", str(log)]}
        if shutil.which("pflogsumm"):
            commands["pflogsumm"] = ["pflogsumm", str(log)]
        print(f"\n{lines:,} lines, {stamp} stamps, {queue_id} queue IDs")
        print_table(compare(commands), [peer for peer in ("pflogsumm",) if peer in commands])


if __name__ == "__main__":
    main()
