"""Hold and probe: how held mail leaves, how a hold ends, and what never leaves without a person."""

import pytest
from tests.unit.detection.live.mail import DAY, FRIENDS, HOUR, ROSA, Mail, actions, young

from outwarden.detection.live import Policy, read_policy
from outwarden.detection.live.ledger import STREAM_NAMES
from outwarden.detection.live.policy import Quantity
from outwarden.events import AccountCause, Action, Standing

POLICY = Policy()
PROBING = POLICY.probing


def doubling(first: int, minutes: int) -> list[int]:
    return [first * 2**minute for minute in range(minutes)]


def held_by_quantity(count: int = 400) -> Mail:
    """One message to hidden recipients, from where Rosa always is."""
    mail = Mail().quiet_month()
    assert mail.strangers(count, each=count)[0].action is Action.HOLD
    return mail


def held_with_hard_evidence() -> Mail:
    """A new network and strangers: some hard evidence, no second proof."""
    mail = Mail().quiet_month()
    mail.strangers(1, network="AS64501")
    assert mail.strangers(99, each=99, network="AS64501")[0].action is Action.HOLD
    return mail


def probed(mail: Mail, waiting: int, minutes: int, unknown_of: int = 0, refused_of: int = 0) -> list[int]:
    """Release each minute what may go, and let the remotes answer before the next."""
    gone: list[int] = []
    for _ in range(minutes):
        count = mail.judge.release(ROSA, mail.now, waiting - sum(gone)).recipients
        gone.append(count)
        for number in range(count):
            unknown, refused = (
                bool(unknown_of) and number % unknown_of == 0,
                bool(refused_of) and number % refused_of == 0,
            )
            mail.answers(int(not unknown and not refused), int(unknown), int(refused and not unknown))
        mail.later(1)
    return gone


# -- steps and budgets


def test_each_minute_twice_as_many() -> None:
    mail = held_by_quantity()
    assert mail.released(400, 4) == doubling(2 * PROBING.first, 4)


def test_with_hard_evidence_the_first_step_is_small() -> None:
    mail = held_with_hard_evidence()
    assert mail.released(99, 3) == doubling(PROBING.first, 3)


def test_asked_more_often_than_once_a_minute_no_more_leaves() -> None:
    mail = held_by_quantity()
    first = mail.judge.release(ROSA, mail.now, 400).recipients
    assert first > 0
    for _ in range(9):
        mail.later(0.1)
        assert mail.judge.release(ROSA, mail.now, 400 - first).recipients == 0


def test_a_probe_that_no_whole_message_fits_into_is_none() -> None:
    mail, other = held_by_quantity(), held_by_quantity()
    first = 2 * PROBING.first
    for _ in range(5):
        assert mail.judge.release(ROSA, mail.now, 400, smallest=first + 1).recipients == 0
        mail.later(1)
        other.later(1)
    # Nothing was noted: what fits may leave at once, and as much as for who never asked.
    assert mail.judge.release(ROSA, mail.now, 400, smallest=first).recipients == first
    assert other.judge.release(ROSA, other.now, 400).recipients == first
    assert mail.judge.save() == other.judge.save()


def test_without_answers_no_more_than_the_budget_leaves_that_day() -> None:
    mail = held_by_quantity(2000)
    assert sum(mail.released(2000, 60)) == PROBING.trust_floor
    assert sum(mail.later(5 * HOUR).released(2000 - PROBING.trust_floor, 60)) == 0


def test_the_budget_is_that_of_the_day_and_not_of_the_hold() -> None:
    mail = held_by_quantity(2000)
    sum(mail.released(2000, 60))
    record = mail.record()
    record.hold, record.standing = None, Standing.NORMAL
    assert mail.strangers(400, each=400)[0].action is Action.HOLD
    # A first step, to hear answers at all.
    assert sum(mail.released(400, 60)) <= 2 * PROBING.first


def test_the_budget_grows_with_the_record() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 86_400)
    mail.strangers(300, each=30)
    mail.later(DAY)
    mail.send()
    assert mail.strangers(2000, each=2000)[0].action is Action.HOLD
    record = mail.record().most().new_day
    assert record > 250
    assert sum(mail.released(2000, 60)) == int(PROBING.trust_times_record * record)


def test_a_probe_is_never_more_than_waits() -> None:
    mail = held_by_quantity(70)
    assert mail.released(3, 1) == [3]
    assert mail.judge.release(ROSA, mail.now, 0).recipients == 0
    assert mail.judge.release(ROSA, mail.now, -1).recipients == 0


def test_who_is_not_held_keeps_nothing_back() -> None:
    mail = Mail().quiet_month()
    assert mail.released(7, 1) == [7]
    assert mail.judge.release("nobody@isp.example", mail.now, 9).recipients == 9


# -- answers


def test_bad_answers_stop_the_probes() -> None:
    mail = held_by_quantity()
    assert probed(mail, 400, 8, unknown_of=4)[2:] == [0] * 6


def test_a_few_unknown_of_many_do_not() -> None:
    mail = held_by_quantity()
    assert 0 not in probed(mail, 400, 5, unknown_of=20)[:4]


@pytest.mark.parametrize("count", [200, 400, 899])
def test_a_big_bcc_never_goes_out_whole_on_a_few_good_probes(count: int) -> None:
    mail = held_by_quantity(count)
    gone: list[int] = []
    while sum(gone) < count:
        waiting = count - sum(gone)
        left = mail.judge.release(ROSA, mail.now, waiting).recipients
        # At most once more than all that was ever answered for, or the next step.
        assert left <= max(sum(gone), doubling(2 * PROBING.first, len(gone) + 1)[-1])
        gone.append(left)
        mail.answers(accepted=left)
        mail.later(1)
    assert len(gone) >= 4


def test_blind_probes_for_a_second_proof() -> None:
    mail = Mail().quiet_month()
    mail.strangers(12, network="AS64501", country="BR")
    assert mail.judge.standing(ROSA) is Standing.HELD
    assert mail.strangers(200, each=200, network="AS64501", country="BR")[0].points >= PROBING.below
    assert sum(mail.released(200, 60)) == PROBING.blind


def test_no_blind_probes_where_little_waits() -> None:
    mail = Mail().quiet_month()
    mail.strangers(20, network="AS64501", country="BR")
    assert sum(mail.released(POLICY.quantity.floor - 1, 30)) == 0


def test_good_answers_to_blind_probes_release_nothing_more() -> None:
    mail = Mail().quiet_month()
    mail.strangers(12, network="AS64501", country="BR", client_listed=True)
    mail.strangers(200, each=200, network="AS64501", country="BR")
    assert sum(probed(mail, 200, 60)) <= PROBING.blind


def test_probes_that_prove_it_block() -> None:
    mail = Mail().quiet_month()
    mail.strangers(12, network="AS64501", country="BR")
    mail.strangers(200, each=200, network="AS64501", country="BR")
    mail.released(200, 3)
    decisions = [mail.answers(unknown=1), mail.answers(unknown=3), mail.answers(refused=2)]
    blocked = [one for one in decisions if one is not None]
    assert actions(blocked) == [Action.BLOCK]
    assert mail.judge.standing(ROSA) is Standing.BLOCKED
    assert mail.judge.release(ROSA, mail.now, 100) == (0, None)


# -- how a hold ends


def test_a_hold_that_came_to_nothing_ends_and_is_not_repeated_for_half_a_day() -> None:
    mail = held_by_quantity(80)
    probed(mail, 80, 8)
    assert mail.judge.standing(ROSA) is Standing.NORMAL
    assert mail.record().cleared_until > mail.now
    # As many again have the points of a hold, and leave.
    decision = mail.strangers(40, fingerprint="offer")[-1]
    assert decision.points >= POLICY.thresholds.hold
    assert decision.action is Action.ACCEPT
    # Hard evidence holds all the same.
    assert mail.strangers(2, network="AS64501")[-1].action is Action.HOLD


def test_the_last_of_it_ends_a_hold_by_quantity_alone() -> None:
    mail = Mail(Policy(quantity=Quantity(floor=10))).quiet_month()
    decisions = mail.strangers(12)
    assert actions(decisions) == [Action.ACCEPT] * 10 + [Action.HOLD] * 2
    assert decisions[-1].points < POLICY.thresholds.hold
    assert mail.released(2, 1) == [2]
    assert mail.judge.standing(ROSA) is Standing.NORMAL


def test_a_hold_of_a_day_is_a_persons_business() -> None:
    mail = held_by_quantity()
    mail.released(400, 2)
    for _ in range(5):
        assert mail.later(DAY).judge.release(ROSA, mail.now, 300).recipients == 0
    assert mail.judge.standing(ROSA) is Standing.HELD


def test_a_person_lets_it_go_and_it_is_usual_from_then_on() -> None:
    mail = held_by_quantity()
    mail.judge.passed(ROSA, mail.now)
    assert mail.judge.standing(ROSA) is Standing.NORMAL
    assert mail.judge.release(ROSA, mail.now, 400).recipients == 400
    for _ in range(3):
        assert mail.later(3 * DAY).strangers(400, each=400)[0].action is Action.ACCEPT


def test_the_network_that_a_person_passed_is_known() -> None:
    mail = held_with_hard_evidence()
    mail.judge.passed(ROSA, mail.now)
    assert mail.later(1).send(network="AS64501").action is Action.ACCEPT
    assert mail.points("network") == 0.0


def test_passing_does_not_give_a_blocked_account_back() -> None:
    mail = Mail().quiet_month()
    stolen(mail)
    mail.judge.passed(ROSA, mail.now)
    assert mail.judge.standing(ROSA) is Standing.BLOCKED


# -- what goes on meanwhile


def test_ordinary_mail_goes_on_during_a_hold() -> None:
    mail = held_by_quantity()
    for number in range(20):
        assert mail.later(5).send(*FRIENDS[number % 3 : number % 3 + 2]).action is Action.ACCEPT
    assert mail.send(FRIENDS[0], network="AS64501").action is Action.HOLD
    assert mail.send(FRIENDS[0], links=(young("y.example"),)).action is Action.HOLD
    assert mail.send("new@far.example").action is Action.HOLD


def test_every_message_of_a_hold_says_since_when_and_why() -> None:
    mail = Mail(Policy(quantity=Quantity(floor=10))).quiet_month()
    mail.strangers(12)
    mail.later(3 * DAY)
    decision = mail.send("new@far.example")
    assert decision.action is Action.HOLD
    (hold,) = [finding for finding in decision.findings if finding.rule == "hold"]
    assert hold.points == 0.0
    assert hold.text.startswith("held since 2026-03-30 08:01 UTC: 11 new of 11 recipients in an hour")


def test_quantity_holds_whatever_the_points() -> None:
    mail = Mail(Policy(quantity=Quantity(floor=10)))
    mail.judge.learn_until(mail.now + 86_400)
    mail.strangers(300, each=30)
    mail.later(2 * DAY)
    mail.send()
    new_hour = mail.record().most().new_hour
    assert mail.strangers(3 * new_hour + 1, each=3 * new_hour + 1)[0].action is Action.HOLD


# -- giving back, and offending again


def stolen(mail: Mail) -> int:
    """Send spam from bots until the account is blocked; return how many messages that took."""
    for number in range(40):
        seen = {"network": f"AS{65000 + number}", "country": "BR", "client_listed": True, "filter_verdict": True}
        mail.strangers(5, each=5, fingerprint=f"v{number}", **seen)
        if mail.judge.standing(ROSA) is Standing.BLOCKED:
            return number + 1
    raise AssertionError("never blocked")


def earlier_by(mail: Mail) -> float:
    """How many points earlier than others Rosa is held."""
    bounds = mail.bounds()
    return round(POLICY.thresholds.hold - bounds.hold, 6)


def test_a_refusal_says_what_led_to_the_block_also_a_week_later() -> None:
    mail = Mail().quiet_month()
    stolen(mail)
    first = mail.send()
    late = mail.later(7 * DAY).send()
    assert (first.action, late.action) == (Action.BLOCK, Action.BLOCK)
    assert late.findings == first.findings
    assert late.points >= POLICY.thresholds.block
    assert late.at == mail.at
    assert late.cause is AccountCause.STOLEN_PASSWORD


def test_probation_holds_earlier_and_grows_back() -> None:
    mail = Mail().quiet_month()
    stolen(mail)
    mail.judge.unblocked(ROSA, mail.now)
    assert mail.judge.standing(ROSA) is Standing.PROBATION
    repeat = POLICY.repeats.points
    assert earlier_by(mail) == POLICY.probation.points + repeat
    assert mail.bounds().share == POLICY.probation.share
    days = POLICY.probation.days
    mail.later(days / 2 * DAY)
    assert earlier_by(mail) == POLICY.probation.points / 2 + repeat
    assert mail.bounds().share == pytest.approx((1 + POLICY.probation.share) / 2)
    mail.later(days / 2 * DAY)
    assert earlier_by(mail) == repeat
    assert mail.bounds().share == 1.0
    assert mail.judge.standing(ROSA) is Standing.NORMAL


def test_a_hold_does_not_end_probation() -> None:
    mail = Mail().quiet_month()
    mail.judge.unblocked(ROSA, mail.now)
    many = int(POLICY.quantity.floor * POLICY.probation.share) + 2
    assert mail.strangers(many)[-1].action is Action.HOLD
    assert mail.bounds().share < 1.0
    mail.answers(accepted=PROBING.clean_answers)
    assert mail.released(2, 1) == [2]
    assert mail.judge.standing(ROSA) is Standing.PROBATION
    assert mail.bounds().share < 1.0


def test_no_probation_where_the_policy_has_none() -> None:
    mail = Mail(read_policy("[probation]\ndays = 0")).quiet_month()
    mail.judge.unblocked(ROSA, mail.now)
    mail.send()
    assert mail.judge.standing(ROSA) is Standing.NORMAL
    assert earlier_by(mail) == 0.0


def test_a_repeat_offender_is_blocked_earlier_each_time_up_to_a_limit() -> None:
    mail = Mail().quiet_month()
    for offence in range(1, 7):
        stolen(mail)
        mail.judge.unblocked(ROSA, mail.now)
        mail.later(30 * DAY).send()
        expected = min(POLICY.repeats.most, offence * POLICY.repeats.points)
        assert earlier_by(mail) == expected
        assert mail.bounds().block == POLICY.thresholds.block - expected
    assert len(mail.record().offences) == 6
    mail.later(POLICY.repeats.days * DAY)
    assert earlier_by(mail) == 0.0


def test_a_wrong_block_is_no_offence() -> None:
    mail = Mail().quiet_month()
    stolen(mail)
    mail.judge.unblocked(ROSA, mail.now, wrongly_blocked=True)
    assert mail.record().offences == []
    assert earlier_by(mail) == POLICY.probation.points
    mail.later(POLICY.probation.days * DAY).send()
    assert earlier_by(mail) == 0.0


def test_what_was_wrongly_blocked_is_usual_and_what_was_a_theft_is_not() -> None:
    usual, theft = Mail().quiet_month(), Mail().quiet_month()
    for mail, wrongly in ((usual, True), (theft, False)):
        stolen(mail)
        mail.judge.unblocked(ROSA, mail.now, wrongly_blocked=wrongly)
        mail.later(1)
    assert usual.send(network="AS65000").action is Action.ACCEPT
    assert usual.points("network") == 0.0
    theft.send(network="AS65000")
    assert theft.points("network") > 2.0
    assert theft.record().most().new_hour < usual.record().most().new_hour
    assert theft.send().action is Action.ACCEPT


def test_the_same_theft_again_is_blocked_no_later() -> None:
    mail = Mail().quiet_month()
    first = stolen(mail)
    mail.judge.unblocked(ROSA, mail.now)
    assert stolen(mail.later(HOUR)) <= first


# -- declared bulk senders

BULK = read_policy(
    f"""
    [bulk."{ROSA}"]
    networks = ["AS64500"]
    link_domains = ["shop.example"]
    """
)


def subscribers(mail: Mail) -> list[str]:
    return [f"reader{n}@far.example" for n in range(300)]


def test_quantity_says_nothing_of_a_declared_bulk_sender() -> None:
    mail = Mail(BULK).quiet_month()
    assert actions(mail.strangers(3000, each=300)) == [Action.ACCEPT] * 10


@pytest.mark.parametrize(
    ("name", "seen", "expected"),
    [
        ("as declared", {"links": (young("shop.example"),)}, Action.ACCEPT),
        ("another network", {"network": "AS64999"}, Action.HOLD),
        ("another domain", {"links": (young("phish.example"),)}, Action.HOLD),
        ("no network seen", {"network": None, "client_address": None}, Action.ACCEPT),
    ],
)
@pytest.mark.parametrize("to", ["readers", "strangers", "friends"])
def test_another_network_or_link_of_a_declared_bulk_sender_is_held(
    name: str, seen: dict[str, object], expected: Action, to: str
) -> None:
    mail = Mail(BULK).quiet_month()
    mail.send(*subscribers(mail), links=(young("shop.example"),))
    mail.later(2 * DAY)
    who = {"readers": subscribers(mail), "strangers": ["new@far.example"], "friends": [FRIENDS[0]]}[to]
    decision = mail.send(*who, **seen)
    assert decision.action is expected
    if expected is Action.HOLD:
        assert "not declared" in " ".join(finding.text for finding in decision.findings)


BY_CIDR = read_policy(f'[bulk."{ROSA}"]\nnetworks = ["192.0.2.0/25", "2001:db8::/32"]')
BY_BOTH = read_policy(f'[bulk."{ROSA}"]\nnetworks = ["192.0.2.0/25", "AS64501"]')
ACCEPT, HOLD = Action.ACCEPT, Action.HOLD


@pytest.mark.parametrize(
    ("policy", "client", "network", "expected"),
    [
        (BY_CIDR, "192.0.2.127", None, ACCEPT),
        (BY_CIDR, "192.0.2.127", "AS64999", ACCEPT),
        (BY_CIDR, "::ffff:192.0.2.127", None, ACCEPT),
        (BY_CIDR, "2001:db8:7::1", None, ACCEPT),
        (BY_CIDR, "192.0.2.128", None, HOLD),
        (BY_CIDR, "2001:db9::1", None, HOLD),
        (BY_CIDR, "192.0.2.128", "AS64501", HOLD),
        (BY_CIDR, "unknown", None, ACCEPT),
        (BY_BOTH, "192.0.2.1", None, ACCEPT),
        (BY_BOTH, "198.51.100.1", "AS64501", ACCEPT),
        (BY_BOTH, "198.51.100.1", "AS64502", HOLD),
        # It may be in the AS that was declared.
        (BY_BOTH, "198.51.100.1", None, ACCEPT),
        (BULK, "198.51.100.1", None, ACCEPT),
    ],
)
def test_a_client_in_none_of_the_declared_networks(
    policy: Policy, client: str, network: str | None, expected: Action
) -> None:
    mail = Mail(policy).quiet_month()
    assert mail.send(FRIENDS[0], client_address=client, network=network).action is expected


def test_a_network_that_was_not_declared_does_not_become_so_by_use() -> None:
    mail = Mail(BULK).quiet_month()
    for _ in range(5):
        assert mail.later(DAY).send(network="AS64999").action is Action.HOLD


def test_proofs_block_a_declared_bulk_sender_too() -> None:
    mail = Mail(BULK).quiet_month()
    mail.send(*subscribers(mail))
    decisions = [mail.answers(accepted=1, unknown=1, refused=1) for _ in range(20)]
    decisions += [mail.complaint() for _ in range(3)]
    assert any(decision is not None and decision.action is Action.BLOCK for decision in decisions)


def test_an_undeclared_bulk_sender_from_a_new_network_is_held() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 86_400)
    for number in range(6):
        mail.send(*(f"reader{number}.{n}@far.example" for n in range(100)))
    mail.later(2 * DAY)
    decision = mail.send("new@far.example", network="AS64999")
    assert decision.action is Action.HOLD
    assert decision.points < POLICY.thresholds.hold


# -- the rest of the policy


def test_where_the_server_cannot_hold_mail_is_deferred_however_often_it_is_tried() -> None:
    mail = Mail(read_policy('hold_as = "defer"')).quiet_month()
    many = [f"s{n}@far.example" for n in range(200)]
    for _ in range(8):
        assert mail.send(*many).action is Action.DEFER
        mail.later(15)


def test_a_stream_that_is_switched_off_weighs_nothing() -> None:
    history = {"network": "AS64501", "country": "BR", "client_listed": True}
    on, off = Mail().quiet_month(), Mail(read_policy('[streams]\noff = ["network", "strangers"]')).quiet_month()
    assert on.strangers(3, **history)[-1].action is Action.HOLD
    decisions = off.strangers(3, **history)
    assert actions(decisions) == [Action.ACCEPT] * 3
    assert decisions[-1].points == 0.0


def test_all_streams_off_only_quantity_holds() -> None:
    mail = Mail(read_policy(f"[streams]\noff = {list(STREAM_NAMES)}")).quiet_month()
    decisions = mail.strangers(70, filter_verdict=True)
    assert actions(decisions) == [Action.ACCEPT] * 60 + [Action.HOLD] * 10
    assert {finding.rule for finding in decisions[-1].findings} == {"hold"}


def test_while_learning_everything_is_accepted() -> None:
    mail = Mail()
    mail.judge.learn_until(mail.now + 3600)
    assert set(actions(mail.strangers(500, each=50, network="AS1", filter_verdict=True))) == {Action.ACCEPT}
    mail.later(HOUR)
    assert Action.ACCEPT not in actions(mail.strangers(500, each=50, network="AS2", filter_verdict=True))


def test_answers_to_ordinary_mail_do_not_stand_for_probes() -> None:
    mail = held_by_quantity(200)
    for number in range(300):
        mail.send(FRIENDS[number % 3])
        mail.answers(accepted=1)
    assert mail.released(200, 3) == doubling(2 * PROBING.first, 3)


def test_the_recipients_of_a_thief_are_no_acquaintances_after_it_was_given_back() -> None:
    mail = Mail().quiet_month()
    many = [f"s{n}@far.example" for n in range(300)]
    assert mail.send(*many).action is Action.HOLD
    stolen(mail)
    mail.judge.unblocked(ROSA, mail.later(HOUR).now)
    assert mail.send(*many).action is Action.HOLD
    assert mail.send(FRIENDS[0]).action is Action.ACCEPT
