"""Times as Windows tools export them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.powershell_stamps import MalformedPowerShellStamp, powershell_stamp

AT = datetime(2026, 11, 23, 15, 12, 45, tzinfo=UTC)
STAMPS = [
    ("tracking log", "2026-11-23T15:12:45.000Z", AT),
    ("ToString('o')", "2026-11-23T15:12:45.0000000Z", AT),
    ("with an offset", "2026-11-23T16:12:45+01:00", AT),
    ("American", "11/23/2026 3:12:45 PM", AT),
    ("American, narrow no-break space", "11/23/2026 3:12:45\u202fPM", AT),
    ("American, past midnight", "11/23/2026 12:12:45 AM", AT.replace(hour=0)),
    ("typeperf", "11/23/2026 15:12:45.250", AT + timedelta(milliseconds=250)),
    ("German", "23.11.2026 15:12:45", AT),
    ("ConvertTo-Json", "/Date(1795446765000)/", AT),
]


@pytest.mark.parametrize(("name", "text", "expected"), STAMPS, ids=[name for name, *_ in STAMPS])
def test_stamp(name: str, text: str, expected: datetime) -> None:
    assert powershell_stamp(text) == expected


@pytest.mark.parametrize("text", ["11/23/2026 4:12:45 PM", "23.11.2026 16:12:45", "2026-11-23T16:12:45"])
def test_a_stamp_without_a_zone_is_in_the_zone_given(text: str) -> None:
    assert powershell_stamp(text, timezone(timedelta(hours=1))) == AT


AMISS = ["", "now", "23/11/2026 3:12:45 AM", "11/23/2026 13:12:45 PM", "2026-02-30T00:00Z", "/Date(999999999999999)/"]


@pytest.mark.parametrize("text", AMISS)
def test_what_is_no_stamp_says_so(text: str) -> None:
    with pytest.raises(MalformedPowerShellStamp):
        powershell_stamp(text)


@given(st.text(alphabet="0123456789/.:-TZ APMDate()+\u202f", max_size=40))
def test_any_text_is_a_time_or_malformed(text: str) -> None:
    try:
        assert powershell_stamp(text).tzinfo is UTC
    except MalformedPowerShellStamp:
        pass
