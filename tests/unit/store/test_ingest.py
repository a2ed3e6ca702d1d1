"""Checkpoints: all of one goes in or nothing, and what comes twice counts once."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.mail import (
    DAY,
    HOUR,
    HUGO,
    NOW,
    ROSA,
    SECOND,
    attempted,
    complained,
    login,
    one_of_each,
    returned,
    submitted,
)

from outwarden.events import Event, Link, LinkKind, Outcome, RefusalClass
from outwarden.store import database
from outwarden.store.ingest import Checkpoint, Written
from outwarden.store.store import Store
from outwarden.store.sums import Counts, Step

LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "outwarden.db") as opened:
        yield opened


def write(store: Store, events: Sequence[Event], at: datetime = NOW + HOUR) -> Written:
    return store.ingest.write(Checkpoint(at, events))


def day(store: Store) -> Counts:
    (sums,) = store.sums.of_server(Step.DAY, LONG_AGO)
    return sums.counts


ONCE = Counts(
    messages=1, recipients=2, delivered=1, bounced=1, unknown=1, returned=1, complaints=1
)  # fmt: skip


def test_a_checkpoint_leaves_all_that_it_holds(store: Store) -> None:
    store.ingest.write(
        Checkpoint(
            NOW,
            one_of_each(),
            records=[(ROSA, b"record"), (HUGO, b"other")],
            unreadable=[(HUGO, b"old", "why")],
            shared_state=b"shared",
            positions={"/var/log/mail.log": b"here", "journal": b"\0there"},
            states={"limits": b"\xff"},
        )
    )
    assert dict(store.account_records.all()) == {ROSA: b"record", HUGO: b"other"}
    assert (store.account_records.shared_state(), store.account_records.unreadable()) == (b"shared", 1)
    assert store.ingest.positions() == {"/var/log/mail.log": b"here", "journal": b"\0there"}
    assert store.ingest.states() == {"limits": b"\xff"}
    assert day(store) == ONCE


def test_what_a_checkpoint_leaves_out_stays(store: Store) -> None:
    store.ingest.write(Checkpoint(NOW, positions={"a": b"1", "b": b"1"}, states={"c": b"1"}, shared_state=b"s"))
    assert store.ingest.write(Checkpoint(NOW, positions={"a": b"2"})) == Written(0, 0)
    assert store.ingest.positions() == {"a": b"2", "b": b"1"}
    assert store.ingest.states() == {"c": b"1"}
    assert store.account_records.shared_state() == b"s"


def test_the_same_checkpoint_twice_counts_once(store: Store) -> None:
    events = one_of_each()
    assert store.ingest.known(events) == [False] * 6
    assert write(store, [*events, *events]) == Written(events=6, doubled=6)
    assert write(store, events) == Written(events=0, doubled=6)
    assert store.ingest.known([*events, login(HUGO)]) == [True] * 6 + [False]
    assert day(store) == ONCE
    (message,) = store.messages.of_account(ROSA, LONG_AGO, 10)
    assert (len(message.attempts), len(message.feedback)) == (2, 2)
    assert [(each.ok, each.failed) for each in store.sums.logins_of_account(ROSA, LONG_AGO)] == [(1, 0)]


def test_the_log_of_a_message_that_the_gate_saw_is_no_second_one(store: Store) -> None:
    at_the_gate = submitted(
        at=NOW + timedelta(milliseconds=40), fingerprint="ab12", links=(Link(LinkKind.DOMAIN, "x.example"),)
    )
    in_the_log = submitted(message_id="<1@isp.example>")
    write(store, [at_the_gate])
    assert store.ingest.known([in_the_log]) == [True]
    assert write(store, [in_the_log, attempted()]) == Written(events=1, doubled=1)
    assert (day(store).messages, day(store).delivered) == (1, 1)


@pytest.mark.parametrize("later", [10 * SECOND, 40 * timedelta(minutes=1), 3 * DAY])
def test_a_queue_id_that_comes_again_is_another_message(store: Store, later: timedelta) -> None:
    again = NOW + later
    events = [submitted(), attempted(), submitted(account=HUGO, at=again), attempted(account=HUGO, at=again + SECOND)]
    assert write(store, events, again) == Written(events=4, doubled=0)
    assert write(store, [*events, returned()], again) == Written(events=1, doubled=4)
    second, first = store.messages.by_queue_id("mx1", "3A")
    assert (second.account, len(second.attempts), len(second.feedback)) == (HUGO, 1, 0)
    assert (first.account, len(first.attempts), len(first.feedback)) == (ROSA, 1, 1)


def test_an_account_is_not_blamed_for_another_message_of_its_queue_id(store: Store) -> None:
    write(store, [submitted(), attempted(account=HUGO, outcome=Outcome.BOUNCED)])
    assert [len(message.attempts) for message in store.messages.of_account(ROSA, LONG_AGO, 9)] == [0]
    (unseen,) = store.messages.of_account(HUGO, LONG_AGO, 9)
    assert (unseen.submitted, len(unseen.attempts)) == (False, 1)


def test_where_the_log_names_nobody_the_queue_id_does(store: Store) -> None:
    write(store, [submitted(), attempted(account="")])
    assert [len(message.attempts) for message in store.messages.of_account(ROSA, LONG_AGO, 9)] == [1]


def test_a_submission_that_comes_late_has_what_was_heard_before(store: Store) -> None:
    write(store, [attempted(), returned()])
    (message,) = store.messages.by_queue_id("mx1", "3A")
    assert (message.submitted, message.account, message.recipients) == (False, ROSA, 0)
    write(store, [submitted()])
    (message,) = store.messages.by_queue_id("mx1", "3A")
    assert (message.submitted, message.at, message.recipients) == (True, NOW, 2)
    assert (len(message.attempts), len(message.feedback)) == (1, 1)


def test_events_without_a_queue_id_are_told_apart(store: Store) -> None:
    events = [submitted(""), submitted("", HUGO), attempted(""), complained(""), complained("", HUGO)]
    assert write(store, [*events, *events]) == Written(events=5, doubled=5)
    assert store.ingest.known(events) == [True] * 5
    assert [len(message.attempts) for message in store.messages.of_account(ROSA, LONG_AGO, 9)] == [0]
    assert len(store.messages.feedback_of_account(HUGO, LONG_AGO, 9)) == 1


@pytest.mark.parametrize(
    "event",
    [
        submitted("q\udcff", "r\udcff", subject="\udc80", script="\udcff"),
        submitted(recipient_addresses=("\udcff",), links=(Link(LinkKind.STORAGE, "\udcff"),), fingerprint="\0"),
        submitted("q" * 100_000, "r" * 100_000, message_id="m" * 100_000, subject="s" * 1_000_000),
        attempted(recipient="\udcff@\udcff", reply="\udcff" * 1000, listing="\udcff", listed="l" * 9999, status="\0"),
        attempted("", "", Outcome.EXPIRED),
        attempted(recipient="@" * 5000),
        attempted(recipient="eva@" + "a." * 5000),
        returned("\udcff"),
        complained("\udcff", ""),
        login("\udcff" * 1000, False, "\udcff" * 1000),
    ],
    ids=range(10),
)
def test_nothing_that_strangers_write_stops_the_store(store: Store, event: Event) -> None:
    """One event that could not be written would keep every later checkpoint out."""
    assert write(store, [event, event]) == Written(events=1, doubled=1)
    assert store.ingest.known([event]) == [True]
    assert write(store, [event]) == Written(events=0, doubled=1)


def test_a_path_that_is_no_text_keeps_nothing_out(store: Store) -> None:
    store.ingest.write(Checkpoint(NOW, positions={"/var/log/m\udcffl": b"1", "/var/log/mail.log": b"2"}))
    assert sorted(store.ingest.positions().values()) == [b"1", b"2"]


def test_numbers_of_any_size(store: Store) -> None:
    huge = submitted()
    huge = type(huge)(NOW, "mx1", "4B", ROSA, huge.kind, recipients=10**30, size=10**30)
    assert write(store, [huge, submitted()]).events == 2
    assert day(store).messages == 2
    assert store.messages.by_queue_id(None, "4B")[0].size == (1 << 63) - 1


@pytest.mark.parametrize(
    ("at", "summed"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), True),
        (LONG_AGO, True),
        (NOW + DAY, True),
        (NOW + DAY + timedelta(microseconds=1), False),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), False),
    ],
)
def test_stamps_of_any_time_are_kept(store: Store, at: datetime, summed: bool) -> None:
    events = [submitted(at=at), attempted(at=at), login(at=at)]
    assert write(store, events, NOW) == Written(events=3, doubled=0, out_of_time=0 if summed else 3)
    assert write(store, events, NOW + 9 * DAY) == Written(events=0, doubled=3)
    sums = store.sums.of_server(Step.HOUR, datetime(1, 1, 1, tzinfo=UTC))
    assert [each.counts.messages for each in sums] == ([1] if summed else [])
    (message,) = store.messages.by_queue_id("mx1", "3A")
    assert (message.at, len(message.attempts)) == (at, 1)


def test_a_clock_that_is_set_back_loses_nothing(store: Store) -> None:
    assert write(store, [submitted()], NOW + 3 * HOUR) == Written(1, 0)
    assert write(store, [submitted("4B", at=NOW - 2 * HOUR), submitted()], NOW - 2 * HOUR) == Written(1, 1)
    assert write(store, [submitted("5C", at=NOW + DAY)], NOW - 2 * HOUR) == Written(1, 0, 1)
    assert [message.queue_id for message in store.messages.of_account(ROSA, NOW - DAY, 9)] == ["5C", "3A", "4B"]
    assert day(store).messages == 2


def test_a_store_of_the_schema_before_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "outwarden.db"
    scripts = sorted(Path(database.__file__).with_name("schema").glob("*.sql"))[:5]
    with sqlite3.connect(path) as old:
        for script in scripts:
            old.executescript(script.read_text())
        old.execute(f"PRAGMA application_id = {0x4F757477}")
        old.execute("PRAGMA user_version = 5")
        old.execute("INSERT INTO account_record VALUES (?, 1, ?)", (ROSA, b"record"))
        old.execute("INSERT INTO judge_state VALUES (1, ?)", (b"shared",))
        old.execute("INSERT INTO response VALUES (7, 'pause-account', ?, 'why', 'who', '{}')", (ROSA,))
        old.execute("INSERT INTO response_turn VALUES (1, 7, 'done', 5, NULL, '', '')")
    old.close()
    with Store(path) as store:
        assert write(store, one_of_each()).events == 6
        assert list(store.account_records.all()) == [(ROSA, b"record")]
        assert store.account_records.shared_state() == b"shared"
        assert [response.id for response in store.responses.standing()] == [7]


queue_ids = st.sampled_from(["3A", "4B", "5C"])
accounts = st.sampled_from([ROSA, HUGO])
seconds = st.integers(0, 7200).map(lambda number: NOW + timedelta(seconds=number))
happenings = st.one_of(
    # One queue ID has one submission: two within an hour would be one message, whichever comes first.
    st.builds(lambda queue_id: submitted(queue_id, ROSA if queue_id == "3A" else HUGO), queue_ids),
    st.builds(
        lambda queue_id, recipient, how, account, at: attempted(queue_id, recipient, *how, account=account, at=at),
        queue_ids,
        st.sampled_from(["eva@far.example", "eva@mail.far.example", "ole@near.example", ""]),
        st.sampled_from(
            [
                (Outcome.DELIVERED, None),
                (Outcome.DEFERRED, RefusalClass.GREYLISTED),
                (Outcome.BOUNCED, RefusalClass.CONTENT_REFUSED),
                (Outcome.BOUNCED, RefusalClass.UNKNOWN_RECIPIENT),
                (Outcome.EXPIRED, None),
            ]
        ),
        accounts,
        seconds,
    ),
    st.builds(returned, queue_ids, accounts, seconds),
    st.builds(complained, queue_ids, accounts, seconds),
    st.builds(login, accounts, st.booleans(), st.sampled_from(["192.0.2.7", "198.51.100.7"]), seconds),
)


def all_sums(store: Store) -> list[object]:
    return [
        *(store.sums.of_server(step, LONG_AGO) for step in Step),
        *(store.sums.of_account(account, step, LONG_AGO) for step in Step for account in (ROSA, HUGO)),
        *(store.sums.of_destination(domain, Step.HOUR, LONG_AGO) for domain in ("far.example", "near.example")),
        *(store.sums.logins_of_account(account, LONG_AGO) for account in (ROSA, HUGO)),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(happenings, max_size=12), st.data())
def test_batches_that_overlap_in_any_order_sum_as_one(events: list[Event], data: st.DataObject) -> None:
    numbers = st.integers(0, max(len(events) - 1, 0))
    batches = data.draw(st.lists(st.lists(numbers, max_size=8), max_size=5)) if events else []
    with TemporaryDirectory() as folder:
        with Store(Path(folder) / "once.db") as once:
            write(once, events)
            expected = all_sums(once)
        with Store(Path(folder) / "again.db") as again:
            written = [write(again, [events[number] for number in batch]) for batch in batches]
            written.append(write(again, data.draw(st.permutations(events))))
            assert all_sums(again) == expected
            assert sum(each.events for each in written) == len(set(events))
            assert again.ingest.known(events) == [True] * len(events)
