"""What is kept of the server between two runs: its flow by the hour, whole and for each destination, and its queue.

At most 256 destinations are told apart, from their twentieth attempt on; the others are one, and no more than a
month of hours is kept, so that it is bounded: some 13 kB for each destination.  Two records of different mail (two
hosts, or an old log beside today's) are added up: whoever reads the same events into both counts them twice.

Not kept here: how many bad results are usual for an account; who is behind a trouble is told by counts alone.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from outwarden.detection.baseline.flow_findings import Behind as Culprits
from outwarden.detection.baseline.flow_findings import destination_troubles, flow_findings
from outwarden.detection.baseline.flow_rows import WIDTH, hours_of, newest, rows_in, summed
from outwarden.detection.baseline.queue_findings import queue_growth
from outwarden.detection.baseline.queue_samples import QueuePast, QueueSample
from outwarden.detection.baseline.troubles import Trouble
from outwarden.detection.baseline.words import shares_of
from outwarden.detection.behind import Behind, HourBehind
from outwarden.detection.destination_history import Flow
from outwarden.detection.hours import Hours, hour_of
from outwarden.events import Attempted, Finding, Outcome

VERSION = 1
MOST_DESTINATIONS = 256
_KEPT_WHEN_FULL = 192
_MOST_NEWCOMERS = 1_024
_ENOUGH_FOR_ITS_OWN = 20
_NAMED = 24
"""For so many hours it is kept who was behind a trouble."""
OTHERS = "all other destinations"

_COLUMN = {Outcome.DELIVERED: Flow.DELIVERED, Outcome.DEFERRED: Flow.DEFERRED, Outcome.BOUNCED: Flow.BOUNCED}


class MalformedServerRecord(ValueError):
    """The bytes are no record of this version; the message says what is wrong."""


class _KeptFlow(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    rows: list[int]
    bounced_by: Behind
    deferred_by: Behind


class _Kept(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    whole: _KeptFlow
    destinations: dict[str, _KeptFlow]
    others: _KeptFlow
    newcomers: dict[str, int]
    emptied_on: int
    queue: list[QueueSample]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)
_versions = msgspec.msgpack.Decoder(list[msgspec.Raw])
_version = msgspec.msgpack.Decoder(int)


class FlowRecord:
    """One series of results by the hour, and who was behind the bad ones."""

    __slots__ = ("bounced_by", "deferred_by", "hours")

    def __init__(self, hours: Hours, bounced_by: Behind | None = None, deferred_by: Behind | None = None) -> None:
        self.hours = hours
        self.bounced_by = bounced_by or Behind(HourBehind(0))
        self.deferred_by = deferred_by or Behind(HourBehind(0))

    def count(self, event: Attempted, hour: int) -> None:
        """Count one attempt."""
        if self.hours.hour != hour:
            self.hours.turn(hour)
        self.hours.rows[self.hours.base + _COLUMN[event.outcome]] += 1
        if event.outcome is Outcome.BOUNCED:
            self.bounced_by.add(hour, event.account, event.line)
        elif event.outcome is Outcome.DEFERRED:
            self.deferred_by.add(hour, event.account, event.line)

    def behind(self, trouble: Trouble) -> Culprits:
        """Return the accounts with most of the bad results of a trouble, and lines of it."""
        of = self.deferred_by if trouble.rate.counts == Flow.DEFERRED else self.bounced_by
        accounts, lines = of.of(trouble.hours)
        return Culprits(shares_of({name: float(bad) for name, bad in accounts.items()}), lines)

    def added(self, other: FlowRecord) -> FlowRecord:
        """Return both as one."""
        return FlowRecord(
            summed(self.hours, other.hours),
            self.bounced_by.added(other.bounced_by),
            self.deferred_by.added(other.deferred_by),
        )

    def kept(self, now: int) -> _KeptFlow:
        """Return what is written down of it: the month before ``now``."""
        return _KeptFlow(
            rows_in(self.hours, now), self.bounced_by.since(now - _NAMED), self.deferred_by.since(now - _NAMED)
        )


class ServerRecord:
    """The server's own past.  Give it the mail that leaves, in order, and looks at the queue; ask it for findings."""

    def __init__(self) -> None:
        self.whole = _nothing()
        self.destinations: dict[str, FlowRecord] = {}
        self.others = _nothing()
        self.queue = QueuePast()
        self._newcomers: dict[str, int] = {}
        self._emptied_on = 0

    def count(self, event: Attempted) -> None:
        """Count an attempt of an account's mail; what stays here, and expiries, are no part of it."""
        if not event.outbound or event.outcome not in _COLUMN:
            return
        hour = hour_of(event.at)
        self.whole.count(event, hour)
        name = event.recipient.rpartition("@")[2].lower()
        flow = self.destinations.get(name)
        if flow is None:
            flow = self.others
            self._meet(name, hour // 24)
        flow.count(event, hour)

    def look(self, sample: QueueSample) -> None:
        """Keep a look at the queue."""
        self.queue.add(sample)

    def findings(self, since: int = 0) -> tuple[Finding, ...]:
        """Return what stands above the past in hour ``since`` or later, and of the newest look at the queue."""
        flows = {**self.destinations, OTHERS: self.others}
        hours = {name: flow.hours for name, flow in flows.items()}
        found = flow_findings(
            self.whole.hours,
            hours,
            destination_troubles(hours, since),
            self.whole.behind,
            lambda name, trouble: flows[name].behind(trouble),
            since,
        )
        return tuple(
            sorted((*found, *queue_growth(self.queue.samples)), key=lambda one: (-one.points, one.rule, one.text))
        )

    def merged(self, other: ServerRecord) -> ServerRecord:
        """Return both as one; in whatever order several are merged, as long as all their destinations find room."""
        both = ServerRecord()
        both.whole = self.whole.added(other.whole)
        both.others = self.others.added(other.others)
        both.destinations = dict(self.destinations)
        for name, flow in other.destinations.items():
            both.adopt(name, flow)
        both._emptied_on = max(self._emptied_on, other._emptied_on)
        both.queue = self.queue.merged(other.queue)
        newcomers = Counter(self._newcomers) + Counter(other._newcomers)
        both._newcomers = dict(sorted(newcomers.items(), key=lambda one: (-one[1], one[0]))[:_MOST_NEWCOMERS])
        return both.bounded()

    def adopt(self, name: str, flow: FlowRecord) -> None:
        """Add what is known of a destination; ``bounded`` follows the last of them."""
        known = self.destinations.get(name)
        self.destinations[name] = flow if known is None else known.added(flow)

    def bounded(self) -> ServerRecord:
        """Return the record itself, all but its largest destinations put together."""
        if len(self.destinations) > MOST_DESTINATIONS:
            self._keep_largest(MOST_DESTINATIONS)
        return self

    def encode(self) -> bytes:
        """Return the record as bytes, for ``decode_server_record``."""
        now = newest(self.whole.hours)
        destinations = {name: flow.kept(now) for name, flow in self.destinations.items()}
        return _encoder.encode(
            _Kept(
                VERSION,
                self.whole.kept(now),
                {name: flow for name, flow in destinations.items() if flow.rows},
                self.others.kept(now),
                self._newcomers,
                self._emptied_on,
                self.queue.samples,
            )
        )

    def _meet(self, name: str, day: int) -> None:
        """Count an attempt for a destination that is not told apart, which it will be after the twentieth.

        Where more come than can be counted, all lose one (Misra and Gries): a flood of names stays out.  Once a day the
        least busy of those that are told apart make room.
        """
        newcomers = self._newcomers
        count = newcomers.get(name, 0) + 1
        if count >= _ENOUGH_FOR_ITS_OWN:
            if len(self.destinations) >= MOST_DESTINATIONS:
                if day <= self._emptied_on:
                    return
                self._emptied_on = day
                self._keep_largest(_KEPT_WHEN_FULL)
            newcomers.pop(name, None)
            self.destinations[name] = _nothing()
        elif count > 1 or len(newcomers) < _MOST_NEWCOMERS:
            newcomers[name] = count
        else:
            self._newcomers = {known: had - 1 for known, had in newcomers.items() if had > 1}

    def _keep_largest(self, most: int) -> None:
        ranked = sorted(self.destinations.items(), key=lambda one: (-_attempts(one[1].hours), one[0]))
        for _, flow in ranked[most:]:
            self.others = self.others.added(flow)
        self.destinations = dict(ranked[:most])


def decode_server_record(raw: bytes) -> ServerRecord:
    """Return the record that ``encode`` wrote.  Raises ``MalformedServerRecord``."""
    try:
        version = _version.decode(_versions.decode(raw)[0])
        if version != VERSION:
            raise MalformedServerRecord(f"no server record of version {VERSION}: its version is {version}")
        kept = _decoder.decode(raw)
    except (msgspec.MsgspecError, IndexError) as fault:
        raise MalformedServerRecord(f"no server record: {fault}") from fault
    record = ServerRecord()
    record.whole, record.others = _flow(kept.whole), _flow(kept.others)
    record.destinations = {name: _flow(flow) for name, flow in kept.destinations.items()}
    record.queue = QueuePast(kept.queue)
    record._newcomers = kept.newcomers
    record._emptied_on = kept.emptied_on
    return record


def _nothing() -> FlowRecord:
    return FlowRecord(Hours(WIDTH))


def _attempts(hours: Hours) -> int:
    return sum(sum(hours.column(column)) for column in _COLUMN.values())


def _flow(kept: _KeptFlow) -> FlowRecord:
    try:
        return FlowRecord(hours_of(kept.rows), kept.bounced_by, kept.deferred_by)
    except (ValueError, OverflowError) as fault:
        raise MalformedServerRecord(f"no server record: {fault}") from fault
