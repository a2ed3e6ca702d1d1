"""An account's hours: which of them, against which record, drawn for the terminal and the page."""

import re
from datetime import UTC, datetime
from itertools import pairwise

import click
import pytest
from msgspec.structs import replace

from outwarden.cli.chart import chart
from outwarden.cli.hourly import Hourly, hourly
from outwarden.cli.plot import plot
from outwarden.detection.assessment import AccountAssessment, HourCount

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


def hours_of(*counts: int, trouble: int | None = None, record: int | None = None) -> Hourly:
    return Hourly(MIDNIGHT, counts, "messages", record, trouble)


def test_the_record_is_the_most_before_the_trouble(stolen: AccountAssessment) -> None:
    hours = hourly(stolen, None, 168)
    assert hours is not None
    assert (hours.record, hours.most) == (3, 460)
    assert hours.trouble == 20  # From 07:00 to 03:00.
    assert hours.start == datetime(2026, 11, 22, 7, tzinfo=UTC)


def test_hours_without_mail_are_there_too(stolen: AccountAssessment) -> None:
    hours = hourly(stolen, datetime(2026, 11, 23, 23, 59, tzinfo=UTC), 168)
    assert hours is not None
    assert hours.end == datetime(2026, 11, 24, tzinfo=UTC)
    assert hours.counts[-5:] == (0, 0, 0, 0, 0)


def test_only_the_last_hours_are_shown_but_the_record_is_older(stolen: AccountAssessment) -> None:
    hours = hourly(stolen, None, 6)
    assert hours is not None
    assert len(hours.counts) == 6
    assert (hours.record, hours.trouble) == (3, 0)


def test_one_message_to_thousands_is_counted_in_recipients(stolen: AccountAssessment) -> None:
    blast = replace(stolen, messages=1, recipients=2000, hours=(HourCount(MIDNIGHT, 1, 2000),))
    hours = hourly(blast, None, 168)
    assert hours is not None
    assert (hours.what, hours.counts) == ("recipients", (2000,))


def test_an_account_without_hours_has_no_plot(stolen: AccountAssessment) -> None:
    assert hourly(replace(stolen, hours=()), MIDNIGHT, 168) is None


PLOTS = [
    ("one hour", hours_of(5), 40, 1, ["5  ██", "   11-23"]),
    ("halves", hours_of(4, 8, trouble=1, record=4), 40, 2, ["8    ██", "4  ████", "   11-23"]),
    ("nothing", hours_of(0, 0), 40, 1, ["1", "   11-23"]),
]


@pytest.mark.parametrize(("name", "hours", "width", "height", "expected"), PLOTS)
def test_plot(name: str, hours: Hourly, width: int, height: int, expected: list[str]) -> None:
    assert [click.unstyle(line) for line in plot(hours, width, height, blocks=True)] == expected


def test_the_record_is_a_line_through_the_bars() -> None:
    lines = plot(hours_of(1, 2, 0, 90, trouble=3, record=2), 40, 3, blocks=True)
    assert click.unstyle(lines[-2]) == " 2  ▁▁▁▁┄┄██"


@pytest.mark.parametrize("blocks", [True, False])
def test_a_plot_is_never_wider_than_the_screen(blocks: bool) -> None:
    hours = hours_of(*range(168), trouble=100, record=99)
    lines = [click.unstyle(line) for line in plot(hours, 60, 5, blocks)]
    assert len(lines) == 6
    assert all(len(line) <= 66 for line in lines[-1:])
    assert all(len(line) <= 60 for line in lines[:-1])


def test_without_utf8_a_plot_is_ascii() -> None:
    assert "".join(plot(hours_of(1, 5, 9, trouble=1, record=1), 40, 3, blocks=False)).isascii()


def test_the_trouble_is_red() -> None:
    assert click.style("██", fg="red") in plot(hours_of(0, 8, trouble=1), 40, 1, blocks=True)[0]


def test_a_chart_stays_inside_its_box() -> None:
    drawn = chart(hours_of(*range(168), trouble=100, record=99), "rosa@isp.example")
    for path in (drawn.before, drawn.after):
        for x, y in re.findall(r"M([\d.]+) \d+V([\d.]+)", path):
            assert drawn.left <= float(x) <= drawn.width
            assert drawn.top <= float(y) <= drawn.base
    assert drawn.record_y is not None
    assert drawn.after.count("M") == 68
    assert [tick.label for tick in drawn.ticks][:2] == ["Nov 23", "Nov 24"]
    assert "own record 99" in drawn.says


def test_one_message_among_thousands_is_seen() -> None:
    drawn = chart(hours_of(1, 5000, trouble=1), "rosa@isp.example")
    assert drawn.before
    assert f"V{drawn.base}" in drawn.before
    assert f"V{drawn.base}h" not in drawn.before


def test_ticks_do_not_overlap() -> None:
    ticks = chart(hours_of(*[1] * 60), "a").ticks
    assert all(b.x - a.x >= 40 for a, b in pairwise(ticks))
