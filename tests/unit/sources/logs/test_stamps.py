from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.logs.stamps import MalformedStamp, Stamps

NEWEST = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def written(at: datetime) -> str:
    return f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S}"


ONE_STAMP = [
    ("RFC 3164", "Nov 23 03:12:45", "2026-11-23T03:12:45+00:00"),
    ("RFC 3164, one-figure day in two columns", "Nov  3 03:12:45", "2026-11-03T03:12:45+00:00"),
    ("RFC 3164, one-figure day in one column", "Nov 3 03:12:45", "2026-11-03T03:12:45+00:00"),
    ("a leap second of RFC 3164", "Nov 22 23:59:60", "2026-11-22T23:59:59+00:00"),
    ("an hour after the file's date: its clock is ahead", "Nov 23 05:00:00", "2026-11-23T05:00:00+00:00"),
    ("two days after the file's date: the year before", "Nov 25 05:00:00", "2025-11-25T05:00:00+00:00"),
    ("29 February of the last leap year", "Feb 29 12:00:00", "2024-02-29T12:00:00+00:00"),
    ("RFC 3339, UTC", "2025-01-15T00:30:10.123456+00:00", "2025-01-15T00:30:10.123456+00:00"),
    ("RFC 3339, Z", "2025-01-15T00:30:10Z", "2025-01-15T00:30:10+00:00"),
    ("RFC 3339, an offset", "2025-01-15T00:30:10+01:00", "2025-01-14T23:30:10+00:00"),
    ("an offset without its colon (journalctl)", "2025-01-15T00:30:10-0230", "2025-01-15T03:00:10+00:00"),
    ("a blank for the T", "2025-01-15 00:30:10", "2025-01-15T00:30:10+00:00"),
    ("a leap second of RFC 3339", "2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.500000+00:00"),
    ("a leap second of RFC 3339, UTC", "2016-12-31T23:59:60.5+00:00", "2016-12-31T23:59:59.500000+00:00"),
    ("TAI64N", "@400000004c91b044077a9e94", "2010-09-16T05:50:50.125476+00:00"),
]


@pytest.mark.parametrize(("name", "text", "expected"), ONE_STAMP, ids=[case[0] for case in ONE_STAMP])
def test_one_stamp_is_read(name: str, text: str, expected: str) -> None:
    at = Stamps(NEWEST).read(text)
    assert at.isoformat() == expected
    assert at.tzinfo is UTC


MALFORMED = [
    "",
    " ",
    "Nov",
    "Nov 23",
    "Nov 23 03",
    "Nov 23 03:12",
    "Nov 31 03:12:45",
    "Nov 00 03:12:45",
    "Nov 23 24:00:00",
    "Nov 23 03:60:00",
    "Nov 23 03:12:61",
    "Nov 23 03:12:99",
    "Feb 30 00:00:00",
    "nov 23 03:12:45",
    "Foo 23 03:12:45",
    "Nov  23  03:12:45 x",
    "2026-13-01T00:00:00Z",
    "2026-13-01T00:00:00.000001+00:00",
    "2026-11-23T25:00:00Z",
    "2026-11-23T03:12:61Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:00",
    "9999-12-31T23:59:59-23:00",
    "20",
    "²",
    "@",
    "@400000004c91b044",
    "@ffffffffffffffffffffffff",
    "@40000000zc91b044077a9e94",
    "@400000004c91b044077a9e94077a9e94",
    "\0",
    "\N{ARABIC-INDIC DIGIT THREE}" * 8,
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_stamp_is_said_to_be_malformed_and_changes_nothing(text: str) -> None:
    stamps = Stamps(NEWEST)
    with pytest.raises(MalformedStamp):
        stamps.read(text)
    before = stamps.read("Nov 23 03:12:45")
    with pytest.raises(MalformedStamp):
        stamps.read(text)
    assert stamps.read("Nov 23 03:12:46") - before == timedelta(seconds=1)


@given(st.text(max_size=40))
def test_any_text_is_a_stamp_or_malformed(text: str) -> None:
    stamps = Stamps(NEWEST)
    for _ in range(2):
        try:
            assert stamps.read(text).tzinfo is UTC
        except MalformedStamp:
            pass


RUNS = [
    (
        "over New Year",
        "2026-01-02",
        ["Dec 31 23:59:59", "Jan  1 00:00:00", "Jan  2 00:00:00"],
        ["2025-12-31T23:59:59", "2026-01-01T00:00:00", "2026-01-02T00:00:00"],
    ),
    (
        "over New Year, and a late line after it",
        "2026-01-02",
        ["Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01"],
        ["2025-12-31T23:59:59", "2026-01-01T00:00:00", "2025-12-31T23:59:58", "2026-01-01T00:00:01"],
    ),
    (
        "two New Years in one file",
        "2026-03-01",
        ["Nov 30 00:00:00", "Feb  1 00:00:00", "Jul  1 00:00:00", "Dec 30 00:00:00", "Feb 28 00:00:00"],
        ["2025-11-30", "2026-02-01", "2026-07-01", "2026-12-30", "2027-02-28"],
    ),
    (
        "the clock goes back an hour, a month, and half a year less a day",
        "2026-11-23",
        ["Nov 22 03:00:00", "Nov 22 02:00:00", "Oct 22 02:00:00", "Apr 23 02:00:00"],
        ["2026-11-22T03:00:00", "2026-11-22T02:00:00", "2026-10-22T02:00:00", "2026-04-23T02:00:00"],
    ),
    (
        "29 February of a leap year, over New Year before",
        "2028-03-01",
        ["Dec 31 23:00:00", "Feb 28 23:59:59", "Feb 29 00:00:00", "Mar  1 00:00:00"],
        ["2027-12-31T23:00:00", "2028-02-28T23:59:59", "2028-02-29", "2028-03-01"],
    ),
    (
        "29 February in a copied file tells the year that its date does not",
        "2026-11-23",
        ["Feb 28 23:59:59", "Feb 29 00:00:00", "Feb 29 00:00:01", "Mar  1 00:00:00"],
        ["2026-02-28T23:59:59", "2024-02-29", "2024-02-29T00:00:01", "2024-03-01"],
    ),
    (
        "both forms after a change of configuration",
        "2026-11-23",
        ["Nov 21 10:00:00", "2026-11-21T10:00:01.000001+00:00", "Nov 21 10:00:02"],
        ["2026-11-21T10:00:00", "2026-11-21T10:00:01.000001", "2026-11-21T10:00:02"],
    ),
    (
        "a stamp with a year leads those without",
        "2026-11-23",
        ["2020-05-05T10:00:00Z", "May  5 10:00:02", "Jan  1 00:00:00", "Jun 30 00:00:00", "Dec 24 00:00:00"],
        ["2020-05-05T10:00:00", "2020-05-05T10:00:02", "2020-01-01", "2020-06-30", "2020-12-24"],
    ),
    (
        "each second of a minute, and back",
        "2026-11-23",
        ["Nov 21 10:00:58", "Nov 21 10:00:59", "Nov 21 10:01:00", "Nov 21 10:00:59", "Nov 21 10:00:60"],
        [
            *("2026-11-21T10:00:58", "2026-11-21T10:00:59", "2026-11-21T10:01:00"),
            *("2026-11-21T10:00:59", "2026-11-21T10:00:59"),
        ],
    ),
]


@pytest.mark.parametrize(("name", "newest", "texts", "expected"), RUNS, ids=[case[0] for case in RUNS])
def test_the_year_follows_from_the_stamp_before(name: str, newest: str, texts: list[str], expected: list[str]) -> None:
    stamps = Stamps(datetime.fromisoformat(newest).replace(tzinfo=UTC))
    assert [stamps.read(text) for text in texts] == [datetime.fromisoformat(at).replace(tzinfo=UTC) for at in expected]


@given(
    st.integers(600_000_000, 3_800_000_000),
    st.lists(st.timedeltas(timedelta(seconds=-3600), timedelta(days=100)), max_size=12),
)
def test_stamps_without_a_year_come_out_as_they_were_written(start: int, steps: list[timedelta]) -> None:
    """Whatever the gaps: as long as they are under half a year and the file's date fits its first stamp."""
    at = datetime.fromtimestamp(start, UTC)
    stamps = Stamps(at + timedelta(hours=1))
    moments = [at]
    for step in steps:
        moments.append(moments[-1] + timedelta(seconds=int(step.total_seconds())))
    assert [stamps.read(written(moment)) for moment in moments] == moments


def test_a_zone_is_that_of_stamps_without_one() -> None:
    stamps = Stamps(NEWEST, BERLIN)
    assert stamps.read("Nov 23 03:12:45").isoformat() == "2026-11-23T02:12:45+00:00"
    assert stamps.read("Jul  1 03:12:45").isoformat() == "2026-07-01T01:12:45+00:00"
    assert stamps.read("2026-11-23 03:12:45").isoformat() == "2026-11-23T02:12:45+00:00"
    assert stamps.read("2026-11-23T03:12:45Z").isoformat() == "2026-11-23T03:12:45+00:00"


def test_new_year_comes_when_the_zone_says_so() -> None:
    stamps = Stamps(datetime(2026, 1, 1, 12, tzinfo=UTC), BERLIN)
    assert stamps.read("Dec 31 23:59:59").isoformat() == "2025-12-31T22:59:59+00:00"
    assert stamps.read("Jan  1 00:00:00").isoformat() == "2025-12-31T23:00:00+00:00"
    assert stamps.read("Jan  1 01:00:01").isoformat() == "2026-01-01T00:00:01+00:00"


def test_the_next_file_of_a_rotated_log_finds_its_year_anew() -> None:
    stamps = Stamps(datetime(2025, 3, 1, tzinfo=UTC))
    assert stamps.read("Feb 28 00:00:00").year == 2025
    stamps.next_file(datetime(2026, 2, 1, tzinfo=UTC))
    assert stamps.read("Jan 31 00:00:00").year == 2026


def test_files_copied_without_their_dates_do_not_fall_back_a_year() -> None:
    copied_on = datetime(2026, 12, 30, tzinfo=UTC)
    stamps = Stamps(copied_on)
    assert stamps.read("Dec 29 00:00:00").year == 2026
    assert stamps.read("Jan  3 00:00:00").year == 2027
    stamps.next_file(copied_on)
    assert stamps.read("Jan  3 00:00:01").year == 2027
