"""Claim: the account table of a Postfix log in an eighth of pflogsumm's time, twelve times grep's, and exact.

    python bench/account_table.py [LINES]

Compares ``outwarden logs --counts-only`` with one and two processes to pflogsumm and ``grep -c``, which
only counts one word, and checks every account's counts against the generator's truth.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring import OUTWARDEN, compare, generated_log, print_table

COLUMNS = ("messages", "recipients", "delivered", "deferred_attempts", "expired", "bounces_returned", "refused")
TRUTH = ("messages", "recipients", "sent", "deferred", "expired", "ndr", "bounced")


def accounts_wrong(log: Path, truth: Path, *options: str) -> tuple[int, int]:
    """Return how many accounts have any count that is not the truth's, and how many there are."""
    printed = subprocess.run(
        [*OUTWARDEN, "--json", "logs", str(log), *options], check=True, capture_output=True, text=True
    ).stdout
    found = {row["account"]: tuple(row[name] for name in COLUMNS) for row in json.loads(printed)["accounts"]}
    senders: dict[str, dict[str, Any]] = json.loads(truth.read_text())["senders"]
    wanted = {account: tuple(row[name] for name in TRUTH) for account, row in senders.items()}
    return sum(found.get(account) != wanted.get(account) for account in found.keys() | wanted.keys()), len(wanted)


def main() -> None:
    """Measure and print."""
    lines = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    for stamp, queue_id in (("rfc3164", "short"), ("iso", "long")):
        log, truth = generated_log(lines, 1, stamp, queue_id)
        counts = [*OUTWARDEN, "logs", str(log), "--counts-only"]
        commands = {
            "outwarden logs --counts-only": counts,
            "the same, --jobs 2": [*counts, "--jobs", "2"],
            "grep -c status=bounced": ["grep", "-c", "status=bounced", str(log)],
        }
        if shutil.which("pflogsumm"):
            commands["pflogsumm"] = ["pflogsumm", str(log)]
        print(f"\n{lines:,} lines, {stamp} stamps, {queue_id} queue IDs")
        medians = compare(commands, scratch=str(log.parent / "printed"))
        print_table(medians, [peer for peer in ("pflogsumm", "grep -c status=bounced") if peer in medians])
        for options in (["--counts-only"], ["--counts-only", "--jobs", "2"], []):
            wrong, known = accounts_wrong(log, truth, *options)
            print(f"exact {' '.join(options) or '(events)'}: {known - wrong} of {known} accounts")


if __name__ == "__main__":
    main()
