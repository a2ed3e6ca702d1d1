"""The parts the history is made of: hours, acquaintances, networks, evidence, rates, listings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.detection.account_history import Lines
from outwarden.detection.acquaintances import Acquaintances
from outwarden.detection.baseline.troubles import RATES, rows_of, troubles
from outwarden.detection.client_networks import is_own, network_of
from outwarden.detection.destination_history import Flow
from outwarden.detection.history import Histories
from outwarden.detection.hours import Hours, hour_of, start_of
from outwarden.detection.odds import log_odds
from outwarden.detection.verdict import assess
from outwarden.events import AccountKind, Attempted, Login, Outcome, RefusalClass, Submitted


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:12:34::7", "2001:db8:12::/48"),
        ("2001:DB8:0012::1", "2001:db8:12::/48"),
        ("2001:db8::7", "2001:db8:0::/48"),
        ("::1", "0:0:0::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_network_of(address: str, expected: str) -> None:
    assert network_of(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, True),
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.4.4", True),
        ("192.0.2.7", False),
        ("100.64.0.9", False),
        ("::1", True),
        ("fd00::7", True),
        ("fe80::1", True),
        ("2001:db8::7", False),
        ("::ffff:10.0.0.1", True),
        ("", False),
    ],
)
def test_is_own(address: str | None, expected: bool) -> None:
    assert is_own(address) is expected


@given(st.text())
def test_any_text_has_a_network(text: str) -> None:
    assert isinstance(network_of(text), str)
    assert isinstance(is_own(text), bool)


@given(st.lists(st.integers(0, 40), max_size=80))
def test_hours_stay_in_order_and_count_each_event_once(told: list[int]) -> None:
    hours = Hours(3)
    for hour in told:
        hours.turn(hour)
        hours.rows[hours.base + 1] += 1
    assert hours.column(0) == sorted(set(told))
    assert hours.column(1) == [told.count(hour) for hour in sorted(set(told))]


def test_hours_forget_the_oldest_day_first() -> None:
    hours = Hours(2)
    for hour in [*range(1000, 1000 + 24 * 31 + 5), 3]:
        hours.turn(hour)
        hours.rows[hours.base + 1] += 1
    assert len(hours.column(0)) <= 24 * 31
    assert hours.column(0)[-1] == 1000 + 24 * 31 + 4


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_any_year_has_an_hour(year: int) -> None:
    hour = hour_of(datetime(year, 12, 31, 23, 59, tzinfo=UTC))
    assert start_of(hour) + timedelta(hours=1) >= start_of(hour)


def test_acquaintances_tell_accounts_and_recipients_apart() -> None:
    known = Acquaintances()
    assert known.meet(1, "a@firm.example")
    assert known.meet(2, "a@firm.example")
    assert known.meet(1, "b@firm.example")
    assert not known.meet(1, "a@firm.example")
    assert known.meet(1, "\udcff@firm.example")


def test_few_new_recipients_are_taken_for_known_ones() -> None:
    known = Acquaintances()
    missed = sum(not known.meet(7, f"r{number}@firm.example") for number in range(200_000))
    assert missed < 100


def test_lines_are_the_first_of_the_worst_hour_and_those_of_the_incident_come_first() -> None:
    lines = Lines()
    for hour, count in ((1, 2), (2, 9), (3, 1), (4, 2)):
        for number in range(count):
            lines.add(hour, f"{hour}-{number}")
    assert lines.within(0, 9) == ("2-0", "2-1", "2-2")
    assert lines.within(4, 4) == ("4-0", "4-1", "2-0")


@given(bad=st.integers(0, 500), good=st.integers(0, 500), rate=st.floats(0.001, 0.9))
def test_a_share_under_that_of_the_honest_never_speaks_against(bad: int, good: int, rate: float) -> None:
    odds = log_odds(bad, bad + good, (rate * 30, (1 - rate) * 30), (1.5, 4.5))
    assert odds <= 0 or bad > rate * (bad + good)


def rates(*rows: tuple[int, int, int]) -> Hours:
    """Hours of (delivered, deferred, bounced)."""
    hours = Hours(Flow.WIDTH)
    for hour, (delivered, deferred, bounced) in enumerate(rows, start=500_000):
        hours.turn(hour)
        hours.rows[hours.base + Flow.DELIVERED] = delivered
        hours.rows[hours.base + Flow.DEFERRED] = deferred
        hours.rows[hours.base + Flow.BOUNCED] = bounced
    return hours


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("steady", [(96, 4, 4)] * 8, []),
        ("no past", [(50, 0, 50)], []),
        ("a jump of bounces", [*[(96, 4, 4)] * 8, (60, 4, 40)], ["bounce-rate"]),
        ("a jump of deferrals", [*[(96, 4, 4)] * 8, (20, 80, 1)], ["deferral-rate"]),
        ("both", [*[(96, 4, 4)] * 8, (20, 80, 15)], ["bounce-rate", "deferral-rate"]),
        ("too few to say", [*[(96, 4, 4)] * 8, (3, 0, 3)], []),
        ("a quiet night of retries", [*[(96, 40, 4)] * 8, (4, 36, 1)], []),
        ("always so bad", [(60, 4, 30)] * 8, []),
    ],
)
def test_rates_are_compared_with_their_own_past(
    name: str, rows: list[tuple[int, int, int]], expected: list[str]
) -> None:
    found = [trouble for rate in RATES for trouble in troubles(rate, rows_of(rate, rates(*rows)), 1e-4)]
    assert [trouble.rate.rule for trouble in found] == expected
    assert all(trouble.hours == (500_008,) for trouble in found)


WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


def refused(recipient: str, listed: str | None, number: int = 0, outcome: Outcome = Outcome.BOUNCED) -> Attempted:
    return Attempted(
        at=WHEN + timedelta(seconds=number),
        host="mx",
        queue_id=f"Q{number}",
        account="a@isp.example",
        kind=AccountKind.LOGIN,
        recipient=recipient,
        outcome=outcome,
        refusal_class=RefusalClass.ADDRESS_BLOCKLISTED if listed else None,
        listing="spamhaus-zen" if listed else None,
        listed=listed,
        line=f"line {number}",
    )


@pytest.mark.parametrize(
    ("name", "events", "expected"),
    [
        ("one receiver is one opinion", [refused("a@x.example", "192.0.2.1", n) for n in range(9)], 0),
        (
            "two receivers are evidence",
            [refused(f"a@{d}.example", "192.0.2.1", n) for n, d in enumerate(("x", "y") * 3)],
            1,
        ),
        (
            "a few among many deliveries are none",
            [
                *(refused(f"a@{d}.example", "192.0.2.1", n) for n, d in enumerate(("x", "y") * 3)),
                *(refused(f"b@{d}.example", None, n + 9, Outcome.DELIVERED) for n, d in enumerate(("x", "y") * 90)),
            ],
            0,
        ),
    ],
)
def test_listings_count_when_several_receivers_act_on_them(name: str, events: list[Attempted], expected: int) -> None:
    histories = Histories()
    histories.record_all(events)
    assessment = assess(histories)
    assert sum(finding.rule == "listed" for finding in assessment.because) == expected
    seen = assessment.listings_seen[0]
    assert (seen.list, seen.address, seen.first) == ("spamhaus-zen", "192.0.2.1", WHEN)


def test_destinations_have_exact_counts_and_one_name_in_any_case() -> None:
    histories = Histories()
    histories.record_all(
        [
            refused("a@Firm.Example", None, 0, Outcome.DELIVERED),
            refused("b@firm.example", None, 1, Outcome.DEFERRED),
            refused("c@firm.example", "192.0.2.1", 2),
        ]
    )
    (row,) = assess(histories).destinations
    assert (row.destination, row.delivered, row.deferred_attempts, row.bounced) == ("firm.example", 1, 1, 1)
    assert row.refused == {"address-blocklisted": 1}


def test_logins_and_nothing_else_are_too_little_to_judge() -> None:
    histories = Histories()
    histories.record(Login(at=WHEN, host="mx", account="a@isp.example", ok=True, service="imap"))
    assessment = assess(histories)
    assert (assessment.accounts, assessment.from_at, assessment.to_at) == ((), WHEN, WHEN)


def test_expiry_is_counted_by_message() -> None:
    histories = Histories()
    histories.record(refused("", None, 0, Outcome.EXPIRED))
    assessment = assess(histories)
    assert (assessment.accounts[0].expired, assessment.destinations) == (1, ())


def test_strangers_networks_are_bounded() -> None:
    histories = Histories()
    for number in range(500):
        histories.record(
            Submitted(
                at=WHEN,
                host="mx",
                queue_id=f"Q{number}",
                account="<>",
                kind=AccountKind.NULL,
                client_address=f"192.0.{number % 250}.{number % 9}",
                recipients=1,
            )
        )
    (null,) = assess(histories).accounts
    assert (null.messages, null.client_addresses, null.hours) == (500, 8, ())
