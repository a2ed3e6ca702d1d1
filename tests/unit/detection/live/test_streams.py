"""Each stream as a table: what happened to Rosa, the points, and the words."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detection.live.mail import DAY, FRIENDS, HOUR, NEVER_STOPS, ROSA, STREAMS, Mail, listed, young

from outwarden.detection.live.counts import WIDTH, Count
from outwarden.detection.live.ledger import LOWEST
from outwarden.detection.live.record import NetworkUse, SharedWithOthers, TextUse, new_record
from outwarden.detection.live.scene import scene_of
from outwarden.detection.live.weights import Campaign, shipped_weights
from outwarden.events import AccountKind, Link, LinkKind

History = Callable[[Mail], object]
MONTH = Mail(NEVER_STOPS).quiet_month()
MONTH_SAVED = MONTH.judge.save()


def after_a_quiet_month(history: History) -> Mail:
    mail = Mail(NEVER_STOPS)
    mail.judge = type(mail.judge).restore(MONTH_SAVED, NEVER_STOPS)
    mail.minutes = MONTH.minutes
    history(mail)
    return mail


def to_friends(count: int, each_day: bool = False, **seen: object) -> History:
    def history(mail: Mail) -> None:
        for number in range(count):
            own = {name: value(number) if callable(value) else value for name, value in seen.items()}
            mail.send(FRIENDS[number % 2], **own)
            mail.later(DAY if each_day else 0.1)

    return history


def heard(new: int = 0, accepted: int = 0, unknown: int = 0, refused: int = 0) -> History:
    def history(mail: Mail) -> None:
        mail.strangers(new, each=max(1, new))
        mail.answers(accepted, unknown, refused)

    return history


def then(*histories: History) -> History:
    def history(mail: Mail) -> None:
        for one in histories:
            one(mail)

    return history


def wait(minutes: float) -> History:
    return lambda mail: mail.later(minutes)


def complaints(count: int) -> History:
    return lambda mail: [mail.complaint() for _ in range(count)]


def newsletter(count: int) -> History:
    """Write to so many on three days in a row, learned from as clean."""

    def history(mail: Mail) -> None:
        mail.judge.learn_until(mail.now + 3 * 86_400)
        for _ in range(3):
            mail.strangers(count, each=count, fingerprint="april")
            mail.later(DAY)

    return history


def traveller(mail: Mail) -> None:
    """Ten networks within forty days, learned from as clean."""
    mail.judge.learn_until(mail.now + 40 * 86_400)
    for number in range(10):
        mail.send(network=f"AS{number}")
        mail.later(4 * DAY)


def forwarder(mail: Mail) -> None:
    """A week of inbound mail passed on, a little of it spam, learned from."""
    mail.judge.learn_until(mail.now + 8 * 86_400)
    for number in range(70):
        bad = number % 7 == 0
        mail.send(foreign_from=True, filter_verdict=bad, fingerprint=f"w{number}", links=(listed("l"),) if bad else ())
        mail.answers(accepted=0 if bad else 1, refused=1 if bad else 0)
        mail.later(DAY / 10)
    mail.later(DAY)


TABLE: list[tuple[str, str, History, float, float, str]] = [
    # -- volume
    ("volume", "nothing", wait(0), 0, 0, ""),
    ("volume", "six, as anybody may", lambda m: m.strangers(6), 0, 0, ""),
    ("volume", "twelve in an hour", lambda m: m.strangers(12), 1, 1, "12 new recipients in an hour (own record 2)"),
    ("volume", "462 in an hour", lambda m: m.strangers(462), 4, 4, "462 new recipients in an hour (own record 2)"),
    ("volume", "a BCC of 462", lambda m: m.strangers(462, each=462), 4, 4, "462 new recipients"),
    ("volume", "a slow day", lambda m: m.strangers(48, gap=15), 2, 2, "48 new recipients in a day (own record 2)"),
    ("volume", "friends only", to_friends(120), 2, 2, "120 recipients in an hour (own record 2)"),
    ("volume", "as ever", then(newsletter(48), lambda m: m.strangers(48)), 0, 0, ""),
    ("volume", "twice as ever", then(newsletter(48), lambda m: m.strangers(96)), 1, 1, "(own record 48)"),
    ("volume", "an hour later", then(lambda m: m.strangers(24, each=24), wait(61)), 1, 1, "in a day"),
    ("volume", "a day later", then(lambda m: m.strangers(462), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- strangers
    ("strangers", "friends only", to_friends(4), -1.5, -0.5, "0 of 4 messages in an hour to strangers"),
    ("strangers", "one message", lambda m: m.strangers(1), 1, 2.1, "1 of 1 messages in an hour to strangers"),
    ("strangers", "message after message", lambda m: m.strangers(30), 3.5, 3.5, "30 of 30 messages in an hour"),
    ("strangers", "half of them", then(to_friends(9), lambda m: m.strangers(9)), 0, 1.5, "9 of 18 messages"),
    ("strangers", "friends, from elsewhere", to_friends(9, network="AS1"), 0, 0, ""),
    (
        "strangers",
        "hours ago, from elsewhere",
        then(lambda m: m.strangers(9, network="AS1"), wait(5 * HOUR)),
        3,
        3.5,
        "9 of 9 messages from new networks to strangers",
    ),
    ("strangers", "an hour later", then(lambda m: m.strangers(30), wait(75)), -1.5, 0, ""),
    (
        "strangers",
        "a day later, from elsewhere",
        then(lambda m: m.strangers(30, network="AS1"), wait(DAY + 1)),
        -1.5,
        0,
        "",
    ),
    # -- unknown recipients
    ("unknown-recipients", "no answer yet", lambda m: m.strangers(9), 0, 0, ""),
    ("unknown-recipients", "54 taken", heard(54, 54), -2, -0.5, "0 of 54 recipients unknown"),
    ("unknown-recipients", "friends exist", heard(0, 54), 0, 0, ""),
    ("unknown-recipients", "one of four must not weigh much", heard(4, 3, 1), 0.3, 0.9, "1 of 4 recipients unknown"),
    ("unknown-recipients", "two of two", heard(2, 0, 2), 1, 1.4, "2 of 2 recipients unknown (own rate 0.0 %)"),
    ("unknown-recipients", "4 of 54", heard(54, 50, 4), 0.3, 3.0, "4 of 54 recipients unknown"),
    ("unknown-recipients", "16 of 100", heard(100, 84, 16), 4, 5, "16 of 100 recipients unknown"),
    ("unknown-recipients", "all of 10,000", heard(10_000, 0, 10_000), 5, 5, "10000 of"),
    ("unknown-recipients", "a day later", then(heard(9, 0, 9), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- refused
    ("refused", "no answer yet", lambda m: m.strangers(9), 0, 0, ""),
    ("refused", "54 taken", heard(54, 54), -1, -0.2, "0 of 54 refused as spam or blocklisted"),
    ("refused", "one of ten", heard(10, 9, 0, 1), 0.3, 1.0, "1 of 10 refused as spam or blocklisted"),
    ("refused", "two of two", heard(2, 0, 0, 2), 1.0, 1.4, ""),
    ("refused", "14 of 100", heard(100, 86, 0, 14), 3, 3, "14 of 100 refused"),
    ("refused", "all of 10,000", heard(10_000, 0, 0, 10_000), 3, 3, ""),
    ("refused", "a forwarder, as ever", then(forwarder, heard(0, 60, 0, 9)), -1, 0.6, "(own rate 9."),
    ("refused", "a day later", then(heard(9, 0, 0, 9), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- network
    ("network", "at home", to_friends(9), 0, 0, ""),
    ("network", "one", to_friends(1, network="AS1"), 2.3, 2.3, "1 new client network in a day (1 known before)"),
    ("network", "one, often", to_friends(50, network="AS1"), 2.3, 2.3, "1 new client network in a day"),
    ("network", "three", to_friends(3, network="AS{}".format), 4.3, 4.3, "3 new client networks in a day"),
    ("network", "a botnet", to_friends(300, network="AS{}".format), 5, 5, "300 new client networks"),
    ("network", "abroad", to_friends(1, network="AS1", country="BR"), 3.1, 3.1, "in a day in 1 new country"),
    (
        "network",
        "an exploited host",
        to_friends(1, network="AS1", client_listed=True),
        4.8,
        4.8,
        "client address on a list of exploited hosts",
    ),
    ("network", "a listed home", to_friends(9, client_listed=True), 0, 0, ""),
    ("network", "home in another country", to_friends(1, country="BR"), 0, 0, ""),
    ("network", "a traveller", then(traveller, to_friends(1, network="AS77")), 0, 1, "(11 known before)"),
    ("network", "a botnet of a traveller's", then(traveller, to_friends(9, network="ASx{}".format)), 2, 5, ""),
    ("network", "a day later", then(to_friends(3, network="AS{}".format), wait(DAY + 4 * HOUR)), 0, 0, ""),
    ("network", "the same the week after", then(to_friends(1, network="AS1"), wait(7 * DAY), to_friends(1)), 0, 0, ""),
    # -- content verdict
    ("content-verdict", "clean", to_friends(9, filter_verdict=False), -0.5, 0, "0 of 9 messages called spam"),
    ("content-verdict", "one", to_friends(1, filter_verdict=True), 1, 1.4, "1 of 1 messages called spam by the"),
    (
        "content-verdict",
        "one of twenty",
        then(to_friends(19, filter_verdict=False), to_friends(1, filter_verdict=True)),
        -0.5,
        1.4,
        "1 of 20 messages called spam",
    ),
    ("content-verdict", "fifty", to_friends(50, filter_verdict=True, fingerprint="t{}".format), 4, 4, "50 of 50"),
    ("content-verdict", "three of one text count", to_friends(50, filter_verdict=True, fingerprint="t"), 0, 3, "3 of"),
    (
        "content-verdict",
        "a forwarder, as ever",
        then(forwarder, to_friends(40, filter_verdict=False), to_friends(6, filter_verdict=True)),
        -0.5,
        1,
        "(own rate 1",
    ),
    ("content-verdict", "a day later", then(to_friends(9, filter_verdict=True), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- fresh links
    ("fresh-links", "no link", to_friends(9), -0.5, 0, "0 of 9 messages with a link never used before"),
    ("fresh-links", "an old domain", to_friends(9, links=(Link(LinkKind.DOMAIN, "old", 900),)), -0.5, 0, ""),
    ("fresh-links", "of unknown age", to_friends(9, links=(Link(LinkKind.DOMAIN, "x"),)), -0.5, 0, ""),
    ("fresh-links", "one page of his own", to_friends(9, links=(young("cv"),)), 1, 1.4, "9 of 9 messages with a link"),
    ("fresh-links", "a stored file", to_friends(1, links=(Link(LinkKind.STORAGE, "f"),)), 1, 1.4, "1 of 1 messages"),
    ("fresh-links", "ten", to_friends(10, links=lambda n: (young(f"y{n}"),)), 3.5, 3.5, "10 of 10 messages"),
    (
        "fresh-links",
        "from elsewhere",
        then(to_friends(20), to_friends(5, network="AS1", links=lambda n: (young(f"y{n}"),))),
        2.5,
        3.5,
        "5 of 5 messages from new networks with a link never used before",
    ),
    (
        "fresh-links",
        "what others here use since long",
        then(
            lambda m: m.send(links=(young("shop"),), account="otto@isp.example"),
            wait(3 * DAY),
            to_friends(9, links=(young("shop"),)),
        ),
        -0.5,
        0,
        "0 of 9",
    ),
    (
        "fresh-links",
        "always has some",
        then(
            lambda m: m.judge.learn_until(m.now + 22 * 86_400),
            to_friends(20, each_day=True, links=lambda n: (young(f"d{n}"),)),
            wait(2 * DAY),
            to_friends(5, links=lambda n: (young(f"y{n}"),)),
        ),
        -0.5,
        2,
        "(own rate ",
    ),
    ("fresh-links", "a day later", then(to_friends(9, links=(young("cv"),)), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- many links
    ("many-links", "four", to_friends(4, links=lambda n: (young(f"y{n}"),)), 0, 0, ""),
    ("many-links", "eight", to_friends(8, links=lambda n: (young(f"y{n}"),)), 1.5, 1.5, "8 different links never used"),
    ("many-links", "one link in many messages", to_friends(90, links=(young("cv"),)), 0, 0, ""),
    ("many-links", "in one message", lambda m: m.send(links=tuple(young(f"y{n}") for n in range(9999))), 4, 4, "50 "),
    ("many-links", "a thousand", to_friends(1000, links=lambda n: (young(f"y{n}"),)), 4, 4, "1000 different links"),
    (
        "many-links",
        "as many as ever",
        then(
            lambda m: m.judge.learn_until(m.now + 86_400),
            to_friends(16, links=lambda n: (young(f"d{n}"),)),
            wait(30 * DAY),
            to_friends(16, links=lambda n: (young(f"y{n}"),)),
        ),
        0,
        0,
        "(own record 16)",
    ),
    (
        "many-links",
        "a day later",
        then(to_friends(30, links=lambda n: (young(f"y{n}"),)), wait(DAY + 4 * HOUR)),
        0,
        0,
        "",
    ),
    # -- listed links
    ("listed-links", "none", to_friends(9, links=(young("y"),)), 0, 0, ""),
    (
        "listed-links",
        "one",
        to_friends(9, links=(listed("l"),)),
        1.4,
        1.4,
        "1 different link or file on a blocklist in a day",
    ),
    ("listed-links", "two", to_friends(2, links=lambda n: (listed(f"l{n}"),)), 2.5, 2.5, "2 different links or files"),
    ("listed-links", "fifty", to_friends(50, links=lambda n: (listed(f"l{n}"),)), 3, 3, "50 different links"),
    ("listed-links", "a forwarder, as ever", then(forwarder, to_friends(1, links=(listed("l2"),))), 0, 0, "record 1"),
    ("listed-links", "a day later", then(to_friends(9, links=(listed("l"),)), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- same text
    ("same-text", "to friends", to_friends(90, fingerprint="t"), 0, 0, ""),
    ("same-text", "twelve new", lambda m: m.strangers(12, fingerprint="t"), 1, 1, "the same text to 12 new recipients"),
    ("same-text", "300 new", lambda m: m.strangers(300, each=30, fingerprint="t"), 2, 2, "to 300 new recipients"),
    ("same-text", "each its own", lambda m: [m.strangers(1, fingerprint=f"t{n}") for n in range(90)], 0, 0, ""),
    ("same-text", "as ever", then(newsletter(48), lambda m: m.strangers(48, fingerprint="may")), 0, 0, "record 144"),
    (
        "same-text",
        "a template, for three days",
        lambda m: [m.strangers(9, fingerprint="t").append(m.later(12 * HOUR)) for _ in range(7)],
        0,
        0,
        "",
    ),
    ("same-text", "a day later", then(lambda m: m.strangers(90, fingerprint="t"), wait(DAY + 1)), 0, 0, ""),
    # -- same reply
    ("same-reply", "two threads", to_friends(2, fingerprint="t", reply=True), 0, 0, ""),
    ("same-reply", "four", to_friends(4, fingerprint="t", reply=True), 1.6, 1.6, "the same text as a reply in 4"),
    ("same-reply", "fifty", to_friends(50, fingerprint="t", reply=True), 3.5, 3.5, "as a reply in 50 threads"),
    ("same-reply", "no replies", to_friends(50, fingerprint="t"), 0, 0, ""),
    ("same-reply", "each its own", to_friends(50, fingerprint="t{}".format, reply=True), 0, 0, ""),
    (
        "same-reply",
        "the help desk's template",
        then(to_friends(4, each_day=True, fingerprint="t", reply=True), to_friends(30, fingerprint="t", reply=True)),
        0,
        0,
        "",
    ),
    ("same-reply", "a day later", then(to_friends(50, fingerprint="t", reply=True), wait(DAY + 1)), 0, 0, ""),
    # -- complaints
    ("complaints", "none", to_friends(9), 0, 0, ""),
    ("complaints", "one", complaints(1), 1.4, 1.5, "1 complaint in a day (2 recipients)"),
    ("complaints", "a hundred", complaints(100), 4, 4, "100 complaints in a day"),
    ("complaints", "two of a newsletter of 2,000", then(newsletter(2000), complaints(2)), 0, 0, ""),
    ("complaints", "nine of it", then(newsletter(2000), complaints(9)), 4, 4, ""),
    ("complaints", "a day later", then(complaints(100), wait(DAY + 4 * HOUR)), 0, 0, ""),
    # -- foreign From
    ("foreign-from", "never", to_friends(9), 0, 0, ""),
    ("foreign-from", "once", to_friends(1, foreign_from=True), 1, 1.5, "1 of 1 messages with the From of somebody"),
    ("foreign-from", "once in a while", then(to_friends(40), to_friends(1, foreign_from=True)), 0, 1.5, ""),
    ("foreign-from", "a hundred", to_friends(100, foreign_from=True), 3, 3, "100 of 100 messages with the From of"),
    ("foreign-from", "a forwarder, as ever", then(forwarder, to_friends(20, foreign_from=True)), 0, 1.5, "(own rate 7"),
    ("foreign-from", "a day later", then(to_friends(9, foreign_from=True), wait(DAY + 4 * HOUR)), 0, 0, ""),
]


@pytest.mark.parametrize(
    ("stream", "name", "history", "lowest", "highest", "words"), TABLE, ids=[f"{row[0]}: {row[1]}" for row in TABLE]
)
def test_stream(stream: str, name: str, history: History, lowest: float, highest: float, words: str) -> None:
    mail = after_a_quiet_month(history)
    # Windows slide when something happens.
    mail.judge.release(ROSA, mail.now, 0)
    assert lowest - 0.05 <= mail.points(stream) <= highest + 0.05
    assert words in mail.words(stream)


def test_every_stream_but_campaign_has_its_table() -> None:
    # What is shared with others needs others: test_reach.py.
    assert {row[0] for row in TABLE} == set(STREAMS) - {"campaign"}


def test_the_networks_of_a_new_account_are_not_new_to_it() -> None:
    mail = Mail(NEVER_STOPS)
    for number in range(5):
        mail.send(network=f"AS{number}")
    assert mail.points("network") == 0.0
    mail.send(network="AS99")
    assert mail.points("network") > 2.0


def caps(stream: str) -> tuple[float, float]:
    """Return the lowest and highest points that the weights allow a stream."""
    weights = getattr(shipped_weights(), stream.replace("-", "_"))
    if isinstance(weights, Campaign):
        return 0.0, weights.blocked
    tables = (getattr(weights, name, ()) for name in ("highest_by_count", "by_count"))
    highest = getattr(weights, "highest", max((max(table) for table in tables if table), default=0.0))
    return getattr(weights, "lowest", 0.0), highest


COUNTS = st.integers(0, 30) | st.integers(0, 2**40)
# Of so many of the first, at most so many are the second.
PARTS = {
    Count.RESULTS: (Count.UNKNOWN, Count.REFUSED),
    Count.FILTERED: (Count.SPAM,),
    Count.MESSAGES: (Count.TO_STRANGERS, Count.FRESH_LINKED, Count.FOREIGN),
    Count.RECIPIENTS: (Count.NEW,),
}


def counters() -> st.SearchStrategy[list[int]]:
    def sound(row: list[int]) -> list[int]:
        for whole, parts in PARTS.items():
            for part in parts:
                row[part] = min(row[part], row[whole])
        return row

    return st.lists(COUNTS, min_size=WIDTH, max_size=WIDTH).map(sound)


@settings(max_examples=300, deadline=None)
@given(
    counters(),
    counters(),
    counters(),
    st.lists(COUNTS, min_size=6, max_size=6),
    st.tuples(COUNTS, COUNTS, COUNTS),
    st.integers(0, 3000),
    st.sampled_from([3.0, 4.0, 5.0]),
)
def test_no_count_takes_a_stream_beyond_its_caps(
    hour: list[int],
    day: list[int],
    own: list[int],
    most: list[int],
    uses: tuple[int, int, int],
    days: int,
    shared: float,
) -> None:
    record = new_record(ROSA, AccountKind.LOGIN, 0.0)
    now = days * 86_400.0
    record.hour.sums, record.day.sums, record.own = hour, day, [float(count) for count in own]
    record.networks["AS1"] = NetworkUse(now, now + 1, uses[0], min(uses[0], uses[1]), min(uses[0], uses[2]))
    record.texts[1] = TextUse(now, now, uses[0], uses[1], uses[2], uses[0])
    record.shared = SharedWithOthers(shared, now, "link", 3)
    for field, count in zip(("new_hour", "new_day", "recipients_hour"), most, strict=False):
        setattr(record.today, field, count)
    record.weeks.append(record.today)
    scene = scene_of(record, now)
    for name, module in STREAMS.items():
        weights = getattr(shipped_weights(), name.replace("-", "_"))
        lowest, highest = caps(name)
        assert lowest <= module.points(scene, weights) <= highest, name
        assert module.words(scene, weights)


def test_the_caps_are_those_of_the_design() -> None:
    for stream in STREAMS:
        lowest, highest = caps(stream)
        assert -2.0 <= lowest <= 0.0 < highest <= 5.0
    # Quantity alone must not do what proof does.
    assert sum(caps(stream)[1] for stream in ("volume", "same-text")) <= 6.0


def test_good_answers_speak_for_an_account_only_so_much() -> None:
    mail = Mail(NEVER_STOPS).quiet_month()
    mail.strangers(60, each=60)
    mail.answers(accepted=60)
    mail.later(2 * HOUR)
    decision = [mail.send(FRIENDS[0]) for _ in range(9)][-1]
    speaking_for = sum(min(0.0, points) for points in mail.ledger().values())
    assert speaking_for < LOWEST
    against = sum(max(0.0, points) for points in mail.ledger().values())
    assert decision.points == pytest.approx(against + LOWEST, abs=0.2)
