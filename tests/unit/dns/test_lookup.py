"""The look-up path against real sockets: a small server on loopback that does what each list's name says."""

import itertools
import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.unit.dns.toy_dns import LISTS, TXT, A, ToyDns

from outwarden.dns.breaker import LOSSES
from outwarden.dns.lookup import Lookup, Question, Reply, Stopped
from outwarden.dns.resolver import Resolver

DEADLINE = 0.5


@pytest.fixture
def server() -> Iterator[ToyDns]:
    with ToyDns() as server:
        yield server


def lookup(server: ToyDns, *, remote: bool = False, in_flight: int = 128, **paces: float) -> Lookup:
    return Lookup(Resolver("127.0.0.1", server.port, remote), DEADLINE, in_flight, paces)


def about(name: str, qtype: int = A, address: str = "10.2.0.192") -> Question:
    return Question(f"{address}.{name}.lists.example", qtype, name)


def addresses(name: str, count: int) -> Iterator[Question]:
    return (about(name, A, f"{n % 256}.{n // 256}.2.10") for n in range(count))


# list, rcode, addresses, texts, TTL, failure
CASES = [
    ("listed", 0, ("127.0.0.2",), (), 60, None),
    ("nxdomain", 3, (), (), 0, None),
    ("kept", 3, (), (), 120, None),
    ("nodata", 0, (), (), 0, None),
    ("servfail", 2, (), (), 0, "servfail"),
    ("refused", 5, (), (), 0, "refused"),
    ("notimp", 4, (), (), 0, "error"),
    ("bare-refused", 5, (), (), 0, "refused"),
    ("bare-nxdomain", None, (), (), 0, "timeout"),
    ("silent", None, (), (), 0, "timeout"),
    ("lossy", 0, ("127.0.0.2",), (), 60, None),
    ("very-lossy", 0, ("127.0.0.2",), (), 60, None),
    ("wrong-id", 0, ("127.0.0.2",), (), 60, None),
    ("wrong-question", 0, ("127.0.0.2",), (), 60, None),
    ("echo", 0, ("127.0.0.2",), (), 60, None),
    ("twice", 0, ("127.0.0.2",), (), 60, None),
    ("garbage", None, (), (), 0, "timeout"),
    ("broken", None, (), (), 0, "malformed"),
    ("broken-first", 0, ("127.0.0.2",), (), 60, None),
    ("lower-case", 0, ("127.0.0.2",), (), 60, None),
    ("truncated", 0, ("127.0.0.2",) * 200, (), 60, None),
    ("truncated-always", None, (), (), 0, "truncated"),
    ("truncated-no-tcp", None, (), (), 0, "truncated"),
    ("truncated-silent", None, (), (), 0, "truncated"),
    ("truncated-garbage", None, (), (), 0, "truncated"),
]


@pytest.mark.parametrize("remote", [False, True])
def test_each_way_to_answer(server: ToyDns, remote: bool) -> None:
    started = time.monotonic()
    replies = {
        reply.question.group: reply for reply in lookup(server, remote=remote).ask(about(case[0]) for case in CASES)
    }
    assert time.monotonic() - started < DEADLINE + 1
    for name, *expected in CASES:
        assert replies[name] == Reply(about(name), *expected), name
    assert server.asked["silent"] == 3


def test_texts_come_as_texts(server: ToyDns) -> None:
    assert list(lookup(server).ask([about("text", TXT)])) == [
        Reply(about("text", TXT), 0, (), ("see: https://l.ex",), 60, None)
    ]


def test_wrong_packets_are_ignored_and_counted(server: ToyDns) -> None:
    asking = lookup(server)
    list(asking.ask(map(about, ["wrong-id", "wrong-question", "echo", "broken-first", "listed"])))
    assert asking.ignored == 4


def test_a_remote_resolver_sees_random_case_and_many_ports(server: ToyDns) -> None:
    assert all(reply.rcode == 3 for reply in lookup(server, remote=True).ask(addresses("nxdomain", 200)))
    assert len(server.sources) > 8
    assert len({name[-22:] for name in server.names}) > 150
    local = ToyDns()
    with local:
        list(lookup(local).ask(addresses("nxdomain", 200)))
    assert {name[-22:] for name in local.names} == {b"\x08nxdomain\x05lists\x07example\0"[-22:]}


def test_an_answer_that_loses_the_case_is_asked_again_by_tcp(server: ToyDns) -> None:
    list(lookup(server, remote=True).ask([about("lower-case")]))
    assert server.tcp == {"lower-case": 1}


# --- what is down ------------------------------------------------------------------------------


def test_a_silent_list_goes_down_and_holds_up_no_other(server: ToyDns) -> None:
    asking, count = lookup(server), 2000
    started = time.monotonic()
    both = itertools.chain.from_iterable(zip(addresses("silent", count), addresses("nxdomain", count), strict=True))
    replies = Counter((reply.question.group, reply.failure) for reply in asking.ask(both))
    assert time.monotonic() - started < DEADLINE + 2
    assert replies == {
        ("nxdomain", None): count,
        ("silent", "timeout"): LOSSES,
        ("silent", "breaker"): count - LOSSES,
    }
    assert server.asked["silent"] == 3 * LOSSES
    # It stays down for the next asking, and costs nothing there.
    assert [reply.failure for reply in asking.ask(addresses("silent", 3))] == ["breaker"] * 3
    assert server.asked["silent"] == 3 * LOSSES


def test_a_list_that_stops_answering_goes_down(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    before = 300
    monkeypatch.setitem(
        LISTS, "tired", lambda query, seen: LISTS["nxdomain"](query, seen) if server.asked["tired"] <= before else []
    )
    replies = Counter(reply.failure for reply in lookup(server).ask(addresses("tired", 2000)))
    assert replies[None] == before
    assert replies["timeout"] <= 128
    assert replies["breaker"] == 2000 - before - replies["timeout"]


def test_questions_of_no_list_never_go_down(server: ToyDns) -> None:
    questions = [question._replace(group="") for question in addresses("silent", 20)]
    assert [reply.failure for reply in lookup(server).ask(questions)] == ["timeout"] * 20


def test_ninety_nine_answers_do_not_wait_for_the_silent_one(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"l{n}" for n in range(99)]
    for name in names:
        monkeypatch.setitem(LISTS, name, LISTS["nxdomain"])
    started = time.monotonic()
    replies = lookup(server).ask(map(about, ["silent", *names]))
    answered = [next(replies) for _ in names]
    assert time.monotonic() - started < DEADLINE / 2
    assert all(reply.rcode == 3 for reply in answered)
    assert [reply.failure for reply in replies] == ["timeout"]
    assert DEADLINE <= time.monotonic() - started < DEADLINE + 1


def test_nobody_listens(server: ToyDns) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    replies = list(Lookup(Resolver("127.0.0.1", port, False), DEADLINE).ask(addresses("listed", 20)))
    assert Counter(reply.failure for reply in replies) == {"unreachable": LOSSES, "breaker": 20 - LOSSES}


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1%nowhere", "255.255.255.255"])
def test_no_way_leads_to_the_resolver(address: str) -> None:
    replies = list(Lookup(Resolver(address), DEADLINE).ask([about("listed"), about("nxdomain")]))
    assert [(reply.question.group, reply.failure) for reply in replies] == [
        ("listed", "unreachable"),
        ("nxdomain", "unreachable"),
    ]


# --- the stream of questions -------------------------------------------------------------------


@pytest.mark.parametrize(("group", "most"), [("", 100), ("nxdomain", 9000)])
def test_every_question_gets_one_reply_and_is_drawn_when_there_is_room(server: ToyDns, group: str, most: int) -> None:
    count, drawn = 12_000, 0

    def questions() -> Iterator[Question]:
        nonlocal drawn
        for question in addresses("nxdomain", count):
            drawn += 1
            yield question._replace(group=group)

    seen = []
    for reply in lookup(server, in_flight=50).ask(questions()):
        seen.append(reply.question.name)
        assert drawn - len(seen) <= most
    assert sorted(seen) == sorted(question.name for question in addresses("nxdomain", count))


def test_what_is_no_name_is_replied_to(server: ToyDns) -> None:
    replies = {
        reply.question.name: reply.failure for reply in lookup(server).ask([Question("a..b", A, "x"), about("listed")])
    }
    assert replies == {"a..b": "name", "10.2.0.192.listed.lists.example": None}


def test_no_questions_no_replies(server: ToyDns) -> None:
    assert list(lookup(server).ask([])) == []


def test_replies_may_be_left_and_the_next_asking_is_not_confused(server: ToyDns) -> None:
    asking = lookup(server)
    first = asking.ask(addresses("listed", 500))
    next(first)
    first.close()  # type: ignore[attr-defined]
    assert [reply.rcode for reply in asking.ask(addresses("nxdomain", 500))] == [3] * 500


def test_who_is_stopped_waits_for_nobody(server: ToyDns) -> None:
    patient = Lookup(Resolver("127.0.0.1", server.port, False), 60.0, is_stopped=lambda: bool(server.asked["silent"]))
    began_at = time.monotonic()
    with pytest.raises(Stopped):
        list(patient.ask([about("silent")]))
    assert time.monotonic() - began_at < 10


def test_whoever_takes_replies_may_ask_more(server: ToyDns) -> None:
    class More:
        def __init__(self) -> None:
            self.left = [about("listed"), about("silent")]

        def __iter__(self) -> "More":
            return self

        def __next__(self) -> Question:
            if not self.left:
                raise StopIteration
            return self.left.pop()

    questions = More()
    order = []
    for reply in lookup(server).ask(questions):
        order.append(reply.question)
        if reply.question == about("listed"):
            questions.left.append(about("text", TXT))
    assert order == [about("listed"), about("text", TXT), about("silent")]


def test_a_slow_taker_loses_nothing(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept, count = time.monotonic, 0.0, 100
    monkeypatch.setattr(time, "monotonic", lambda: clock() + slept)
    replies = []
    for reply in lookup(server).ask(question._replace(group="") for question in addresses("listed", count)):
        replies.append(reply)
        give_up = clock() + 5
        while server.answered < count and clock() < give_up:
            pass
        slept += DEADLINE * 10
    assert [reply.rcode for reply in replies] == [0] * count
    assert server.asked["listed"] == count


# --- pace and memory of replies ----------------------------------------------------------------


def test_a_list_with_a_pace_is_asked_no_faster_and_holds_up_no_other(server: ToyDns) -> None:
    started = time.monotonic()
    paced_at = []
    replies = lookup(server, kept=50).ask(itertools.chain(addresses("kept", 11), addresses("nxdomain", 500)))
    others_done_at = 0.0
    for reply in replies:
        if reply.question.group == "kept":
            paced_at.append(time.monotonic() - started)
        else:
            others_done_at = time.monotonic() - started
    assert paced_at[-1] >= 10 / 50 - 0.05 - 0.02
    assert others_done_at < paced_at[-1]


def test_replies_are_remembered_for_their_time(server: ToyDns) -> None:
    asking = lookup(server)
    for _ in range(3):
        replies = {reply.question.group: reply for reply in asking.ask(map(about, ["kept", "listed", "nxdomain"]))}
    assert 118 <= replies["kept"].ttl <= 120
    assert replies["listed"].addresses == ("127.0.0.2",)
    assert server.asked == {"kept": 1, "listed": 1, "nxdomain": 3}


@pytest.mark.parametrize("in_flight", [0, 1 << 16])
def test_no_room_or_too_much_is_refused(in_flight: int) -> None:
    with pytest.raises(ValueError, match="questions under way"):
        Lookup(Resolver("127.0.0.1"), in_flight=in_flight)
