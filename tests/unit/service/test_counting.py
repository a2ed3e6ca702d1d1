"""Counting without judging: straight from the bytes where it can be, as events where it must."""

import gzip
from pathlib import Path

import pytest

from outwarden.service.counting import count_accounts
from outwarden.service.log_reading import NothingUnderstood, log_sources
from outwarden.sources.parts import cut_at_lines, is_plain, read_part

POSTFIX = (
    "Jan 15 00:30:01 mx1 postfix/submission/smtpd[7]: 4AA091855D: client=p1[198.51.100.7], sasl_method=PLAIN, "
    "sasl_username=rosa@isp.example\n"
    "Jan 15 00:30:02 mx1 postfix/qmgr[9]: 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)\n"
    "Jan 15 00:30:03 mx1 postfix/smtp[10]: 4AA091855D: to=<a@far.example>, relay=mx[192.0.2.25]:25, delay=1, "
    "delays=1/0/0/0, dsn=2.0.0, status=sent (250 Ok)\n"
    "Jan 15 00:30:03 mx1 postfix/qmgr[9]: 4AA091855D: removed\n"
)
EXIM = (
    "2026-01-15 00:31:01 1xVoYw-0003cF-2C <= ben@isp.example H=p2 [198.51.100.8] P=esmtpa A=plain:ben S=800 "
    "for a@far.example\n"
    "2026-01-15 00:31:02 1xVoYw-0003cF-2C => a@far.example R=dnslookup T=remote_smtp H=mx [192.0.2.25]\n"
    "2026-01-15 00:31:02 1xVoYw-0003cF-2C Completed\n"
)
CRON = "Jan 15 00:30:00 mx1 CRON[5]: (root) CMD (true)\n"


def counted(*paths: Path, jobs: int = 1) -> dict[str, tuple[int, int]]:
    counting = count_accounts(log_sources([str(path) for path in paths]), jobs=jobs)
    return {row.account: (row.messages, row.delivered) for row in counting.table}


def test_postfix_alone_is_counted_without_a_look_at_each_line(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(POSTFIX + CRON)
    counting = count_accounts(log_sources([str(log)]))
    assert (counting.lines, counting.lines_not_understood) == (5, None)
    assert [(row.account, row.messages, row.clients()) for row in counting.table] == [
        ("rosa@isp.example", 1, {"198.51.100.7"})
    ]


def test_other_servers_logs_are_counted_as_events(tmp_path: Path) -> None:
    log = tmp_path / "mainlog"
    log.write_text(EXIM)
    assert counted(log) == {"ben": (1, 1)}


def test_a_later_block_of_another_server_is_not_lost(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(POSTFIX + CRON * 4000 + EXIM)
    assert counted(log) == {"rosa@isp.example": (1, 1), "ben": (1, 1)}


def test_compressed_logs_are_counted_too(tmp_path: Path) -> None:
    log = tmp_path / "mail.log.1.gz"
    log.write_bytes(gzip.compress(POSTFIX.encode()))
    assert counted(log) == {"rosa@isp.example": (1, 1)}


def test_a_message_that_a_rotation_cut_in_two_is_one(tmp_path: Path) -> None:
    older, newer = tmp_path / "mail.log.1", tmp_path / "mail.log"
    lines = POSTFIX.splitlines(keepends=True)
    older.write_text("".join(lines[:2]))
    newer.write_text("".join(lines[2:]))
    assert counted(newer, older, jobs=2) == {"rosa@isp.example": (1, 1)}


def test_nothing_understood_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "notes.txt"
    log.write_text("the moon is made of cheese\n" * 10)
    with pytest.raises(NothingUnderstood):
        count_accounts(log_sources([str(log)]))


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
def test_a_file_is_cut_at_lines_and_nothing_is_lost(tmp_path: Path, pieces: int) -> None:
    log = tmp_path / "mail.log"
    text = b"".join(b"%d %s\n" % (number, b"x" * (number % 999)) for number in range(30000)) + b"unfinished"
    log.write_bytes(text)
    parts = cut_at_lines(str(log), pieces)
    assert len(parts) == min(pieces, len(text) // (4 << 20))
    blocks = [list(read_part(part)) for part in parts]
    assert b"".join(block for part in blocks for block in part) == text + b"\n"
    assert all(part[0].split(b" ")[0].isdigit() for part in blocks)


def test_what_is_plain(tmp_path: Path) -> None:
    plain, packed, wide = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    plain.write_text(POSTFIX)
    packed.write_bytes(gzip.compress(b"x"))
    wide.write_bytes(POSTFIX.encode("utf-16"))
    assert [is_plain(str(path)) for path in (plain, packed, wide, tmp_path)] == [True, False, False, False]
