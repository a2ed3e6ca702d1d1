"""Answers and complaints that come late, twice or out of order do no harm."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detection.live.happenings import Happening, happenings, tell, tell_all
from tests.unit.detection.live.mail import DAY, HOUR, NEVER_STOPS, ROSA, START, Mail, young
from tests.unit.detection.live.test_same_decisions import assert_sound

from outwarden.detection.live import Judge
from outwarden.detection.live.counts import Count
from outwarden.events import AccountKind, Action, Attempted, ComplaintReceived, Outcome, RefusalClass, Standing

SOME = settings(max_examples=80, deadline=None)
FEEDBACK = (Attempted, ComplaintReceived)


def attempt(
    mail: Mail,
    recipient: str,
    refusal_class: RefusalClass | None = None,
    outcome: Outcome = Outcome.BOUNCED,
    back: float = 0.0,
    outbound: bool = True,
    queue_id: str = "Q",
) -> Attempted:
    return Attempted(
        at=mail.at - timedelta(minutes=back),
        host="mx",
        queue_id=queue_id,
        account=ROSA,
        kind=AccountKind.LOGIN,
        recipient=recipient,
        outcome=outcome,
        refusal_class=refusal_class,
        outbound=outbound,
    )


@pytest.mark.parametrize(
    ("outcome", "refusal_class", "outbound", "expected"),
    [
        (Outcome.DELIVERED, None, True, (1, 0, 0)),
        (Outcome.DELIVERED, None, False, (0, 0, 0)),
        (Outcome.BOUNCED, RefusalClass.UNKNOWN_RECIPIENT, True, (1, 1, 0)),
        (Outcome.BOUNCED, RefusalClass.UNKNOWN_RECIPIENT, False, (0, 0, 0)),
        (Outcome.BOUNCED, RefusalClass.CONTENT_REFUSED, True, (1, 0, 1)),
        (Outcome.BOUNCED, RefusalClass.ADDRESS_BLOCKLISTED, True, (1, 0, 1)),
        (Outcome.BOUNCED, None, True, (0, 0, 0)),
        (Outcome.DEFERRED, RefusalClass.UNKNOWN_RECIPIENT, True, (0, 0, 0)),
        (Outcome.EXPIRED, None, True, (0, 0, 0)),
    ],
)
def test_which_answers_count(
    outcome: Outcome, refusal_class: RefusalClass | None, outbound: bool, expected: tuple[int, int, int]
) -> None:
    mail = Mail()
    mail.send()
    mail.judge.attempted(attempt(mail, "a@far.example", refusal_class, outcome, outbound=outbound))
    sums = mail.record().day.sums
    assert (sums[Count.RESULTS], sums[Count.UNKNOWN], sums[Count.REFUSED]) == expected


def test_a_recipient_answers_once() -> None:
    mail = Mail()
    mail.send()
    for outcome in (Outcome.BOUNCED, Outcome.DELIVERED, Outcome.BOUNCED):
        mail.judge.attempted(attempt(mail, "a@far.example", RefusalClass.UNKNOWN_RECIPIENT, outcome))
    assert mail.record().day.sums[Count.RESULTS] == 1


@pytest.mark.parametrize(
    ("outcome", "original", "known"),
    [(Outcome.DELIVERED, None, "a@far.example"), (Outcome.DELIVERED, "club@isp.example", "club@isp.example"),
     (Outcome.BOUNCED, None, None), (Outcome.DEFERRED, None, None)],
)  # fmt: skip
def test_who_got_mail_that_only_the_log_tells_of_is_an_acquaintance(
    outcome: Outcome, original: str | None, known: str | None
) -> None:
    mail = Mail()
    mail.send()
    answer = attempt(mail, "a@far.example", outcome=outcome)
    mail.judge.attempted(msgspec.structs.replace(answer, original_recipient=original))
    for recipient in ("a@far.example", "club@isp.example"):
        assert mail.judge.new_recipients(mail.message([recipient])) == (recipient != known)
    mail.judge.attempted(msgspec.structs.replace(answer, account="nobody@isp.example"))
    assert mail.judge.records.get("nobody@isp.example") is None


@pytest.mark.parametrize("queue_id", ["Q1", ""])
def test_a_complaint_that_is_told_twice_counts_once(queue_id: str) -> None:
    mail = Mail()
    mail.send()
    report = ComplaintReceived(mail.at, "fbl", ROSA, AccountKind.LOGIN, queue_id, "a@far.example")
    mail.judge.complained(report)
    mail.judge.complained(report)
    assert mail.record().day.sums[Count.COMPLAINTS] == 1
    mail.judge.complained(msgspec.structs.replace(report, recipient="b@far.example"))
    assert mail.record().day.sums[Count.COMPLAINTS] == 2


@SOME
@given(happenings(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=12))
def test_what_is_told_again_changes_nothing_at_all(told: list[Happening], again: list[tuple[int, int]]) -> None:
    once, twice = Judge(), Judge()
    later: dict[int, list[Happening]] = {}
    for place, after in again:
        if place < len(told) and isinstance(told[place], FEEDBACK):
            later.setdefault(place + after, []).append(told[place])
    for number, one in enumerate(told):
        assert tell(once, one) == tell(twice, one)
        for repeated in later.get(number, ()):
            assert tell(twice, repeated) == b"\xc0"
    assert once.save() == twice.save()


@SOME
@given(happenings(), st.randoms(use_true_random=False))
def test_out_of_order_feedback_raises_nothing_and_leaves_the_counters_sound(told: list[Happening], chance) -> None:  # noqa: ANN001
    places = [place for place, one in enumerate(told) if isinstance(one, FEEDBACK)]
    shuffled = chance.sample(places, len(places))
    mixed = list(told)
    for place, other in zip(places, shuffled, strict=True):
        mixed[place] = told[other]
    judge = Judge()
    tell_all(judge, mixed)
    for account, _ in list(judge.records.all()):
        record = judge.records.get(account)
        assert record is not None
        assert_sound(record)


@SOME
@given(st.lists(st.tuples(st.integers(30 * HOUR, 60 * DAY), st.sampled_from([None, *RefusalClass])), max_size=30))
def test_an_answer_older_than_a_day_changes_no_decision(late: list[tuple[int, RefusalClass | None]]) -> None:
    punctual, mail = Mail().quiet_month(), Mail().quiet_month()
    assert punctual.send() == mail.send()
    for number, (back, refusal_class) in enumerate(late):
        outcome = Outcome.BOUNCED if refusal_class else Outcome.DELIVERED
        assert mail.judge.attempted(attempt(mail, f"l{number}@far.example", refusal_class, outcome, back)) is None
        report = ComplaintReceived(mail.at - timedelta(minutes=back), "fbl", ROSA, AccountKind.LOGIN, f"C{number}")
        assert mail.judge.complained(report) is None
    for _ in range(30):
        assert mail.strangers(3) == punctual.strangers(3)
    assert mail.record() == punctual.record()


def test_a_late_answer_is_judged_by_what_is_known_today() -> None:
    mail = Mail().quiet_month()
    # Four days ago a network and a link were new, and nobody held it against her then.
    mail.judge.learn_until(mail.now + 3600)
    mail.strangers(12, network="AS1", country="BR", fingerprint="t", links=(young("y.example"),))
    mail.later(4 * DAY)
    mail.send()
    mail.judge.attempted(attempt(mail, "a@far.example", RefusalClass.CONTENT_REFUSED, back=4 * DAY - 2 * HOUR))
    assert mail.judge.standing(ROSA) is Standing.NORMAL


def test_an_answer_from_before_probation_makes_it_no_stricter() -> None:
    mail = Mail().quiet_month().later(500 * DAY)
    mail.judge.unblocked(ROSA, mail.now)
    mail.send()
    for back in (3, 400):
        mail.judge.attempted(attempt(mail, f"{back}@far.example", RefusalClass.UNKNOWN_RECIPIENT, back=back * DAY))
        assert mail.judge.standing(ROSA) is Standing.PROBATION
    assert mail.send("new@far.example").action is Action.ACCEPT


def test_late_answers_do_not_end_a_suspicion() -> None:
    mail = Mail().quiet_month().later(2 * DAY + 10)
    mail.send(network="AS1")
    suspected_at = mail.record().suspected_at
    assert suspected_at == mail.now
    mail.judge.attempted(attempt(mail, "a@far.example", RefusalClass.UNKNOWN_RECIPIENT, back=20 * HOUR))
    assert mail.record().suspected_at == suspected_at


def test_answers_for_accounts_never_heard_of_are_nobodys() -> None:
    mail = Mail()
    assert mail.judge.attempted(attempt(mail, "a@far.example", RefusalClass.UNKNOWN_RECIPIENT)) is None
    assert mail.complaint() is None
    assert len(mail.judge.records) == 0
    assert mail.judge.release(ROSA, START.timestamp(), 7).recipients == 7


@SOME
@given(
    st.lists(st.tuples(st.integers(0, 19 * HOUR), st.sampled_from([None, *RefusalClass])), max_size=30),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_answers_of_a_day_does_not_matter(
    told: list[tuple[int, RefusalClass | None]],
    chance,  # noqa: ANN001
) -> None:
    decisions = []
    for order in (sorted(told, key=lambda one: -one[0]), chance.sample(told, len(told))):
        mail = Mail(NEVER_STOPS).quiet_month().later(DAY)
        mail.strangers(40, each=40)
        mail.later(19 * HOUR)
        for number, (back, refusal_class) in enumerate(order):
            outcome = Outcome.BOUNCED if refusal_class else Outcome.DELIVERED
            mail.judge.attempted(attempt(mail, f"l{number}@far.example", refusal_class, outcome, back))
        decisions.append(mail.send())
    # A day known to be suspicious when it ended is not learned; one that is, at most doubles the record: log2 of it.
    assert round(abs(decisions[0].points - decisions[1].points), 1) <= 1.0
    assert decisions[0].action is decisions[1].action is Action.ACCEPT
