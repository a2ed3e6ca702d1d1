"""The diagnosis: every combination of classes, every rule, coverage, shape, time, and what the logs add."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from msgspec.structs import replace

from outwarden.detection.assessment import ListingSeen
from outwarden.detection.diagnosis import ListingPeriod, LogSigns, Shape, delisting_blocked, diagnose, shapes
from outwarden.detection.diagnosis.conditions import CONDITIONS
from outwarden.detection.diagnosis.rulebook import SEVERITIES, rulebook
from outwarden.events import Cause, Diagnosis, ListAnswer, ListAnswerKind, Signal, WhyNot

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = "192.0.2.1"
MAJORS = ("major-1", "major-2", "major-3", "major-4", "major-5")
ALL_CLASSES = [frozenset(some) for size in range(10) for some in combinations(Signal, size)]


def listed(name: str, *signals: Signal, codes: Iterable[str] = ("127.0.0.2",), **changes: object) -> ListAnswer:
    answer = ListAnswer(
        TARGET, name, f"{name}.example", ListAnswerKind.LISTED, codes=tuple(codes), signals=signals, asked_at=NOW
    )
    return replace(answer, **changes)


def not_listed(name: str, **changes: object) -> ListAnswer:
    answer = ListAnswer(TARGET, name, f"{name}.example", ListAnswerKind.NOT_LISTED, asked_at=NOW)
    return replace(answer, **changes)


def not_asked(name: str, why: WhyNot = WhyNot.TIMEOUT, **changes: object) -> ListAnswer:
    answer = ListAnswer(TARGET, name, f"{name}.example", ListAnswerKind.COULD_NOT_ASK, why_not=why, asked_at=NOW)
    return replace(answer, **changes)


def majors(answered: int = 5) -> list[ListAnswer]:
    return [
        not_listed(name, major=True) if place < answered else not_asked(name, major=True)
        for place, name in enumerate(MAJORS)
    ]


def of_classes(classes: Iterable[Signal]) -> Diagnosis:
    """The diagnosis where one list of no special name votes for each class."""
    return diagnose([*majors(), *(listed(f"list-{signal}", signal) for signal in sorted(classes))])


# -- The table --------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", ALL_CLASSES, ids=lambda some: "+".join(sorted(some)) or "nothing")
def test_every_combination_is_decided_and_adding_a_class_never_makes_it_milder(classes: frozenset[Signal]) -> None:
    diagnosis = of_classes(classes)
    assert (diagnosis.cause is Cause.CLEAN) == (not classes)
    assert diagnosis.cause not in (Cause.UNCLEAR, Cause.COULD_NOT_ASK)
    for one in classes:
        assert SEVERITIES.index(of_classes(classes - {one}).severity) <= SEVERITIES.index(diagnosis.severity)


@pytest.mark.parametrize(
    "classes, cause, ours, severity, pauses",
    [
        ("", Cause.CLEAN, None, "info", ()),
        ("compromise spam-source", Cause.COMPROMISE, True, "critical", ("address",)),
        ("compromise", Cause.COMPROMISE, True, "critical", ("address",)),
        ("spam-source", Cause.COMPROMISE, True, "critical", ("address",)),
        ("compromise policy", Cause.COMPROMISE, True, "critical", ("address",)),
        ("spam-source policy", Cause.COMPROMISE, True, "critical", ("address",)),
        ("spam-source domain", Cause.COMPROMISE, True, "critical", ("address",)),
        ("compromise reputation neighbourhood", Cause.COMPROMISE, True, "critical", ("address",)),
        ("compromise netblock", Cause.COMPROMISE, True, "critical", ("address",)),
        ("compromise abused-domain", Cause.COMPROMISE, True, "critical", ("address", "content")),
        ("netblock", Cause.NETBLOCK, None, "critical", ()),
        ("netblock policy", Cause.NETBLOCK, None, "critical", ()),
        ("domain", Cause.CONTENT, None, "high", ("content",)),
        ("domain abused-domain", Cause.CONTENT, None, "high", ("content",)),
        ("abused-domain", Cause.CONTENT, None, "high", ("content",)),
        ("abused-domain neighbourhood", Cause.CONTENT, None, "high", ("content",)),
        ("backscatter", Cause.BACKSCATTER, True, "medium", ()),
        ("policy", Cause.WRONG_ROLE, True, "low", ()),
        ("policy neighbourhood", Cause.WRONG_ROLE, True, "medium", ()),
        ("policy reputation", Cause.WRONG_ROLE, True, "medium", ()),
        ("reputation", Cause.BULK_REPUTATION, True, "medium", ()),
        ("reputation neighbourhood", Cause.BULK_REPUTATION, True, "medium", ()),
        ("neighbourhood", Cause.NEIGHBOURHOOD, False, "low", ()),
    ],
)
def test_the_table(classes: str, cause: Cause, ours: bool | None, severity: str, pauses: tuple[str, ...]) -> None:
    diagnosis = of_classes(map(Signal, classes.split()))
    assert (diagnosis.cause, diagnosis.ours, diagnosis.severity, diagnosis.pauses) == (cause, ours, severity, pauses)


SPAMCOP = listed("spamcop", Signal.SPAM_SOURCE)
BARRACUDA = listed("barracuda", Signal.SPAM_SOURCE)
CSS = listed("spamhaus-zen", Signal.SPAM_SOURCE, codes=("127.0.0.3",))
SBL = listed("spamhaus-zen", Signal.SPAM_SOURCE, codes=("127.0.0.2",))
SBL_AND_CSS = listed("spamhaus-zen", Signal.SPAM_SOURCE, codes=("127.0.0.2", "127.0.0.3"))
CSS_OF_PBL = listed("spamhaus-zen", Signal.SPAM_SOURCE, Signal.POLICY, codes=("127.0.0.3", "127.0.0.10"))
NEIGHBOURS = listed("uceprotect-2", Signal.NEIGHBOURHOOD)
SMALL = listed("psbl", Signal.REPUTATION)


@pytest.mark.parametrize(
    "answers, rule, severity, pauses",
    [
        ([SPAMCOP], "spam-source-single", "high", ("suspects",)),
        ([BARRACUDA], "spam-source-single", "high", ("suspects",)),
        ([SPAMCOP, NEIGHBOURS], "spam-source-single", "high", ("suspects",)),
        ([SPAMCOP, SMALL], "spam-through-mta", "critical", ("address",)),
        ([SPAMCOP, BARRACUDA], "spam-through-mta", "critical", ("address",)),
        ([CSS], "spam-source-css", "high", ("suspects",)),
        ([CSS, NEIGHBOURS], "spam-source-css", "high", ("suspects",)),
        ([CSS, SMALL], "spam-through-mta", "critical", ("address",)),
        ([CSS, SPAMCOP], "spam-through-mta", "critical", ("address",)),
        ([SBL], "spam-through-mta", "critical", ("address",)),
        ([SBL_AND_CSS], "spam-through-mta", "critical", ("address",)),
        ([CSS_OF_PBL], "customer-host-sending", "critical", ("address",)),
        ([listed("dronebl", Signal.COMPROMISE)], "infected-host", "critical", ()),
        ([listed("dronebl", Signal.COMPROMISE), SMALL], "infected-host", "critical", ()),
        ([listed("dronebl", Signal.COMPROMISE), SBL], "compromised-sending", "critical", ("address",)),
    ],
)
def test_some_lists_are_told_apart(answers: list[ListAnswer], rule: str, severity: str, pauses: tuple[str]) -> None:
    diagnosis = diagnose([*majors(), *answers])
    assert diagnosis.cause is Cause.COMPROMISE
    assert (diagnosis.rules[0], diagnosis.severity, diagnosis.pauses) == (rule, severity, pauses)


def test_steps_of_all_rules_add_up_and_none_is_said_twice() -> None:
    diagnosis = diagnose([*majors(), SBL, listed("uribl", Signal.DOMAIN)])
    assert diagnosis.rules == ("account-sends-campaign", "spam-through-mta")
    assert diagnosis.next_steps[0].startswith("Search the outbound log for the domain")
    assert "Hold the suspect senders" in diagnosis.next_steps
    assert len(set(diagnosis.next_steps)) == len(diagnosis.next_steps)


def test_what_follows_from_the_cause_gets_no_action_of_its_own() -> None:
    diagnosis = diagnose([*majors(), SBL, SMALL, NEIGHBOURS])
    assert diagnosis.rules == ("spam-through-mta", "follows-the-cause")
    assert not any("Write to the owner of the range" in step for step in diagnosis.next_steps)


# -- Each rule is reached ---------------------------------------------------------------------------

RELAYING = LogSigns(relaying="203.0.113.9 sends through this server to strangers without a login")
TRAPS = [listed(name, Signal.REPUTATION) for name in ("psbl", "uceprotect-1", "gbudb-truncate")]


def periods(*hours: float) -> list[ListingPeriod]:
    return [
        ListingPeriod(TARGET, answer.list, NOW + timedelta(hours=at)) for answer, at in zip(TRAPS, hours, strict=True)
    ]


REACHED = {
    "refused-over-a-list": diagnose(majors(), LogSigns((ListingSeen("spamhaus-zen", TARGET, NOW, NOW, 9),))),
    "listed-without-a-class": diagnose([*majors(), listed("major-6", major=True, codes=("127.0.0.99",))]),
    "could-not-ask": diagnose(majors(answered=3)),
    "clean": diagnose(majors()),
    "open-relay": diagnose([*majors(), SBL], RELAYING),
    "compromised-sending": of_classes([Signal.COMPROMISE, Signal.SPAM_SOURCE]),
    "account-sends-campaign": of_classes([Signal.DOMAIN, Signal.SPAM_SOURCE]),
    "customer-host-sending": of_classes([Signal.POLICY, Signal.COMPROMISE]),
    "infected-host": of_classes([Signal.COMPROMISE]),
    "spam-through-mta": of_classes([Signal.SPAM_SOURCE]),
    "spam-source-single": diagnose([*majors(), SPAMCOP]),
    "spam-source-css": diagnose([*majors(), CSS]),
    "trap-lists": diagnose([*majors(), *TRAPS], history=periods(0, -20, -47)),
    "netblock": of_classes([Signal.NETBLOCK]),
    "domain-in-spam": of_classes([Signal.DOMAIN]),
    "website-hacked": of_classes([Signal.ABUSED_DOMAIN]),
    "backscatter": of_classes([Signal.BACKSCATTER]),
    "policy-only": of_classes([Signal.POLICY]),
    "policy-and-neighbourhood": of_classes([Signal.POLICY, Signal.NEIGHBOURHOOD]),
    "reputation": of_classes([Signal.REPUTATION]),
    "reputation-and-neighbourhood": of_classes([Signal.REPUTATION, Signal.NEIGHBOURHOOD]),
    "neighbourhood-only": of_classes([Signal.NEIGHBOURHOOD]),
    "follows-the-cause": of_classes([Signal.COMPROMISE, Signal.NEIGHBOURHOOD]),
}


def test_each_rule_is_reached() -> None:
    assert [rule.name for rule in rulebook().rules] == list(REACHED)
    for name, diagnosis in REACHED.items():
        assert name in diagnosis.rules


def test_the_first_rule_that_applies_decides() -> None:
    by_name = {rule.name: rule for rule in rulebook().rules}
    order = list(by_name)
    for diagnosis in REACHED.values():
        assert list(diagnosis.rules) == sorted(diagnosis.rules, key=order.index)
        assert diagnosis.cause is by_name[diagnosis.rules[0]].cause


def test_each_condition_has_its_words_and_is_asked_for() -> None:
    book = rulebook()
    assert set(book.conditions) == set(CONDITIONS) == {name for rule in book.rules for name in rule.conditions}
    assert set(book.why_not) == set(WhyNot)
    assert {rule.severity for rule in book.rules} == set(SEVERITIES)
    assert {name for rule in book.rules for name in rule.without} <= {*Signal, "*"}


# -- Coverage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answered, cause", [(5, Cause.CLEAN), (4, Cause.CLEAN), (3, Cause.COULD_NOT_ASK), (0, Cause.COULD_NOT_ASK)]
)
def test_clean_is_said_from_four_fifths_of_the_majors_on(answered: int, cause: Cause) -> None:
    diagnosis = diagnose(majors(answered))
    assert (diagnosis.cause, diagnosis.coverage) == (cause, answered / 5)


@pytest.mark.parametrize(
    "answers",
    [[], [not_listed("psbl")], [not_asked("abusix", WhyNot.NEEDS_KEY)]],
    ids=["nothing at all", "no major list", "only lists without a key"],
)
def test_nothing_is_clean_of_which_no_major_list_spoke(answers: list[ListAnswer]) -> None:
    assert diagnose(answers).cause is Cause.COULD_NOT_ASK


def test_a_list_whose_key_is_missing_is_not_one_of_ours() -> None:
    answers = [*majors(4), not_asked("abusix", WhyNot.NEEDS_KEY)]
    diagnosis = diagnose(answers)
    assert (diagnosis.cause, diagnosis.coverage) == (Cause.CLEAN, 0.8)
    assert "could not ask abusix: it needs a key" in diagnosis.because


def test_a_list_that_refuses_its_key_is_missing() -> None:
    refused = not_asked("abusix", WhyNot.NEEDS_KEY, major=True)
    assert diagnose([*majors(4), refused]).coverage == 4 / 6


@pytest.mark.parametrize("why", WhyNot)
def test_what_could_not_be_asked_is_named_with_its_reason_and_cure(why: WhyNot) -> None:
    diagnosis = diagnose([*majors(1), not_asked("spamhaus-zen", why, major=True)])
    assert diagnosis.cause is Cause.COULD_NOT_ASK
    known = rulebook().why_not[why]
    assert any("spamhaus-zen" in line and line.endswith(known.words) for line in diagnosis.because)
    assert any(step.startswith(known.cure) and "spamhaus-zen" in step for step in diagnosis.next_steps)


def test_nothing_is_somebody_elses_while_major_lists_are_silent() -> None:
    diagnosis = diagnose([*majors(2), NEIGHBOURS])
    assert (diagnosis.cause, diagnosis.ours) == (Cause.NEIGHBOURHOOD, None)
    assert diagnosis.verdict.endswith("; 2 of 5 major lists answered, so that worse cannot be excluded")


def test_a_grave_verdict_needs_no_reservation() -> None:
    assert diagnose([*majors(1), SBL]).verdict == "spam through the mail server: stolen account or bulk customer"


def test_a_listing_that_repeats_another_is_no_riddle() -> None:
    repeated = listed("cbl", major=True)
    assert diagnose([*majors(), listed("spamhaus-zen", Signal.COMPROMISE), repeated]).rules == ("infected-host",)


# -- What the logs say ------------------------------------------------------------------------------


def seen(name: str, address: str = TARGET, count: int = 9, at: datetime = NOW) -> LogSigns:
    return LogSigns((ListingSeen(name, address, at - timedelta(hours=30), at, count),))


@pytest.mark.parametrize(
    "answers, signs, cause",
    [
        (majors(), seen("spamhaus-zen"), Cause.UNCLEAR),
        (majors(2), seen("spamhaus-zen"), Cause.UNCLEAR),
        ([*majors(), not_asked("spamhaus-zen", major=True)], seen("spamhaus-zen"), Cause.UNCLEAR),
        ([*majors(), not_listed("spamhaus-zen")], seen("spamhaus-zen"), Cause.CLEAN),
        ([*majors(), not_listed("spamhaus-zen")], seen("spamhaus-xbl"), Cause.CLEAN),
        (majors(), seen("some-private-list"), Cause.UNCLEAR),
        (majors(), seen("some-private-list", count=1), Cause.CLEAN),
        (majors(), seen("some-private-list", address="192.0.2.2"), Cause.CLEAN),
        (majors(), seen("some-private-list", at=NOW - timedelta(days=3)), Cause.CLEAN),
        (majors(), seen("spamhaus-xbl"), Cause.COMPROMISE),
        (majors(), seen("spamhaus-css"), Cause.COMPROMISE),
        (majors(), seen("spamhaus-pbl"), Cause.WRONG_ROLE),
        (majors(), seen("uceprotect-2"), Cause.NEIGHBOURHOOD),
        ([*majors(), SMALL], seen("some-private-list"), Cause.BULK_REPUTATION),
    ],
)
def test_a_refusal_that_names_a_list_counts_where_the_list_does_not_speak(
    answers: list[ListAnswer], signs: LogSigns, cause: Cause
) -> None:
    assert diagnose(answers, signs).cause is cause


def test_a_css_listing_known_from_refusals_is_read_as_one() -> None:
    assert diagnose(majors(), seen("spamhaus-css")).rules == ("spam-source-css",)


def test_an_old_event_is_told_as_one() -> None:
    diagnosis = diagnose([*majors(), not_listed("spamcop")], seen("spamcop"))
    assert "the log has 9 refusals that name spamcop, until 2026-11-23 12:00 UTC: an old event" in diagnosis.because


def test_no_listing_tells_an_open_relay_only_the_log_does() -> None:
    assert diagnose([*majors(), SBL]).cause is Cause.COMPROMISE
    relay = diagnose([*majors(), SBL], RELAYING)
    assert (relay.cause, relay.next_steps[0]) == (Cause.OPEN_RELAY, "Pause outbound of this address")
    assert diagnose(majors(), RELAYING).cause is Cause.CLEAN
    assert diagnose([*majors(), SMALL], RELAYING).cause is Cause.BULK_REPUTATION


def test_the_first_step_names_the_accused_account() -> None:
    diagnosis = diagnose([*majors(), SBL], LogSigns(accused=("rosa@isp.example", "tim@isp.example")))
    assert diagnosis.next_steps[0].startswith("Contain rosa@isp.example, tim@isp.example first")


# -- Shape over addresses ---------------------------------------------------------------------------


def rows(names: Iterable[str], *on: str, signal: Signal = Signal.SPAM_SOURCE) -> dict[str, list[ListAnswer]]:
    """A list ``spamcop`` that has the addresses ``on``, asked about all of them."""
    return {
        name: [
            listed("spamcop", signal, target=name) if name in on else not_listed("spamcop", target=name),
            *(replace(answer, target=name) for answer in majors()),
        ]
        for name in names
    }


NETWORK = [f"192.0.2.{last}" for last in range(256)]


def test_one_of_several_addresses_is_a_host() -> None:
    assert shapes(rows(NETWORK[:4], NETWORK[1])) == {NETWORK[1]: Shape(among=4)}


def test_several_on_one_list_of_spam_sources_are_a_pool() -> None:
    asked = rows(NETWORK[:4], NETWORK[1], NETWORK[3])
    found = shapes(asked)
    assert found[NETWORK[1]] == Shape(shared={"spamcop": (NETWORK[3],)}, among=4)
    diagnosis = diagnose(asked[NETWORK[1]], shape=found[NETWORK[1]])
    assert any(line.startswith("2 of 4 addresses are on spamcop at once (192.0.2.3)") for line in diagnosis.because)
    assert any("pool of smarthosts" in step for step in diagnosis.next_steps)


def test_several_on_a_list_of_another_class_share_nothing() -> None:
    assert shapes(rows(NETWORK[:4], *NETWORK[:4], signal=Signal.REPUTATION))[NETWORK[0]].shared == {}


@pytest.mark.parametrize("signal", [Signal.SPAM_SOURCE, Signal.COMPROMISE, Signal.REPUTATION, Signal.NEIGHBOURHOOD])
def test_a_whole_network_is_the_neighbourhood_whatever_the_list(signal: Signal) -> None:
    asked = rows(NETWORK, *NETWORK, signal=signal)
    found = shapes(asked)
    assert found[NETWORK[7]] == Shape(whole_network=frozenset({"spamcop"}), among=256)
    diagnosis = diagnose(asked[NETWORK[7]], shape=found[NETWORK[7]])
    assert (diagnosis.cause, diagnosis.ours) == (Cause.NEIGHBOURHOOD, False)
    assert "the whole /24 around it is on spamcop" in diagnosis.because


@pytest.mark.parametrize(
    "asked",
    [
        rows(NETWORK, *NETWORK[:-1]),
        rows(NETWORK[:64], *NETWORK[:64]),
        rows(NETWORK, *NETWORK, signal=Signal.POLICY),
        rows(NETWORK, *NETWORK, signal=Signal.NETBLOCK),
        rows(["relay.example"], "relay.example"),
        rows(["2001:db8::1"], "2001:db8::1"),
    ],
    ids=["all but one", "too few asked", "a policy list", "DROP", "a domain", "IPv6"],
)
def test_what_is_not_a_whole_network(asked: dict[str, list[ListAnswer]]) -> None:
    assert all(shape.whole_network == frozenset() for shape in shapes(asked).values())


def test_addresses_that_gave_no_answer_do_not_break_up_a_network() -> None:
    asked = rows(NETWORK, *NETWORK)
    asked[NETWORK[9]][0] = not_asked("spamcop", target=NETWORK[9])
    assert shapes(asked)[NETWORK[0]].whole_network == {"spamcop"}


# -- Shape over time --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hours, cause",
    [
        ((0, -20, -47), Cause.COMPROMISE),
        ((0, 0, 0), Cause.COMPROMISE),
        ((0, -20, -49), Cause.BULK_REPUTATION),
        ((0, -24, -1000), Cause.BULK_REPUTATION),
    ],
)
def test_three_trap_lists_within_48_hours_are_a_spam_run(hours: tuple[int, ...], cause: Cause) -> None:
    assert diagnose([*majors(), *TRAPS], history=periods(*hours)).cause is cause


def test_without_history_nobody_knows_that_three_lists_were_at_once() -> None:
    assert diagnose([*majors(), *TRAPS]).cause is Cause.BULK_REPUTATION


def test_lists_that_feed_on_no_traps_are_no_trap_lists() -> None:
    answers = [TRAPS[0], TRAPS[1], listed("senderscore-bl", Signal.REPUTATION)]
    history = [ListingPeriod(TARGET, answer.list, NOW) for answer in answers]
    assert diagnose([*majors(), *answers], history=history).cause is Cause.BULK_REPUTATION


def delisted_for(gap: timedelta, ended: datetime | None = None) -> list[ListingPeriod]:
    back = NOW - timedelta(hours=3)
    return [
        ListingPeriod(TARGET, "spamcop", back, ended),
        ListingPeriod(TARGET, "spamcop", back - timedelta(days=9), back - gap),
    ]


@pytest.mark.parametrize(
    "history, blocked",
    [
        (delisted_for(timedelta(hours=5)), True),
        (delisted_for(timedelta(hours=48)), True),
        (delisted_for(timedelta(hours=49)), False),
        (delisted_for(timedelta(hours=5), ended=NOW), False),
        (delisted_for(timedelta(hours=5))[:1], False),
        ([], False),
    ],
    ids=["5 h", "48 h", "49 h", "gone again", "first time", "nothing known"],
)
def test_back_within_48_hours_of_delisting_blocks_another_request(history: list[ListingPeriod], blocked: bool) -> None:
    assert (delisting_blocked(history, TARGET, "spamcop") is not None) is blocked
    assert delisting_blocked(history, TARGET, "barracuda") is None
    assert delisting_blocked(history, "192.0.2.2", "spamcop") is None
    diagnosis = diagnose(
        [*majors(), replace(SPAMCOP, delisting="https://spamcop.example/")],
        history=history,
        conditions={"spamcop": "by itself after a day"},
    )
    step = "Delisting from spamcop, once the cause is gone: https://spamcop.example/; by itself after a day"
    assert (step in diagnosis.next_steps) is not blocked
    assert any(line.startswith("Ask for no delisting at spamcop now") for line in diagnosis.next_steps) is blocked
    assert any("the cause is not fixed" in line for line in diagnosis.because) is blocked


# -- Reasons ----------------------------------------------------------------------------------------


def test_the_gravest_listing_is_told_first() -> None:
    diagnosis = diagnose(
        [
            *majors(),
            NEIGHBOURS,
            SMALL,
            listed("spamhaus-zen", Signal.COMPROMISE, Signal.POLICY, codes=("127.0.0.4", "127.0.0.11"), meaning="XBL"),
            listed("cymru-bogons", meaning="not routed"),
        ]
    )
    assert diagnosis.because == (
        "compromise and policy: spamhaus-zen (127.0.0.4 127.0.0.11: XBL)",
        "reputation: psbl (127.0.0.2)",
        "neighbourhood: uceprotect-2 (127.0.0.2)",
        "cymru-bogons has it, which counts for nothing by itself (127.0.0.2: not routed)",
        "5 of 5 major lists answered",
    )
