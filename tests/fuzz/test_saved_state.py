"""Broken bytes where the state of the live judge is expected: refused with a word, in time, or good enough to go on."""

import random
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hostile_bytes import hostile_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.live import Judge
from outwarden.detection.live.encoding import RecordError, decode_record, encode_record
from outwarden.events import AccountKind, Link, LinkKind, Submitted

SEED = 20261125
START = datetime(2026, 11, 2, tzinfo=UTC)
ACCOUNTS = ("rosa@isp.example", "otto@isp.example", "www-data")
_SECONDS = 20
"""Ten times what it takes on a slow machine; an input that allocates or loops without bound takes longer."""


def message(number: int, account: str) -> Submitted:
    return Submitted(
        at=START + timedelta(minutes=37 * number),
        host="mx",
        queue_id=f"Q{number}",
        account=account,
        kind=AccountKind.LOGIN,
        client_address="192.0.2.1",
        recipient_addresses=tuple(f"r{number}.{n}@far.example" for n in range(number % 5)),
        fingerprint=f"t{number % 7}",
        links=(Link(LinkKind.SHORTENER, f"s{number % 3}"),),
        filter_verdict=number % 2 > 0,
        network=f"AS{number % 9}",
        country="IT",
    )


def judge() -> Judge:
    """A judge that has seen a little of everything: accounts that are well, held, blocked and given back."""
    made = Judge()
    for number in range(120):
        event = message(number, ACCOUNTS[number % 3])
        made.submit(event)
        made.answered(event.account, event.at.timestamp(), accepted=2, unknown=number % 2)
    made.unblocked(ACCOUNTS[1], START.timestamp() + 400_000)
    made.submit(message(200, "big@isp.example"))
    many = msgspec.structs.replace(
        message(201, "big@isp.example"), recipient_addresses=tuple(f"{n}@far.example" for n in range(900))
    )
    made.submit(many)
    return made


RECORDS = [saved for _, saved in judge().records.all()]


def small_state() -> bytes:
    """What a judge saves, without the filters of answers that make up nearly all of it and are nothing but bits."""
    return Judge().save()


@pytest.fixture(scope="module")
def states() -> list[bytes]:
    full = judge()
    full._heard = Judge()._heard
    return [full.save(), small_state()]


def go_on(made: Judge, account: str) -> None:
    """Use a restored judge: whatever was read must be good enough for the next message and the next saving."""
    made.submit(message(300, account))
    made.answered(account, START.timestamp() + 700_000, accepted=1, unknown=1, refused=1)
    made.release(account, START.timestamp() + 700_000, 9)


def test_what_is_kept_is_read() -> None:
    for saved in RECORDS:
        assert encode_record(decode_record(saved)) == saved


def test_broken_records() -> None:
    chance = random.Random(SEED)
    began = time.monotonic()
    refused = 0
    for _ in range(6000):
        saved = hostile_bytes(chance, RECORDS)
        try:
            record = decode_record(saved)
        except RecordError as error:
            refused += 1
            assert str(error)
            continue
        made = Judge()
        made.records.put(record)
        go_on(made, record.account)
        encode_record(record)
    assert refused > 1000
    assert time.monotonic() - began < _SECONDS


def test_broken_states(states: list[bytes]) -> None:
    chance = random.Random(SEED)
    began = time.monotonic()
    refused = 0
    for _ in range(3000):
        saved = hostile_bytes(chance, states)
        try:
            made = Judge.restore(saved)
        except RecordError:
            refused += 1
            continue
        for account in ACCOUNTS:
            go_on(made, account)
        made.save()
    assert refused > 300
    assert time.monotonic() - began < _SECONDS


@pytest.mark.parametrize("version", [0, 2, 255])
def test_a_record_of_another_version(version: int) -> None:
    with pytest.raises(RecordError, match=f"version {version}; this program reads version 1"):
        decode_record(bytes((version,)) + RECORDS[0][1:])


def test_no_record() -> None:
    with pytest.raises(RecordError, match="empty"):
        decode_record(b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(saved: bytes) -> None:
    for begin in (saved, b"\x01" + saved, RECORDS[0][: len(saved)] + saved):
        try:
            decode_record(begin)
        except RecordError:
            continue
    try:
        Judge.restore(saved)
    except RecordError:
        return


def test_a_broken_record_is_one_accounts_misfortune() -> None:
    made = judge()
    made.records._asleep = {**dict(made.records.all()), ACCOUNTS[0]: b"\x01broken"}
    made.records._awake.clear()
    restored = Judge.restore(made.save())
    for account in ACCOUNTS:
        go_on(restored, account)
    assert [one.account for one in restored.records.unreadable()] == [ACCOUNTS[0]]
