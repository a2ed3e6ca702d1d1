"""Events are read from their own JSON lines, from logs, and from files that hold both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from outwarden.events import AccountKind, Event, Submitted, encode_event
from outwarden.service.event_reading import EventReading
from outwarden.service.log_reading import LogSource, NothingUnderstood

AT = datetime(2026, 4, 7, 9, tzinfo=UTC)


def event(number: int) -> bytes:
    return encode_event(Submitted(AT, "mx", f"{number}", "tim@isp.example", AccountKind.LOGIN, recipients=1)) + b"\n"


LOG = (
    b"2026-04-07T09:00:00+00:00 mx postfix/submission/smtpd[1]: 6AE6718F023: client=h.example[192.0.2.7], "
    b"sasl_method=PLAIN, sasl_username=eva@isp.example\n"
    b"2026-04-07T09:00:01+00:00 mx postfix/qmgr[2]: 6AE6718F023: from=<eva@isp.example>, size=9, nrcpt=1 (queue)\n"
)
JOURNAL = (
    b'{"__REALTIME_TIMESTAMP":"1775552400000000","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/qmgr",'
    b'"MESSAGE":"6AE6718F024: removed"}\n'
)


def source(content: bytes, name: str = "events.jsonl", size: int = 1 << 20) -> LogSource:
    def blocks(on_read: Callable[[int], None]) -> Iterator[bytes]:
        for begin in range(0, len(content), size):
            on_read(min(begin + size, len(content)))
            yield content[begin : begin + size]

    return LogSource(name, AT, len(content), blocks)


def read(*contents: bytes, size: int = 1 << 20, show: Callable[[str], None] | None = None) -> tuple[EventReading, list]:  # type: ignore[type-arg]
    reading = EventReading([source(content, f"{n}", size) for n, content in enumerate(contents)], show_unknown=show)
    return reading, [event for events in reading.events() for event in events]


def accounts(events: list[Event]) -> list[str]:
    return sorted(event.account for event in events if isinstance(event, Submitted))


TIM, EVA = "tim@isp.example", "eva@isp.example"
NAMELESS_ZONE = event(1).replace(b"09:00:00Z", b"09:00:00")
CASES = [
    ("events", event(1) + event(2), [TIM, TIM], 2, 0),
    ("without the last newline", event(1) + event(2)[:-1], [TIM, TIM], 2, 0),
    ("a log", LOG, [EVA], 2, 0),
    ("both, mixed", event(1) + LOG + event(2) + JOURNAL + event(3), [EVA, TIM, TIM, TIM], 6, 0),
    ("with a space, as other programs write", event(1).replace(b'{"id"', b'{ "id"'), [TIM], 1, 0),
    ("without an id", event(1)[:1] + event(1)[len('{"id":"",') + 32 :], [TIM], 1, 0),
    ("a line that is cut off", event(1) + event(2)[:90] + b"\n" + event(3), [TIM, TIM], 3, 1),
    ("cut off at the end", event(1) + event(2)[:90], [TIM], 2, 1),
    ("a time without its zone", event(1) + NAMELESS_ZONE, [TIM], 2, 1),
    ("a time of no mail", event(1) + event(2).replace(b"2026-", b"0001-"), [TIM], 2, 1),
    ("bytes that are no UTF-8", event(1) + event(2).replace(b"tim@", b"t\xff@"), [TIM], 2, 1),
    ("another type", event(1) + event(2).replace(b"submitted", b"dreamt"), [TIM], 2, 1),
    ("a word for a number", event(1) + event(2).replace(b'"recipients":1', b'"recipients":"x"'), [TIM], 2, 1),
    ("a queue's JSON", event(1) + b'{"queue_name":"deferred","queue_id":"1"}\n', [TIM], 2, 1),
    ("what is neither", event(1) + b"milk and honey\n", [TIM], 2, 1),
]


@pytest.mark.parametrize(("name", "content", "submitted", "lines", "unknown"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("size", [1 << 20, 7, 1])
def test_what_is_read(name: str, content: bytes, submitted: list[str], lines: int, unknown: int, size: int) -> None:
    reading, events = read(content, size=size)
    assert accounts(events) == submitted
    assert (reading.lines, reading.lines_not_understood) == (lines, unknown)
    assert [(file.lines, file.lines_not_understood) for file in reading.files] == [(lines, unknown)]


def test_the_first_broken_event_is_named_and_all_are_shown() -> None:
    shown: list[str] = []
    reading, _ = read(LOG + event(1) + event(2)[:90] + b"\n" + event(3)[:60] + b"\n", show=shown.append)
    assert reading.broken == ["0: line 4 is no event: Input data was truncated"]
    assert shown == [event(2)[:90].decode(), event(3)[:60].decode()]
    assert reading.events_broken == 2


def test_files_of_either_kind_beside_each_other() -> None:
    reading, events = read(event(1), LOG, event(2))
    assert accounts(events) == [EVA, TIM, TIM]
    assert reading.formats == ("events", "postfix")
    assert reading.damage == []


def test_a_time_of_any_zone_becomes_utc() -> None:
    _, (one,) = read(event(1).replace(b"09:00:00Z", b"11:00:00+02:00"))
    assert one.at == AT
    assert one.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (event(1)[:90], r"nothing in 0 was understood as an event or a mail log \(1 line\); .*--show-unknown"),
        (b"milk\n", "nothing in 0 was understood as a mail log"),
        (b"\n\n", "nothing in 0 was understood"),
    ],
)
def test_a_file_without_any_event_is_an_error(content: bytes, says: str) -> None:
    with pytest.raises(NothingUnderstood, match=says):
        read(content)


def test_a_line_without_end_takes_no_memory_and_is_one_broken_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.service.event_reading._LONGEST_LINE", 1000)
    reading, events = read(event(1) + b'{"id":"' + b"x" * 10_000 + b"\n" + event(2), size=100)
    assert accounts(events) == [TIM, TIM]
    assert reading.events_broken == 1
    assert reading.lines == 3
