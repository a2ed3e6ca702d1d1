"""What becomes usual, how fast, and how it is forgotten; and that an attack teaches nothing."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from tests.unit.detection.live.mail import DAY, FRIENDS, HOUR, NEVER_STOPS, ROSA, Mail

from outwarden.detection.live import Judge
from outwarden.detection.live.counts import Count
from outwarden.detection.live.encoding import encode_record
from outwarden.detection.live.known_recipients import GENERATION_SECONDS, KnownRecipients, number_of
from outwarden.detection.live.policy import Policy, Thresholds
from outwarden.detection.live.record import HALF_LIFE

NIGHT = 18 * HOUR
"""After quiet_month it is eight in the morning: so long until two at night."""


def bots(mail: Mail) -> None:
    for number in range(20):
        mail.send(*(f"v{number}.{n}@far.example" for n in range(10)), network=f"AS{number}", filter_verdict=True)
        mail.answers(accepted=5, unknown=4, refused=1)
        mail.later(2)


def on_the_pc(mail: Mail) -> None:
    for number in range(20):
        mail.send(*(f"v{number}.{n}@far.example" for n in range(10)), fingerprint="offer")
        mail.answers(accepted=5, unknown=4, refused=1)
        mail.later(2)


@pytest.mark.parametrize("attack", [bots, on_the_pc])
@pytest.mark.parametrize("policy", [Policy(), NEVER_STOPS], ids=["stopped", "never stopped"])
@pytest.mark.parametrize("begin", [0, NIGHT])
@pytest.mark.parametrize("silence", [HOUR, 20 * HOUR, 30 * HOUR, 9 * DAY])
def test_an_attack_teaches_nothing(attack: Callable[[Mail], None], policy: Policy, begin: int, silence: int) -> None:
    mail = Mail(policy).quiet_month()
    mail.later(begin)
    mail.send()
    before, own = mail.record().most(), list(mail.record().own)
    attack(mail)
    mail.later(silence)
    for _ in range(12):
        mail.later(3 * HOUR).send(*FRIENDS[:2])
    mail.later(2 * DAY).send()
    after = mail.record()
    assert after.most().new_hour <= max(before.new_hour, 6)
    assert after.most().recipients_hour <= max(before.recipients_hour, 6)
    for count in (Count.UNKNOWN, Count.REFUSED, Count.SPAM, Count.NETWORKS):
        assert after.own[count] <= own[count]


def test_a_theft_that_was_given_back_teaches_nothing() -> None:
    mail = Mail().quiet_month()
    before = mail.record().most()
    bots(mail)
    mail.judge.unblocked(ROSA, mail.later(2 * HOUR).now)
    for _ in range(10):
        mail.later(DAY).send(*FRIENDS[:2])
    assert mail.record().most() == before
    assert mail.record().own[Count.UNKNOWN] == 0.0
    assert set(mail.record().networks) == {"AS64500"}


def test_soft_evidence_teaches_but_at_most_doubles_a_day() -> None:
    mail = Mail(Policy(thresholds=Thresholds(hold=100.0, block=100.0))).quiet_month()
    records = []
    for _ in range(7):
        mail.strangers(500, each=50)
        mail.later(DAY - 1)
        mail.send()
        records.append(mail.record().most().new_hour)
    assert records[0] <= 12
    for yesterday, today in pairwise(records):
        assert yesterday <= today <= 2 * yesterday
    assert records[-1] >= 300


def test_a_small_record_grows_freely() -> None:
    mail = Mail().quiet_month()
    assert mail.record().most().new_hour <= 5
    mail.strangers(5)
    mail.later(DAY).send()
    assert mail.record().most().new_hour == 5


def test_a_busy_help_desk_is_not_shut_in() -> None:
    """Twice as many strangers write each week: who answers them all is not held for ever."""
    mail = Mail().quiet_month()
    for day in range(42):
        for number in range(2 * 2 ** (day // 7)):
            mail.later(4)
            mail.send(f"asks{day}.{number}@far.example", fingerprint=f"{day}.{number}", reply=True)
            mail.answers(accepted=1)
        mail.later(DAY - 4 * 2 * 2 ** (day // 7))
    assert mail.record().hold is None
    assert mail.record().most().new_day >= 60


def test_the_most_is_forgotten_after_six_weeks() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 86_400)
    mail.strangers(200, each=50)
    mail.later(DAY).send()
    assert mail.record().most().new_hour >= 190
    for _ in range(5):
        mail.later(7 * DAY).send()
        assert mail.record().most().new_hour >= 190
    for _ in range(3):
        mail.later(7 * DAY).send()
    assert mail.record().most().new_hour < 10


@pytest.mark.parametrize("pause", [0, 1, 13])
def test_what_is_usual_weighs_half_after_thirty_days(pause: int) -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 86_400)
    for _ in range(64):
        mail.send()
        mail.answers(accepted=1, unknown=1)
    mail.later(2 * DAY).send()
    begun = mail.record().own[Count.RESULTS]
    assert begun == pytest.approx(128, rel=0.05)
    half_life = HALF_LIFE / 60
    # However often one looks in between.
    for _ in range(pause):
        mail.later(half_life / (pause + 1)).send()
    mail.later(half_life / (pause + 1)).send()
    record = mail.record()
    assert record.own[Count.RESULTS] == pytest.approx(begun / 2, rel=0.05)
    assert record.own[Count.UNKNOWN] == pytest.approx(begun / 4, rel=0.05)


def test_recipients_are_forgotten_after_two_to_four_months() -> None:
    known = KnownRecipients(0.0)
    number = number_of("a@far.example")
    assert known.meet(number)
    known.turn(GENERATION_SECONDS)
    assert not known.meet(number)
    known.turn(2 * GENERATION_SECONDS)
    known.turn(3 * GENERATION_SECONDS)
    assert known.meet(number)
    known.turn(9 * GENERATION_SECONDS)
    assert known.meet(number)


@pytest.mark.parametrize(("others", "wrong_percent"), [(100, 0), (384, 0), (1000, 5), (3000, 20)])
def test_a_stranger_is_rarely_taken_for_an_acquaintance_and_no_acquaintance_for_one(
    others: int, wrong_percent: int
) -> None:
    known = KnownRecipients(0.0)
    for number in range(others):
        known.meet(number_of(f"r{number}@far.example"))
    assert not any(known.meet(number_of(f"r{number}@far.example")) for number in range(others))
    strangers = [number_of(f"s{number}@far.example") for number in range(200)]
    taken = sum(number in known.current for number in strangers)
    assert taken <= 2 * wrong_percent


# -- a clean history


def test_a_history_is_learned_from_whatever_it_was() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 20 * 86_400)
    for day in range(10):
        mail.strangers(400, each=400, network=f"AS{day % 2}")
        mail.answers(accepted=360, unknown=40)
        mail.later(2 * DAY)
    mail.send()
    record = mail.record()
    # A filter takes some strangers for acquaintances.
    assert record.most().new_hour >= 320
    assert record.own[Count.UNKNOWN] > 250
    assert mail.later(DAY).strangers(400, each=400, network="AS1")[0].action.value == "accept"


def test_learning_ends() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 3600)
    mail.later(HOUR)
    assert mail.strangers(400, each=400)[0].action.value == "hold"


def test_who_sends_once_a_month_is_learned_too() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 21 * 86_400)
    mail.send(*(f"reader{n}@far.example" for n in range(300)))
    mail.later(31 * DAY).send(FRIENDS[0])
    assert mail.record().most().new_hour >= 290
    assert mail.record().most().recipients_hour == 300


def test_learning_survives_a_restart() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 3600)
    mail.judge = Judge.restore(mail.judge.save())
    assert mail.strangers(400, each=400)[0].action.value == "accept"


def test_equal_records_are_equal_bytes() -> None:
    one, other = Mail().quiet_month(), Mail().quiet_month()
    assert encode_record(one.record()) == encode_record(other.record())
