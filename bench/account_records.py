"""Claim: a million accounts' records load from the store in under 10 s.

    python bench/account_records.py [ACCOUNTS]

The records are those of some two thousand generated accounts after five weeks, over and over under other names.  Beside
the load stands ``cat``, which only reads the file.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from judging import DAYS, judge_of, made_mail
from measuring import PYTHON, compare, print_table, run
from outwarden.detection.live.encoding import decode_record
from outwarden.detection.live.records import Records
from outwarden.store.store import Store

SAVED_AT_ONCE = 10_000


def load(path: Path) -> None:
    """Load all records, and drop them."""
    with Store(path, read_only=True) as store:
        print(len(Records(store.account_records.all())))


def fill(path: Path, accounts: int) -> None:
    """Make and save the records, ten thousand at once, and say how large they are and how long that took."""
    made = [record for _, record in judge_of(list(made_mail(2000, DAYS))).records.all()]
    sizes = sorted(map(len, made))
    print(f"bytes of a record: median {sizes[len(sizes) // 2]}, 99 % {sizes[int(len(sizes) * 0.99)]}, most {sizes[-1]}")
    begun = time.process_time()
    for record in made:
        decode_record(record)
    print(f"to read one when its account is heard of: {(time.process_time() - begun) / len(made) * 1e6:.0f} µs")
    named = ((f"account{number}@isp.example", record) for number, record in zip(range(accounts), cycle(made)))
    seconds = []
    with Store(path) as store:
        while portion := list(islice(named, SAVED_AT_ONCE)):
            begun = time.perf_counter()
            store.account_records.save(portion, datetime.now(UTC))
            seconds.append(time.perf_counter() - begun)
    print(
        f"{SAVED_AT_ONCE:,} records saved at once: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s"
    )
    print(f"{accounts:,} accounts, {path.stat().st_size / 1e6:,.0f} MB in the file")


def forget_the_page_cache(path: Path) -> None:
    """Make the next reader of a file read the disk."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def main() -> None:
    """Measure and print; with a path after ``--load`` or ``--fill``, be the process that does so."""
    if sys.argv[1:2] == ["--load"]:
        load(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--fill"]:
        fill(Path(sys.argv[2]), int(sys.argv[3]))
        return
    accounts = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        path = Path(folder) / "outwarden.db"
        # Another process, as the peak of a child counts what its parent holds.
        subprocess.run([PYTHON, __file__, "--fill", str(path), str(accounts)], check=True)
        loading, reading = [PYTHON, __file__, "--load", str(path)], ["cat", str(path)]
        print_table(compare({"load all records": loading, "cat": reading}), ["cat"])
        for name, argv in (("load", loading), ("cat", reading)):
            forget_the_page_cache(path)
            print(f"{name}, read from the disk: {run(argv).wall:.1f} s")


if __name__ == "__main__":
    main()
