"""Time stamps of log lines become UTC times.

Three forms occur, also side by side in one file after a change of configuration: RFC 3164
section 4.1.2 (``Jan 15 00:30:10``: no year, no zone), RFC 3339 (``2025-01-15T00:30:10.123456+00:00``,
also with a blank for the T) and the TAI64N labels of daemontools (``@4000000065a4820c1dcd6500``).

RFC 3164 has no year.  The first stamp of a file takes the latest year that does not put it more than a day after
``newest`` (the file's own date); each later one the year that lies nearest to the stamp before it.
So time never runs back a year over New Year, and a line that is a little out of order stays so.

Not done: a file that was copied without its date and spans a New Year can come out a year late,
because nothing in it tells the year; only a 29 February does.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from outwarden.sources.logs.saved_state import SavedState

_MONTHS = {
    name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}
_HALF_A_YEAR = timedelta(days=183)
_A_DAY = timedelta(days=1)

# The years that a stamp may lie from the one before: this one, its neighbours, and for a
# 29 February the leap years around, an earlier one first.
_NEAR_YEARS = (0, -1, 1, -2, 2, -3, 3, -4, 4)

# The label of 1970-01-01T00:00:00Z.  TAI was ten seconds ahead then, and daemontools adds these
# ten alone, whatever leap seconds came since.
_TAI64_EPOCH = 2**62 + 10
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECONDS = {f"{second:02}": timedelta(seconds=second) for second in range(60)}


class MalformedStamp(ValueError):
    """The text is no time stamp that we know."""


class SavedStamps(SavedState):
    """How far the stamps of a log were read.  The file's own date is not kept: it is asked for anew."""

    seen: datetime | None
    last: datetime | None
    last_text: str | None
    minute: datetime
    minute_text: str | None


class Stamps:
    """The stamps of one log, read in the order of the file.

    ``newest`` is when the file was last written: no stamp is expected after it.
    ``zone`` is the zone of stamps that do not say their own.
    """

    def __init__(self, newest: datetime, zone: tzinfo = UTC) -> None:
        self._newest = newest
        self._zone = zone
        # The last stamp of the file before: no later file ends before it.
        self._seen: datetime | None = None
        self._last: datetime | None = None
        self._last_text: str | None = None
        self._last_read = newest
        self._minute_text: str | None = None
        self._minute = newest

    def next_file(self, newest: datetime) -> None:
        """Go on with the next file of a rotated log, last written at ``newest``.

        Its first stamp finds its year anew.  What was read before counts as seen, so that logs
        copied without their dates do not fall back a year at each file.
        """
        self._seen = self._last
        self._newest = newest if self._seen is None else max(newest, self._seen)
        self._last = self._last_text = self._minute_text = None

    def saved(self) -> SavedStamps:
        """Return what is known between two stamps."""
        return SavedStamps(self._seen, self._last, self._last_text, self._minute, self._minute_text)

    def restore(self, saved: SavedStamps) -> None:
        """Know what was saved; ``newest`` stays that of the file that is read on."""
        self._seen, self._last, self._last_text = saved.seen, saved.last, saved.last_text
        self._minute, self._minute_text = saved.minute, saved.minute_text
        if saved.seen is not None:
            self._newest = max(self._newest, saved.seen)
        if saved.last is not None:
            self._last_read = saved.last

    def read(self, text: str) -> datetime:
        """Return the UTC time of a stamp in any of the forms.  Raises ``MalformedStamp``."""
        if text == self._last_text:
            return self._last_read
        if text[:-2] == self._minute_text and text[-2:] in _SECONDS:
            # Most lines of a busy log share their minute with the line before.
            at = self._minute + _SECONDS[text[-2:]]
        else:
            at = self._read_anew(text)
        self._last_text, self._last_read, self._last = text, at, at
        return at

    def _read_anew(self, text: str) -> datetime:
        try:
            if text[-6:] == "+00:00" and text[17:19] != "60":
                # The commonest form of all, and every line has another stamp: the shortest way there.
                return datetime.fromisoformat(text)
            at = self._to_utc(self._read(text))
        except (ValueError, KeyError, OverflowError) as fault:
            raise MalformedStamp(text[:40]) from fault
        if text[:1].isalpha() and text[-3:-2] == ":" and text[-2:] in _SECONDS:
            self._minute_text, self._minute = text[:-2], at - _SECONDS[text[-2:]]
        return at

    def _read(self, text: str) -> datetime:
        if text[:1].isdigit():
            return _read_rfc3339(text)
        return _read_tai64n(text) if text[:1] == "@" else self._read_rfc3164(text)

    def _to_utc(self, at: datetime) -> datetime:
        if at.tzinfo is UTC:
            return at
        if at.tzinfo is None:
            at = at.replace(tzinfo=self._zone)
        return at.astimezone(UTC)

    def _read_rfc3164(self, text: str) -> datetime:
        # The day stands in two columns; some loggers write a one-figure day in one.
        month_name, day, clock = text.split()
        month = _MONTHS[month_name]
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:8])
        # A leap second is legal in a log and not in a datetime.
        moment = (month, int(day), hour, minute, 59 if second == 60 else second)
        return self._first(*moment) if self._last is None else self._nearest(self._last, *moment)

    def _nearest(self, last: datetime, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
        otherwise = None
        for years in _NEAR_YEARS:
            at = _on(last.year + years, month, day, hour, minute, second, self._zone)
            if at is None:
                continue
            if abs(at - last) <= _HALF_A_YEAR:
                return at
            otherwise = otherwise or at
        if otherwise is None:
            raise MalformedStamp(f"no year near {last.year} has {month}-{day}")
        return otherwise

    def _first(self, month: int, day: int, hour: int, minute: int, second: int) -> datetime:
        for year in range(self._newest.year + 1, self._newest.year - 9, -1):
            at = _on(year, month, day, hour, minute, second, self._zone)
            if at is not None and at <= self._newest + _A_DAY:
                return at
        raise MalformedStamp(f"no year fits {month}-{day}")


def _read_rfc3339(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        # RFC 3339 section 5.6 allows a leap second, which a datetime cannot hold.
        if text[16:19] != ":60":
            raise
        return datetime.fromisoformat(text[:16] + ":59" + text[19:])


def _read_tai64n(text: str) -> datetime:
    if len(text) != 25:
        raise MalformedStamp(text[:40])
    seconds, nanoseconds = int(text[1:17], 16) - _TAI64_EPOCH, int(text[17:], 16)
    return _UNIX_EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)


def _on(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: tzinfo) -> datetime | None:
    """Return that moment, or None where the year lacks the day (29 February)."""
    if month == 2 and day == 29 and (year % 4 or (year % 100 == 0 and year % 400)):
        return None
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)
