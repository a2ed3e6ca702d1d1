"""Time stamps as Windows tools write them into exports become UTC times.

PowerShell's ``Export-Csv`` writes a time in the culture of whoever ran it, without a zone;
``ToString('o')`` and the tracking log itself write ISO 8601; ``ConvertTo-Json`` of Windows
PowerShell writes ``/Date(milliseconds)/``; ``typeperf`` writes month/day/year whatever the
culture.

Known limit: a culture that writes day/month/year with slashes (Britain, Australia) cannot be
told from the American order on the first twelve days of a month.  Only the American order is
read, so that a month above twelve fails loudly instead of two readings being mixed.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?( AM| PM)?")
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}) (\d{1,2}):(\d{2}):(\d{2})")
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


class MalformedPowerShellStamp(ValueError):
    """The text is no time stamp that Windows tools are known to write."""


def powershell_stamp(text: str, zone: tzinfo = UTC) -> datetime:
    """Return the UTC time of an exported stamp; ``zone`` is that of stamps that name none.

    Raises ``MalformedPowerShellStamp``.
    """
    # .NET puts a narrow or plain no-break space before AM and PM in recent versions.
    text = text.strip().replace("\u202f", " ").replace("\xa0", " ")
    try:
        if text[4:5] == "-":
            at = datetime.fromisoformat(text)
        else:
            at = _other_form(text)
        if at.tzinfo is UTC:
            return at
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise MalformedPowerShellStamp(text[:40]) from fault


def _other_form(text: str) -> datetime:
    """Return a time, without a zone where the form has none."""
    if found := _SLASHES.fullmatch(text):
        month, day, year, hour, minute, second = map(int, found.groups()[:6])
        microsecond = int((found[7] or "0").ljust(6, "0"))
        return datetime(year, month, day, _hour_of_day(hour, found[8]), minute, second, microsecond)  # noqa: DTZ001
    if found := _DOTS.fullmatch(text):
        day, month, year, hour, minute, second = map(int, found.groups())
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    if found := _JSON_DATE.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))
    raise ValueError(text[:40])


def _hour_of_day(hour: int, half: str | None) -> int:
    """Return the hour 0 to 23; ``half`` is `` AM``, `` PM`` or None for a 24-hour clock."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of a 12-hour clock")
    return hour % 12 + (12 if half == " PM" else 0)
