"""Broken bytes where the counts of limits are expected: refused with a word, or good enough to go on."""

import random
from datetime import UTC, datetime

from hostile_bytes import hostile_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.limits import Limits, LimitSettings, MalformedLimits, Most, Quantities, QuantitiesAndUnknown
from outwarden.events import AccountKind, Submitted

SEED = 20261125
NOW = datetime(2026, 11, 25, tzinfo=UTC)
SETTINGS = LimitSettings(
    account=QuantitiesAndUnknown(messages=Most(2, 9, 30), recipients=Most(hour=40), unknown_recipients=Most(day=3)),
    client=Quantities(recipients=Most(minute=9)),
)


def message(number: int) -> Submitted:
    return Submitted(
        at=NOW,
        host="mx",
        queue_id=f"Q{number}",
        account=f"a{number % 5}@isp.example",
        kind=AccountKind.LOGIN,
        client_address=f"192.0.2.{number % 3}",
        recipients=number % 7,
    )


def saved() -> bytes:
    limits = Limits(SETTINGS)
    for number in range(60):
        limits.reached(message(number), 0, NOW.timestamp() + 37 * number)
        limits.unknown(f"a{number % 5}@isp.example", NOW.timestamp() + 37 * number, number % 2)
    return limits.saved()


def go_on(limits: Limits) -> None:
    """Use restored limits: whatever was read must be good enough for the next message and the next saving."""
    for number in range(6):
        limits.reached(message(number), 1, NOW.timestamp() + 3000)
        limits.unknown(f"a{number}@isp.example", NOW.timestamp() + 3000, 1)
    Limits.restored(limits.saved(), SETTINGS)


def test_broken_counts() -> None:
    chance = random.Random(SEED)
    whole = saved()
    refused = 0
    for _ in range(3000):
        try:
            limits = Limits.restored(hostile_bytes(chance, [whole]), SETTINGS)
        except MalformedLimits as error:
            refused += 1
            assert str(error)
            continue
        go_on(limits)
    assert refused > 300


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(octets: bytes) -> None:
    for begin in (octets, b"\x01" + octets, saved()[: len(octets)] + octets):
        try:
            go_on(Limits.restored(begin, SETTINGS))
        except MalformedLimits:
            continue
