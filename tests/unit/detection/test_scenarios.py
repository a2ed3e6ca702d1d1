"""Who is accused and who is not: honest roles that look like spam, and thefts, in a quiet town."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detection import scenarios

from outwarden.detection.assessment import AccountAssessment, Assessment
from outwarden.detection.history import Histories
from outwarden.detection.verdict import assess
from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    Event,
    Outcome,
    RefusalClass,
    Standing,
    Submitted,
    Verdict,
)

ACCUSED = (Standing.HELD, Standing.BLOCKED)
TOWN = scenarios.town()

HONEST = [
    scenarios.newsletter,
    scenarios.newsletter_in_batches,
    scenarios.mailing_list,
    scenarios.forwarder,
    scenarios.back_from_holiday,
    scenarios.invoice_run,
    scenarios.traveller,
    scenarios.telephone,
    scenarios.monitoring_storm,
    scenarios.web_form,
    scenarios.inbound_spam,
    scenarios.gateway,
]
THEFTS = [
    scenarios.botnet,
    scenarios.one_new_network,
    scenarios.low_and_slow,
    scenarios.first_seen_as_a_thief,
]


def judged(*stories: list[Event]) -> Assessment:
    histories = Histories()
    histories.record_all(scenarios.in_order(*stories))
    return assess(histories)


def accused(assessment: Assessment) -> dict[str, Standing]:
    return {one.account: one.standing for one in assessment.accounts if one.standing in ACCUSED}


def account(assessment: Assessment, name: str) -> AccountAssessment:
    return next(one for one in assessment.accounts if one.account == name)


def about(first: datetime, second: datetime | None, minutes: float = 5) -> bool:
    return second is not None and abs(second - first) <= timedelta(minutes=minutes)


def test_a_quiet_town_is_innocent() -> None:
    assessment = judged(TOWN)
    assert (assessment.verdict, assessment.because, accused(assessment)) == (Verdict.NO, (), {})


@pytest.mark.parametrize("story", HONEST, ids=lambda story: story.__name__)
def test_nobody_honest_is_accused(story: Callable[[], list[Event]]) -> None:
    assessment = judged(TOWN, story())
    assert accused(assessment) == {}
    assert assessment.verdict is Verdict.NO


def test_all_honest_roles_together_are_innocent() -> None:
    assert accused(judged(TOWN, *(story() for story in HONEST))) == {}


@pytest.mark.parametrize("alone", [False, True], ids=["in a town", "alone in the log"])
@pytest.mark.parametrize("story", THEFTS, ids=lambda story: story.__name__)
def test_the_stolen_account_is_named_with_its_hour(story: Callable[[], list[Event]], alone: bool) -> None:
    assessment = judged([] if alone else TOWN, story())
    assert accused(assessment) == {scenarios.VICTIM: Standing.BLOCKED}
    assert assessment.verdict is Verdict.YES
    assert about(scenarios.BEGIN, assessment.since)
    assert (account(assessment, scenarios.VICTIM).cause or "").startswith("stolen password")


def test_a_theft_is_seen_beside_everybody_who_looks_like_it() -> None:
    assessment = judged(TOWN, scenarios.botnet(), *(story() for story in HONEST))
    assert accused(assessment) == {scenarios.VICTIM: Standing.BLOCKED}
    assert assessment.accounts[0].account == scenarios.VICTIM


def test_a_day_is_enough() -> None:
    day = [event for event in scenarios.in_order(TOWN, scenarios.botnet()) if event.at >= scenarios.at(2, 0)]
    assessment = judged(day)
    assert accused(assessment) == {scenarios.VICTIM: Standing.BLOCKED}
    assert about(scenarios.BEGIN, assessment.since)


def test_a_hijacked_script_is_named_without_any_network() -> None:
    assessment = judged(TOWN, scenarios.hijacked_script())
    assert accused(assessment) == {"www-data@shop.example": Standing.BLOCKED}
    assert about(scenarios.BEGIN, assessment.since)
    assert "hijacked web site" in (assessment.accounts[0].cause or "")


def test_an_old_list_is_held_at_most() -> None:
    assessment = judged(TOWN, scenarios.stale_alumni_list())
    assert accused(assessment) == {"alumni@school.example": Standing.HELD}
    assert assessment.verdict is Verdict.MAYBE
    assert "address list" in (assessment.accounts[0].cause or "")


def test_an_open_relay_is_proof_without_an_account() -> None:
    assessment = judged(TOWN, scenarios.open_relay())
    assert (assessment.verdict, accused(assessment)) == (Verdict.YES, {})
    assert assessment.because[0].rule == "open-relay"
    assert assessment.because[0].text.startswith("203.0.113.66 ")
    assert about(scenarios.BEGIN, assessment.since)


def test_a_stranger_whose_mail_a_filter_rule_redirects_is_never_accused() -> None:
    assessment = judged(TOWN, scenarios.redirecting_rule())
    assert accused(assessment) == {}
    assert not any("spammer" in finding.text for finding in assessment.because)


def test_a_forward_of_spam_is_named_by_its_mailbox() -> None:
    assessment = judged(TOWN, scenarios.forwarder())
    assert [finding.rule for finding in assessment.because] == ["forwards-spam"]
    assert assessment.because[0].text.startswith("club@choir.example forwards incoming spam to choir.box@gmail.com")
    assert assessment.because[0].evidence


def test_many_slow_thefts_at_once_do_not_make_spamming_usual() -> None:
    thefts = [
        scenarios.run_of(
            f"person{number * 5}@isp.example",
            scenarios.BEGIN + timedelta(seconds=number * 100),
            60,
            300,
            clients=("203.0.113.66",),
            answer=scenarios.spammed,
        )
        for number in range(24)
    ]
    named = accused(judged(scenarios.town(people=240), *thefts))
    assert named == {f"person{number * 5}@isp.example": Standing.BLOCKED for number in range(24)}


def test_a_listed_address_is_no_evidence_against_accounts() -> None:
    listed = [
        event
        for number in range(60)
        for event in scenarios.message(
            scenarios.at(2, 9, number * 40),
            f"person{number}@isp.example",
            scenarios.strangers(f"late{number}.", 6),
            client=f"198.51.{number}.9",
            answer=scenarios.every(3, scenarios.LISTED),
            listing=("spamhaus-zen", "192.0.2.1"),
        )
    ]
    assessment = judged(TOWN, listed)
    assert accused(assessment) == {}
    assert assessment.verdict is Verdict.MAYBE
    assert [(one.list, one.address, one.count) for one in assessment.listings_seen] == [
        ("spamhaus-zen", "192.0.2.1", 120)
    ]
    assert "listed" in {finding.rule for finding in assessment.because}


def test_findings_carry_their_proof() -> None:
    rosa = account(judged(TOWN, scenarios.botnet()), scenarios.VICTIM)
    assert {finding.rule for finding in rosa.findings} == {"network", "unknown-recipients", "volume", "refused"}
    for finding in rosa.findings:
        assert 1 <= len(finding.evidence) <= 3
        assert all(scenarios.VICTIM in line and "Mar 04 0" in line for line in finding.evidence)
    assert rosa.points == pytest.approx(sum(finding.points for finding in rosa.findings))


def test_because_names_the_account_first() -> None:
    because = judged(TOWN, scenarios.botnet()).because
    assert because[0].text.startswith(f"{scenarios.VICTIM}: ")


def test_counts_are_exact() -> None:
    rosa = account(judged(TOWN, scenarios.botnet()), scenarios.VICTIM)
    assert (rosa.messages, rosa.recipients) == (108, 468)
    assert rosa.delivered + rosa.bounced == 468
    assert sum(rosa.refused.values()) == rosa.bounced
    assert (rosa.client_addresses, rosa.networks) == (10, 10)
    assert sum(hour.recipients for hour in rosa.hours) == 468
    assert [hour.at for hour in rosa.hours] == sorted(hour.at for hour in rosa.hours)


@pytest.mark.parametrize(
    ("name", "events", "expected"),
    [
        ("nothing at all", [], Verdict.UNKNOWN),
        ("only mail from outside", scenarios.inbound_spam(), Verdict.UNKNOWN),
        ("two letters", scenarios.run_of("a@isp.example", scenarios.at(0, 9), 2, 60), Verdict.UNKNOWN),
        ("a few letters", scenarios.run_of("a@isp.example", scenarios.at(0, 9), 8, 600), Verdict.NO),
    ],
)
def test_too_little_is_unknown_and_not_innocent(name: str, events: list[Event], expected: Verdict) -> None:
    assert judged(events).verdict is expected


def test_bounces_that_another_log_explains_are_weighed() -> None:
    events = [event for event in scenarios.botnet() if not isinstance(event, Attempted)]
    returned = [
        BounceReturned(
            at=event.at + timedelta(seconds=9),
            host="mx",
            queue_id=event.queue_id,
            account=scenarios.VICTIM,
            kind=AccountKind.LOGIN,
            line="sender non-delivery notification",
        )
        for number, event in enumerate(events)
        if event.at >= scenarios.BEGIN and number % 4 == 0
    ]
    rosa = account(judged(TOWN, [*events, *returned]), scenarios.VICTIM)
    assert "bounces-returned" in {finding.rule for finding in rosa.findings}


def test_mail_without_an_account_counts_for_its_destination_only() -> None:
    nameless = [
        msgspec.structs.replace(event, account="", kind=AccountKind.NULL)
        for event in scenarios.run_of("x@isp.example", scenarios.at(0, 1), 30, 10, answer=scenarios.spammed)
        if isinstance(event, Attempted)
    ]
    assessment = judged(nameless)
    assert assessment.accounts == ()
    assert sum(one.delivered + one.bounced for one in assessment.destinations) == 30


def test_an_application_server_is_ours_and_a_stranger_is_not() -> None:
    def burst(client: str) -> list[Event]:
        return [
            event
            for number, to in enumerate(scenarios.strangers("shop", 400))
            for event in scenarios.message(
                scenarios.BEGIN + timedelta(seconds=number * 5),
                "shop@shop.example",
                [to],
                client=client,
                kind=AccountKind.ADDRESS,
                answer=scenarios.spammed,
                first=number,
            )
        ]

    assert accused(judged(TOWN, burst("10.4.0.9"))) == {"shop@shop.example": Standing.BLOCKED}
    assert accused(judged(TOWN, burst("203.0.113.9"))) == {}


# ------------------------------------------------------------------------- properties


def test_the_same_events_give_the_same_bytes() -> None:
    stories = [story() for story in (*HONEST, *THEFTS)]
    first, second = (msgspec.json.encode(judged(TOWN, *stories)) for _ in range(2))
    assert first == second


def test_two_hosts_logs_one_after_the_other_accuse_the_same() -> None:
    events = scenarios.in_order(TOWN, scenarios.botnet())
    histories = Histories()
    histories.record_all([event for number, event in enumerate(events) if number % 200 < 100])
    histories.record_all([event for number, event in enumerate(events) if number % 200 >= 100])
    assert accused(assess(histories)) == {scenarios.VICTIM: Standing.BLOCKED}


@pytest.mark.parametrize("story", THEFTS, ids=lambda story: story.__name__)
def test_events_told_twice_do_not_help_the_accused(story: Callable[[], list[Event]]) -> None:
    events = scenarios.in_order(TOWN, story())
    doubled = [event for event in events for _ in range(2)]
    once, twice = (account(judged(told), scenarios.VICTIM) for told in (events, doubled))
    assert twice.points >= once.points
    assert twice.standing is Standing.BLOCKED


@given(
    hours=st.lists(st.floats(0, 71), min_size=1, max_size=12),
    bad=st.sets(st.integers(0, 11), max_size=2),
    networks=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_who_writes_little_is_never_accused(hours: list[float], bad: set[int], networks: int) -> None:
    events = [
        event
        for number, hour in enumerate(sorted(hours))
        for event in scenarios.message(
            scenarios.at(0, hour),
            "quiet@isp.example",
            [f"friend{number}@firm1.example"],
            client=f"198.18.{number % networks}.4",
            answer=lambda _, number=number: scenarios.UNKNOWN if number in bad else None,  # type: ignore[misc]
        )
    ]
    assert accused(judged(events)) == {}


@given(order=st.permutations(range(12)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_events_at_one_moment_does_not_matter_to_the_verdict(order: list[int]) -> None:
    moment = [
        Attempted(
            at=scenarios.at(2, 3),
            host="mx",
            queue_id="Q",
            account=scenarios.VICTIM,
            kind=AccountKind.LOGIN,
            recipient=f"late{number}@firm1.example",
            outcome=Outcome.BOUNCED,
            refusal_class=scenarios.UNKNOWN if number % 2 else scenarios.SPAM,
        )
        for number in range(12)
    ]
    base = [event for event in scenarios.botnet() if event.at < scenarios.at(2, 3)]
    rosa, again = (account(judged(base, told), scenarios.VICTIM) for told in (moment, [moment[n] for n in order]))
    assert (rosa.standing, rosa.points, rosa.since) == (again.standing, again.points, again.since)


TIMES = st.datetimes(timezones=st.just(UTC)) | st.sampled_from([scenarios.at(0, hour) for hour in range(48)])
NAMES = st.sampled_from(["", "<>", "a@isp.example", "b@isp.example", "www-data"]) | st.text(max_size=8)
KINDS = st.sampled_from(AccountKind)
ADDRESSES = st.none() | st.sampled_from(["", "127.0.0.1", "203.0.113.9", "::1", "198.51.100.4"]) | st.text(max_size=8)
COUNTS = st.integers(0, 3) | st.integers(-1, 2**70)
EVENTS = st.one_of(
    st.builds(
        Submitted,
        at=TIMES,
        host=st.just("mx"),
        queue_id=st.just("Q"),
        account=NAMES,
        kind=KINDS,
        client_address=ADDRESSES,
        recipients=COUNTS,
        size=COUNTS,
        subject=st.none() | st.text(max_size=3),
        line=st.text(max_size=3),
    ),
    st.builds(
        Attempted,
        at=TIMES,
        host=st.just("mx"),
        queue_id=st.just("Q"),
        account=NAMES,
        kind=KINDS,
        recipient=NAMES,
        outcome=st.sampled_from(Outcome),
        refusal_class=st.none() | st.sampled_from(RefusalClass),
        listing=st.none() | st.text(max_size=3),
        listed=ADDRESSES,
        outbound=st.booleans(),
        original_recipient=st.none() | NAMES,
    ),
    st.builds(
        BounceReturned, at=TIMES, host=st.just("mx"), queue_id=st.just("Q"), account=NAMES, kind=KINDS, line=NAMES
    ),
)


@given(st.lists(EVENTS, max_size=60))
@settings(deadline=None)
def test_no_event_whatever_makes_it_stumble(events: list[Event]) -> None:
    histories = Histories()
    histories.record_all(events)
    assessment = assess(histories)
    assert sum(one.messages for one in assessment.accounts) == sum(
        isinstance(event, Submitted) and event.account != "" for event in events
    )
