import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.logs.journald import is_journal, syslog_lines

ENTRY = {
    "__REALTIME_TIMESTAMP": "1795403565123456",
    "_HOSTNAME": "mx1",
    "SYSLOG_IDENTIFIER": "postfix/smtpd",
    "SYSLOG_PID": "1234",
    "_PID": "1234",
    "PRIORITY": "6",
    "MESSAGE": "connect from unknown[192.0.2.7]",
}
HEAD = "2026-11-23T03:12:45.123456+00:00 mx1 postfix/smtpd[1234]: "

CASES = [
    ("an entry", ENTRY, HEAD + "connect from unknown[192.0.2.7]"),
    ("a message that is not UTF-8", ENTRY | {"MESSAGE": list(b"a\xe4b\nc")}, HEAD + "a\\xe4b\\nc"),
    ("a message of bytes that are", ENTRY | {"MESSAGE": list("\x1b[1mä".encode())}, HEAD + "\x1b[1mä"),
    ("a message too long for journalctl", ENTRY | {"MESSAGE": None}, HEAD),
    ("several lines", ENTRY | {"MESSAGE": "one\r\ntwo\nthree"}, HEAD + "one\\ntwo\\nthree"),
    ("a field that occurs twice", ENTRY | {"SYSLOG_PID": ["1234", "99"]}, HEAD + ENTRY["MESSAGE"]),
    ("no syslog fields", {k: v for k, v in ENTRY.items() if k[0] != "S"} | {"_COMM": "smtpd"},
     HEAD.replace("postfix/", "") + ENTRY["MESSAGE"]),
    ("blanks where a word belongs", ENTRY | {"_HOSTNAME": "mx 1", "SYSLOG_IDENTIFIER": "a b"},
     "2026-11-23T03:12:45.123456+00:00 mx_1 a_b[1234]: " + ENTRY["MESSAGE"]),
    ("nothing but the two fields", {"__REALTIME_TIMESTAMP": "1795403565123456", "MESSAGE": "hello"},
     "2026-11-23T03:12:45.123456+00:00 localhost unknown: hello"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "entry", "expected"), CASES, ids=[case[0] for case in CASES])
def test_an_entry_becomes_a_line(name: str, entry: dict[str, object], expected: str) -> None:
    line = json.dumps(entry) + "\n"
    assert is_journal(line)
    assert syslog_lines(line) == expected + "\n"


LEFT_ALONE = [
    "{",
    "{}",
    '{"MESSAGE": "no time"}',
    '{"__REALTIME_TIMESTAMP": "x", "MESSAGE": "no number"}',
    '{"__REALTIME_TIMESTAMP": "99999999999999999999999", "MESSAGE": "too late"}',
    '{"__REALTIME_TIMESTAMP": 5, "MESSAGE": "a number"}',
    '{"__REALTIME_TIMESTAMP": "5", "MESSAGE": {"a": 1}}',
    '{"__REALTIME_TIMESTAMP": "5", "MESSAGE": "cut off by the longest li',
    '{"MESSAGE": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "Nov 23 03:12:45 mx1 cron[1]: {not the journal}",
]


@pytest.mark.parametrize("line", LEFT_ALONE, ids=range(len(LEFT_ALONE)))
def test_what_is_no_entry_stays_as_it_is(line: str) -> None:
    assert syslog_lines(f"{line}\n{line}\n") == f"{line}\n{line}\n"


def test_a_syslog_line_with_braces_does_not_make_a_journal() -> None:
    assert not is_journal('Nov 23 03:12:45 mx1 app: {"MESSAGE": "x"}\n')
    assert is_journal('Nov 23 03:12:45 mx1 app: x\n{"MESSAGE": "x"}\n')


@given(st.text(max_size=200), st.lists(st.integers(-5, 300), max_size=20), st.text(max_size=20))
def test_each_line_stays_one_line(message: str, octets: list[int], host: str) -> None:
    entries = [ENTRY | {"MESSAGE": message}, ENTRY | {"MESSAGE": octets}, ENTRY | {"_HOSTNAME": host}]
    block = "".join(json.dumps(entry) + "\n" for entry in entries)
    assert syslog_lines(block).count("\n") == 3
