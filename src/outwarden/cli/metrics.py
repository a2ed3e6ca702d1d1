"""What ``status`` knows as OpenMetrics text, for Prometheus and its kin.

The format: https://prometheus.io/docs/specs/om/open_metrics_spec/ (version 1.0).  No label has the name of an account,
an address or a domain of strangers: there may be any number of them, and they are nobody's business there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from outwarden.detection.filter_report import FilterReport, Mistakes
from outwarden.service.control.status import GateStatus, LogStatus, QueueStatus, StandingWord, Status

_VERDICTS = ("no", "maybe", "yes", "unknown")
_STANDINGS: tuple[StandingWord, ...] = ("watched", "held", "blocked", "probation")


class Sample(NamedTuple):
    """One value with its labels."""

    labels: Mapping[str, str]
    value: float


class Family(NamedTuple):
    """One metric: ``name`` without the suffix of its kind."""

    name: str
    kind: Literal["gauge", "counter", "info"]
    sentence: str
    samples: tuple[Sample, ...]


def open_metrics(status: Status, report: FilterReport) -> str:
    """Return the whole text, its end mark included."""
    families = (
        *_service(status),
        *(_gate(status.gate) if status.gate is not None else ()),
        *_logs(status.logs),
        *(_queue(status.queue) if status.queue is not None else ()),
        *_filter(report),
    )
    return "".join(_text(family) for family in families if family.samples) + "# EOF\n"


def _service(status: Status) -> Iterator[Family]:
    yield Family("outwarden", "info", "The version at work.", (Sample({"version": status.version}, 1),))
    yield _one("outwarden_start_time_seconds", "When it started.", _unix(status.running_since))
    yield _one("outwarden_time_seconds", "When this was said.", _unix(status.at))
    yield Family(
        "outwarden_sending_spam", "gauge", "Whether spam is leaving now: 1 for the answer that holds.",
        tuple(Sample({"answer": each}, float(each == status.sending_spam)) for each in _VERDICTS),
    )  # fmt: skip
    standing = Counter((each.standing, each.in_force) for each in status.accounts)
    yield Family(
        "outwarden_accounts", "gauge", "Accounts that are held, blocked or watched; in_force: so at the gate.",
        tuple(
            Sample({"standing": word, "in_force": str(in_force).lower()}, standing[word, in_force])
            for word in _STANDINGS
            for in_force in (True, False)
        ),
    )  # fmt: skip
    yield _one("outwarden_waiting_for_person", "What waits for a person.", len(status.waits_for_me))
    yield _one("outwarden_pauses", "Pauses that stand.", len(status.pauses))
    yield _one("outwarden_faults", "What does not work just now.", len(status.faults))
    major = sum(each.major for each in status.listings)
    yield Family(
        "outwarden_listings", "gauge", "Listings of ours that have not ended.",
        (Sample({"major": "true"}, major), Sample({"major": "false"}, len(status.listings) - major)),
    )  # fmt: skip


def _gate(gate: GateStatus) -> Iterator[Family]:
    outcomes = ("strangers", "accepted", "held", "deferred", "refused", "refused_early", "undecided")
    yield Family(
        "outwarden_gate_messages", "counter", "What became of the messages at the gate.",
        tuple(Sample({"outcome": each}, getattr(gate, each)) for each in outcomes),
    )  # fmt: skip
    late = (Sample({}, gate.late_lists),)
    yield Family("outwarden_gate_late_lists", "counter", "Answers of lists that came after the deadline.", late)
    added = ((0.5, gate.p50_milliseconds), (0.99, gate.p99_milliseconds))
    yield Family(
        "outwarden_gate_added_seconds", "gauge", "What the gate added to each of the last messages.",
        tuple(Sample({"share": str(share)}, value / 1000) for share, value in added if value is not None),
    )  # fmt: skip
    counts = {
        "connections": "Connections to a door.",
        "messages": "Messages at a door.",
        "undecided": "Messages at a door that got no verdict in time.",
        "turned_away": "Connections beyond what a door can serve.",
    }
    for count, sentence in counts.items():
        samples = tuple(Sample({"door": door.kind}, getattr(door, count)) for door in gate.doors)
        yield Family(f"outwarden_door_{count}", "counter", sentence, samples)


def _logs(logs: Iterable[LogStatus]) -> Iterator[Family]:
    logs = tuple(logs)
    gauges = {"lag_bytes": "Bytes not read yet.", "lag_seconds": "How far the reading is behind."}
    for field, sentence in gauges.items():
        known = ((each.log, getattr(each, field)) for each in logs)
        samples = tuple(Sample({"log": log}, value) for log, value in known if value is not None)
        yield Family(f"outwarden_log_{field}", "gauge", sentence, samples)
    counters = {"lines": "Lines read.", "lines_not_understood": "Lines that were not understood."}
    for field, sentence in counters.items():
        samples = tuple(Sample({"log": each.log}, getattr(each, field)) for each in logs)
        yield Family(f"outwarden_log_{field}", "counter", sentence, samples)


def _queue(queue: QueueStatus) -> Iterator[Family]:
    yield _one("outwarden_queue_messages", "Messages in the queue when it was last looked at.", queue.messages)
    yield _one("outwarden_queue_time_seconds", "When the queue was last looked at.", _unix(queue.looked_at))
    if queue.on_hold is not None:
        yield _one("outwarden_queue_on_hold", "Messages on hold.", queue.on_hold)
    if queue.oldest_minutes is not None:
        yield _one("outwarden_queue_oldest_seconds", "Age of the oldest message.", 60 * queue.oldest_minutes)


def _filter(report: FilterReport) -> Iterator[Family]:
    rows = (report.whole, *report.rules, *report.lists)
    # Of what is remembered, at most 35 days: these go down again, so they are no counters.
    yield Family(
        "outwarden_filter_messages", "gauge", "Stopped, stopped wrongly, and missed, of the days remembered.",
        tuple(
            Sample({**_whose(row), "outcome": outcome}, getattr(row, outcome))
            for row in rows
            for outcome in ("stopped", "wrong", "missed")
        ),
    )  # fmt: skip
    accepted = report.whole.accepted
    if accepted is not None:
        yield _one("outwarden_filter_accepted", "Messages accepted, of the days remembered.", accepted)
    yield Family(
        "outwarden_filter_lookups", "gauge", "Look-ups that were late or could not be asked, of the days remembered.",
        tuple(
            Sample({"list": row.name, "outcome": outcome}, getattr(row, outcome))
            for row in report.lists
            for outcome in ("late", "could_not_ask")
        ),
    )  # fmt: skip
    rising = tuple(Sample(_whose(row), len(row.rising)) for row in rows)
    yield Family("outwarden_filter_rising", "gauge", "Findings about what rises above its own past.", rising)


def _whose(row: Mistakes) -> dict[str, str]:
    return {"of": row.of, "name": row.name if row.of in ("rule", "list") else ""}


def _one(name: str, sentence: str, value: float) -> Family:
    return Family(name, "gauge", sentence, (Sample({}, value),))


def _unix(at: datetime) -> float:
    return at.timestamp()


def _text(family: Family) -> str:
    suffix = {"gauge": "", "counter": "_total", "info": "_info"}[family.kind]
    lines = [f"# TYPE {family.name} {family.kind}", f"# HELP {family.name} {_escaped(family.sentence)}"]
    for labels, value in family.samples:
        named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        number = str(int(value)) if value == int(value) else repr(float(value))
        lines.append(f"{family.name}{suffix}{f'{{{named}}}' if named else ''} {number}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
