"""What a queue's text says, in whatever form it came, and how its parts are read alike.

Senders, recipients and reasons in a queue are written by strangers: everything is bounded, nothing
is trusted, and what is not understood is counted and kept to be shown.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec

from outwarden.events import QueuedMessage

MAX_TEXT = 1_000
"""Characters kept of an address, a reason or a line that was not understood."""

_KEPT_UNKNOWN = 20
_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_WEEKDAYS = {name: number for number, name in enumerate("Mon Tue Wed Thu Fri Sat Sun".split())}


class MalformedQueue(ValueError):
    """The text is no queue listing of the form it was taken for; the message names what and where."""


class QueueForm(StrEnum):
    """The tool that wrote a queue's text."""

    POSTQUEUE_JSON = "postqueue -j"
    MAILQ_POSTFIX = "mailq (Postfix)"
    MAILQ_SENDMAIL = "mailq (Sendmail)"
    EXIM_BP = "exim -bp"
    EXIM_BPC = "exim -bpc"
    EXCHANGE_QUEUES = "Get-Queue"
    EXCHANGE_MESSAGES = "Get-Message"
    EXCHANGE_COUNTERS = "performance counters"


class QueueCount(msgspec.Struct, frozen=True):
    """One queue of which only the size is known, as ``Get-Queue`` tells it.

    ``destination`` is the next hop's domain, ``reason`` the last error in the remote's words.
    """

    queue: str
    destination: str
    status: str
    messages: int
    reason: str = ""


class CounterSample(msgspec.Struct, frozen=True):
    r"""One value of a performance counter: ``\\HOST\object(instance)\counter`` at a time."""

    at: datetime
    host: str
    object: str
    instance: str
    counter: str
    value: float


class QueueReading(msgspec.Struct, frozen=True):
    """One text about a queue, understood.

    ``total`` counts messages.  ``messages`` is empty where the form gives only counts, ``queues`` and
    ``samples`` are empty where it gives messages.  ``unknown_lines`` are the first lines that were not
    understood, each shortened.
    """

    form: QueueForm
    total: int
    messages: tuple[QueuedMessage, ...] = ()
    queues: tuple[QueueCount, ...] = ()
    samples: tuple[CounterSample, ...] = ()
    lines_not_understood: int = 0
    unknown_lines: tuple[str, ...] = ()


class Unknown:
    """The lines of one text that were not understood: how many, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Count a line, and keep it when it is among the first."""
        self.count += 1
        if len(self.lines) < _KEPT_UNKNOWN:
            self.lines.append(line[:200])


def queue_of(form: QueueForm, messages: list[QueuedMessage], unknown: Unknown) -> QueueReading:
    """Return the reading of a text that lists messages.

    Raises ``MalformedQueue`` where no line at all was understood: that is no empty queue.
    """
    if unknown.count and not messages:
        raise MalformedQueue(f"{form.value}: not one of {unknown.count} lines understood, first: {unknown.lines[0]!r}")
    return QueueReading(
        form,
        len(messages),
        messages=tuple(messages),
        lines_not_understood=unknown.count,
        unknown_lines=tuple(unknown.lines),
    )


def arrival(weekday: str | None, month: str, day: int, clock: str, now: datetime, zone: tzinfo) -> datetime | None:
    """Return the UTC time of a ``Mon Feb 24 13:35:18`` (seconds optional), or None where it is none.

    The year is not written: it is the latest one that is not after ``now`` by more than a day (clocks
    differ) and in which that day has that weekday (where one is given), looked for in the last eleven.
    """
    if month not in _MONTHS or (weekday is not None and weekday not in _WEEKDAYS):
        return None
    try:
        hour, minute, second = (*map(int, clock.split(":")), 0)[:3]
        for year in range(now.year + 1, now.year - 11, -1):
            try:
                at = datetime(year, _MONTHS[month], day, hour, minute, min(second, 59), tzinfo=zone)
            except ValueError:  # 29 February
                continue
            fits = weekday is None or at.weekday() == _WEEKDAYS[weekday]
            if fits and at <= now + timedelta(days=1):
                return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None
