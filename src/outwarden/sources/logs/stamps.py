"""Time stamps of log lines become UTC times.

Two forms occur, also side by side in one file after a change of configuration: RFC 3164
section 4.1.2 (``Jan 15 00:30:10``: no year, no zone) and RFC 3339 (``2025-01-15T00:30:10.123456+00:00``).

A year is chosen so that the stamp lies nearest to the one before it; the first stamp takes the
latest year that does not put it more than a day after ``newest`` (the file's own date).  So time
never runs back a year over New Year, and a line that is a little out of order stays so.
"""

from datetime import UTC, datetime, timedelta, tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}
_HALF_A_YEAR = timedelta(days=183)
_A_DAY = timedelta(days=1)


class MalformedStamp(ValueError):
    """The text is no time stamp that we know."""


class Stamps:
    """The stamps of one log, read in the order of the file.

    ``newest`` is when the file was last written: no stamp is expected after it.
    ``zone`` is the zone of stamps that do not say their own.
    """

    def __init__(self, newest: datetime, zone: tzinfo = UTC) -> None:
        self._newest = newest
        self._zone = zone
        self._last: datetime | None = None
        self._last_text = ""
        self._last_read = newest

    def read(self, text: str) -> datetime:
        """Return the UTC time of a stamp in either form.  Raises ``MalformedStamp``."""
        if text == self._last_text:
            return self._last_read
        try:
            at = datetime.fromisoformat(text) if text[:1].isdigit() else self._read_rfc3164(text)
            at = self._to_utc(at)
        except (ValueError, KeyError, OverflowError, IndexError) as fault:
            raise MalformedStamp(text[:40]) from fault
        self._last_text, self._last_read, self._last = text, at, at
        return at

    def _to_utc(self, at: datetime) -> datetime:
        if at.tzinfo is UTC:
            return at
        if at.tzinfo is None:
            at = at.replace(tzinfo=self._zone)
        return at.astimezone(UTC)

    def _read_rfc3164(self, text: str) -> datetime:
        month, day, clock = _MONTHS[text[:3]], int(text[4:6]), text[7:]
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:8])
        # A leap second is legal in a log and not in a datetime.
        second = min(second, 59)
        if self._last is None:
            return self._first(month, day, hour, minute, second)
        nearest = None
        for year in (self._last.year, self._last.year - 1, self._last.year + 1):
            at = _on(year, month, day, hour, minute, second, self._zone)
            if at is None:
                continue
            if abs(at - self._last) <= _HALF_A_YEAR:
                return at
            nearest = nearest or at
        if nearest is None:
            raise MalformedStamp(text)
        return nearest

    def _first(self, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
        for year in range(self._newest.year + 1, self._newest.year - 9, -1):
            at = _on(year, month, day, hour, minute, second, self._zone)
            if at is not None and at <= self._newest + _A_DAY:
                return at
        raise MalformedStamp(f"no year fits {month}-{day}")


def _on(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: tzinfo) -> datetime | None:
    """Return that moment, or None where the year lacks the day (29 February)."""
    if month == 2 and day == 29 and (year % 4 or (year % 100 == 0 and year % 400)):
        return None
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)
