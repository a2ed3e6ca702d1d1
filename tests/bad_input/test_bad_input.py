"""One case per mistake in what the operator names, with the exact message that we promise.

A monitor must never read a mistake as an answer: ``check`` ends with 3, ``logs`` with 1, both with
one line on stderr that says what is wrong and what to do, and never a traceback.
"""

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOG = "".join(
    f"2026-04-07T01:{n // 60:02}:{n % 60:02}.000000+00:00 mail1 {text}\n"
    for n in range(0, 3000, 3)
    for text in (
        f"postfix/submission/smtpd[1]: {n:012X}: client=h.example[192.0.2.7], sasl_method=PLAIN, "
        "sasl_username=tim@isp.example",
        f"postfix/qmgr[2]: {n:012X}: from=<tim@isp.example>, size=900, nrcpt=1 (queue active)",
        f"postfix/smtp[3]: {n:012X}: to=<a@b.example>, relay=b.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, "
        "dsn=2.0.0, status=sent (250 ok)",
        f"postfix/qmgr[2]: {n:012X}: removed",
    )
)
JOURNAL = (
    "name the log that the mail server writes; where it logs to the journal: journalctl -o json | outwarden check -"
)
UNKNOWN = "name the log of the mail server, or look at the lines with --show-unknown"


class Mistake(NamedTuple):
    """``make`` lays out the folder; ``arguments`` are given; ``says`` is the whole of stderr."""

    name: str
    make: Callable[[Path], object]
    arguments: list[str]
    says: str


def _cut_gzip(folder: Path) -> None:
    packed = gzip.compress(LOG.encode())
    (folder / "mail.log.2.gz").write_bytes(packed[: len(packed) // 2])


def _two_files(folder: Path) -> None:
    (folder / "mail.log").write_text(LOG)
    (folder / "numbers.txt").write_text("1\n2\n3\n")


MISTAKES = [
    Mistake("missing file", lambda _: None, ["mail.log"], f"mail.log: there is no such file; {JOURNAL}"),
    Mistake(
        "directory without logs",
        lambda folder: (folder / "notes.txt").write_text("milk\n"),
        ["."],
        ".: no file in this directory is a mail log; name the log itself; where mail is logged to the journal: "
        "journalctl -o json | outwarden check -",
    ),
    Mistake(
        "binary file",
        lambda folder: (folder / "core").write_bytes(random.Random(1).randbytes(100_000)),
        ["core"],
        "core: this is a binary file, not a log; name a log in text",
    ),
    Mistake(
        "truncated gzip",
        _cut_gzip,
        ["mail.log.2.gz"],
        "mail.log.2.gz: the compressed file is cut off or damaged; what comes before the damage was read; "
        "fetch the file again for the rest",
    ),
    Mistake(
        "wrong format",
        lambda folder: (folder / "numbers.txt").write_text("1\n2\n3\n"),
        ["numbers.txt"],
        f"nothing in numbers.txt was understood as a mail log (3 lines); {UNKNOWN}",
    ),
    Mistake(
        "the log of other programs",
        lambda folder: (folder / "syslog").write_text("Apr  7 01:44:36 mail1 CRON[1]: (root) CMD (true)\n"),
        ["syslog"],
        f"nothing in syslog was understood as a mail log (1 line); {UNKNOWN}",
    ),
    Mistake(
        "one wrong file among two",
        _two_files,
        ["mail.log", "numbers.txt"],
        f"nothing in numbers.txt was understood as a mail log (3 lines); {UNKNOWN}",
    ),
    Mistake(
        "empty file",
        lambda folder: (folder / "mail.log").touch(),
        ["mail.log"],
        "mail.log: the file is empty; name the file that the mail server writes to",
    ),
    Mistake(
        "a name that attacks the terminal",
        lambda _: None,
        ["\x1b[2Jmail.log"],
        rf"\x1b[2Jmail.log: there is no such file; {JOURNAL}",
    ),
]


def outwarden(folder: Path, *arguments: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in a pipe."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TZ": "UTC"}
    return subprocess.run(
        [*prefix, sys.executable, "-m", "outwarden", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(("verb", "code"), [("check", 3), ("logs", 1)])
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_one_clear_line(tmp_path: Path, mistake: Mistake, verb: str, code: int) -> None:
    mistake.make(tmp_path)
    done = outwarden(tmp_path, verb, *mistake.arguments)
    assert done.stderr == f"outwarden: {mistake.says}\n"
    assert done.returncode == code


def test_nothing_on_standard_input(tmp_path: Path) -> None:
    done = outwarden(tmp_path, "check", "-")
    assert done.stderr == "outwarden: standard input: there is no line in it; name a log in which something stands\n"
    assert done.returncode == 3


def _without_the_rights_of_root() -> list[str]:
    """Return what to put before a command so that root, too, is asked for permissions."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        pytest.skip("this machine cannot take the right to read everything from root (setpriv)")
    return prefix


def test_no_permission(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    log.chmod(0)
    done = outwarden(tmp_path, "check", "mail.log", prefix=_without_the_rights_of_root())
    assert done.stderr == "outwarden: mail.log: no permission to read it; run this as root\n"
    assert done.returncode == 3


COUNTED = [
    ("a line of a megabyte", lambda log: log + b"x" * 1_000_000 + b"\n", {"lines_not_understood": 1}),
    ("bytes that are no UTF-8", lambda log: log + b"\xff\xfe\x9b31m\xc3\n", {"lines_not_understood": 1}),
    ("NUL bytes", lambda log: b"\0" * 5_000 + log, {"lines_not_understood": 0}),
    ("an unfinished last line", lambda log: log + b"2026-04-07T0", {"lines_not_understood": 1}),
    ("a clock that goes back", lambda log: log + log, {"clock_set_back": 1}),
]


@pytest.mark.parametrize(("name", "spoil", "counts"), COUNTED)
def test_what_is_odd_is_counted_and_the_rest_is_read(
    tmp_path: Path, name: str, spoil: Callable[[bytes], bytes], counts: dict[str, int]
) -> None:
    (tmp_path / "mail.log").write_bytes(spoil(LOG.encode()))
    done = outwarden(tmp_path, "--json", "logs", "mail.log")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert {name: answer[name] for name in counts} == counts
    assert answer["accounts"][0]["account"] == "tim@isp.example"
    assert answer["accounts"][0]["messages"] >= 1000


def test_a_line_that_was_not_understood_is_shown_and_harmless(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_bytes(LOG.encode() + b"\x1b[31mwhat is this\n")
    done = outwarden(tmp_path, "logs", "--show-unknown", "mail.log")
    assert done.stderr == "not understood: \\x1b[31mwhat is this\n"
    assert done.returncode == 0
