"""The mark: it says account, host and time to whoever has the key, and nothing to anybody else."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outwarden.sources.message.mark import (
    HEADER,
    LONGEST_TOKEN,
    MalformedMarkKeys,
    Marked,
    MarkKeys,
    Unmarkable,
    folded,
    key_line,
    mark,
    mark_token,
    read_mark,
    token_at_the_start,
)

AT = datetime(2026, 11, 25, 3, 12, 45, tzinfo=UTC)
KEY, OLD_KEY, OTHER_KEY = (bytes((number,)) * 32 for number in (1, 2, 3))
KEYS = MarkKeys([KEY])
NONCE = b"twelve bytes"
ROSA = Marked("rosa@isp.example", "mx.isp.example", AT)


def rosas(keys: MarkKeys = KEYS, nonce: bytes = NONCE) -> str:
    return mark(keys, *ROSA, nonce)


# -- what it says


@pytest.mark.parametrize(
    ("name", "account", "host"),
    [
        ("a login", "rosa@isp.example", "mx"),
        ("nobody", "", ""),
        ("beyond ASCII", "rösa@isp.example", "mx.größe.example"),
        ("a zero in it", "a\0b", "\0"),
        ("as long as may be", "a" * 320, "h" * 255),
    ],
)
def test_it_says_who_where_and_when(name: str, account: str, host: str) -> None:
    assert read_mark(KEYS, mark(KEYS, account, host, AT, NONCE)) == Marked(account, host, AT)


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("before all time", datetime(1969, 12, 31, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        ("the end of all time", datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("a part of a second", AT.replace(microsecond=999_999), AT),
    ],
)
def test_any_time_can_be_marked(name: str, at: datetime, expected: datetime) -> None:
    marked = read_mark(KEYS, mark(KEYS, "rosa", "mx", at, NONCE))
    assert marked is not None
    assert marked.at == expected


@pytest.mark.parametrize(("account", "host"), [("a" * 321, "mx"), ("ö" * 161, "mx"), ("rosa", "h" * 256)])
def test_what_is_too_long_is_not_marked(account: str, host: str) -> None:
    with pytest.raises(Unmarkable):
        mark(KEYS, account, host, AT, NONCE)


def test_what_is_no_text_is_marked_as_escapes() -> None:
    marked = read_mark(KEYS, mark(KEYS, "ro\udce4sa", "mx", AT, NONCE))
    assert marked is not None
    assert marked.account == "ro\\udce4sa"


# -- what it does not say


def test_nothing_of_it_can_be_read_and_no_two_are_alike() -> None:
    one, other = (mark_token(KEYS, *ROSA, bytes((number,)) * 12) for number in (1, 2))
    raw = [urlsafe_b64decode(token + "==") for token in (one, other)]
    assert all(b"rosa" not in one and b"isp" not in one for one in raw)
    # Version, number of blocks and key ID are the same for all marks of the site; nothing after them is.
    assert raw[0][:6] == raw[1][:6]
    assert sum(a == b for a, b in zip(raw[0][6:], raw[1][6:], strict=True)) < 8


def test_names_of_nearly_the_same_length_give_marks_of_the_same() -> None:
    assert len({len(mark_token(KEYS, "a" * length, "mx", AT, NONCE)) for length in range(7, 22)}) == 1


# -- its form


@pytest.mark.parametrize("length", [0, 16, 60, 320])
@pytest.mark.parametrize("name", [HEADER, "CFBL-Feedback-ID"])
def test_no_line_is_longer_than_78_and_every_line_but_the_first_begins_with_a_space(name: str, length: int) -> None:
    lines = f"{name}: {folded(name, mark_token(KEYS, 'a' * length, 'mx', AT, NONCE))}".split("\n")
    assert max(map(len, lines)) < 78
    assert all(re.fullmatch(r" [A-Za-z0-9_-]+", line) for line in lines[1:])
    assert sum(map(len, lines)) <= LONGEST_TOKEN + 40


# -- how it survives


@pytest.mark.parametrize(
    ("name", "mangled"),
    [
        ("as it is", rosas()),
        ("unfolded", rosas().replace("\n ", "")),
        ("a space for the fold", rosas().replace("\n", "")),
        ("folded anew", "\r\n\t".join(re.findall(".{1,20}", rosas().replace("\n ", "")))),
        ("white space around", f"  {rosas()} \t\r\n"),
    ],
)
def test_folding_changes_nothing(name: str, mangled: str) -> None:
    assert read_mark(KEYS, mangled) == ROSA


def test_keys_rotate() -> None:
    before, after = MarkKeys([OLD_KEY]), MarkKeys([KEY, OLD_KEY])
    assert read_mark(after, rosas(before)) == ROSA
    assert read_mark(after, rosas(after)) == ROSA
    assert read_mark(before, rosas(after)) is None
    assert read_mark(MarkKeys([KEY]), rosas(before)) is None


# -- what is none


def test_every_letter_counts() -> None:
    token = rosas().replace("\n ", "")
    for place, letter in enumerate(token):
        for other in {chr(ord(letter) ^ 1), letter.swapcase(), "A", "_"} - {letter}:
            assert read_mark(KEYS, token[:place] + other + token[place + 1 :]) is None


def test_every_bit_counts() -> None:
    raw = bytearray(urlsafe_b64decode(mark_token(KEYS, *ROSA, NONCE) + "=="))
    for place in range(8 * len(raw)):
        raw[place // 8] ^= 1 << place % 8
        assert read_mark(KEYS, urlsafe_b64encode(raw).rstrip(b"=").decode()) is None
        raw[place // 8] ^= 1 << place % 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nothing", ""),
        ("spaces", " \n "),
        ("another key's", rosas(MarkKeys([OTHER_KEY]))),
        ("cut at the end", rosas()[:-1]),
        ("cut at the beginning", rosas()[1:]),
        ("one line of it", rosas().split("\n")[0]),
        ("twice", rosas() * 2),
        ("with padding", rosas() + "="),
        ("with a comment", rosas() + " (of rosa)"),
        ("quoted", f'"{rosas()}"'),
        ("small letters", rosas().lower()),
        ("capitals", rosas().upper()),
        ("beyond ASCII", "ä" + rosas()),
        ("no characters", "\udc80" * 100),
        ("endless", "A" * 1_000_000),
        ("endless spaces", " " * 1_000_000 + rosas()),
    ],
)
def test_what_is_no_mark_of_ours(name: str, value: str) -> None:
    assert read_mark(KEYS, value) is None


@settings(max_examples=500, deadline=None)
@given(st.text())
@example("AQM")
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_mark(KEYS, text) is None
    assert read_mark(KEYS, rosas()[:7] + text) is None
    assert len(token_at_the_start(text)) <= LONGEST_TOKEN


@settings(max_examples=200, deadline=None)
@given(
    account=st.text(max_size=60),
    host=st.text(max_size=40),
    at=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis adds the zone)
    nonce=st.binary(min_size=12, max_size=12),
    after=st.text("AZaz09_-", max_size=5),
)
@example("", "", datetime(4148, 1, 1, microsecond=999_993, tzinfo=UTC), bytes(12), "")
def test_what_is_marked_is_read_and_says_where_it_ends(
    account: str, host: str, at: datetime, nonce: bytes, after: str
) -> None:
    token = mark_token(KEYS, account, host, at, nonce)
    assert read_mark(KEYS, folded(HEADER, token)) == Marked(account, host, at.replace(microsecond=0))
    assert token_at_the_start(token + after) == token


# -- keys


def test_keys_are_read_as_they_are_written() -> None:
    text = f"# ours\n\n{key_line(KEY)}  # since November\n\t{key_line(OLD_KEY)}\r\n"
    keys = MarkKeys.from_text(text)
    assert rosas(keys) == rosas()
    assert read_mark(keys, rosas(MarkKeys([OLD_KEY]))) == ROSA


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("nothing", "", "no key"),
        ("only comments", "# one\n\n", "no key"),
        ("not base64", f"{key_line(KEY)}\nsecret key!", "line 2 is no key"),
        ("too short", key_line(KEY[:31]), "line 1 is no key"),
        ("too long", key_line(KEY + b"x"), "line 1 is no key"),
        ("twice", f"{key_line(KEY)}\n{key_line(KEY)}", "line 2 is the same key"),
    ],
)
def test_what_is_no_keys_file_is_named_without_the_key(name: str, text: str, expected: str) -> None:
    with pytest.raises(MalformedMarkKeys, match=expected) as error:
        MarkKeys.from_text(text)
    assert "secret" not in str(error.value)
    assert key_line(KEY) not in str(error.value)


def test_the_format_stays_as_it_is() -> None:
    """A mark made today must be read by every later version."""
    assert rosas() == (
        "AQO0nnvsdHdlbHZlIGJ5dGVzr7QI_GwbQUH_MJQwco3DXVHXs8xPEc9aLJHk\n "
        "LeDwGQHwjGrGxuB1ezOhB7zyH_yarBLy6d7xJQR-JS8l2axVDQ"
    )
    assert key_line(KEY) == "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
