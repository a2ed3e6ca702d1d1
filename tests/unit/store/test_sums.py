"""What the sums count, for whom, and over what time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.store.mail import DAY, HOUR, HUGO, NOW, ROSA, attempted, complained, login, returned, submitted

from outwarden.events import Event, Outcome, RefusalClass
from outwarden.store.ingest import Checkpoint
from outwarden.store.store import Store
from outwarden.store.sums import Counts, LoginsOfNetwork, Step, SumsOfAccount, SumsOfStep, destination_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "outwarden.db") as opened:
        yield opened


def write(store: Store, *events: Event) -> None:
    store.ingest.write(Checkpoint(NOW + DAY, events))


@pytest.mark.parametrize(
    ("event", "counts", "destination"),
    [
        (submitted(), Counts(messages=1, recipients=2), None),
        (attempted(), Counts(delivered=1), Counts(delivered=1)),
        (attempted(outbound=False), Counts(delivered=1, kept_here=1), None),
        (attempted(outcome=Outcome.DEFERRED), Counts(deferred=1), Counts(deferred=1)),
        (attempted(outcome=Outcome.DEFERRED, refusal=RefusalClass.REPUTATION), Counts(deferred=1), Counts(deferred=1)),
        (attempted(outcome=Outcome.BOUNCED), Counts(bounced=1), Counts(bounced=1)),
        (
            attempted(outcome=Outcome.BOUNCED, refusal=RefusalClass.ADDRESS_BLOCKLISTED),
            Counts(bounced=1, as_spam=1),
            Counts(bounced=1, as_spam=1),
        ),
        (
            attempted(outcome=Outcome.BOUNCED, refusal=RefusalClass.UNKNOWN_RECIPIENT),
            Counts(bounced=1, unknown=1),
            Counts(bounced=1, unknown=1),
        ),
        (attempted(recipient="", outcome=Outcome.EXPIRED), Counts(expired=1), None),
        (returned(), Counts(returned=1), None),
        (complained(), Counts(complaints=1), None),
        (login(), None, None),
    ],
    ids=range(12),
)
def test_what_is_counted(store: Store, event: Event, counts: Counts | None, destination: Counts | None) -> None:
    write(store, event)
    for step in Step:
        ours = [] if counts is None else [counts]
        theirs = [] if destination is None else [destination]
        assert [each.counts for each in store.sums.of_account(ROSA, step, LONG_AGO)] == ours
        assert [each.counts for each in store.sums.of_server(step, LONG_AGO)] == ours
        assert [each.counts for each in store.sums.of_destination("far.example", step, LONG_AGO)] == theirs
    assert store.sums.of_account(HUGO, Step.DAY, LONG_AGO) == []


def test_what_nobody_is_named_for_counts_for_the_server(store: Store) -> None:
    write(store, attempted(account=""))
    assert [each.counts for each in store.sums.of_server(Step.DAY, LONG_AGO)] == [Counts(delivered=1)]
    assert store.sums.of_account("", Step.DAY, LONG_AGO) == []


def test_steps_begin_where_a_clock_of_utc_shows_them(store: Store) -> None:
    write(store, *(attempted(at=MIDNIGHT + minutes * MINUTE) for minutes in (-1, 0, 4, 5, 59, 60)))
    found = {step: store.sums.of_account(ROSA, step, LONG_AGO) for step in Step}
    assert [((each.at - MIDNIGHT) // MINUTE, each.counts.delivered) for each in found[Step.FIVE_MINUTES]] == [
        (-5, 1), (0, 2), (5, 1), (55, 1), (60, 1),
    ]  # fmt: skip
    assert [((each.at - MIDNIGHT) // MINUTE, each.counts.delivered) for each in found[Step.HOUR]] == [
        (-60, 1), (0, 4), (60, 1),
    ]  # fmt: skip
    assert found[Step.DAY] == [
        SumsOfStep(MIDNIGHT - DAY, Counts(delivered=1)), SumsOfStep(MIDNIGHT, Counts(delivered=5)),
    ]  # fmt: skip


def test_the_step_that_the_time_is_in_is_the_first(store: Store) -> None:
    write(store, *(attempted(at=MIDNIGHT + hours * HOUR) for hours in (0, 1, 2)))
    found = store.sums.of_destination("eva@FAR.example", Step.HOUR, MIDNIGHT + 1.5 * HOUR)
    assert [each.at for each in found] == [MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR]
    assert store.sums.of_server(Step.HOUR, MIDNIGHT + 3 * HOUR) == []


def test_who_handed_in_most(store: Store) -> None:
    write(store, submitted("1"), submitted("2"), submitted("3", HUGO), submitted("4", "eva@isp.example", NOW - DAY))
    largest = [SumsOfAccount(ROSA, Counts(2, 4)), SumsOfAccount(HUGO, Counts(1, 2))]
    assert store.sums.largest_accounts(NOW, 9) == largest
    assert store.sums.largest_accounts(NOW, 1) == largest[:1]
    assert len(store.sums.largest_accounts(NOW - DAY, 9, Step.DAY)) == 3


def test_logins_by_day_and_network(store: Store) -> None:
    write(
        store,
        login(),
        login(ok=False, at=NOW + HOUR),
        login(ok=False, at=NOW + 2 * HOUR, address="192.0.2.99"),
        login(address="2001:db8:1:2::7"),
        login(at=NOW - DAY),
        login(HUGO),
    )
    assert store.sums.logins_of_account(ROSA, NOW) == [
        LoginsOfNetwork(MIDNIGHT, "192.0.2.0/24", 1, 2),
        LoginsOfNetwork(MIDNIGHT, "2001:db8:1::/48", 1, 0),
    ]
    assert len(store.sums.logins_of_account(ROSA, LONG_AGO)) == 3


@pytest.mark.parametrize(
    ("recipient", "destination"),
    [
        ("eva@far.example", "far.example"),
        ("eva@mail.Far.Example", "far.example"),
        ("a@b@mail.far.co.uk", "far.co.uk"),
        ("far.example", "far.example"),
        ("eva", "eva"),
        ("eva@[192.0.2.7]", "[192.0.2.7]"),
        ("eva@", ""),
    ],
)
def test_destinations(recipient: str, destination: str) -> None:
    assert destination_of(recipient) == destination
