"""What a queue says: who fills it, where it waits for and why, and whether it grows against its own past.

A queue alone proves no spam: a newsletter fills it, and so does a receiver's outage.  So who fills it
weighs little; that receivers name a blocklist weighs more, and so does growth beyond what is usual
(``baseline``).  No fixed number of messages is "too many".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from outwarden.detection.baseline.levels import Growth, grown
from outwarden.detection.baseline.queue_findings import growth_points, queue_growth
from outwarden.detection.baseline.queue_samples import QueueSample, queue_sample
from outwarden.detection.baseline.words import clock
from outwarden.events import Finding, QueuedMessage, RefusalClass, domain_of
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.sources.queue.reading import CounterSample, QueueReading
from outwarden.sources.refusals import classify_cached

_NAMED_SENDERS = 50
_FEW = 50
_LARGE_SHARE = 0.25
_EVIDENCE_LINES = 3
_LISTED = frozenset({RefusalClass.ADDRESS_BLOCKLISTED, RefusalClass.DOMAIN_BLOCKLISTED})
_TROUBLED = frozenset({RefusalClass.REPUTATION, RefusalClass.RATE_LIMITED, RefusalClass.CONTENT_REFUSED})


class QueueAssessment(msgspec.Struct, frozen=True):
    """A queue judged.

    ``total`` counts messages; ``senders`` and ``destinations`` count waiting recipients, most first, at most
    fifty.  ``by_queue`` counts messages per queue of the server.  ``oldest_seconds`` is None where no arrival
    is known.
    """

    total: int
    oldest_seconds: int | None
    by_queue: dict[str, int]
    senders: tuple[tuple[str, int], ...]
    destinations: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]


def assess_queue(messages: Iterable[QueuedMessage], now: datetime) -> QueueAssessment:
    """Return who and what is behind the messages that wait at ``now``."""
    tally = _Tally()
    for message in messages:
        tally.add(message)
    oldest = None if tally.oldest is None else max(int((now - tally.oldest).total_seconds()), 0)
    return QueueAssessment(
        tally.total,
        oldest,
        dict(tally.by_queue),
        _most(tally.senders),
        _most(tally.destinations),
        tuple(sorted(tally.findings(), key=lambda finding: (-finding.points, finding.rule))),
    )


def assess_reading(reading: QueueReading, now: datetime) -> QueueAssessment:
    """Return the same for a text of any form, also one that tells only counts or counters."""
    if reading.messages:
        return assess_queue(reading.messages, now)
    destinations = Counter[str]()
    reasons = Counter[str]()
    for queue in reading.queues:
        destinations[queue.destination.lower()] += queue.messages
        reasons[queue.reason] += queue.messages
    return QueueAssessment(
        reading.total,
        None,
        {queue.queue: queue.messages for queue in reading.queues},
        (),
        _most(destinations),
        (*_reason_findings(reasons, None), *assess_counters(reading.samples)),
    )


def assess_counters(samples: Iterable[CounterSample]) -> tuple[Finding, ...]:
    """Return which counters stood above their own past, the worst instance of each, most points first."""
    worst: dict[tuple[str, str], tuple[float, Finding]] = {}
    for (host, counter, _), series in _series(samples).items():
        growth = grown([(sample.at, sample.value) for sample in series], _floor(counter))
        if growth is not None and growth.peak > worst.get((host, counter), (0.0,))[0]:
            worst[host, counter] = (growth.peak, _counter_finding(series[0], growth, series))
    found = (finding for _, finding in worst.values())
    return tuple(sorted(found, key=lambda finding: (-finding.points, finding.text)))


def assess_growth(looks: Sequence[tuple[datetime, QueueReading]]) -> QueueAssessment:
    """Return the newest of one or more looks at a queue judged, also against those before it."""
    ordered = sorted(looks, key=lambda look: look[0])
    at, reading = ordered[-1]
    newest = assess_reading(reading, at)
    findings = (*queue_growth([sample_of_reading(one, when) for when, one in ordered]), *newest.findings)
    return replace(newest, findings=tuple(sorted(findings, key=lambda one: (-one.points, one.rule))))


def sample_of_reading(reading: QueueReading, at: datetime) -> QueueSample:
    """Return what is kept of a look at the queue."""
    one = assess_reading(reading, at)
    return queue_sample(at, one.total, one.oldest_seconds, one.destinations, one.senders)


def _series(samples: Iterable[CounterSample]) -> dict[tuple[str, str, str], list[CounterSample]]:
    series: dict[tuple[str, str, str], list[CounterSample]] = defaultdict(list)
    for sample in samples:
        if _floor(sample.counter):
            series[sample.host, sample.counter.lower(), sample.instance].append(sample)
    for one in series.values():
        one.sort(key=lambda sample: sample.at)
    return series


def _floor(counter: str) -> float:
    """Return the least rise that counts: messages, or messages a second; 0 for a counter that is no evidence.

    Delivery into our own mailboxes says nothing of what leaves, and a total since the start only rises.
    """
    name = counter.lower()
    if "mailbox" in name or "local" in name:
        return 0.0
    if "queue length" in name:
        return 20.0
    return 1.0 if "queued for delivery per second" in name else 0.0


def _counter_finding(first: CounterSample, growth: Growth, series: Sequence[CounterSample]) -> Finding:
    where = f" on {first.host}" if first.host else ""
    named = f"{first.counter} ({first.instance})" if first.instance else first.counter
    end = "and stays there" if growth.lasting else f"until {clock(growth.until)}"
    rose = f"rose from its usual {_figure(growth.usual)} to {_figure(growth.peak)}"
    text = f"{named}{where} {rose} at {clock(growth.since)} {end}"
    shown = [sample for sample in series if growth.since <= sample.at <= growth.until]
    evidence = tuple(
        f"{clock(sample.at)} {named}{where} = {_figure(sample.value)}" for sample in shown[:_EVIDENCE_LINES]
    )
    return Finding("queue-counter-growth", growth_points(growth), text, growth.since, evidence)


class _Tally:
    """What a queue's messages add up to."""

    def __init__(self) -> None:
        self.total = 0
        self.oldest: datetime | None = None
        self.by_queue = Counter[str]()
        self.senders = Counter[str]()
        self.destinations = Counter[str]()
        self._reasons = Counter[str]()
        self._first: dict[str, QueuedMessage] = {}

    def add(self, message: QueuedMessage) -> None:
        self.total += 1
        self.by_queue[message.queue] += 1
        at = message.arrived_at
        if at is not None and (self.oldest is None or at < self.oldest):
            self.oldest = at
        self.senders[message.sender] += max(len(message.recipients), 1)
        self._first.setdefault(message.sender, message)
        for recipient, reason in message.recipients:
            self.destinations[domain_of(recipient)] += 1
            self._reasons[reason] += 1

    def findings(self) -> list[Finding]:
        waiting = self.senders.total()
        found = [
            self._sender_finding(sender, count, waiting)
            for sender, count in self.senders.most_common(int(1 / _LARGE_SHARE))
            if count >= _FEW and count >= _LARGE_SHARE * waiting
        ]
        return found + _reason_findings(self._reasons, self.oldest)

    def _sender_finding(self, sender: str, count: int, waiting: int) -> Finding:
        share = f"{count} of {waiting} recipients waiting in the queue ({count / waiting:.0%})"
        message = self._first[sender]
        evidence = (f"{message.queue_id} from {sender}" + "".join(f" to {to}" for to, _ in message.recipients[:1]),)
        if sender == NULL_SENDER:
            text = f"{share} are bounces that cannot be returned: their senders are forged"
            return Finding("queue-bounces", 1.0, text, message.arrived_at, evidence)
        return Finding(
            "queue-sender", round(0.5 + count / waiting, 1), f"{share} are {sender}'s", message.arrived_at, evidence
        )


def _reason_findings(reasons: Counter[str], at: datetime | None) -> list[Finding]:
    """Return what the receivers' own words say about us, for recipients counted by reason."""
    waiting = reasons.total()
    listed, troubled, lists, words = 0, 0, Counter[str](), list[str]()
    for reason, count in reasons.most_common():
        refusal = classify_cached(reason) if reason else None
        if refusal is None:
            continue
        if refusal.refusal_class in _LISTED:
            listed += count
            lists[refusal.list or "a list not named"] += count
            words.append(reason)
        troubled += count if refusal.refusal_class in _TROUBLED else 0
    found = []
    if listed:
        text = f"{listed} of {waiting} recipients wait because a blocklist names us: {', '.join(sorted(lists))}"
        points = 2.5 if listed >= 3 else 1.0
        found.append(Finding("queue-blocklisted", points, text, at, tuple(words[:_EVIDENCE_LINES])))
    if troubled >= _FEW and troubled >= _LARGE_SHARE * waiting:
        text = f"{troubled} of {waiting} recipients wait because of our rate, our reputation or the content"
        found.append(Finding("queue-slowed-down", 1.5, text, at))
    return found


def _most(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_NAMED_SENDERS])


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{round(value, 1):g}"
