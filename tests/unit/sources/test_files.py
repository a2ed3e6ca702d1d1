import bz2
import gzip
import io
import lzma
import os
import sys
import tarfile
import threading
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from outwarden.sources.files import DamagedLog, LogFile, UnreadableLog, log_files, read_blocks

LINE = b"Nov 23 03:12:45 mx1 postfix/qmgr[77]: 4AA091855DA0: removed\n"
LOG = b"".join(LINE.replace(b"77", b"%d" % number) for number in range(3000))

COMPRESSIONS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gz", gzip.compress),
    ("bz2", bz2.compress),
    ("xz", lzma.compress),
    ("zst", lambda content: zstandard.ZstdCompressor().compress(content)),
]


def content_of(file: LogFile) -> bytes:
    return b"".join(read_blocks(file))


def one(path: Path) -> LogFile:
    (file,) = log_files([str(path)])
    return file


def put(directory: Path, *names: str, content: bytes = LINE) -> None:
    """Write the files, each a minute younger than the one before."""
    directory.mkdir(exist_ok=True)
    for minute, name in enumerate(names):
        path = directory / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        os.utime(path, (1_795_400_000 + 60 * minute,) * 2)


def names(files: list[LogFile]) -> list[str]:
    return [os.path.basename(file.path) for file in files]


# -- which files, in what order --------------------------------------------------------------------

ROTATIONS = [
    ("logrotate", ["mail.log.10.gz", "mail.log.2.gz", "mail.log.1", "mail.log"]),
    ("logrotate by date", ["mail.log-20261121.gz", "mail.log-20261122", "mail.log-20261123", "mail.log"]),
    ("by date with hours", ["maillog-2026112209", "maillog-2026112210", "maillog"]),
    ("by date with dashes", ["mail.log-2026-09-30", "mail.log-2026-11-22", "mail.log"]),
    ("by month", ["mail-2025-12.log", "mail-2026-01.log"]),
    ("date before the ending", ["mail-20251231.log", "mail-20260101.log.gz", "mail.log"]),
    ("Exim", ["mainlog.02.gz", "mainlog.01", "mainlog"]),
    ("Exchange", ["MSGTRK2026112223-1.LOG", "MSGTRK2026112301-1.LOG", "MSGTRK2026112301-2.LOG"]),
]


@pytest.mark.parametrize(("name", "oldest_first"), ROTATIONS, ids=[case[0] for case in ROTATIONS])
def test_a_rotated_log_is_read_oldest_first(name: str, oldest_first: list[str], tmp_path: Path) -> None:
    """By what the names say, even where the dates of the files are upside down."""
    put(tmp_path, *reversed(oldest_first))
    assert names(log_files([str(tmp_path)])) == oldest_first
    assert names(log_files([str(tmp_path / name) for name in sorted(oldest_first)])) == oldest_first


def test_two_logs_are_read_side_by_side(tmp_path: Path) -> None:
    """By the dates of their files, each in its own order."""
    put(tmp_path, "mail.log.2", "exim_mainlog.1", "mail.log.1", "exim_mainlog", "mail.log")
    assert names(log_files([str(tmp_path)])) == [
        *("mail.log.2", "exim_mainlog.1", "mail.log.1", "exim_mainlog", "mail.log"),
    ]


def test_logs_of_the_same_name_in_two_directories_are_two_logs(tmp_path: Path) -> None:
    for host in ("mx1", "mx2"):
        put(tmp_path / host, "mail.log.1", "mail.log")
    files = log_files([str(tmp_path / "mx1"), str(tmp_path / "mx2")])
    assert [file.path.removeprefix(str(tmp_path)) for file in files] == [
        *("/mx1/mail.log.1", "/mx2/mail.log.1", "/mx1/mail.log", "/mx2/mail.log"),
    ]


DIRECTORIES = [
    ("what is no mail log is passed over", ["dpkg.log", "mail.log"], {"dpkg.log": b"2026-11-23 status installed\n"},
     ["mail.log"]),
    ("copies by severity", ["mail.err", "mail.info", "mail.warn", "mail.log"], {}, ["mail.log"]),
    ("Exim's refusals", ["rejectlog", "paniclog", "mainlog"], {}, ["mainlog"]),
    ("the system's log repeats the mail log", ["syslog", "syslog.1", "mail.log"], {}, ["mail.log"]),
    ("the system's log alone", ["syslog.1", "syslog"], {}, ["syslog.1", "syslog"]),
    ("a name that says nothing", ["some archive"], {}, ["some archive"]),
    ("hidden files", [".mail.log", "mail.log"], {}, ["mail.log"]),
    ("a rotation that is not finished", ["mail.log.1.gz", "mail.log.1", "mail.log"], {}, ["mail.log.1", "mail.log"]),
    ("empty after rotation", ["mail.log.1", "mail.log"], {"mail.log": b""}, ["mail.log.1"]),
    ("a picture between", ["logo.png", "mail.log"], {"logo.png": b"\x89PNG\r\n" + bytes(range(256))}, ["mail.log"]),
    ("a broken gzip", ["mail.log.1.gz", "mail.log"], {"mail.log.1.gz": b"\x1f\x8b\x08broken"},
     ["mail.log.1.gz", "mail.log"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "special", "expected"), DIRECTORIES, ids=[case[0] for case in DIRECTORIES])
def test_a_directory_is_searched_for_mail_logs(
    name: str, there: list[str], special: dict[str, bytes], expected: list[str], tmp_path: Path
) -> None:
    put(tmp_path, *there)
    for special_name, content in special.items():
        (tmp_path / special_name).write_bytes(content)
    (tmp_path / "journal").mkdir()
    assert names(log_files([str(tmp_path)])) == expected


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, "mail.log")
    (tmp_path / "link").symlink_to(tmp_path / "mail.log")
    assert len(log_files([str(tmp_path / "mail.log"), str(tmp_path / "link"), str(tmp_path)])) == 1


def test_a_file_tells_its_date_and_size(tmp_path: Path) -> None:
    put(tmp_path, "mail.log")
    file = one(tmp_path / "mail.log")
    assert file == LogFile(str(tmp_path / "mail.log"), datetime.fromtimestamp(1_795_400_000, UTC), len(LINE))


# -- their bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "compress"), COMPRESSIONS, ids=[case[0] for case in COMPRESSIONS])
class TestCompressed:
    def test_known_by_its_content(self, ending: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        (tmp_path / "mail.log").write_bytes(compress(LOG))
        read: list[int] = []
        assert b"".join(read_blocks(one(tmp_path / "mail.log"), read.append)) == LOG
        assert sum(read) == (tmp_path / "mail.log").stat().st_size

    def test_several_parts_and_padding(self, ending: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        (tmp_path / "mail.log").write_bytes(compress(LOG) + compress(b"") + compress(LINE) + bytes(100_000))
        assert content_of(one(tmp_path / "mail.log")) == LOG + LINE

    @pytest.mark.parametrize("damage", ["cut off", "cut off by a byte", "broken", "rubbish behind"])
    def test_damaged(self, damage: str, ending: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        parts = compress(LOG) + compress(LOG)
        content = {
            "cut off": parts[: len(parts) * 3 // 4],
            "cut off by a byte": parts[:-1],
            "broken": parts[: len(parts) // 2] + b"broken" * 10 + parts[len(parts) // 2 :],
            "rubbish behind": parts + b"rubbish",
        }[damage]
        (tmp_path / "mail.log").write_bytes(content)
        read = b""
        with pytest.raises(DamagedLog) as raised:
            for block in read_blocks(one(tmp_path / "mail.log")):
                read += block
        assert (LOG + LOG).startswith(read)
        assert len(read) >= len(LOG) * (2 if damage == "rubbish behind" else 1)
        assert str(raised.value).startswith(f"{tmp_path}/mail.log: the compressed file is cut off or damaged; ")

    def test_a_bomb_is_read_in_small_steps(
        self, ending: str, compress: Callable[[bytes], bytes], tmp_path: Path
    ) -> None:
        (tmp_path / "mail.log").write_bytes(compress(b"x" * (1 << 26)))
        tracemalloc.start()
        size = sum(map(len, read_blocks(one(tmp_path / "mail.log"))))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size == 1 << 26
        assert peak < 3 << 24


NOT_LOGS = [
    ("a program", b"\x7fELF\2\1\1" + bytes(100), "this is a program, not a log; name a log in text (gzip, "),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "this is a picture, not a log; "),
    ("a journal", b"LPKSHHRH" + bytes(100), "this is a journal of systemd, which only journalctl can read; journalctl"),
    ("random bytes", bytes(range(256)) * 20, "this is a binary file, not a log; name a log in text"),
    ("wtmp", (b"\7\0\0\0\x83\x1c\1\0pts/0" + bytes(27) + b"ts/0rosa" + bytes(28) + b"192.0.2.7" + bytes(247)
              + b"\x8e\x92\x04\x6b\x11\xe2\x0c\0\xc0\0\2\7" + bytes(32)) * 20, "this is a binary file, not a log; "),
    ("a tar archive, compressed", None, "this is a binary file, not a log; "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), NOT_LOGS, ids=[case[0] for case in NOT_LOGS])
def test_what_is_no_log_is_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "it's a log"
    if content is None:
        (tmp_path / "picture").write_bytes(bytes(range(256)) * 50)
        with tarfile.open(path, "w:gz") as archive:
            archive.add(tmp_path / "picture")
    else:
        path.write_bytes(content)
    with pytest.raises(UnreadableLog) as raised:
        list(read_blocks(one(path)))
    assert str(raised.value).startswith(f"{path}: {message}")


LOGS = [
    ("UTF-16", "\ufeff#Fields: date-time,event-id\r\n".encode("utf-16-le")),
    ("NUL bytes at first", bytes(5000) + LOG),
    ("Latin-1", "Nov 23 03:12:45 mx1 amavis[1]: Grüße aus Köln\n".encode("latin-1") * 20),
    ("Japanese", "Nov 23 03:12:45 mx1 postfix: エラーが発生しました\n".encode() * 20),
    ("colours", b"\x1b[1;31mNov 23 03:12:45\x1b[0m mx1 app: \tx\n" * 20),
    ("a line of rubbish between", LOG[:1200] + bytes(range(128, 256)) + b"\n" + LOG),
    ("one short line", b"x"),
]


@pytest.mark.parametrize(("name", "content"), LOGS, ids=[case[0] for case in LOGS])
def test_odd_logs_are_read_as_they_are(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_bytes(content)
    assert content_of(one(tmp_path / "mail.log")) == content


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    compressed = io.BytesIO(gzip.compress(LOG))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(compressed)))  # type: ignore[arg-type]
    (file,) = log_files(["-", "-"])
    assert (file.path, file.size) == ("-", None)
    assert content_of(file) == LOG


def test_a_pipe_with_a_slow_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    content = gzip.compress(LOG)

    def write() -> None:
        with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
            for byte in content[:40]:
                pipe.write(bytes((byte,)))
            pipe.write(content[40:])

    writer = threading.Thread(target=write)
    writer.start()
    file = one(tmp_path / "pipe")
    assert file.size is None
    assert content_of(file) == LOG
    writer.join()


# -- what cannot be read ---------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog) as raised:
        log_files([str(tmp_path / "mail.log")])
    assert raised.value.why == "there is no such file"
    assert "journalctl -o json | outwarden check -" in raised.value.cure


def test_a_file_that_goes_away_before_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "mail.log")
    file = one(tmp_path / "mail.log")
    (tmp_path / "mail.log").unlink()
    with pytest.raises(UnreadableLog, match="there is no such file"):
        list(read_blocks(file))


@pytest.mark.parametrize("content", [None, b"", b"2026-11-23 status installed\n"], ids=["nothing", "empty", "no mail"])
def test_a_directory_without_mail_logs(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "dpkg.log").write_bytes(content)
    with pytest.raises(UnreadableLog) as raised:
        log_files([str(tmp_path)])
    assert raised.value.why == "no file in this directory is a mail log"


def test_nothing_but_empty_files(tmp_path: Path) -> None:
    put(tmp_path, "mail.log.1", "mail.log", content=b"")
    with pytest.raises(UnreadableLog, match=r"mail.log.1: the file is empty; name the file"):
        log_files([str(tmp_path / "mail.log.1"), str(tmp_path / "mail.log")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("named", ["mail.log", ""], ids=["the file", "its directory"])
def test_no_permission(named: str, tmp_path: Path) -> None:
    put(tmp_path, "mail.log.1", "mail.log")
    (tmp_path / "mail.log").chmod(0)
    with pytest.raises(UnreadableLog, match=r"mail.log: no permission to read it; run this as root"):
        log_files([str(tmp_path / named)])


def test_a_system_error_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UnreadableLog, match=r"it cannot be read \(Too many levels of symbolic links\)"):
        log_files([str(tmp_path / "loop")])
