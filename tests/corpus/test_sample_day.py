"""The sample day, read and judged as a postmaster's log would be: every count exact, only the thief accused.

The truth comes from the generator, which counted while it wrote; the reader and the detection know
nothing of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import pytest

from outwarden.cli.sample_day import FIRST_MIDNIGHT, SampleTruth, sample_day, sample_truth
from outwarden.detection.assessment import Assessment
from outwarden.detection.history import Histories
from outwarden.detection.verdict import assess
from outwarden.events import Event, RefusalClass, Standing, Verdict
from outwarden.sources.logs.account_table import AccountCounts, AccountTable
from outwarden.sources.logs.reading import MixedLog

SEEDS = (1, 2, 3)
_BLOCK = 1 << 20


@dataclass
class Told:
    """What Outwarden makes of the sample day."""

    truth: SampleTruth
    log: MixedLog
    accounts: dict[str, AccountCounts]
    assessment: Assessment


@cache
def told(seed: int) -> Told:
    log = MixedLog(newest=FIRST_MIDNIGHT + timedelta(days=6))
    written = "".join(sample_day(seed)).encode()
    table, histories = AccountTable(), Histories()
    for begin in range(0, len(written), _BLOCK):
        _record(log.feed(written[begin : begin + _BLOCK]), table, histories)
    _record(log.finish(), table, histories)
    return Told(sample_truth(seed), log, {row.account: row for row in table}, assess(histories))


def _record(events: list[Event], table: AccountTable, histories: Histories) -> None:
    histories.record_all(events)
    for event in events:
        table.add(event)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_count_of_every_account_is_exact(seed: int) -> None:
    day = told(seed)
    assert set(day.accounts) == set(day.truth.accounts)
    for account, expected in day.truth.accounts.items():
        counts = day.accounts[account]
        assert counts.kind == expected.kind, account
        assert (counts.messages, counts.recipients) == (expected.messages, expected.recipients), account
        assert counts.delivered == expected.delivered, account
        assert counts.deferred_attempts == expected.deferred_attempts, account
        assert (counts.refused or {}) == expected.bounced, account
        assert counts.expired == expected.expired, account
        assert counts.bounces_returned == expected.bounces_returned, account


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_is_understood(seed: int) -> None:
    day = told(seed)
    assert day.log.lines == day.truth.lines
    assert day.log.lines_not_understood == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_verdict_is_yes_since_the_theft(seed: int) -> None:
    day = told(seed)
    assert day.assessment.verdict is Verdict.YES
    assert day.assessment.since is not None
    assert abs(day.assessment.since - day.truth.start) <= timedelta(minutes=5)


@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_stolen_account_is_accused(seed: int) -> None:
    day = told(seed)
    accused = [one.account for one in day.assessment.accounts if one.standing in (Standing.HELD, Standing.BLOCKED)]
    assert accused == [day.truth.compromised]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_thief_heads_the_list_with_the_networks_he_came_from(seed: int) -> None:
    day = told(seed)
    first = day.assessment.accounts[0]
    assert first.account == day.truth.compromised
    assert first.networks >= len(day.truth.networks)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_listing_is_seen_in_what_the_remotes_say(seed: int) -> None:
    day = told(seed)
    (listing,) = [seen for seen in day.assessment.listings_seen if seen.address == "192.0.2.25"]
    assert listing.list == "spamhaus-zen"
    assert listing.count >= sum(
        account.bounced.get(RefusalClass.ADDRESS_BLOCKLISTED, 0) for account in day.truth.accounts.values()
    )
