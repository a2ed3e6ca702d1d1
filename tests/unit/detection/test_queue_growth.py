"""A queue judged: who fills it, what receivers say, and whether it grew beyond its own past."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.detection.baseline.levels import grown
from outwarden.detection.queue_growth import assess_counters, assess_growth, assess_queue, assess_reading
from outwarden.detection.queue_shape import recipient_shape, sender_shape, senders_behind, total_row
from outwarden.events import Finding, QueuedMessage
from outwarden.sources.queue.reading import CounterSample, QueueCount, QueueForm, QueueReading

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LISTED = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"
FULL = "452 4.2.2 The email account that you tried to reach is over quota"


def waiting(
    sender: str, count: int = 1, recipients: int = 1, reason: str = "", minutes: float = 30, domain: str = "big.example"
) -> list[QueuedMessage]:
    at = NOW - timedelta(minutes=minutes)
    to = tuple((f"r{index}@{domain}", reason) for index in range(recipients))
    return [QueuedMessage(f"{sender}{index}", "deferred", at, 1000, sender, to) for index in range(count)]


def rules(messages: list[QueuedMessage]) -> dict[str, float]:
    return {finding.rule: finding.points for finding in assess_queue(messages, NOW).findings}


def test_counts_of_a_queue() -> None:
    queue = waiting("rosa@isp.example", 3, 2, minutes=90) + waiting("<>", 1, domain="else.example")
    assessment = assess_queue(queue, NOW)
    assert (assessment.total, assessment.oldest_seconds, assessment.by_queue) == (4, 5400, {"deferred": 4})
    assert assessment.senders == (("rosa@isp.example", 6), ("<>", 1))
    assert assessment.destinations == (("big.example", 6), ("else.example", 1))
    assert assessment.findings == ()


def test_an_empty_queue() -> None:
    assessment = assess_queue([], NOW)
    assert (assessment.total, assessment.oldest_seconds, assessment.findings) == (0, None, ())


QUEUES: list[tuple[str, list[QueuedMessage], set[str]]] = [
    ("many senders", [one for index in range(200) for one in waiting(f"u{index}@isp.example")], set()),
    ("few messages", waiting("rosa@isp.example", 40), set()),
    ("one sender", waiting("rosa@isp.example", 60) + waiting("nils@isp.example", 20), {"queue-sender"}),
    ("one message to many", waiting("rosa@isp.example", 1, 500), {"queue-sender"}),
    ("bounces", waiting("<>", 300) + waiting("nils@isp.example", 20), {"queue-bounces"}),
    ("listed", waiting("nils@isp.example", 5, reason=LISTED), {"queue-blocklisted"}),
    ("full mailboxes", waiting("nils@isp.example", 45, reason=FULL), set()),
]


@pytest.mark.parametrize(("name", "queue", "expected"), QUEUES, ids=[name for name, *_ in QUEUES])
def test_what_a_queue_shows(name: str, queue: list[QueuedMessage], expected: set[str]) -> None:
    assert set(rules(queue)) == expected


def test_a_newsletter_in_the_queue_alone_is_no_reason_for_doubt() -> None:
    assert rules(waiting("news@isp.example", 5000, 3))["queue-sender"] < 2.0


def test_a_listing_names_its_list_and_shows_the_words() -> None:
    (finding,) = assess_queue(waiting("nils@isp.example", 5, reason=LISTED), NOW).findings
    assert "5 of 5 recipients" in finding.text
    assert "spamhaus-zen" in finding.text
    assert finding.evidence == (LISTED,)
    assert finding.points >= 2.0


def test_two_refusals_for_a_listing_say_less_than_three() -> None:
    assert rules(waiting("n@isp.example", 2, reason=LISTED)) == {"queue-blocklisted": 1.0}


def minutes_from_midnight(values: list[float]) -> list[tuple[datetime, float]]:
    return [(NOW + timedelta(minutes=index), value) for index, value in enumerate(values)]


def noise(usual: float, spread: float, count: int) -> list[float]:
    world = random.Random(7)
    return [max(world.gauss(usual, spread), 0) for _ in range(count)]


A_DAY = [20 + 60 * (8 <= hour % 24 < 18) for hour in range(72)]
SERIES: list[tuple[str, list[float], bool]] = [
    ("quiet", noise(12, 3, 60), False),
    ("burst at the end", [*noise(12, 3, 60), 400, 900, 1200], True),
    ("burst in the middle", [*noise(12, 3, 40), 400, 900, 1200, *noise(12, 3, 10)], True),
    ("steady growth", [index * 10 for index in range(100)], True),
    ("a single mad sample", [*noise(12, 3, 60), 5000, 12], False),
    ("an empty queue that gets a few", [0] * 60 + [5] * 10, False),
    ("an empty queue that fills", [0] * 60 + [60] * 10, True),
    ("a large queue as always", noise(4000, 300, 60), False),
    ("a large queue that grew by half", noise(4000, 300, 60) + [6000] * 5, False),
    ("three days with a rhythm", [float(value) for value in A_DAY], False),
    ("the third day far above", [float(value) for value in A_DAY[:60]] + [600.0] * 5, True),
    ("no past", [0, 0, 0, 900, 900, 900], False),
    ("emptying", [1000 - index * 10 for index in range(100)], False),
]


@pytest.mark.parametrize(("name", "values", "expected"), SERIES, ids=[name for name, *_ in SERIES])
def test_a_series_is_judged_by_its_own_past(name: str, values: list[float], expected: bool) -> None:
    assert (grown(minutes_from_midnight(values)) is not None) is expected


@given(st.lists(st.floats(0, 1e12), max_size=60))
def test_any_series_can_be_judged(values: list[float]) -> None:
    growth = grown(minutes_from_midnight(values))
    assert growth is None or growth.peak >= growth.limit > growth.usual


def samples(values: list[float], counter: str, instance: str = "_total") -> list[CounterSample]:
    return [
        CounterSample(at, "ex1", "MSExchangeTransport Queues", instance, counter, value)
        for at, value in minutes_from_midnight(values)
    ]


REMOTE = "External Active Remote Delivery Queue Length"
BURST = [*noise(12, 3, 60), 400, 900, 1200]


def test_a_counter_that_grew_says_from_what_to_what_and_since_when() -> None:
    (finding,) = assess_counters(samples(BURST, REMOTE))
    expected = f"{REMOTE} (_total) on ex1 rose from its usual 13 to 400 at 2026-11-23T13:00Z and stays there"
    assert finding.text == expected
    assert finding.at == NOW + timedelta(minutes=60)
    assert finding.points >= 2.0
    assert len(finding.evidence) == 3


def test_of_the_instances_of_a_counter_the_worst_is_named() -> None:
    milder = [value / 4 for value in BURST]
    (finding,) = assess_counters([*samples(milder, REMOTE, "high priority"), *samples(BURST, REMOTE)])
    assert "(_total)" in finding.text


COUNTERS = [
    ("Remote Queue Length", True),
    ("Retry Remote Delivery Queue Length", True),
    ("Messages Queued for Delivery Per Second", True),
    ("Active Mailbox Delivery Queue Length", False),
    ("Local Queue Length", False),
    ("Messages Completed Delivery Total", False),
]


@pytest.mark.parametrize(("counter", "outbound"), COUNTERS)
def test_which_counters_are_evidence(counter: str, outbound: bool) -> None:
    assert bool(assess_counters(samples(BURST, counter))) is outbound


def look(minute: int, *groups: list[QueuedMessage]) -> tuple[datetime, QueueReading]:
    messages = tuple(message for group in groups for message in group)
    return NOW + timedelta(minutes=minute), QueueReading(QueueForm.POSTQUEUE_JSON, len(messages), messages=messages)


def growth(looks: list[tuple[datetime, QueueReading]]) -> list[Finding]:
    return [finding for finding in assess_growth(looks).findings if finding.rule == "queue-growth"]


def test_growth_between_two_looks_names_what_it_waits_for_and_who_is_behind_it() -> None:
    usual = waiting("news@isp.example", 40)
    (finding,) = growth([look(0, usual), look(10, usual, waiting("rosa@isp.example", 300))])
    assert finding.text == (
        "queue grew from its usual 40 messages to 340 since 2026-11-23T12:00Z; waiting for big.example (100%)"
        "; behind it rosa@isp.example (100%)"
    )
    assert finding.evidence[-1] == "2026-11-23T12:10Z 340 messages queued"


def test_the_order_of_the_files_does_not_matter() -> None:
    looks = [look(0, waiting("news@isp.example", 40)), look(10, waiting("rosa@isp.example", 300))]
    assert assess_growth(looks) == assess_growth(looks[::-1])


def test_one_destination_that_fills_is_named_where_the_whole_queue_is_as_always() -> None:
    usual = waiting("news@isp.example", 400)
    (finding,) = [
        finding
        for finding in assess_growth(
            [
                look(0, usual),
                look(10, usual[60:], waiting("b@isp.example", 60, domain="Slow.example")),
            ]
        ).findings
        if "growth" in finding.rule
    ]
    assert finding.rule == "queue-destination-growth"
    assert finding.text == "slow.example: recipients waiting grew from the usual 0 to 60 since 2026-11-23T12:00Z"


def test_growth_over_many_looks() -> None:
    quiet = [look(minute, waiting("news@isp.example", 40)) for minute in range(20)]
    loud = [
        look(20 + minute, waiting("news@isp.example", 40), waiting("rosa@isp.example", 200 + 100 * minute))
        for minute in range(4)
    ]
    (finding,) = growth(quiet + loud)
    assert finding.at == NOW + timedelta(minutes=20)
    assert "behind it rosa@isp.example (100%)" in finding.text
    assert growth(quiet) == []


@pytest.mark.parametrize(("before", "after"), [(40, 55), (400, 700), (40, 10), (0, 19)])
def test_what_is_no_growth(before: int, after: int) -> None:
    assert growth([look(0, waiting("a@isp.example", before)), look(9, waiting("a@isp.example", after))]) == []


def test_a_single_look_shows_no_growth() -> None:
    assert growth([look(0, waiting("rosa@isp.example", 5000))]) == []


def test_a_form_with_counts_alone() -> None:
    queues = (QueueCount("EX1\\3", "Big.example", "Retry", 412, LISTED), QueueCount("EX1\\5", "else.example", "", 3))
    assessment = assess_reading(QueueReading(QueueForm.EXCHANGE_QUEUES, 415, queues=queues), NOW)
    assert (assessment.total, assessment.oldest_seconds, assessment.senders) == (415, None, ())
    assert assessment.destinations == (("big.example", 412), ("else.example", 3))
    assert assessment.by_queue == {"EX1\\3": 412, "EX1\\5": 3}
    assert [finding.rule for finding in assessment.findings] == ["queue-blocklisted"]


def test_a_form_with_counters_alone() -> None:
    reading = QueueReading(QueueForm.EXCHANGE_COUNTERS, 1200, samples=tuple(samples(BURST, REMOTE)))
    assessment = assess_reading(reading, NOW)
    assert assessment.total == 1200
    assert [finding.rule for finding in assessment.findings] == ["queue-counter-growth"]


def test_the_shape_of_a_queue() -> None:
    queue = [
        *waiting("a@isp.example", 2, 3, minutes=5),
        *waiting("a@isp.example", 1, minutes=5.1, domain="Else.example"),
        *waiting("<>", 1, minutes=5000),
        QueuedMessage("x", "deferred", None, 0, "nobody", (("z@big.example", ""),)),
    ]
    big, other = recipient_shape(queue, NOW)
    assert (big.domain, big.total, big.unknown_age) == ("big.example", 8, 1)
    assert (big.ages[0], big.ages[-1]) == (6, 1)
    assert (other.domain, other.ages[:2]) == ("else.example", (0, 1))
    assert total_row((big, other)).total == 9
    assert total_row(()).ages == (0,) * 10
    assert [row.domain for row in sender_shape(queue, NOW)] == ["isp.example", "", "<>"]


def test_who_is_behind_a_queue() -> None:
    queue = waiting("a@isp.example", 1, 9, LISTED, minutes=60) + waiting("b@isp.example", 3, minutes=5)
    first, second = senders_behind(queue)
    assert (first.account, first.messages, first.recipients, first.share) == ("a@isp.example", 1, 9, 0.75)
    assert (first.oldest, first.refusal_class) == (NOW - timedelta(minutes=60), "address-blocklisted")
    assert (second.account, second.refusal_class) == ("b@isp.example", None)
