"""A log that was saved and restored anywhere gives what it would have given without."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sources.logs.postfix_stories import STORIES, text_of

from outwarden.events import Event, Submitted
from outwarden.sources.logs import saved_state
from outwarden.sources.logs.reading import MixedLog
from outwarden.sources.logs.saved_state import MalformedState

NEWEST = datetime(2026, 11, 24, tzinfo=UTC)
CORPUS = Path(__file__).parents[3] / "corpus" / "logs"
STORY_LINES = [line for story in STORIES for line in text_of(story).splitlines()]


def as_journal(lines: Sequence[str]) -> bytes:
    """Postfix's lines as the journal has them."""
    entries = []
    for number, line in enumerate(lines):
        program, _, message = line.split(" ", 4)[4].partition(": ")
        at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=number)
        entry = {
            "__REALTIME_TIMESTAMP": f"{at.timestamp() * 1e6:.0f}",
            "_HOSTNAME": "mx1",
            "SYSLOG_IDENTIFIER": program.partition("[")[0],
            "_PID": program.partition("[")[2].rstrip("]"),
            "MESSAGE": message,
        }
        entries.append(json.dumps(entry) + "\n")
    return "".join(entries).encode()


LOGS = {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in sorted(CORPUS.glob("*/*.in"))} | {
    "stories of Postfix": "".join(text_of(story) for story in STORIES).encode(),
    "stories of Postfix in the journal": as_journal(STORY_LINES),
    "UTF-16, low byte first": ("\ufeff" + text_of(STORIES[0])).encode("utf-16-le"),
    "UTF-16, high byte first": ("\ufeff" + text_of(STORIES[0])).encode("utf-16-be"),
    "a mark, CRLF, and a line too long": b"\xef\xbb\xbfx\r\n" + b"y" * 70_000 + b"\r\n" + b"z" * 65_000,
    "the other formats together": b"".join(
        path.read_bytes() for path in sorted(CORPUS.glob("*/*.in")) if path.parent.name != "exchange"
    ),
}


def read(pieces: Sequence[bytes], *, saving: bool) -> tuple[list[list[Event]], tuple[object, ...]]:
    """What each piece gives, and the counts at the end."""
    log = MixedLog(NEWEST)
    events = []
    for piece in pieces:
        events.append(log.feed(piece))
        if saving:
            log = MixedLog.restored(log.saved(), NEWEST)
    events.append(log.finish())
    counts = (
        log.formats, log.lines, log.lines_understood, log.lines_not_understood, log.lines_of_other_programs,
        log.lines_cut_off,
    )  # fmt: skip
    return events, counts


def cut(content: bytes, at: Sequence[int]) -> list[bytes]:
    return [content[begin:end] for begin, end in pairwise((0, *sorted(at), len(content)))]


@pytest.mark.parametrize("name", LOGS)
def test_a_log_saved_at_every_few_bytes_reads_the_same(name: str) -> None:
    content = LOGS[name]
    for longest in (90, 2500):
        chance = random.Random(longest)
        cuts, at = [], 0
        while (at := at + chance.randrange(longest)) < len(content):
            cuts.append(at)
        pieces = cut(content, cuts)
        assert read(pieces, saving=True) == read(pieces, saving=False)


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=10)
@given(chance=st.randoms(use_true_random=False), cuts=st.integers(1, 4))
def test_a_log_saved_anywhere_reads_the_same(name: str, chance: random.Random, cuts: int) -> None:
    content = LOGS[name]
    pieces = cut(content, [chance.randrange(len(content) + 1) for _ in range(cuts)])
    assert read(pieces, saving=True) == read(pieces, saving=False)


@given(
    lines=st.lists(
        st.sampled_from(STORY_LINES + LOGS["the other formats together"].decode().splitlines()),
        min_size=20,
        max_size=60,
    )
)
def test_lines_in_any_order_saved_after_each_read_the_same(lines: list[str]) -> None:
    pieces = [f"{line}\n".encode() for line in lines]
    assert read(pieces, saving=True) == read(pieces, saving=False)


@pytest.mark.parametrize("name", ["stories of Postfix", "real/opensmtpd", "real/sendmail", "exchange/two-versions"])
def test_saving_changes_nothing(name: str) -> None:
    log = MixedLog(NEWEST)
    log.feed(LOGS[name])
    assert log.saved() == log.saved() == MixedLog.restored(log.saved(), NEWEST).saved()


def test_who_submitted_is_still_known_of_what_waits_in_the_queue() -> None:
    log = MixedLog(NEWEST)
    log.feed(
        b"Nov 23 03:12:45 mx1 postfix/smtpd[1]: 5AC161A72B: client=h.example[192.0.2.7], sasl_username=rosa\n"
        b"Nov 23 03:12:45 mx1 postfix/qmgr[2]: 5AC161A72B: from=<r@isp.example>, size=5666, nrcpt=1 (queue active)\n"
    )
    log = MixedLog.restored(log.saved(), NEWEST)
    (attempted,) = log.feed(
        b"Nov 24 03:12:47 mx1 postfix/smtp[3]: 5AC161A72B: to=<a@bigmail.example>, relay=none, delay=1.3, "
        b"delays=0.1/0.03/0.29/0.82, dsn=4.4.1, status=deferred (connect to mx.example[198.51.100.20]:25: timed out)\n"
    )
    assert not isinstance(attempted, Submitted)
    assert (attempted.account, attempted.kind) == ("rosa", "login")


# -- the years of stamps that have none ------------------------------------------------------------

LOGIN = b"%s 03:12:46 mx1 dovecot: imap-login: Login: user=<rosa>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1\n"
A_DAY = timedelta(days=1)
YEARS = [
    # name, stamp before, is another file begun after it, stamp after, newest when restored, year of the last
    ("in one file, over New Year", b"Dec 31", False, b"Jan  1", NEWEST.replace(2025, 12, 31), 2026),
    ("in one file, whatever its date", b"Dec 30", False, b"Dec 31", NEWEST.replace(2031), 2025),
    ("another file", b"Dec 31", True, b"Jan  1", NEWEST.replace(2026, 1, 1), 2026),
    ("another file with a date of before", b"Dec 30", True, b"Dec 31", NEWEST.replace(2020), 2025),
]


@pytest.mark.parametrize(
    ("name", "before", "another", "after", "newest", "year"), YEARS, ids=[case[0] for case in YEARS]
)
def test_years(name: str, before: bytes, another: bool, after: bytes, newest: datetime, year: int) -> None:
    log = MixedLog(datetime(2025, 12, 31, tzinfo=UTC))
    log.feed(LOGIN % before)
    if another:
        log.next_file(min(newest, datetime(2025, 12, 31, tzinfo=UTC)))
    (login,) = MixedLog.restored(log.saved(), newest).feed(LOGIN % after)
    assert login.at.year == year


# -- bytes that no log has saved -------------------------------------------------------------------


def a_state() -> bytes:
    log = MixedLog(NEWEST)
    log.feed(LOGS["the other formats together"] + LOGS["exchange/two-versions"] + b"unfinished")
    return log.saved()


def with_checksum(content: bytes) -> bytes:
    return bytes((saved_state.VERSION,)) + xxhash.xxh3_64_digest(content) + content


STATE = a_state()
BROKEN = [
    ("nothing", b""),
    ("another version", bytes((saved_state.VERSION + 1,)) + STATE[1:]),
    ("the version alone", STATE[:1]),
    ("cut off", STATE[:-1]),
    ("something after the end", STATE + b"\0"),
    ("one bit changed", STATE[:500] + bytes((STATE[500] ^ 1,)) + STATE[501:]),
    ("no structs", with_checksum(b"\x90")),
    ("deeply nested", with_checksum(b"\x91" * 100_000)),
    ("no text", with_checksum(STATE[9:].replace(b"postfix", b"postf\xff\xff"))),
    ("an unknown format", with_checksum(STATE[9:].replace(b"postfix", b"prefixt"))),
]


@pytest.mark.parametrize(("name", "saved"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken(name: str, saved: bytes) -> None:
    with pytest.raises(MalformedState):
        MixedLog.restored(saved, NEWEST)


@given(st.binary())
def test_any_bytes(saved: bytes) -> None:
    for one in (saved, with_checksum(saved)):
        with pytest.raises(MalformedState):
            MixedLog.restored(one, NEWEST)


@settings(max_examples=300)
@given(st.integers(9, len(STATE) - 1), st.binary(min_size=1, max_size=6))
def test_changed_bytes_under_a_right_checksum(at: int, octets: bytes) -> None:
    content = STATE[9:at] + octets + STATE[at + len(octets) :]
    try:
        MixedLog.restored(with_checksum(content), NEWEST)
    except MalformedState as fault:
        assert str(fault)
