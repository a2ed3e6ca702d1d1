import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Attempted, Event, Login, Submitted
from outwarden.sources.logs.reading import MixedLog

NEWEST = datetime(2026, 11, 24, tzinfo=UTC)
CORPUS = Path(__file__).parents[3] / "corpus" / "logs"
PUBLIC_CORPUS = Path(__file__).parents[5] / "shared" / "corpora" / "logs"

SUBMISSION = """\
Nov 23 03:12:45 mx1 postfix/smtpd[1]: 5AC161A72B5A: client=h.example[192.0.2.7], sasl_method=PLAIN, sasl_username=rosa
Nov 23 03:12:45 mx1 postfix/qmgr[2]: 5AC161A72B5A: from=<rosa@isp.example>, size=5666, nrcpt=1 (queue active)
"""
DELIVERY = """\
Nov 23 03:12:47 mx1 postfix/smtp[3]: 5AC161A72B5A: to=<a@bigmail.example>, relay=mx.example[198.51.100.20]:25, \
delay=1.3, delays=0.1/0.03/0.29/0.82, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov 23 03:12:47 mx1 postfix/qmgr[2]: 5AC161A72B5A: removed
"""
LOGIN = "Nov 23 03:12:46 mx1 dovecot: imap-login: Login: user=<rosa>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1\n"
CRON = "Nov 23 03:12:46 mx1 CRON[9]: (root) CMD (true)\n"
EXIM = """\
2026-11-23 03:12:45 1tAbCd-000000005vi-0000 <= rosa@isp.example H=h [192.0.2.7] P=esmtpsa A=plain:rosa S=5666 id=1@i
2026-11-23 03:12:46 1tAbCd-000000005vi-0000 => a@bigmail.example R=dns T=smtp H=mx.example [198.51.100.20] C="250 OK"
2026-11-23 03:12:46 1tAbCd-000000005vi-0000 Completed
"""


def read(*files: str | bytes) -> tuple[MixedLog, list[Event]]:
    log = MixedLog(NEWEST)
    events: list[Event] = []
    for number, content in enumerate(files):
        if number:
            events += log.next_file(NEWEST)
        events += log.feed(content.encode() if isinstance(content, str) else content)
    return log, events + log.finish()


COUNTS = [
    # name, content, formats, lines, of these understood, not understood, of other programs
    ("nothing", "", (), 0, 0, 0, 0),
    ("Postfix alone", SUBMISSION + DELIVERY, ("postfix",), 4, 4, 0, 0),
    ("Postfix and others", SUBMISSION + CRON + LOGIN + DELIVERY, ("postfix", "logins"), 6, 5, 0, 1),
    ("Exim alone", EXIM, ("exim",), 3, 3, 0, 0),
    ("other programs alone", CRON * 3, (), 3, 0, 0, 3),
    ("a program without a process id", "Nov 23 03:12:46 mx1 sudo: rosa : x\n", (), 1, 0, 0, 1),
    ("no host", "Nov 23 03:12:46 app[1]: x\n", (), 1, 0, 0, 1),
    ("a stamp of RFC 3339", "2026-11-23T03:12:46.1+01:00 mx1 app: x\n", (), 1, 0, 0, 1),
    ("no stamp", "mx1 app[1]: x\n", (), 1, 0, 1, 0),
    ("no program", "Nov 23 03:12:46 mx1 a message: x\n", (), 1, 0, 1, 0),
    ("no message", "Nov 23 03:12:46\n", (), 1, 0, 1, 0),
    ("rubbish between", SUBMISSION + "rubbish\n" + DELIVERY, ("postfix",), 5, 4, 1, 0),
    ("rubbish at the end", SUBMISSION + DELIVERY + "rub", ("postfix",), 5, 4, 1, 0),
    ("a day that does not exist", LOGIN.replace("23", "31") + LOGIN, ("logins",), 2, 1, 1, 0),
    ("CRLF and a mark", "\ufeff" + (SUBMISSION + CRON).replace("\n", "\r\n"), ("postfix",), 3, 2, 0, 1),
    ("a line of a megabyte", CRON[:-1] + "x" * 1_000_000 + "\n" + SUBMISSION, ("postfix",), 3, 2, 0, 1),
    ("JSON of another kind", '{"MESSAGE": "no journal"}\n' + SUBMISSION, ("postfix", "journald"), 3, 2, 1, 0),
]


@pytest.mark.parametrize(
    ("name", "content", "formats", "lines", "understood", "not_understood", "others"),
    COUNTS,
    ids=[case[0] for case in COUNTS],
)
def test_every_line_is_counted_once(
    name: str, content: str, formats: tuple[str, ...], lines: int, understood: int, not_understood: int, others: int
) -> None:
    log, _ = read(content)
    assert log.formats == formats
    assert (log.lines, log.lines_understood) == (lines, understood)
    assert (log.lines_not_understood, log.lines_of_other_programs) == (not_understood, others)


def test_lines_cut_off_are_counted() -> None:
    log, _ = read(b"x" * 200_000 + b"\n" + b"y" * 65_536 + b"\n" + b"z" * 70_000)
    assert log.lines_cut_off == 2


def test_events_of_different_readers_are_merged_by_time() -> None:
    _, events = read(SUBMISSION + LOGIN + DELIVERY)
    assert [type(event) for event in events] == [Submitted, Login, Attempted]


def test_a_message_that_begins_in_one_file_ends_in_the_next() -> None:
    """The first file lacks its last newline."""
    log, events = read(SUBMISSION[:-1], DELIVERY)
    attempted = events[-1]
    assert isinstance(attempted, Attempted)
    assert attempted.account == "rosa"
    assert log.lines == 4


def test_files_of_different_encodings() -> None:
    utf_16 = ("\ufeff" + SUBMISSION).encode("utf-16-le")
    _, events = read(utf_16, "\ufeff" + DELIVERY, "\ufeff".encode("utf-16-be") + LOGIN.encode("utf-16-be"))
    assert {type(event) for event in events} == {Submitted, Attempted, Login}


def test_the_year_of_each_file_follows_from_its_date() -> None:
    log = MixedLog(datetime(2025, 12, 31, tzinfo=UTC))
    first = log.feed(LOGIN.replace("Nov 23", "Dec 30").encode())
    assert log.next_file(datetime(2026, 11, 24, tzinfo=UTC)) == []
    second = log.feed(LOGIN.encode())
    assert [event.at.year for event in (*first, *second)] == [2025, 2026]


def test_a_zone_is_handed_to_the_readers() -> None:
    zone = datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo
    assert zone is not None
    log = MixedLog(NEWEST, zone)
    assert {event.at.isoformat()[:16] for event in log.feed((SUBMISSION + LOGIN).encode())} == {"2026-11-22T21:42"}


def test_more_may_be_fed_after_the_end() -> None:
    log, events = read(SUBMISSION)
    events += log.feed(DELIVERY.encode())
    assert [type(event) for event in events] == [Submitted, Attempted]


def test_unknown_lines_are_shown() -> None:
    log = MixedLog(NEWEST)
    impossible = LOGIN.replace("23", "31")
    content = (SUBMISSION + "rubbish \x1b[31m\n" + CRON + impossible + DELIVERY).encode()
    unknown = log.unknown_lines(content[:200]) + log.unknown_lines(content[200:])
    assert unknown == ["rubbish \x1b[31m", impossible[:-1]]
    assert log.lines_not_understood == 2


def test_the_journal_gives_the_same_events_as_syslog() -> None:
    entries = []
    for line in (SUBMISSION + LOGIN + DELIVERY).splitlines():
        at = datetime.fromisoformat(f"2026-11-23T{line[7:15]}+00:00")
        program, _, message = line[20:].partition(": ")
        entries.append(
            json.dumps(
                {
                    "__REALTIME_TIMESTAMP": f"{at.timestamp() * 1e6:.0f}",
                    "_HOSTNAME": "mx1",
                    "SYSLOG_IDENTIFIER": program.partition("[")[0],
                    "SYSLOG_PID": program.partition("[")[2].rstrip("]"),
                    "MESSAGE": message,
                }
            )
        )
    _, expected = read(SUBMISSION + LOGIN + DELIVERY)
    log, events = read("\n".join(entries))
    assert without_evidence(events) == without_evidence(expected)
    assert log.formats == ("postfix", "logins", "journald")


def without_evidence(events: list[Event]) -> list[str]:
    return [repr(event).partition(", line=")[0] for event in events]


# -- followed live, the log gives the same as read whole -------------------------------------------


def mixture(seed: int) -> bytes:
    """A log of several formats: the corpora's lines, and letters outside ASCII."""
    chance = random.Random(seed)
    pieces = [path.read_bytes() for path in sorted(CORPUS.glob("*/*.in")) if path.parent.name != "exchange"]
    pieces += [text.replace("rosa", "rösä€").encode() for text in (SUBMISSION, LOGIN, DELIVERY, EXIM, CRON)]
    pieces += [DELIVERY.replace("Ok", "ü" * 40_000).encode(), b"\xff\xfe\0 rubbish \xc3\n", b"\r\n"]
    chance.shuffle(pieces)
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for piece in pieces)


def by_type(events: list[Event]) -> dict[str, list[Event]]:
    """The events of each type in their order; those of different readers may stand either way round."""
    types: dict[str, list[Event]] = {}
    for event in events:
        types.setdefault(type(event).__name__, []).append(event)
    return types


@pytest.mark.parametrize("longest", [300, 5000, 70_000], ids=lambda longest: f"up to {longest}")
@pytest.mark.parametrize("seed", range(5), ids=lambda seed: f"mixture {seed}")
def test_followed_in_any_pieces_a_log_gives_the_same_events(seed: int, longest: int) -> None:
    content = mixture(seed)
    cuts = random.Random(seed)
    whole, expected = read(content)
    log = MixedLog(NEWEST)
    events: list[Event] = []
    at = 0
    while at < len(content):
        size = cuts.randrange(1, longest)
        events += log.feed(content[at : at + size])
        at += size
    events += log.finish()
    assert Counter(map(repr, events)) == Counter(map(repr, expected))
    assert (log.lines, log.lines_cut_off) == (whole.lines, whole.lines_cut_off)


def test_followed_line_by_line_a_log_gives_the_same_events_in_the_same_order() -> None:
    content = (SUBMISSION + LOGIN + DELIVERY + CRON).encode() * 50
    _, expected = read(content)
    log = MixedLog(NEWEST)
    events = [event for line in content.splitlines(keepends=True) for event in log.feed(line)] + log.finish()
    assert by_type(events) == by_type(expected)


VARIANTS = [("logfile_syslog.3", 17, 10), ("logfile_syslog_with_access_log.0", 5, 0)]


@pytest.mark.skipif(not PUBLIC_CORPUS.is_dir(), reason="the public corpora are not beside the project")
@pytest.mark.parametrize(("name", "lines", "not_understood"), VARIANTS, ids=[case[0] for case in VARIANTS])
def test_odd_syslog_files(name: str, lines: int, not_understood: int) -> None:
    """Lines that go on the one before (indented by a tab) are the ones not understood."""
    log, events = read((PUBLIC_CORPUS / "syslog-variants" / name).read_bytes())
    assert events == []
    assert (log.lines, log.lines_not_understood) == (lines, not_understood)
    assert log.lines_of_other_programs == lines - not_understood
