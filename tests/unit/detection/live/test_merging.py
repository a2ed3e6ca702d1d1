"""Two records of one account, as one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.live import Judge
from outwarden.detection.live.encoding import encode_record
from outwarden.detection.live.known_recipients import number_of
from outwarden.detection.live.merging import merged
from outwarden.detection.live.record import AccountRecord, new_record
from outwarden.events import AccountKind, Submitted

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def submitted(minutes: float, *recipients: str, network: str = "AS64500", text: str = "a") -> Submitted:
    return Submitted(
        at=START + timedelta(minutes=minutes),
        host="mx",
        queue_id=f"{minutes:.0f}",
        account="rosa@isp.example",
        kind=AccountKind.LOGIN,
        recipients=len(recipients),
        recipient_addresses=recipients,
        fingerprint=text,
        network=network,
        country="IT",
    )


def record_of(events: list[Submitted]) -> AccountRecord:
    judge = Judge()
    judge.learn_until(float("inf"))
    for event in events:
        judge.submit(event)
    record = judge.records.get("rosa@isp.example")
    assert record is not None
    return record


def test_two_halves_of_a_morning_count_as_the_whole() -> None:
    events = [submitted(5 * n, f"r{n % 7}@b.example", f"s{n}@c.example", text=f"t{n % 3}") for n in range(40)]
    whole, halves = record_of(events), (record_of(events[:20]), record_of(events[20:]))
    both = merged(*halves)
    assert both.hour.sums[:2] == whole.hour.sums[:2]
    assert both.day.sums[:2] == whole.day.sums[:2]
    assert both.messages == whole.messages == 40
    assert set(both.texts) == set(whole.texts)
    assert {text.messages for text in both.texts.values()} == {text.messages for text in whole.texts.values()}


def test_whoever_either_knows_is_known() -> None:
    one = record_of([submitted(0, "a@b.example")])
    other = record_of([submitted(600, *(f"r{n}@c.example" for n in range(900)))])
    both = merged(one, other)
    for address in ("a@b.example", "r0@c.example", "r899@c.example"):
        assert not both.recipients.meet(number_of(address))


def test_a_network_that_either_knows_is_not_new() -> None:
    known = record_of([submitted(n, "a@b.example", network="AS64501") for n in range(3)])
    fresh = record_of(
        [submitted(100 + n, "a@b.example") for n in range(9)] + [submitted(120, "a@b.example", network="AS64501")]
    )
    assert fresh.networks["AS64501"].new_until > START.timestamp()
    assert merged(known, fresh).networks["AS64501"].new_until == 0.0


def test_the_most_of_both_is_the_most() -> None:
    quiet = record_of([submitted(0, "a@b.example"), submitted(3 * 1440, "a@b.example")])
    busy = record_of([submitted(0, *(f"r{n}@c.example" for n in range(50))), submitted(3 * 1440, "a@b.example")])
    assert merged(quiet, busy).most().new_hour == 50


def test_records_of_two_accounts_are_not_merged() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        merged(new_record("a", AccountKind.LOGIN, 0.0), new_record("b", AccountKind.LOGIN, 0.0))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(0, 30), st.integers(1, 4), st.integers(0, 40)),
        max_size=25,
    ),
    st.integers(0, 25),
)
def test_the_order_does_not_matter(rows: list[tuple[int, int, int, int]], cut: int) -> None:
    events = [
        submitted(at, *(f"r{first + n}@b.example" for n in range(many)), network=f"AS{net}", text=f"t{net % 5}")
        for at, first, many, net in sorted(rows)
    ]
    if not 0 < cut < len(events) or events[cut - 1].at == events[cut].at:
        return
    one, other = record_of(events[:cut]), record_of(events[cut:])
    assert encode_record(merged(one, other)) == encode_record(merged(other, one))
