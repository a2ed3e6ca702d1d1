"""The server's record: bounded, versioned, mergeable; it finds what the logs' own judge finds."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.baseline.queue_samples import QueueSample
from outwarden.detection.baseline.server_record import (
    MOST_DESTINATIONS,
    OTHERS,
    MalformedServerRecord,
    ServerRecord,
    decode_server_record,
)
from outwarden.detection.baseline.warm_start import server_record
from outwarden.detection.history import Histories
from outwarden.detection.hours import hour_of
from outwarden.events import AccountKind, Attempted, Finding, Outcome, RefusalClass

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def attempt(
    minute: float, outcome: Outcome = Outcome.DELIVERED, domain: str = "big.example", account: str = "tim@isp.example"
) -> Attempted:
    return Attempted(
        at=MONDAY + timedelta(minutes=minute),
        host="mx",
        queue_id="Q",
        account=account,
        kind=AccountKind.LOGIN,
        recipient=f"r@{domain}",
        outcome=outcome,
        refusal_class=RefusalClass.UNKNOWN_RECIPIENT if outcome is Outcome.BOUNCED else None,
        line=f"line {minute:.0f} of {account}",
    )


def days(count: int, seed: int = 1) -> Iterator[Attempted]:
    """Forty an hour of many accounts to three domains; one in thirty bounces."""
    world = random.Random(seed)
    for hour in range(24 * count):
        for number in range(40):
            bad = world.random() < 1 / 30
            yield attempt(
                60 * hour + number,
                Outcome.BOUNCED if bad else Outcome.DELIVERED,
                world.choice(("big.example", "Other.example", "third.example")),
                f"a{world.randrange(30)}@isp.example",
            )


def theft(hour: int) -> Iterator[Attempted]:
    """Sixty to big.example, every third of them bounced."""
    for number in range(60):
        outcome = Outcome.DELIVERED if number % 3 else Outcome.BOUNCED
        yield attempt(60 * hour + number / 2, outcome, account="rosa@isp.example")


def recorded(*attempts: Iterator[Attempted]) -> ServerRecord:
    record = ServerRecord()
    for many in attempts:
        for one in many:
            record.count(one)
    return record


THEFT_AT = 8 * 24
STOLEN = recorded(days(8), theft(THEFT_AT))


def test_a_theft_in_a_quiet_hour_is_found_in_that_hour_with_its_account() -> None:
    hour = hour_of(MONDAY) + THEFT_AT
    (finding,) = STOLEN.findings(since=hour)
    assert finding.text.startswith("all destinations: 33 % of 60 bounced in the hour from 2026-11-10T00:00Z (usually ")
    assert finding.text.endswith("; most at big.example (100%); behind it rosa@isp.example (100%)")
    assert finding.evidence == tuple(f"line {THEFT_AT * 60 + half:.0f} of rosa@isp.example" for half in (4.5, 6, 7.5))
    assert STOLEN.findings(since=hour + 1) == ()


def test_the_same_from_logs() -> None:
    histories = Histories()
    histories.record_all([*days(8), *theft(THEFT_AT)])
    record = server_record(histories)
    assert record.whole.hours.column(3) == STOLEN.whole.hours.column(3)
    assert [one.rule for one in record.findings(hour_of(MONDAY) + THEFT_AT)] == ["bounce-rate"]
    # The record of the logs and the mail since then: the service's first evening.
    earlier = Histories()
    earlier.record_all(days(8))
    begun = server_record(earlier).merged(recorded(theft(THEFT_AT)))
    (finding,) = begun.findings(hour_of(MONDAY) + THEFT_AT)
    assert finding.text.endswith("behind it rosa@isp.example (100%)")


def findings(record: ServerRecord) -> tuple[Finding, ...]:
    return record.findings()


def test_a_record_read_back_says_and_does_the_same() -> None:
    record = recorded(days(8), theft(THEFT_AT))
    record.look(QueueSample(MONDAY, 7, None, {"big.example": 7}))
    raw = record.encode()
    back = decode_server_record(raw)
    assert back.encode() == raw
    assert findings(back) == findings(record)
    for one in theft(THEFT_AT + 1):
        record.count(one)
        back.count(one)
    assert back.encode() == record.encode()


DAMAGED = [
    ("nothing", b""),
    ("no list", msgspec.msgpack.encode({"version": 1})),
    ("an empty list", msgspec.msgpack.encode([])),
    ("a later version", msgspec.msgpack.encode([2, "what it may be"])),
    ("a part", STOLEN.encode()[:-9]),
    ("rows that are none", STOLEN.encode().replace(STOLEN.encode()[3:6], b"\x93\x01\x01", 1)),
]


@pytest.mark.parametrize(("name", "raw"), DAMAGED, ids=[name for name, _ in DAMAGED])
def test_what_is_no_record_is_said(name: str, raw: bytes) -> None:
    with pytest.raises(MalformedServerRecord, match="no server record"):
        decode_server_record(raw)


@given(st.binary(max_size=60))
def test_any_bytes_raise_nothing_else(raw: bytes) -> None:
    with pytest.raises(MalformedServerRecord):
        decode_server_record(raw)


ATTEMPTS = st.lists(
    st.builds(
        attempt,
        st.integers(0, 60 * 24 * 50),
        st.sampled_from((Outcome.DELIVERED, Outcome.BOUNCED, Outcome.DEFERRED, Outcome.EXPIRED)),
        st.sampled_from(("a.example", "b.example", "c.example")),
    ),
    max_size=25,
)


def rows(record: ServerRecord) -> list[object]:
    flows = {"": record.whole, **record.destinations, OTHERS: record.others}
    decoded = decode_server_record(record.encode())
    read = {"": decoded.whole, **decoded.destinations, OTHERS: decoded.others}
    return sorted((name, flow.hours.rows.tolist()) for name, flow in read.items() if flows[name].hours.rows)


@given(one=ATTEMPTS, other=ATTEMPTS, third=ATTEMPTS)
@settings(deadline=None)
def test_records_are_merged_in_any_order(one: list[Attempted], other: list[Attempted], third: list[Attempted]) -> None:
    a, b, c = (recorded(iter(each)) for each in (one, other, third))
    assert rows(a.merged(b)) == rows(b.merged(a))
    assert rows(a.merged(b).merged(c)) == rows(a.merged(b.merged(c)))


@given(one=ATTEMPTS, cut=st.integers(0, 25))
@settings(deadline=None)
def test_two_halves_are_the_whole(one: list[Attempted], cut: int) -> None:
    ordered = sorted(one, key=lambda event: event.at)
    halves = recorded(iter(ordered[:cut])).merged(recorded(iter(ordered[cut:])))
    assert rows(halves)[:1] == rows(recorded(iter(ordered)))[:1]


def test_a_stranger_cannot_make_it_grow() -> None:
    record = ServerRecord()
    for day in range(40):
        for number in range(400):
            record.count(attempt(day * 1440 + number, Outcome.BOUNCED, f"d{day * 400 + number}.example", "x" * 200))
        for number in range(30):
            record.count(attempt(day * 1440 + 600 + number, domain="big.example"))
    assert len(record.destinations) <= MOST_DESTINATIONS
    assert "big.example" in record.destinations
    kept = sum(sum(flow.hours.column(3)) for flow in (*record.destinations.values(), record.others))
    assert kept == sum(record.whole.hours.column(3))
    assert len(record.encode()) < 1_000_000


def test_what_stays_here_is_no_part_of_it() -> None:
    record = ServerRecord()
    record.count(msgspec.structs.replace(attempt(0), outbound=False))
    assert record.whole.hours.column(0) == []
