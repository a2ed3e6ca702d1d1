"""Every form of a queue's text: recognised, read, and harmless whatever it holds."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.queue.exchange_counters import is_queue_length, read_exchange_counters
from outwarden.sources.queue.reading import MalformedQueue, QueueForm, QueueReading
from outwarden.sources.queue.recognise import queue_form, queue_text, read_queue

CORPUS = sorted((Path(__file__).parents[3] / "corpus" / "queue").glob("*.in"))
PUBLIC = Path(__file__).parents[5] / "shared" / "corpora" / "logs" / "postfix-lines" / "showq.txt"
NOW = datetime(2026, 11, 25, tzinfo=UTC)

POSTFIX = "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
SENDMAIL = "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n"
EXIM = "25m  2.9K 1xW0D5-0004rL-33 <rosa@isp.example>"


def read(text: str) -> QueueReading:
    return read_queue(text, NOW)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.stem)
def test_corpus(case: Path) -> None:
    reading = read(queue_text(case.read_bytes()))
    assert json.loads(msgspec.json.encode(reading)) == json.loads(case.with_suffix(".expected.json").read_text())


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.stem)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_exports_in_the_encodings_of_windows(case: Path, encoding: str) -> None:
    text = case.read_bytes().decode()
    assert read(queue_text(text.encode(encoding))) == read(text)


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public log corpora are not beside the repository")
def test_public_postfix_listing() -> None:
    reading = read(PUBLIC.read_text())
    assert (reading.total, reading.lines_not_understood) == (24, 0)
    assert sum(message.queue == "active" for message in reading.messages) == 16
    full = [reason for message in reading.messages for _, reason in message.recipients if "4.2.2" in reason]
    assert len(full) == 6


EMPTY = [
    ("postqueue -j, exim -bp", ""),
    ("mailq of Postfix", "Mail queue is empty\n"),
    ("mailq of Sendmail", "MSP Queue status...\n/var/spool/mqueue-client is empty\n\t\tTotal requests: 0\n"),
    ("exim -bpc", "0\n"),
    ("Get-Queue", '"Identity","MessageCount"\r\n'),
]


@pytest.mark.parametrize(("name", "text"), EMPTY, ids=[name for name, _ in EMPTY])
def test_an_empty_queue_is_no_fault(name: str, text: str) -> None:
    reading = read(text)
    assert (reading.total, reading.messages, reading.lines_not_understood) == (0, (), 0)


MALFORMED = [
    ("no queue at all", "Jan 15 00:30:10 mx postfix/qmgr[1]: A1B2C3D4E5: removed\n", "no queue listing"),
    ("a listing of nothing known", POSTFIX + "hello there\n", "not one of 1 lines understood"),
    ("broken JSON lines", '{"queue_name": "deferred", "queue_id": 3}\n', "postqueue -j"),
    ("broken JSON", '[{"MessageCount": 3,', "no JSON"),
    ("JSON about something else", '[{"MessageCounts": 3}]', "without MessageCount"),
    ("a carriage return in a header", '"(PDH-CSV 4.0)"\rx\n"y"\rz\n', "not one sample"),
    ("counters without a sample", '"(PDH-CSV 4.0)","\\\\EX1\\a\\b"\r\n', "not one sample"),
]


@pytest.mark.parametrize(("name", "text", "words"), MALFORMED, ids=[name for name, *_ in MALFORMED])
def test_what_is_no_queue_says_so(name: str, text: str, words: str) -> None:
    with pytest.raises(MalformedQueue, match=words):
        read(text)


def test_a_line_that_is_not_understood_is_counted_and_shown() -> None:
    reading = read(f"{EXIM}\n          a@b.example\n\nwhat is this\n")
    assert (reading.total, reading.lines_not_understood, reading.unknown_lines) == (1, 1, ("what is this",))


ARRIVALS = [
    ("this year", "Tue Nov 24 23:45:49", datetime(2026, 11, 24, 23, 45, 49, tzinfo=UTC)),
    ("over New Year", "Tue Dec 30 23:00:00", datetime(2025, 12, 30, 23, 0, tzinfo=UTC)),
    ("a leap day", "Thu Feb 29 10:00:00", datetime(2024, 2, 29, 10, 0, tzinfo=UTC)),
    ("a clock that runs ahead", "Wed Nov 25 00:30:00", datetime(2026, 11, 25, 0, 30, tzinfo=UTC)),
    ("no such day", "Tue Nov 31 23:45:49", None),
    ("no such hour", "Tue Nov 24 29:45:49", None),
]


@pytest.mark.parametrize(("name", "text", "expected"), ARRIVALS, ids=[name for name, *_ in ARRIVALS])
def test_arrival_without_a_year(name: str, text: str, expected: datetime | None) -> None:
    (message,) = read(f"{POSTFIX}C420820802*    4387 {text}  sender@isp.example\n   a@b.example\n").messages
    assert message.arrived_at == expected


def test_arrival_in_the_servers_zone() -> None:
    zone = timezone(timedelta(hours=1))
    text = f"{SENDMAIL}6AONoR4u023409        5 Tue Nov 24 23:50 rosa@isp.example\n\t\t a@b.example\n"
    (message,) = read_queue(text, NOW, zone).messages
    assert message.arrived_at == datetime(2026, 11, 24, 22, 50, tzinfo=UTC)


AGES = [("25m", timedelta(minutes=25)), ("30h", timedelta(hours=30)), ("4d", timedelta(days=4)), ("999999d", None)]


@pytest.mark.parametrize(("age", "expected"), AGES)
def test_exim_age_and_size(age: str, expected: timedelta | None) -> None:
    (message,) = read(EXIM.replace("25m", age)).messages
    assert message.arrived_at == (None if expected is None else NOW - expected)
    assert message.size == 2969


def test_exim_with_long_ids_and_the_local_user() -> None:
    (message,) = read(" 3h  318 1xW0D6-000000004rW-0002 <rosa@isp.example> (rosa)\n          a@b.example\n").messages
    assert (message.queue_id, message.sender) == ("1xW0D6-000000004rW-0002", "rosa@isp.example")
    assert message.recipients == (("a@b.example", ""),)


COUNTERS = [
    ("Exchange 2003", r"\\EX\SMTP Server(_Total)\Remote Queue Length", True),
    ("today", r"\\EX\MSExchangeTransport Queues(_total)\Retry Remote Delivery Queue Length", True),
    ("per priority", r"\\EX\MSExchangeTransport Queues(high priority)\Submission Queue Length", True),
    ("brackets in the counter", r"\MSExchangeTransport Queues(_total)\Aggregate Delivery Queue Length (All)", True),
    ("a rate", r"\\EX\MSExchangeTransport Queues(_total)\Messages Queued for Delivery Per Second", False),
]


@pytest.mark.parametrize(("name", "path", "length"), COUNTERS, ids=[name for name, *_ in COUNTERS])
def test_counter_names(name: str, path: str, length: bool) -> None:
    (sample,) = read_exchange_counters(f'"(PDH-CSV 4.0)","{path}"\n"11/23/2026 03:12:45.123","7"\n').samples
    assert is_queue_length(sample) is length
    assert path.endswith(f"\\{sample.counter}")
    assert sample.instance == path.partition("(")[2].partition(")")[0]


PIECES = [
    POSTFIX, SENDMAIL, EXIM, "(reason)\n", " a@b.example\n", "Timestamp  CounterSamples\n", '"(PDH-CSV 4.0)"',
    "C420820802*    4387 Mon Feb 24 13:35:18  sender@isp.example\n",
    '{"queue_name": "hold", "queue_id": "A", "arrival_time": 1, "sender": "", "recipients": []}\n',
    '"MessageCount"', *'\\[{",:\n\r\t\x00\ud800', "\x1b[31m", "9" * 30,
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_hostile_text_raises_nothing_but_the_readers_own_error(text: str) -> None:
    try:
        reading = read(text)
    except MalformedQueue as fault:
        assert len(str(fault)) < 1_000
    else:
        assert reading.total >= 0


@given(st.sampled_from([case.read_bytes() for case in CORPUS]), st.data())
def test_listings_cut_and_altered_raise_nothing_but_the_readers_own_error(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    altered = raw[:at] + data.draw(st.binary(max_size=4)) + raw[data.draw(st.integers(at, len(raw))) :]
    try:
        read(queue_text(altered))
    except MalformedQueue as fault:
        assert str(fault)


@given(st.binary())
def test_any_bytes_are_text(raw: bytes) -> None:
    queue_text(raw).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("form", QueueForm)
def test_each_form_is_in_the_corpus(form: QueueForm) -> None:
    seen = {json.loads(case.with_suffix(".expected.json").read_text())["form"] for case in CORPUS}
    assert form.value in seen


def test_a_log_is_no_queue() -> None:
    assert queue_form("2026-01-15T00:30:10+00:00 mx postfix/qmgr[1]: A1B2C3D4E5: from=<a@b.example>, size=1\n") is None
