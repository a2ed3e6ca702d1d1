"""Times of the sample: microseconds since its first midnight."""

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def clock(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """Return that moment of the sample, its first day being 0."""
    return day * DAY + hour * HOUR + minute * MINUTE + second * SECOND
