r"""Windows performance counters of a mail server's queues, as ``typeperf`` and ``Get-Counter`` write them.

Three forms: the CSV of ``typeperf``, ``relog`` and ``Export-Counter`` (first column ``(PDH-CSV 4.0)``, a column
for each counter; relog adds the zone and its bias in minutes, so that UTC = local + bias), the samples of
``Get-Counter`` put through ``Export-Csv`` (columns Path and CookedValue), and what ``Get-Counter`` prints.
Old Exchange names them ``\SMTP Server(_Total)\Remote Queue Length``, today's
``\MSExchangeTransport Queues(_total)\External Active Remote Delivery Queue Length``; any counter is read.
"""

import csv
import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from outwarden.sources.powershell_stamps import MalformedPowerShellStamp, powershell_stamp
from outwarden.sources.queue.reading import CounterSample, MalformedQueue, QueueForm, QueueReading, Unknown

_PATH = re.compile(
    r"(?:\\\\([^\\]{1,255}))?\\([^\\()]{1,255})(?:\(([^()\\]{0,255}(?:\([^()]{0,80}\))?)\))?\\([^\\]{1,255})"
)
_BIAS = re.compile(r"\((-?\d{1,3})\)$")
_TOOL_TALK = ("The command completed", "Exiting, please wait")


def read_exchange_counters(text: str, zone: tzinfo = UTC) -> QueueReading:
    """Return the samples of a server in ``zone``; ``total`` is the newest of those that count waiting messages.

    Raises ``MalformedQueue`` where the text holds not one sample.
    """
    lines = [line.strip() for line in text.removeprefix("\ufeff").split("\n")]
    lines = [line for line in lines if line and not line.startswith(("#TYPE", *_TOOL_TALK))]
    unknown = Unknown()
    if lines and "(PDH-" in lines[0]:
        samples = _from_pdh(lines, unknown, zone)
    elif lines and "CookedValue" in lines[0]:
        samples = _from_export(lines, unknown, zone)
    else:
        samples = _from_print(lines, unknown, zone)
    if not samples:
        raise MalformedQueue(f"performance counters: not one sample in {len(lines)} lines")
    samples.sort(key=lambda sample: sample.at)
    return QueueReading(
        QueueForm.EXCHANGE_COUNTERS,
        _waiting(samples),
        samples=tuple(samples),
        lines_not_understood=unknown.count,
        unknown_lines=tuple(unknown.lines),
    )


def is_queue_length(sample: CounterSample) -> bool:
    """Return whether a counter counts waiting messages (and is no rate or total since the start)."""
    return "queue length" in sample.counter.lower()


def _waiting(samples: list[CounterSample]) -> int:
    """Return how many messages wait by the newest samples, at least: counters overlap, so the largest."""
    newest = {
        (sample.host, sample.object, sample.instance, sample.counter): sample.value
        for sample in samples
        if is_queue_length(sample)
    }
    return int(max(newest.values(), default=0))


def _sample(path: str, at: datetime, value: str) -> CounterSample | None:
    """Return a sample, or None where path or value is none (a counter that could not be read is blank)."""
    found = _PATH.fullmatch(path.strip())
    try:
        number = float(value.strip().replace(",", "."))
    except ValueError:
        return None
    if found is None or not math.isfinite(number) or abs(number) > 1e15:
        return None
    host, object_, instance, counter = found.groups()
    return CounterSample(at, (host or "").lower(), object_, instance or "", counter, number)


def _fields(line: str, separator: str = ",") -> list[str]:
    try:
        return next(csv.reader((line,), delimiter=separator), [])
    except csv.Error:
        return []


def _from_pdh(lines: list[str], unknown: Unknown, zone: tzinfo) -> list[CounterSample]:
    separator = "\t" if "PDH-TSV" in lines[0] else ","
    names = _fields(lines[0], separator)
    bias = _BIAS.search(names[0]) if names else None
    if bias:
        # Windows counts a bias westward: UTC = local time + bias.
        zone = timezone(-timedelta(minutes=int(bias[1])))
    samples: list[CounterSample] = []
    for line in lines[1:]:
        fields = _fields(line, separator)
        try:
            if not fields or len(fields) != len(names):
                raise MalformedPowerShellStamp
            at = powershell_stamp(fields[0], zone)
        except MalformedPowerShellStamp:
            unknown.add(line)
            continue
        found = (_sample(name, at, value) for name, value in zip(names[1:], fields[1:], strict=True))
        samples.extend(sample for sample in found if sample is not None)
    return samples


def _from_export(lines: list[str], unknown: Unknown, zone: tzinfo) -> list[CounterSample]:
    names = _fields(lines[0])
    samples: list[CounterSample] = []
    for line in lines[1:]:
        record = dict(zip(names, _fields(line), strict=False))
        try:
            at = powershell_stamp(record.get("Timestamp", ""), zone)
        except MalformedPowerShellStamp:
            unknown.add(line)
            continue
        sample = _sample(record.get("Path", ""), at, record.get("CookedValue", ""))
        if sample is None:
            unknown.add(line)
        else:
            samples.append(sample)
    return samples


def _from_print(lines: list[str], unknown: Unknown, zone: tzinfo) -> list[CounterSample]:
    r"""Read what ``Get-Counter`` prints: ``TIME  \\host\object(instance)\counter :`` and the value below it."""
    samples: list[CounterSample] = []
    at: datetime | None = None
    path = ""
    for line in lines:
        if line.endswith(":") and "\\" in line:
            before, backslashes, rest = line[:-1].partition("\\\\")
            path = backslashes + rest
            try:
                at = powershell_stamp(before, zone) if before.strip() else at
            except MalformedPowerShellStamp:
                at = None
        elif not line.startswith(("Timestamp", "---")):
            sample = _sample(path, at, line) if at is not None else None
            path = ""
            if sample is None:
                unknown.add(line)
            else:
                samples.append(sample)
    return samples
