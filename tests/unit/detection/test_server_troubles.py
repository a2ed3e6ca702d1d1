"""What ``check`` says of the server: who is behind a jump, and what an honest week does not show."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from outwarden.detection.assessment import Assessment
from outwarden.detection.history import Histories
from outwarden.detection.verdict import assess
from outwarden.events import AccountKind, Attempted, Event, Finding, Outcome, RefusalClass, Submitted, Verdict

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
LIST = "news@isp.example"
BAD = {
    Outcome.BOUNCED: RefusalClass.UNKNOWN_RECIPIENT,
    Outcome.DEFERRED: RefusalClass.RATE_LIMITED,
}


def mail(
    hour: int, account: str, count: int, share: float, kind: Outcome = Outcome.BOUNCED, domain: str = "big.example"
) -> Iterator[Event]:
    """Messages of one account in one hour, of which a share fares badly; its recipients are always the same."""
    for number in range(count):
        at = MONDAY + timedelta(hours=hour, seconds=3_500 * number / count)
        queue_id = f"{account}-{hour}-{number}"
        who = {"at": at, "host": "mx", "queue_id": queue_id, "account": account, "kind": AccountKind.LOGIN}
        yield Submitted(**who, client_address="192.0.2.7", sender=account, recipients=1)  # type: ignore[arg-type]
        outcome = kind if number < round(share * count) else Outcome.DELIVERED
        yield Attempted(
            **who,  # type: ignore[arg-type]
            recipient=f"r{number}@{domain}",
            outcome=outcome,
            refusal_class=BAD.get(outcome),
            line=f"{account} {number}",
        )


def week(days: int = 9) -> Iterator[Event]:
    """Sixty messages an hour by day; each midday a mailing list of which an eighth always bounces."""
    world = random.Random(3)
    for hour in range(24 * days):
        if 7 <= hour % 24 < 19:
            for number in range(20):
                yield from mail(hour, f"a{number}@isp.example", 3, world.choice((0, 0, 0, 0.34)), domain="a.example")
        if hour % 24 == 12:
            yield from mail(hour, LIST, 200, 0.125, domain="lists.example")


def told(*stories: Iterable[Event]) -> Assessment:
    histories = Histories()
    histories.record_all(sorted((event for story in stories for event in story), key=lambda event: event.at))
    return assess(histories)


def rates(assessment: Assessment) -> list[Finding]:
    return [finding for finding in assessment.because if finding.rule.endswith("-rate")]


AT = 8 * 24 + 12
"""Midday of the second Tuesday, when the list goes out too."""


def test_the_list_of_every_midday_is_said_once_at_most() -> None:
    found = rates(told(week()))
    assert [finding for finding in found if finding.at and finding.at >= MONDAY + timedelta(days=1)] == []


def test_who_always_bounces_is_not_behind_a_jump() -> None:
    assessment = told(week(), mail(AT, "rosa@isp.example", 150, 0.5, domain="victims.example"))
    (finding,) = [one for one in rates(assessment) if one.at == MONDAY + timedelta(hours=AT)]
    assert finding.rule == "bounce-rate"
    assert "behind it rosa@isp.example (" in finding.text
    assert LIST not in finding.text
    assert "most at victims.example (" in finding.text
    assert finding.evidence == tuple(f"rosa@isp.example {number}" for number in range(3))


def test_deferrals_name_who_is_put_off_and_show_it() -> None:
    assessment = told(week(), mail(AT + 1, "rosa@isp.example", 150, 0.8, Outcome.DEFERRED))
    (finding,) = [one for one in rates(assessment) if one.rule == "deferral-rate"]
    assert "big.example (100%); behind it rosa@isp.example (100%)" in finding.text
    assert finding.evidence == tuple(f"rosa@isp.example {number}" for number in range(6, 9))


def test_one_receiver_that_is_down_changes_no_verdict() -> None:
    calm = [mail(hour, "b@isp.example", 30, 0, domain="down.example") for hour in range(7, AT, 3)]
    down = mail(AT + 1, "b@isp.example", 30, 1, Outcome.DEFERRED, domain="down.example")
    assessment = told(week(), *calm, down)
    (finding,) = [one for one in rates(assessment) if one.rule == "deferral-rate"]
    assert finding.text.startswith("all destinations: 33 % of 90 deferred in the hour from 2026-11-10T13:00Z ")
    assert "most at down.example (100%)" in finding.text
    assert assessment.verdict is Verdict.NO
    (row,) = [one for one in assessment.destinations if one.destination == "down.example"]
    assert [one.rule for one in row.findings] == ["deferral-rate"]
