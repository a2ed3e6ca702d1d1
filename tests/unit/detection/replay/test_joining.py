"""The tape: events in any order and in halves become messages with what became of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from outwarden.detection.replay.joining import Joining
from outwarden.detection.replay.tape import MOST_RECIPIENTS, Message, Tape
from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    ComplaintReceived,
    Event,
    Outcome,
    RefusalClass,
    Submitted,
)

BEGIN = datetime(2026, 4, 7, 9, tzinfo=UTC)
LOGIN, ADDRESS, NULL = AccountKind.LOGIN, AccountKind.ADDRESS, AccountKind.NULL


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def submitted(seconds: float = 0, queue_id: str = "1", recipients: int = 1, **more: object) -> Submitted:
    fields = {"account": "tim@isp.example", "kind": LOGIN, "client_address": "192.0.2.7", "sender": "tim@isp.example"}
    return Submitted(at(seconds), "mx", queue_id, recipients=recipients, **(fields | more))  # type: ignore[arg-type]


def attempted(
    seconds: float, to: str = "a@b.example", outcome: Outcome = Outcome.DELIVERED, queue_id: str = "1", **more: object
) -> Attempted:
    fields = {"account": "tim@isp.example", "kind": LOGIN, "sender": "tim@isp.example"}
    return Attempted(at(seconds), "mx", queue_id, recipient=to, outcome=outcome, **(fields | more))  # type: ignore[arg-type]


def tape(events: Sequence[Event]) -> Tape:
    joining = Joining()
    for event in events:
        joining.record(event)
    return joining.tape()


def in_short(message: Message) -> tuple[str, list[tuple[str, float | None]], int]:
    """Queue ID, recipients with when they were answered, and recipients without a name."""
    named = zip(message.submitted.recipient_addresses, message.answers, strict=True)
    return (
        message.submitted.queue_id,
        [(address, None if answer is None else answer.after_seconds) for address, answer in named],
        message.unnamed,
    )


A, B = "a@b.example", "b@b.example"
DEFERRED, BOUNCED, EXPIRED = Outcome.DEFERRED, Outcome.BOUNCED, Outcome.EXPIRED

CASES: list[tuple[str, list[Event], list[tuple[str, list[tuple[str, float | None]], int]]]] = [
    ("answered", [submitted(), attempted(2)], [("1", [(A, 2.0)], 0)]),
    ("the answer first", [attempted(2), submitted()], [("1", [(A, 2.0)], 0)]),
    ("a stamp a little early", [submitted(), attempted(-1)], [("1", [(A, 0.0)], 0)]),
    ("two recipients", [submitted(recipients=2), attempted(2), attempted(3, B)], [("1", [(A, 2.0), (B, 3.0)], 0)]),
    ("one was never tried", [submitted(recipients=2), attempted(2)], [("1", [(A, 2.0)], 1)]),
    ("nothing was ever tried", [submitted(recipients=3)], [("1", [], 3)]),
    ("put off, then taken", [submitted(), attempted(2, A, DEFERRED), attempted(900)], [("1", [(A, 900.0)], 0)]),
    ("put off for ever", [submitted(), attempted(2, A, DEFERRED)], [("1", [(A, None)], 0)]),
    ("the first final answer counts", [submitted(), attempted(9), attempted(2, A, BOUNCED)], [("1", [(A, 2.0)], 0)]),
    (
        "it expires for those that wait",
        [submitted(recipients=2), attempted(2), attempted(3, B, DEFERRED), attempted(99, "", EXPIRED)],
        [("1", [(A, 2.0), (B, 99.0)], 0)],
    ),
    (
        "an alias has more recipients than it was sent to",
        [submitted(), attempted(2), attempted(3, B)],
        [("1", [(A, 2.0), (B, 3.0)], 0)],
    ),
    (
        "named addresses keep their order, and an alias answers for its own",
        [
            submitted(recipients=2, recipient_addresses=(B, "List@isp.example")),
            attempted(5, "x@y.example", original_recipient="list@isp.example"),
            attempted(4, "z@y.example", original_recipient="list@isp.example"),
            attempted(2, B.upper()),
        ],
        [("1", [(B, 2.0), ("List@isp.example", 4.0)], 0)],
    ),
    (
        "a queue ID that comes back",
        [submitted(), attempted(2), submitted(5000), attempted(5003, B)],
        [("1", [(A, 2.0)], 0), ("1", [(B, 3.0)], 0)],
    ),
    (
        "a queue ID that comes back, its answer before it",
        [submitted(), attempted(2), attempted(5003, B), submitted(5000)],
        [("1", [(A, 2.0)], 0), ("1", [(B, 3.0)], 0)],
    ),
    ("read twice", [submitted(), submitted(line="again"), attempted(2), attempted(2)], [("1", [(A, 2.0)], 0)]),
    (
        "given back by a filter under another queue ID, in order",
        [
            submitted(0, "1"),
            submitted(1, "2", recipients=2),
            submitted(2, "3"),
            attempted(10, B, queue_id="X"),
            attempted(11, "c@b.example", queue_id="Y"),
            attempted(11, "d@b.example", queue_id="Y"),
            attempted(12, "e@b.example", queue_id="Z"),
        ],
        [
            ("1", [(B, 10.0)], 0),
            ("2", [("c@b.example", 10.0), ("d@b.example", 10.0)], 0),
            ("3", [("e@b.example", 10.0)], 0),
        ],
    ),
    (
        "given back under a queue ID that once was another's",
        [
            submitted(0, "1"),
            attempted(2, queue_id="1"),
            submitted(9000, "2", account="eva@isp.example", sender="eva@isp.example"),
            attempted(9002, B, queue_id="1", account="eva@isp.example", sender="eva@isp.example"),
        ],
        [("1", [(A, 2.0)], 0), ("2", [(B, 2.0)], 0)],
    ),
    (
        "one stamp of the far future does not make the rest old",
        [submitted(0, "1"), replace(submitted(0, "2"), at=datetime(2100, 1, 1, tzinfo=UTC)), attempted(2, A)],
        [("1", [(A, 2.0)], 0), ("2", [], 1)],
    ),
    (
        "not to another's message, nor to one of yesterday",
        [
            submitted(0, "1"),
            submitted(90_000, "2", account="eva@isp.example", sender="eva@isp.example"),
            attempted(90_010, B, queue_id="X"),
        ],
        [("1", [], 1), ("2", [], 1)],
    ),
    ("mail from outside", [submitted(kind=ADDRESS), attempted(2, kind=ADDRESS)], []),
    ("a bounce", [submitted(kind=NULL, account="<>"), attempted(2, kind=NULL, account="<>")], []),
    (
        "our own application server",
        [submitted(kind=ADDRESS, client_address="127.0.0.1"), attempted(2, kind=ADDRESS)],
        [("1", [(A, 2.0)], 0)],
    ),
    (
        "only the notification is known",
        [submitted(recipient_addresses=(A,)), BounceReturned(at(9), "mx", "1", "tim@isp.example", LOGIN)],
        [("1", [(A, 9.0)], 0)],
    ),
    ("a year before mail", [replace(submitted(), at=datetime(1, 1, 1, tzinfo=UTC))], []),
    ("a year after it", [replace(submitted(), at=datetime(9999, 12, 31, tzinfo=UTC))], []),
]


@pytest.mark.parametrize(("name", "events", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_joined(
    name: str, events: list[Event], expected: list[tuple[str, list[tuple[str, float | None]], int]]
) -> None:
    assert [in_short(message) for message in tape(events).messages] == expected


def test_an_answer_keeps_its_class() -> None:
    unknown = attempted(2, A, BOUNCED, refusal_class=RefusalClass.UNKNOWN_RECIPIENT, status="5.1.1")
    (answer,) = tape([submitted(), unknown]).messages[0].answers
    assert answer is not None
    assert (answer.outcome, answer.refusal_class, answer.status) == (BOUNCED, RefusalClass.UNKNOWN_RECIPIENT, "5.1.1")


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ({"client_address": "192.0.2.7"}, "192.0.2.0/24"),
        ({"client_address": "2001:db8:5::9"}, "2001:db8:5::/48"),
        ({"client_address": "192.0.2.7", "network": "AS64500"}, "AS64500"),
        ({"client_address": None}, None),
    ],
)
def test_the_network_of_a_client_that_only_a_log_shows(client: dict[str, str | None], network: str | None) -> None:
    assert tape([submitted(**client)]).messages[0].submitted.network == network  # type: ignore[arg-type]


def complaint(seconds: float, queue_id: str = "") -> ComplaintReceived:
    return ComplaintReceived(at(seconds), "mx", "tim@isp.example", LOGIN, queue_id)


@pytest.mark.parametrize(
    ("name", "events", "complaints", "alone"),
    [
        ("by queue ID", [submitted(), submitted(50, "2"), complaint(3600, "1")], [(3600.0,), ()], 0),
        ("by account: the newest", [submitted(), submitted(50, "2"), complaint(3600)], [(), (3550.0,)], 0),
        ("before any message", [complaint(-5), submitted()], [()], 1),
        ("of an account that never sent", [submitted(account="eva@isp.example"), complaint(5)], [()], 1),
    ],
)
def test_complaints(name: str, events: list[Event], complaints: list[tuple[float, ...]], alone: int) -> None:
    joined = tape(events)
    assert [message.complaints for message in joined.messages] == complaints
    assert joined.joined.complaints_alone == alone


def test_what_cannot_be_joined_is_counted() -> None:
    joined = tape(
        [
            submitted(recipients=2, recipient_addresses=(A, B)),
            attempted(2, "stranger@b.example"),
            attempted(3, A),
            attempted(4, A, queue_id="nobody knows", account="eva@isp.example"),
            submitted(5, "2", kind=ADDRESS),
            attempted(6, A, queue_id="2", kind=ADDRESS),
        ]
    ).joined
    assert (joined.messages, joined.recipients, joined.strangers) == (1, 2, 1)
    assert (joined.attempts_alone, joined.attempts_elsewhere, joined.unanswered) == (1, 1, 1)


def test_memory_is_bounded() -> None:
    joining = Joining(most_in_flight=100, most_alone=50)
    for number in range(3000):
        joining.record(submitted(number, f"S{number}"))
        joining.record(attempted(number, A, queue_id=f"A{number}", account=f"n{number}@isp.example"))
        assert len(joining._in_flight) <= 100
        assert len(joining._alone) <= 50
        assert sum(map(len, joining._by_sender.values())) <= 101
    joined = joining.tape().joined
    assert joined.messages == 3000
    assert joined.attempts_alone == 3000
    assert joined.closed_early == 2900


def test_the_attempts_of_one_message_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.detection.replay.joining.MOST_RECIPIENTS", 10)
    whole = tape([submitted(), *(attempted(number, f"r{number}@b.example") for number in range(30))])
    assert whole.messages[0].recipients == 10


def test_no_claim_of_recipients_is_believed_beyond_reason() -> None:
    message = tape([submitted(recipients=2**62)]).messages[0]
    assert message.recipients == message.submitted.recipients == MOST_RECIPIENTS


EVENTS = st.builds(
    lambda number, seconds, recipients, answers: [
        submitted(seconds, f"Q{number}", recipients=recipients, account=f"n{number % 3}@isp.example"),
        *(
            attempted(seconds + after, f"r{to}@b.example", outcome, f"Q{number}", account=f"n{number % 3}@isp.example")
            for to, after, outcome in answers
        ),
    ],
    st.integers(0, 10**6),
    st.integers(0, 10_000),
    st.integers(0, 5),
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 500), st.sampled_from([Outcome.DELIVERED, DEFERRED, BOUNCED])),
        max_size=6,
        unique_by=lambda one: (one[0], one[1]),
    ),
)


@given(st.lists(EVENTS, max_size=8, unique_by=lambda one: one[0].queue_id), st.integers())
def test_the_order_of_reading_does_not_matter(messages: list[list[Event]], seed: int) -> None:
    events = [event for message in messages for event in message]
    mixed = events.copy()
    Random(seed).shuffle(mixed)

    def sorted_answers(whole: Tape) -> list[tuple[str, list[tuple[str, float | None]], int]]:
        return [(one[0], sorted(one[1], key=str), one[2]) for one in map(in_short, whole.messages)]

    assert sorted_answers(tape(mixed)) == sorted_answers(tape(events))


@given(st.lists(EVENTS, max_size=8))
def test_no_message_is_lost_and_no_answer_counted_twice(messages: list[list[Event]]) -> None:
    events = [event for message in messages for event in message]
    whole = tape(events)
    distinct = {event for event in events if isinstance(event, Submitted)}
    assert len(whole.messages) == whole.joined.messages <= len([e for e in events if isinstance(e, Submitted)])
    assert {one.submitted.queue_id for one in whole.messages} == {one.queue_id for one in distinct}
    finals = {event for event in events if isinstance(event, Attempted) and event.outcome is not DEFERRED}
    assert sum(answer is not None for one in whole.messages for answer in one.answers) <= len(finals)
    assert all(one.recipients == len(one.answers) + one.unnamed >= one.submitted.recipients for one in whole.messages)
