"""The player does what a judge decides, tells it only what it may know, and loses no message.

The judges here are small policies of their own, so that each rule of the player is seen alone; the judge of the
service plays in the properties at the end.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.live import Judge, shipped_policy
from outwarden.detection.replay.outcome import AccountOutcome, Cost, Fates, Outcome, What, differences
from outwarden.detection.replay.player import Plan, learned_until, play
from outwarden.detection.replay.tape import Answer, Joined, Message, Tape
from outwarden.events import (
    AccountKind,
    Action,
    Attempted,
    ComplaintReceived,
    Decision,
    Finding,
    RefusalClass,
    Submitted,
)
from outwarden.events import Outcome as Delivery

BEGIN = datetime(2026, 4, 7, 9, tzinfo=UTC)
START = BEGIN.timestamp()
TIM, EVA = "tim@isp.example", "eva@isp.example"
GOOD = Answer(2.0, Delivery.DELIVERED)
UNKNOWN = Answer(2.0, Delivery.BOUNCED, RefusalClass.UNKNOWN_RECIPIENT)


def message(
    seconds: float, account: str = TIM, answers: Iterable[Answer | None] = (GOOD,), complaints: tuple[float, ...] = ()
) -> Message:
    listed = tuple(answers)
    submitted = Submitted(
        at=BEGIN + timedelta(seconds=seconds),
        host="mx",
        queue_id=f"{account} {seconds}",
        account=account,
        kind=AccountKind.LOGIN,
        recipients=len(listed),
        recipient_addresses=tuple(f"r{number}@b.example" for number in range(len(listed))),
    )
    return Message(submitted, listed, 0, complaints)


def tape(*messages: Message) -> Tape:
    return Tape(tuple(sorted(messages, key=lambda one: one.submitted.at)), Joined())


class _Release(NamedTuple):
    recipients: int
    decision: Decision | None = None


class Toy:
    """Decides each message by a function of its number, releases ``step`` recipients a minute; keeps what it heard."""

    def __init__(self, decide: Callable[[int], Action] = lambda _: Action.ACCEPT, step: int = 0) -> None:
        self._decide, self._step = decide, step
        self._submitted = 0
        self.heard: list[tuple[str, float]] = []
        self.blocks_at_unknown = False
        self.blocks_at_release = False

    def _note(self, what: str, now: float) -> None:
        self.heard.append((what, now - START))

    def _block(self, account: str, now: float) -> Decision:
        at = datetime.fromtimestamp(now, UTC)
        return Decision(account, Action.BLOCK, at, 9.0, (Finding("unknown-recipients", 9.0, "all unknown", at),))

    def learn_until(self, now: float) -> None:
        self.learns_until = now - START

    def submit(self, event: Submitted) -> Decision:
        self._submitted += 1
        self._note("submit", event.at.timestamp())
        return Decision(event.account, self._decide(self._submitted), event.at, 5.0)

    def attempted(self, event: Attempted) -> Decision | None:
        self._note(f"{event.outcome.value} {event.recipient}", event.at.timestamp())
        if self.blocks_at_unknown and event.refusal_class is RefusalClass.UNKNOWN_RECIPIENT:
            return self._block(event.account, event.at.timestamp())
        return None

    def complained(self, event: ComplaintReceived) -> Decision | None:
        self._note("complaint", event.at.timestamp())
        return None

    def release(self, account: str, now: float, waiting: int) -> _Release:
        self._note(f"release of {waiting}", now)
        return _Release(0, self._block(account, now)) if self.blocks_at_release else _Release(self._step)

    def passed(self, account: str, now: float) -> None:
        self._note("passed", now)

    def unblocked(self, account: str, now: float, wrongly_blocked: bool = False) -> None:
        self._note(f"unblocked {wrongly_blocked}", now)


def hold(_: int) -> Action:
    return Action.HOLD


def block(_: int) -> Action:
    return Action.BLOCK


def accept(_: int) -> Action:
    return Action.ACCEPT


def played(toy: Toy, *messages: Message, **plan: object) -> Outcome:
    return play(tape(*messages), toy, Plan(**({"learn_days": 0.0} | plan)), "toy")  # type: ignore[arg-type]


def tim(outcome: Outcome) -> AccountOutcome:
    story = outcome.account(TIM)
    assert story is not None
    return story


def turns(outcome: Outcome) -> list[tuple[str, float, int, int, int]]:
    """What happened to Tim, when, and after how many messages, recipients, and recipients that had left."""
    return [
        (turn.what.value, turn.at.timestamp() - START, turn.messages, turn.recipients, turn.left)
        for turn in tim(outcome).turns
    ]


# -- what a judge hears, and when -------------------------------------------------------------------


def test_an_accepted_message_is_answered_when_it_was_on_the_tape() -> None:
    toy = Toy()
    outcome = played(toy, message(0, answers=(GOOD, None, UNKNOWN), complaints=(3600.0,)))
    assert toy.heard == [
        ("submit", 0.0),
        ("delivered r0@b.example", 2.0),
        ("bounced r2@b.example", 2.0),
        ("complaint", 3600.0),
    ]
    assert outcome.accounts == ()
    assert outcome.recipients == Fates(submitted=3, left=3)


def test_a_held_message_leaves_in_parts_and_is_answered_as_much_later() -> None:
    toy = Toy(hold, step=2)
    outcome = played(toy, message(0, answers=(GOOD,) * 3, complaints=(61.0,)))
    assert toy.heard == [
        ("submit", 0.0),
        ("release of 3", 60.0),
        ("delivered r0@b.example", 62.0),
        ("delivered r1@b.example", 62.0),
        ("release of 1", 120.0),
        ("complaint", 121.0),
        ("delivered r2@b.example", 122.0),
    ]
    assert turns(outcome) == [("held", 0.0, 1, 3, 0), ("let go", 120.0, 1, 3, 3)]
    assert outcome.honest == Cost(messages=1, delayed=1, waited_seconds=120.0, hold_days=1)


def test_the_oldest_held_message_leaves_first() -> None:
    toy = Toy(hold, step=3)
    played(toy, message(0, answers=(GOOD,) * 2), message(1, answers=(UNKNOWN,) * 2))
    echoes = [what for what, _ in toy.heard if "@" in what]
    assert echoes == [
        "delivered r0@b.example",
        "delivered r1@b.example",
        "bounced r0@b.example",
        "bounced r1@b.example",
    ]


def test_nobody_hears_of_mail_that_never_left() -> None:
    toy = Toy(hold)
    outcome = played(toy, message(0, answers=(UNKNOWN,), complaints=(60.0,)))
    assert {what for what, _ in toy.heard} == {"submit", "release of 1"}
    assert outcome.recipients == Fates(submitted=1, waiting=1)
    assert outcome.honest == Cost(messages=1, delayed=1, over_five_minutes=1, never=1, hold_days=1)


def test_a_judge_is_asked_once_a_minute_and_in_the_end_no_more() -> None:
    toy = Toy(hold)
    played(toy, message(0))
    asked = [at for what, at in toy.heard if what.startswith("release")]
    assert asked[:3] == [60.0, 120.0, 180.0]
    assert max(asked) == 60 * 86_400
    assert len(asked) < 5_000


def test_while_mail_waits_other_mail_may_leave() -> None:
    toy = Toy(lambda number: Action.HOLD if number == 1 else Action.ACCEPT)
    outcome = played(toy, message(0), message(1))
    assert outcome.messages == Fates(submitted=2, left=1, waiting=1)


def test_a_message_for_nobody_waits_no_longer_than_others() -> None:
    outcome = played(Toy(hold), message(0, answers=()))
    assert turns(outcome) == [("held", 0.0, 1, 0, 0), ("let go", 60.0, 1, 0, 0)]
    assert outcome.messages == Fates(submitted=1, left=1)


# -- blocking ---------------------------------------------------------------------------------------


def test_a_blocked_account_is_refused_and_what_it_had_waiting_is_dropped() -> None:
    toy = Toy(lambda number: (Action.ACCEPT, Action.HOLD, Action.BLOCK)[number - 1])
    outcome = played(
        toy, message(0, answers=(None, None)), message(1, answers=(None,) * 3), message(2), message(3), message(4)
    )
    assert [what for what, _ in toy.heard] == ["submit"] * 3
    assert outcome.recipients == Fates(submitted=8, left=2, refused=3, dropped=3)
    assert outcome.messages == Fates(submitted=5, left=1, refused=3, dropped=1)
    assert turns(outcome) == [("held", 1.0, 2, 5, 2), ("blocked", 2.0, 3, 6, 2)]


def test_an_answer_may_block() -> None:
    toy = Toy()
    toy.blocks_at_unknown = True
    outcome = played(toy, message(0, answers=(UNKNOWN,)), message(60))
    assert turns(outcome) == [("blocked", 2.0, 1, 1, 1)]
    assert outcome.messages == Fates(submitted=2, left=1, refused=1)
    assert [finding.text for finding in tim(outcome).turns[0].findings] == ["all unknown"]


def test_a_release_may_block() -> None:
    toy = Toy(hold)
    toy.blocks_at_release = True
    outcome = played(toy, message(0))
    assert turns(outcome) == [("held", 0.0, 1, 1, 0), ("blocked", 60.0, 1, 1, 0)]
    assert outcome.recipients == Fates(submitted=1, dropped=1)


def test_deferred_mail_does_not_come_back() -> None:
    outcome = played(Toy(lambda _: Action.DEFER), message(0))
    assert outcome.recipients == Fates(submitted=1, deferred=1)
    assert outcome.honest.never == 1
    assert tim(outcome).stopped


def test_a_wrong_block_is_taken_back_where_the_truth_is_known() -> None:
    toy = Toy(lambda number: Action.BLOCK if number == 1 else Action.ACCEPT)
    outcome = played(toy, message(0), message(8 * 3600 + 1), message(8 * 3600 + 2, EVA), stolen={EVA: None})
    assert ("unblocked True", 8 * 3600.0) in toy.heard
    assert [turn[0] for turn in turns(outcome)] == ["blocked", "given back"]
    assert outcome.honest.blocks == 1
    assert outcome.messages == Fates(submitted=3, left=2, refused=1)


def test_without_a_truth_a_block_stays_and_its_account_is_not_honest() -> None:
    outcome = played(Toy(lambda number: Action.BLOCK if number == 1 else Action.ACCEPT), message(0), message(9, EVA))
    assert [turn[0] for turn in turns(outcome)] == ["blocked"]
    assert (outcome.honest, outcome.honest_accounts) == (Cost(messages=1), 1)


# -- the desk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stolen", "story", "fates"),
    [
        ("releases the honest", {EVA: None}, ["held", "passed"], Fates(submitted=2, left=2)),
        ("blocks the stolen", {TIM: None}, ["held", "blocked"], Fates(submitted=2, dropped=2)),
        ("blocks who was stolen before", {TIM: START}, ["held", "blocked"], Fates(submitted=2, dropped=2)),
        ("releases who is stolen later", {TIM: START + 1e6}, ["held", "passed"], Fates(submitted=2, left=2)),
        ("releases all where none is named", {}, ["held", "passed"], Fates(submitted=2, left=2)),
    ],
)
def test_the_desk(name: str, stolen: dict[str, float | None], story: list[str], fates: Fates) -> None:
    outcome = played(Toy(hold), message(0), message(60), stolen=stolen, desk_minutes=30.0)
    assert [turn.what.value for turn in tim(outcome).turns] == story
    assert tim(outcome).turns[1].at == BEGIN + timedelta(minutes=30)
    assert tim(outcome).turns[1].by_desk
    assert tim(outcome).messages == fates
    assert outcome.reviews == 1


def test_the_desk_tells_the_judge_and_comes_again() -> None:
    toy = Toy(hold)
    outcome = played(toy, message(0), message(86_400), desk_minutes=5.0)
    assert [at for what, at in toy.heard if what == "passed"] == [300.0, 86_700.0]
    assert outcome.reviews == 2


# -- learning, and what is counted ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "asked", "expected"),
    [(9, None, 3.0), (90, None, 21.0), (9, 0.0, 0.0), (9, 7.0, 7.0)],
)
def test_the_learning_period(days: int, asked: float | None, expected: float) -> None:
    whole = tape(message(0), message(days * 86_400))
    assert learned_until(whole, asked) == START + expected * 86_400


def test_what_is_learned_from_is_not_counted() -> None:
    toy = Toy()
    outcome = played(toy, message(0), message(86_400), learn_days=0.5)
    assert toy.learns_until == 43_200
    assert outcome.messages == Fates(submitted=1, left=1)
    assert outcome.days == 0.5


def test_the_leak_of_a_stolen_account_is_counted_from_when_it_was_stolen() -> None:
    toy = Toy(lambda number: Action.ACCEPT if number < 4 else Action.BLOCK)
    mail = [message(seconds, answers=(None,) * 2) for seconds in (0, 10, 20, 30, 40)]
    outcome = played(toy, *mail, stolen={TIM: START + 10})
    assert tim(outcome).leaked == 4
    assert turns(outcome) == [("blocked", 30.0, 3, 6, 4)]
    assert outcome.honest == Cost(messages=1)


def test_a_stolen_account_that_nobody_noticed_leaked_everything() -> None:
    outcome = played(Toy(), message(0), message(9), stolen={TIM: None})
    assert (tim(outcome).leaked, tim(outcome).turns) == (2, ())


def test_two_policies_are_compared_account_by_account() -> None:
    mail = (message(0), message(1, EVA))
    first = played(Toy(lambda number: Action.HOLD if number == 1 else Action.ACCEPT), *mail)
    second = played(Toy(lambda number: Action.BLOCK if number == 2 else Action.ACCEPT), *mail)
    assert [(one.account, one.first.would_be, one.second.would_be) for one in differences(first, second)] == [
        (TIM, "held", "accepted"),
        (EVA, "accepted", "blocked"),
    ]
    assert differences(first, first) == ()


def test_turns_are_bounded() -> None:
    outcome = played(Toy(hold, step=9), *(message(number * 120) for number in range(100)))
    assert len(tim(outcome).turns) == 50
    assert tim(outcome).more_turns == 150
    assert sum(turn.what is What.HELD for turn in tim(outcome).turns) == 25


# -- for every tape ---------------------------------------------------------------------------------

ANSWERS = st.lists(
    st.one_of(
        st.none(),
        st.builds(
            Answer,
            st.floats(0, 10_000),
            st.sampled_from([Delivery.DELIVERED, Delivery.BOUNCED, Delivery.EXPIRED]),
            st.sampled_from([None, RefusalClass.UNKNOWN_RECIPIENT, RefusalClass.CONTENT_REFUSED]),
        ),
    ),
    max_size=8,
)
MESSAGES = st.lists(
    st.builds(
        message,
        st.integers(0, 4 * 86_400),
        st.sampled_from([TIM, EVA, "newsletter@isp.example"]),
        ANSWERS,
        st.lists(st.floats(0, 90_000), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=40,
)
PLANS = st.builds(
    Plan,
    st.sampled_from([{}, {TIM: None}, {TIM: START + 86_400}]),
    st.sampled_from([None, 0.0, 1.0]),
    st.sampled_from([None, 0.0, 30.0]),
)
ACTIONS = st.lists(st.sampled_from(list(Action)), min_size=1, max_size=10)


def conserved(whole: Tape, outcome: Outcome) -> None:
    """Each message after the learning period has one fate, and so has each recipient."""
    scored = [one for one in whole.messages if one.submitted.at >= outcome.learned_until]
    for fates, count in (
        (outcome.messages, len(scored)),
        (outcome.recipients, sum(one.recipients for one in scored)),
    ):
        assert fates.submitted == count
        assert count == fates.left + fates.refused + fates.dropped + fates.deferred + fates.waiting
    for one in outcome.accounts:
        assert one.cost.never <= one.cost.over_five_minutes <= one.cost.delayed <= one.cost.messages
        assert one.leaked <= one.recipients.left


@given(MESSAGES, PLANS, ACTIONS, st.integers(0, 5))
@settings(max_examples=60)
def test_a_message_is_sent_or_held_or_refused_once(
    messages: list[Message], plan: Plan, actions: list[Action], step: int
) -> None:
    whole = tape(*messages)
    toy = Toy(lambda number: actions[number % len(actions)], step)
    outcome = play(whole, toy, plan, "toy")
    conserved(whole, outcome)
    # Nobody is told of more answers than there were recipients that left, learning included.
    told = sum("@" in what for what, _ in toy.heard)
    learned = sum(one.recipients for one in whole.messages if one.submitted.at < outcome.learned_until)
    assert told <= outcome.recipients.left + learned


@given(MESSAGES, PLANS, st.sampled_from(["company", "isp"]))
@settings(max_examples=25)
def test_the_same_tape_gives_the_same_outcome_byte_for_byte(messages: list[Message], plan: Plan, policy: str) -> None:
    whole = tape(*messages)
    once, again = (msgspec.json.encode(play(whole, Judge(shipped_policy(policy)), plan, policy)) for _ in range(2))
    assert once == again
    conserved(whole, play(whole, Judge(shipped_policy(policy)), plan, policy))
