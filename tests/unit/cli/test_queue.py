"""The queue verb: tables that look like mailq and qshape, JSON, and how it fails."""

import gzip
import json
import os
from pathlib import Path

import pytest

from outwarden.cli.main import run

CORPUS = Path(__file__).parents[2] / "corpus" / "queue"
POSTQUEUE = CORPUS / "postqueue-json.in"


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> "Answer":
    return Answer(capsys)


class Answer:
    """Runs ``outwarden queue`` and remembers what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.code = -1
        self.errors = ""

    def __call__(self, *words: str | Path) -> str:
        self.code = run(["queue", *map(str, words)])
        printed = self._capsys.readouterr()
        self.errors = printed.err
        return printed.out


def test_list_looks_like_mailq(answer: Answer) -> None:
    lines = answer("list", CORPUS / "postfix-mailq.in").splitlines()
    assert answer.code == 0
    assert lines[0].split() == ["Queue", "ID", "Size", "Arrival", "Sender,", "(reason)", "and", "recipients"]
    assert "CB4ED59" in lines[1]
    assert lines[1].endswith("  <>")
    assert lines[2].strip() == "(connect to 127.0.0.1[127.0.0.1]:2626: Connection refused)"
    assert lines[3].strip() == "e@bigmail.example"
    assert any(line.startswith("CB93E5A! ") for line in lines)
    assert lines[-1].startswith("-- 5 messages, 7 recipients, 1 kB, oldest ")
    assert lines[-1].endswith(": deferred 4, hold 1")


def test_list_as_json_is_one_object_a_line(answer: Answer) -> None:
    records = [json.loads(line) for line in answer("list", "--json", POSTQUEUE).splitlines()]
    assert len(records) == 6
    assert records[0] == {
        "queue_id": "4jYzw43GMhz25",
        "queue": "deferred",
        "arrived_at": "2026-11-24T23:45:56Z",
        "size": 252,
        "sender": "anna@isp.example",
        "recipients": [
            {"address": "weird'$@other.example", "reason": "connect to 127.0.0.1[127.0.0.1]:2626: Connection refused"}
        ],
    }


def test_shape_looks_like_qshape(answer: Answer) -> None:
    head, total, *domains = answer("shape", POSTQUEUE).splitlines()
    assert head.split() == ["T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"]
    assert total.split()[:2] == ["TOTAL", "8"]
    assert [line.split()[:2] for line in domains] == [
        ["other.example", "4"],
        ["bigmail.example", "3"],
        ["third.example", "1"],
    ]


def test_shape_of_the_senders(answer: Answer) -> None:
    _, total, *domains = answer("shape", "--senders", POSTQUEUE).splitlines()
    assert total.split()[:2] == ["TOTAL", "6"]
    assert [line.split()[0] for line in domains] == ["isp.example", "<>", "mail.isp.example"]


def test_shape_as_json(answer: Answer) -> None:
    document = json.loads(answer("shape", "--json", POSTQUEUE))
    assert document["ages_minutes"] == [5, 10, 20, 40, 80, 160, 320, 640, 1280]
    assert document["total"]["total"] == 8
    assert [row["domain"] for row in document["domains"]] == ["other.example", "bigmail.example", "third.example"]
    assert all(len(row["ages"]) == 10 for row in document["domains"])


def test_top_names_who_is_behind_the_queue(answer: Answer) -> None:
    head, first, *others, total = answer("top", POSTQUEUE).splitlines()
    assert head.split() == ["Sender", "Share", "Recipients", "Messages", "Oldest", "Commonest", "reason"]
    assert first.split()[:4] == ["rosa@isp.example", "50%", "4", "2"]
    assert first.endswith("network")
    assert len(others) == 4
    assert total == "-- 6 messages, 8 recipients, 5 senders"


def test_top_as_json(answer: Answer) -> None:
    document = json.loads(answer("--json", "top", POSTQUEUE))
    assert (document["total"], document["findings"]) == (6, [])
    assert document["senders"][0] == {
        "account": "rosa@isp.example",
        "messages": 2,
        "recipients": 4,
        "share": 0.5,
        "oldest": "2026-11-24T23:45:49Z",
        "refusal_class": "network",
    }


def test_top_says_what_speaks_against_a_sender(answer: Answer, tmp_path: Path) -> None:
    message = {
        "queue_name": "deferred",
        "queue_id": "A1B2C3D4E5",
        "arrival_time": 1,
        "sender": "rosa@isp.example",
        "recipients": [{"address": "a@big.example", "delay_reason": "554 5.7.1 blocked using zen.spamhaus.org"}],
    }
    file = tmp_path / "queue"
    file.write_text(80 * (json.dumps(message) + "\n"))
    lines = answer("top", file).splitlines()
    assert "! 80 of 80 recipients wait because a blocklist names us: spamhaus-zen" in lines
    assert "! 80 of 80 recipients waiting in the queue (100%) are rosa@isp.example's" in lines


def test_queues_of_exchange(answer: Answer) -> None:
    lines = answer("list", CORPUS / "get-queue.in").splitlines()
    assert lines[1].split() == ["412", "Retry", "bigmail.example", "EX1\\3"]
    assert "blocked using zen.spamhaus.org" in lines[2]
    assert lines[-1] == "-- 415 messages in 3 queues"
    assert answer.errors.startswith("outwarden: lines not understood: 1\n  ")


def test_counters_of_exchange(answer: Answer) -> None:
    lines = answer("list", CORPUS / "typeperf.in").splitlines()
    assert lines[0].split(maxsplit=1)[0] == "480"
    assert lines[0].endswith("Queues(_total)\\External Active Remote Delivery Queue Length")
    assert lines[-1] == "-- 480 messages waiting at least, by 2 counters"


@pytest.mark.parametrize("part", ["shape", "top"])
@pytest.mark.parametrize("form", ["exim-bpc", "get-queue", "typeperf"])
def test_a_form_that_only_counts_has_no_shape_and_no_senders(answer: Answer, part: str, form: str) -> None:
    assert answer(part, CORPUS / f"{form}.in") == ""
    assert answer.code == 1
    assert "tells how many messages wait, not whose or how old they are" in answer.errors


def test_a_count_alone_is_shown(answer: Answer) -> None:
    assert answer("list", CORPUS / "exim-bpc.in") == "-- 4 messages; exim -bpc tells no more.\n"
    assert json.loads(answer("list", "--json", CORPUS / "exim-bpc.in")) == {"total": 4}


@pytest.mark.parametrize("part", ["list", "top"])
def test_an_empty_queue(answer: Answer, part: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("Mail queue is empty\n")
    assert answer(part, tmp_path / "empty") == "The queue is empty.\n"
    assert answer.code == 0
    assert answer("list", "--json", tmp_path / "empty") == ""


def test_compressed_and_utf16_files_are_read_as_they_are(answer: Answer, tmp_path: Path) -> None:
    plain = answer("top", "--json", POSTQUEUE)
    (tmp_path / "a.gz").write_bytes(gzip.compress(POSTQUEUE.read_bytes()))
    (tmp_path / "b").write_bytes(POSTQUEUE.read_text().encode("utf-16"))
    assert answer("top", "--json", tmp_path / "a.gz") == plain
    assert answer("top", "--json", tmp_path / "b") == plain


def test_nothing_in_a_queue_can_move_the_terminal(answer: Answer, tmp_path: Path) -> None:
    evil = json.dumps("\x1b[2J\u202e\x9b31m\r\n@big.example")
    message = (
        f'{{"queue_name": {evil}, "queue_id": {evil}, "arrival_time": 1, "sender": {evil}, '
        f'"recipients": [{{"address": {evil}, "delay_reason": {evil}}}]}}\n{{"broken": {evil}\x1b[2J\n'
    )
    (tmp_path / "queue").write_text(message)
    for words in (["list"], ["shape"], ["shape", "--senders"], ["top"], ["list", "--json"], ["top", "--json"]):
        shown = answer(*words, "-v", tmp_path / "queue") + answer.errors
        assert answer.code == 0
        assert not set(shown.replace("\n", "")) & set("\x1b\x9b\u202e\r")


FAILURES = [
    ("no such file", "nowhere", None, "No such file or directory"),
    ("a folder", ".", None, "Is a directory"),
    ("a log", "log", b"Jan 15 00:30:10 mx postfix/qmgr[1]: A1: removed\n", "no queue listing of a form that we know"),
    ("binary", "bin", bytes(range(256)), "no queue listing of a form that we know"),
    ("a file cut off", "cut.gz", gzip.compress(bytes(1000))[:-9], "cut off or damaged"),
]


@pytest.mark.parametrize(("name", "file", "content", "words"), FAILURES, ids=[name for name, *_ in FAILURES])
def test_failures_are_one_clear_line(
    answer: Answer, tmp_path: Path, name: str, file: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / file).write_bytes(content)
    assert answer("list", tmp_path / file) == ""
    assert answer.code == 1
    assert words in answer.errors
    assert answer.errors.count("\n") == 1


def test_usage(answer: Answer) -> None:
    answer("lst")
    assert answer.code == 2
    answer("list", "--frob")
    assert answer.code == 2


def test_without_a_file_the_mail_server_is_asked(
    answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "postqueue"
    program.write_text(f'#!/bin/sh\n[ "$*" = -j ] && exec cat "{POSTQUEUE}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("OUTWARDEN__CONTROL__SOCKET", "")
    assert json.loads(answer("top", "--json"))["total"] == 6


def looks(folder: Path, counts: list[int]) -> list[Path]:
    """Listings saved ten minutes apart; the last of them has one sender more."""
    files = []
    for number, count in enumerate(counts):
        listing = [
            {
                "queue_name": "deferred",
                "queue_id": f"A{message}",
                "arrival_time": 1_775_500_000,
                "message_size": 900,
                "sender": "news@isp.example" if message < 40 else "rosa@isp.example",
                "recipients": [{"address": f"r{message}@big.example", "delay_reason": ""}],
            }
            for message in range(count)
        ]
        file = folder / f"{number:02}.json"
        file.write_text("".join(json.dumps(message) + "\n" for message in listing))
        os.utime(file, (1_775_520_000 + 600 * number,) * 2)
        files.append(file)
    return files


def test_growth_over_saved_listings_says_since_when_for_whom_and_who(answer: Answer, tmp_path: Path) -> None:
    printed = answer("growth", *looks(tmp_path, [40, 38, 41, 340])).splitlines()
    assert answer.code == 0
    assert printed == [
        "! queue grew from its usual 40 messages to 340 since 2026-04-07T00:20Z; waiting for big.example (100%)"
        "; behind it rosa@isp.example (100%)",
        "    2026-04-07T00:10Z 38 messages queued",
        "    2026-04-07T00:20Z 41 messages queued",
        "    2026-04-07T00:30Z 340 messages queued",
        "-- 4 looks from 2026-04-07 00:00 UTC to 2026-04-07 00:30 UTC; newest 340 messages, oldest 6 h 3 min",
    ]


def test_growth_as_json(answer: Answer, tmp_path: Path) -> None:
    told = json.loads(answer("growth", "--json", *looks(tmp_path, [40, 340])))
    assert told["looks"][0] == {"at": "2026-04-07T00:00:00Z", "messages": 40, "oldest_minutes": 333}
    assert [finding["rule"] for finding in told["findings"]] == ["queue-growth"]


@pytest.mark.parametrize(
    ("counts", "says"),
    [([40, 45], "Nothing stands above its own past."), ([340], "One look shows no growth: name older listings, too.")],
)
def test_no_growth_is_said(answer: Answer, tmp_path: Path, counts: list[int], says: str) -> None:
    assert answer("growth", *looks(tmp_path, counts)).splitlines()[0] == says


def test_growth_of_a_file_that_is_missing(answer: Answer, tmp_path: Path) -> None:
    answer("growth", tmp_path / "none")
    assert answer.code == 1
    assert "none: No such file or directory; save the queue with: postqueue -j > " in answer.errors
