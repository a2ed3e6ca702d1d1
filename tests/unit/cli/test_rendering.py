"""Text out of logs is made harmless, and tables keep their width."""

import json
import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.cli.rendering import Column, cut, duration, harmless_json, number, plain, table

PLAIN = [
    ("ordinary", "rosa@isp.example", "rosa@isp.example"),
    ("letters of other scripts", "Jürgen 山田", "Jürgen 山田"),
    ("colour", "\x1b[31mred", r"\x1b[31mred"),
    ("C1 control sequence introducer", "\x9b2J", r"\x9b2J"),
    ("newline and tab", "a\nb\tc\r", r"a\x0ab\x09c\x0d"),
    ("delete", "\x7f", r"\x7f"),
    ("direction override", "gpj\u202eexe.", r"gpj\u202eexe."),
    ("line separator", "a\u2028b", r"a\u2028b"),
    ("lone surrogate", "\udc80", r"\udc80"),
    ("tag characters", "\U000e0041", r"\U000e0041"),
]


@pytest.mark.parametrize(("name", "text", "expected"), PLAIN)
def test_plain(name: str, text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_plain_text_can_be_printed(text: str) -> None:
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in plain(text))
    assert len(plain(text).splitlines()) <= 1


@given(st.text())
def test_json_stays_the_same_document(text: str) -> None:
    document = json.dumps({"a": text}, ensure_ascii=False).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    shown = harmless_json(document.encode())
    assert json.loads(shown) == json.loads(document)
    assert not any(0x7F <= ord(char) <= 0x9F or ord(char) == 0x202E for char in shown)


DURATIONS = [
    (timedelta(seconds=59), "0 min"),
    (timedelta(minutes=12), "12 min"),
    (timedelta(hours=7, minutes=40), "7 h 40 min"),
    (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    (timedelta(minutes=-5), "0 min"),
]


@pytest.mark.parametrize(("span", "expected"), DURATIONS)
def test_duration(span: timedelta, expected: str) -> None:
    assert duration(span) == expected


def test_number_sets_thousands_apart() -> None:
    assert number(1234567) == "1,234,567"


COLUMNS = (Column("account", right=False), Column("messages", "msgs"))


def test_a_wide_table_has_long_heads() -> None:
    assert table(COLUMNS, [["rosa", "12"]], 80) == ["account  messages", "rosa           12"]


def test_a_narrow_table_has_short_heads_and_cuts_the_first_column() -> None:
    lines = table(COLUMNS, [["someone-with-a-long-name@isp.example", "12"]], 24)
    assert [len(line) <= 24 for line in lines] == [True, True]
    assert lines[0].endswith("msgs")
    assert lines[1].endswith("12")


@given(st.lists(st.tuples(st.text(alphabet="ab@.", max_size=60), st.integers(0, 10**9).map(str)), max_size=5))
def test_a_table_is_never_wider_than_the_screen(rows: list[tuple[str, str]]) -> None:
    assert all(len(line) <= 30 for line in table(COLUMNS, rows, 30))


def test_cut_marks_what_it_leaves_off() -> None:
    assert cut("abc", 3) == "abc"
    assert len(cut("abcd", 3)) == 3
    assert cut("abcd", 3).startswith("ab")
