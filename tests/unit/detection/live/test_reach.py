"""What a thief can do to others, and to our memory, who controls recipients, texts, links and timing of his mail."""

import random

import msgspec
import pytest
from tests.unit.detection.live.mail import DAY, FRIENDS, NEVER_STOPS, ROSA, STREAMS, Mail, actions, listed, young

from outwarden.detection.live import Judge, site
from outwarden.detection.live.counts import Count
from outwarden.detection.live.encoding import encode_record
from outwarden.detection.live.site import MOST_USERS, Site
from outwarden.events import Action, Decision, Link, LinkKind, Standing

THIEVES = tuple(f"thief{n}@isp.example" for n in range(3))
OTTO = "otto@isp.example"
STORAGE = Link(LinkKind.STORAGE, "https://files.example/rosa")


def spam(
    mail: Mail, thief: str, links: tuple[Link, ...] = (), text: str = "spam", client: str = "203.0.113.9"
) -> Decision:
    """Everything that makes an account guilty, from a network that it shares with others if it likes."""
    who = [f"{thief}{mail.minutes}.{n}@far.example" for n in range(5)]
    seen = {
        "network": f"AS{len(thief)}{mail.minutes:.0f}",
        "country": "BR",
        "client_listed": True,
        "client_address": client,
    }
    return mail.send(
        *who, account=thief, links=links, fingerprint=text, filter_verdict=True, foreign_from=True, reply=True, **seen
    )


def town() -> Mail:
    """Rosa and the accounts that will be stolen, each with four quiet weeks behind it."""
    mail = Mail()
    mail.judge.learn_until(mail.now + 28 * 86_400)
    for day in range(28):
        for account in (ROSA, OTTO, *THIEVES):
            mail.send(*FRIENDS[day % 3 : day % 3 + 2], account=account)
            mail.answers(accepted=2, account=account)
        mail.later(DAY)
    return mail


def rosas_morning(mail: Mail, links: tuple[Link, ...] = (), text: str = "hello") -> dict[str, float]:
    """Rosa writes to friends and to somebody new, as she does."""
    for number in range(3):
        mail.send(FRIENDS[number], links=links, fingerprint=f"{text}{number}")
        mail.later(3)
    mail.send("new@far.example", links=links, fingerprint=text)
    mail.answers(accepted=4)
    return mail.ledger()


def stolen(mail: Mail, links: tuple[Link, ...] = (), text: str = "spam") -> None:
    """All three are stolen, do their worst for two hours, and those that are not blocked by then go on."""
    for minute in range(40):
        for thief in THIEVES:
            spam(mail, thief, links, text)
            mail.answers(accepted=1, unknown=2, refused=2, account=thief)
            mail.complaint(account=thief)
        mail.later(3 if minute % 2 else 0)


@pytest.mark.parametrize("stream", sorted(set(STREAMS) - {"campaign"}))
def test_a_stream_gives_rosa_nothing_for_what_others_do(stream: str) -> None:
    quiet, noisy = town(), town()
    stolen(noisy)
    quiet.minutes = noisy.minutes
    assert rosas_morning(noisy)[stream] == rosas_morning(quiet)[stream]


def test_nothing_shared_no_campaign() -> None:
    mail = town()
    stolen(mail)
    assert rosas_morning(mail)["campaign"] == 0.0


# -- campaign, the one stream that looks at others


def test_what_is_shared_with_two_thieves_weighs_three() -> None:
    mail = town()
    for thief in THIEVES[:2]:
        # Suspicious, and not yet blocked.
        mail.send(f"{thief}@far.example", account=thief, links=(STORAGE,), fingerprint=thief, network="AS1")
        mail.send(
            f"{thief}@far.example", account=thief, links=(STORAGE,), fingerprint=thief, network="AS2", country="BR"
        )
        assert mail.judge.standing(thief) is not Standing.BLOCKED
    mail.send(links=(STORAGE,))
    assert mail.points("campaign") == 3.0
    assert mail.words("campaign") == "link shared with 2 other suspicious accounts"
    assert mail.later(DAY).points("campaign") == 0.0


def test_one_suspicious_account_is_no_campaign() -> None:
    mail = town()
    mail.send(account=THIEVES[0], links=(STORAGE,), network="AS1")
    mail.send("far@far.example", account=THIEVES[0], links=(STORAGE,), network="AS2", country="BR")
    mail.send(links=(STORAGE,))
    assert mail.points("campaign") == 0.0


def test_everything_shared_with_thieves_never_weighs_more_than_the_cap_and_blocks_nobody() -> None:
    mail = town()
    for number in range(3):
        # The thieves copy what Rosa sends: her link, her text, from an address behind which she sits too.
        for thief in THIEVES:
            spam(mail, thief, (STORAGE,), "hello")
            spam(mail, thief, (STORAGE,), f"hello{number}")
    assert {mail.judge.standing(thief) for thief in THIEVES} == {Standing.BLOCKED}
    ledger = rosas_morning(mail, (STORAGE,))
    assert ledger["campaign"] == 5.0
    assert mail.judge.standing(ROSA) in (Standing.NORMAL, Standing.HELD)
    rest = {name: points for name, points in ledger.items() if name != "campaign"}
    alone = town()
    alone.minutes = mail.minutes - 9
    assert rest == {name: points for name, points in rosas_morning(alone, (STORAGE,)).items() if name != "campaign"}


@pytest.mark.parametrize(("users", "guilty"), [(1, True), (2, True), (3, False), (9, False), (30, False)])
def test_a_circular_is_no_campaign_because_a_thief_passes_it_on(users: int, guilty: bool) -> None:
    mail = town()
    for number in range(users - 1):
        mail.send(account=f"colleague{number}@isp.example", links=(STORAGE,))
    for _ in range(4):
        spam(mail, THIEVES[0], (STORAGE,))
    assert mail.judge.standing(THIEVES[0]) is Standing.BLOCKED
    mail.send(links=(STORAGE,))
    assert (mail.points("campaign") > 0.0) is guilty


def test_beyond_sixteen_users_nobody_can_make_it_one() -> None:
    mail = town()
    for number in range(MOST_USERS + 1):
        mail.send(account=f"colleague{number}@isp.example", links=(STORAGE,))
    for thief in THIEVES:
        for _ in range(4):
            spam(mail, thief, (STORAGE,))
    mail.send(links=(STORAGE,))
    assert mail.points("campaign") == 0.0


def test_more_users_than_are_remembered_are_taken_for_innocent() -> None:
    shared = Site().links.use(1, "user0", 0.0)
    shared.users = [f"user{number}" for number in range(MOST_USERS)]
    for user in shared.users[:10]:
        shared.suspect(user)
    assert shared.suspicious_beside(ROSA) == 10
    shared.more_users = True
    assert shared.suspicious_beside(ROSA) == 0


def test_a_client_address_counts_only_in_a_network_that_is_new_to_the_account() -> None:
    mail = town()
    for thief in THIEVES:
        spam(mail, thief, client="192.0.2.1")
        spam(mail, thief, client="192.0.2.1")
    mail.send(client_address="192.0.2.1")
    assert mail.points("campaign") == 0.0
    mail.send(client_address="192.0.2.1", network="AS64501")
    assert mail.points("campaign") >= 3.0


def test_what_was_wrongly_blocked_makes_no_campaign() -> None:
    mail = town()
    for _ in range(4):
        spam(mail, THIEVES[0], (STORAGE,))
    mail.judge.unblocked(THIEVES[0], mail.now, wrongly_blocked=True)
    mail.send(links=(STORAGE,))
    assert mail.points("campaign") == 0.0


def test_a_thief_does_not_make_the_links_of_others_news_again() -> None:
    mail = town()
    shared = tuple(young(f"shop{n}.example") for n in range(12))
    mail.judge.learn_until(mail.now + 1)
    for number in range(4):
        mail.send(account=f"colleague{number}@isp.example", links=shared)
    mail.later(3 * DAY)
    for _ in range(4):
        spam(mail, THIEVES[0], shared)
    assert mail.judge.standing(THIEVES[0]) is Standing.BLOCKED
    mail.send(links=shared)
    assert (mail.points("many-links"), mail.points("campaign")) == (0.0, 0.0)
    assert mail.points("fresh-links") <= 0.0


# -- memory


def noise(chance: random.Random, mail: Mail, messages: int, accounts: int) -> None:
    """Messages with random everything, at random times, nothing of it twice."""
    for number in range(messages):
        kinds = list(LinkKind)
        links = tuple(Link(chance.choice(kinds), f"{number}.{n}", chance.choice((0, 9)), n % 2 > 0) for n in range(2))
        who = tuple(f"{number}.{n}@far.example" for n in range(chance.choice((0, 1, 1, 3))))
        mail.judge.submit(
            mail.message(
                who,
                account=f"a{number % accounts}@isp.example",
                links=links,
                fingerprint=f"t{number}",
                filter_verdict=chance.choice((None, True, False)),
                reply=chance.random() < 0.5,
                foreign_from=chance.random() < 0.5,
                network=f"AS{chance.randrange(2**32)}",
                country=chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") * 2,
                client_address=f"{chance.randrange(2**32):x}",
                client_listed=chance.random() < 0.5,
            )
        )
        mail.later(chance.choice((0.01, 0.1, 1, 60)))


def test_records_and_the_site_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MOST_SHARED", 1000)
    mail = Mail(NEVER_STOPS)
    noise(random.Random(1), mail, 30_000, 10)
    records = [len(saved) for _, saved in mail.judge.records.all()]
    assert max(records) < 8000
    of_all = mail.judge._site
    assert all(len(kind.shared) <= 1000 for kind in (of_all.links, of_all.texts, of_all.clients))


def test_a_judge_that_may_stop_somebody_remembers_no_more_of_him() -> None:
    mail = Mail()
    noise(random.Random(2), mail, 4000, 4)
    sizes = [len(saved) for _, saved in mail.judge.records.all()]
    assert max(sizes) < 8000
    held = Mail()
    held.strangers(30_000, each=5000)
    assert held.record().hold is not None
    assert len(encode_record(held.record())) < 8000


def test_a_usual_record_is_small() -> None:
    mail = Mail()
    chance = random.Random(3)
    for number in range(2000):
        mail.send(f"f{chance.randrange(300)}@home.example", fingerprint=f"t{number}", network=f"AS{number % 3}")
        mail.answers(accepted=1)
        mail.later(chance.expovariate(1 / 60))
    assert len(encode_record(mail.record())) < 4000


def test_a_record_that_is_full_stays_under_eight_kilobytes() -> None:
    mail = Mail(NEVER_STOPS)
    noise(random.Random(4), mail, 3000, 1)
    mail.strangers(5000, each=50)
    mail.later(61 * DAY).strangers(5000, each=50)
    mail.judge.policy = Judge().policy
    record = mail.record("a0@isp.example")
    record.recipients = mail.record().recipients
    record.offences = [mail.now] * 8
    assert len(encode_record(record)) < 8000


def test_no_message_counts_for_more_than_it_may() -> None:
    mail = Mail()
    mail.judge.submit(msgspec.structs.replace(mail.message(["a@far.example"]), recipients=2**63))
    assert mail.record().day.sums[Count.RECIPIENTS] == 2**31
    mail.judge.submit(msgspec.structs.replace(mail.message(["a@far.example"]), recipients=-(2**63)))
    assert mail.record().day.sums[Count.RECIPIENTS] == 2**31 + 1


def test_the_same_recipient_many_times_is_still_a_stranger() -> None:
    mail = Mail()
    mail.send(*["new@far.example"] * 9)
    assert mail.record().hour.sums[Count.TO_STRANGERS] == 1


def test_strangers_are_not_hidden_among_acquaintances() -> None:
    mail = town()
    friends = [f"colleague{n}@isp.example" for n in range(100)]
    mail.send(*friends)
    mail.later(3 * DAY)
    mail.judge.passed(ROSA, mail.now)
    sent = [mail.send(*friends, *(f"s{turn}.{n}@far.example" for n in range(99))) for turn in range(10)]
    assert actions(sent)[1:] == [Action.HOLD] * 9


def test_what_is_held_does_not_leave_because_it_is_sent_again() -> None:
    mail = town()
    many = [f"s{n}@far.example" for n in range(200)]
    for _ in range(2):
        assert mail.send(*many).action is Action.HOLD
        mail.later(5)
    # One by one, among friends, and an hour later.
    assert mail.send(many[7]).action is Action.HOLD
    assert mail.later(90).send(many[9], FRIENDS[0]).action is Action.HOLD
    assert mail.send(FRIENDS[0]).action is Action.ACCEPT


def test_listed_links_of_a_thief_are_his_own() -> None:
    mail = town()
    for thief in THIEVES:
        for _ in range(3):
            spam(mail, thief, (listed("bad.example"),))
    before = mail.ledger()["listed-links"]
    mail.send(FRIENDS[0])
    assert mail.ledger()["listed-links"] == before == 0.0


# -- what remotes refuse of everybody's mail


def test_a_listed_address_of_our_own_is_nobodys_fault() -> None:
    mail = town()
    for number in range(60):
        mail.send(account=f"colleague{number}@isp.example")
        mail.answers(accepted=1, refused=1, account=f"colleague{number}@isp.example")
    alone = town()
    for one in (mail, alone):
        one.strangers(6)
        one.answers(accepted=3, refused=3)
    assert mail.judged("refused") < 1.0 < alone.judged("refused")


@pytest.mark.parametrize("thieves", [1, 3])
def test_thieves_do_not_make_refusals_usual(thieves: int) -> None:
    mail, alone = town(), town()
    for _ in range(200):
        for thief in THIEVES[:thieves]:
            mail.answers(refused=5, account=thief)
    for one in (mail, alone):
        one.strangers(6)
        one.answers(accepted=3, refused=3)
    assert mail.judged("refused") > 0.6 * alone.judged("refused")


def test_late_answers_in_turn_with_others_count_no_oftener() -> None:
    mail, punctual = town(), town()
    for one in (mail, punctual):
        one.send()
        for turn in range(100):
            back = 35 * 60 * (turn % 2) if one is mail else 0
            one.judge.answered(ROSA, one.now - back, 0, 0, 1)
    assert mail.others_refused <= punctual.others_refused
