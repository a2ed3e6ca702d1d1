"""A queue as text: like mailq and qshape, so that whoever knows those can read it at once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from outwarden.cli.log_options import Screen
from outwarden.cli.rendering import Column, duration, number, plain, stamp, table
from outwarden.detection.baseline.queue_samples import QueueSample
from outwarden.detection.queue_growth import assess_counters
from outwarden.detection.queue_shape import AGES_MINUTES, Sender, ShapeRow, total_row
from outwarden.events import Finding, QueuedMessage
from outwarden.sources.queue.reading import QueueReading

_MARKS = {"active": "*", "hold": "!", "frozen": "!", "quarantined": "!"}
_LINES_AROUND_A_TABLE = 6


def message_lines(reading: QueueReading, now: datetime) -> Iterator[str]:
    """Yield each message with its reasons and recipients, a total line last.

    The mark after a queue ID is mailq's: ``*`` active, ``!`` held back.
    """
    if reading.total and not reading.messages:
        yield f"-- {number(reading.total)} messages; {reading.form.value} tells no more."
        return
    if not reading.messages:
        yield "The queue is empty."
        return
    yield f"{'Queue ID':<18} {'Size':>10}  {'Arrival':<20}  Sender, (reason) and recipients"
    for message in reading.messages:
        yield from _message(message)
    yield _total(reading.messages, now)


def _message(message: QueuedMessage) -> Iterator[str]:
    arrival = stamp(message.arrived_at) if message.arrived_at else "unknown"
    name = plain(message.queue_id) + _MARKS.get(message.queue, "")
    yield f"{name:<18} {number(message.size):>10}  {arrival:<20}  {plain(message.sender)}"
    last_reason = ""
    for recipient, reason in message.recipients:
        if reason != last_reason:
            yield f"{'':20}({plain(reason)})"
            last_reason = reason
        yield f"{'':52}{plain(recipient)}".rstrip()
    yield ""


def _total(messages: Sequence[QueuedMessage], now: datetime) -> str:
    queues = Counter(message.queue for message in messages)
    recipients = sum(len(message.recipients) for message in messages)
    arrivals = [message.arrived_at for message in messages if message.arrived_at is not None]
    oldest = f", oldest {duration(now - min(arrivals))}" if arrivals else ""
    each = ", ".join(f"{plain(queue)} {number(count)}" for queue, count in queues.most_common(8))
    kilobytes = number(sum(message.size for message in messages) // 1024)
    return f"-- {number(len(messages))} messages, {number(recipients)} recipients, {kilobytes} kB{oldest}: {each}"


def count_lines(reading: QueueReading) -> Iterator[str]:
    """Yield each queue of Get-Queue with its count and last error, largest first, a total line last."""
    yield f"{'Messages':>9}  {'Status':<10} {'Destination':<32}  Queue"
    for one in sorted(reading.queues, key=lambda queue: (-queue.messages, queue.queue)):
        yield f"{number(one.messages):>9}  {plain(one.status):<10} {plain(one.destination):<32}  {plain(one.queue)}"
        if one.reason:
            yield f"{'':11}({plain(one.reason)})"
    yield f"-- {number(reading.total)} messages in {number(len(reading.queues))} queues"


def counter_lines(reading: QueueReading) -> Iterator[str]:
    """Yield the newest value of each counter, and what stood above its own past, a total line last."""
    newest = {(one.host, one.object, one.instance, one.counter): one for one in reading.samples}
    for sample in newest.values():
        instance = f"({sample.instance})" if sample.instance else ""
        path = f"\\\\{sample.host}\\{sample.object}{instance}\\{sample.counter}"
        yield f"{sample.value:>12g}  {stamp(sample.at)}  {plain(path)}"
    for finding in assess_counters(reading.samples):
        yield f"! {plain(finding.text)}"
    yield f"-- {number(reading.total)} messages waiting at least, by {number(len(newest))} counters"


def growth_lines(samples: Sequence[QueueSample], findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what stands above the past, and what it was compared with, a total line last."""
    newest = samples[-1]
    if len(samples) < 2:
        yield "One look shows no growth: name older listings, too."
    elif not findings:
        yield "Nothing stands above its own past."
    for finding in findings:
        yield f"! {plain(finding.text)}"
        yield from (f"    {plain(line)}" for line in finding.evidence)
    oldest = "" if newest.oldest_minutes is None else f", oldest {duration(timedelta(minutes=newest.oldest_minutes))}"
    looks = f"{number(len(samples))} looks from {stamp(samples[0].at)} to {stamp(newest.at)}"
    yield f"-- {looks}; newest {number(newest.messages)} messages{oldest}"


def shape_lines(rows: Sequence[ShapeRow], screen: Screen) -> list[str]:
    """Return the table of domains and ages, the sum first as qshape has it."""
    whole = total_row(rows)
    shown = rows if screen.height is None else rows[: max(screen.height - _LINES_AROUND_A_TABLE, 5)]
    ages_unknown = whole.unknown_age > 0
    columns = [Column("", right=False), Column("T"), *(Column(f"{age}") for age in AGES_MINUTES), Column("1280+")]
    if ages_unknown:
        columns.append(Column("?"))
    cells = [
        [plain(row.domain) or "(no domain)", *map(str, (row.total, *row.ages, *([row.unknown_age] * ages_unknown)))]
        for row in (whole, *shown)
    ]
    lines = table(columns, cells, screen.width)
    left_out = len(rows) - len(shown)
    return [*lines, f"-- {number(left_out)} more domains: -v shows all"] if left_out else lines


def sender_lines(senders: Sequence[Sender], findings: Sequence[Finding], now: datetime, screen: Screen) -> list[str]:
    """Return the table of senders, what speaks against them, a total line last."""
    if not senders:
        return ["The queue is empty."]
    room = None if screen.height is None else max(screen.height - _LINES_AROUND_A_TABLE - len(findings), 5)
    shown = senders[:room]
    columns = [
        Column("Sender", right=False),
        Column("Share"),
        Column("Recipients", "Rcpt"),
        Column("Messages", "Msgs"),
        Column("Oldest"),
        Column("Commonest reason", "Reason", right=False),
    ]
    cells = [
        [
            plain(one.account),
            f"{one.share:.0%}",
            number(one.recipients),
            number(one.messages),
            duration(now - one.oldest) if one.oldest else "?",
            one.refusal_class or "-",
        ]
        for one in shown
    ]
    recipients, messages = sum(one.recipients for one in senders), sum(one.messages for one in senders)
    more = f" ({number(len(senders) - len(shown))} not shown: -v)" if len(shown) < len(senders) else ""
    return [
        *table(columns, cells, screen.width),
        *(f"! {plain(finding.text)}" for finding in findings),
        f"-- {number(messages)} messages, {number(recipients)} recipients, {number(len(senders))} senders{more}",
    ]
