"""The look-up of the gate against real sockets, in a real event loop."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from tests.unit.dns.lying_lists import A, Asked, lying_lists, packet, says, zone
from tests.unit.dns.toy_dns import LISTS, ToyDns

from outwarden.dns.breaker import LOSSES
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.dns.resolver import Resolver

DEADLINE = 0.3
ROOM = 64


@pytest.fixture
def server() -> Iterator[ToyDns]:
    with ToyDns() as server:
        yield server


def about(name: str, part: str = "10.2.0.192") -> Question:
    return Question(f"{part}.{name}.lists.example", A, name)


def many(name: str, count: int) -> list[Question]:
    return [about(name, f"{number % 256}.{number // 256}.2.10") for number in range(count)]


def running(
    port: int, story: Callable[[LiveLookup], Coroutine[Any, Any, None]], *, remote: bool = False, room: int = 4096
) -> LiveLookup:
    """Tell a story with a look-up; nothing may be left of it."""

    async def told() -> LiveLookup:
        lookup = LiveLookup(Resolver("127.0.0.1", port, remote), DEADLINE, room)
        await lookup.start()
        try:
            await story(lookup)
        finally:
            await lookup.close()
        assert lookup.under_way == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return lookup

    return asyncio.run(told())


async def until(true: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


# list, rcode, addresses, TTL, failure
CASES = [
    ("listed", 0, ("127.0.0.2",), 60, None),
    ("nxdomain", 3, (), 0, None),
    ("kept", 3, (), 120, None),
    ("nodata", 0, (), 0, None),
    ("servfail", 2, (), 0, "servfail"),
    ("refused", 5, (), 0, "refused"),
    ("bare-refused", 5, (), 0, "refused"),
    ("bare-nxdomain", None, (), 0, "timeout"),
    ("silent", None, (), 0, "timeout"),
    ("lossy", 0, ("127.0.0.2",), 60, None),
    ("very-lossy", 0, ("127.0.0.2",), 60, None),
    ("wrong-id", 0, ("127.0.0.2",), 60, None),
    ("wrong-question", 0, ("127.0.0.2",), 60, None),
    ("echo", 0, ("127.0.0.2",), 60, None),
    ("twice", 0, ("127.0.0.2",), 60, None),
    ("garbage", None, (), 0, "timeout"),
    ("broken", None, (), 0, "timeout"),
    ("broken-first", 0, ("127.0.0.2",), 60, None),
    ("lower-case", 0, ("127.0.0.2",), 60, None),
    ("truncated", 0, ("127.0.0.2",) * 200, 60, None),
    ("truncated-always", None, (), 0, "truncated"),
    ("truncated-no-tcp", None, (), 0, "truncated"),
    ("truncated-silent", None, (), 0, "timeout"),
    ("truncated-garbage", None, (), 0, "truncated"),
]


@pytest.mark.parametrize("remote", [False, True])
def test_each_way_to_answer(server: ToyDns, remote: bool) -> None:
    async def story(lookup: LiveLookup) -> None:
        started = time.monotonic()
        replies = await lookup.ask(about(case[0]) for case in CASES)
        assert DEADLINE <= time.monotonic() - started < DEADLINE + 0.5
        for name, rcode, addresses, ttl, failure in CASES:
            assert replies[about(name)] == Reply(about(name), rcode, addresses, (), ttl, failure), name
        assert lookup.counts.timed_out == sum(case[4] == "timeout" for case in CASES)

    running(server.port, story, remote=remote)
    assert server.tcp["lower-case"] == remote


def test_what_is_known_is_not_asked_again(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        first = await lookup.ask([about("kept"), about("nxdomain")])
        again = await lookup.ask([about("kept"), about("nxdomain")])
        assert again[about("kept")]._replace(ttl=120) == first[about("kept")]

    counts = running(server.port, story).counts
    assert (counts.asked, counts.answered, counts.from_cache) == (3, 3, 1)
    assert server.asked == {"kept": 1, "nxdomain": 2}


def test_one_question_for_all_who_ask_it(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        all_replies = await asyncio.gather(*(lookup.ask([about("listed"), about("nodata")]) for _ in range(100)))
        assert all(replies == all_replies[0] and len(replies) == 2 for replies in all_replies)

    assert running(server.port, story).counts.asked == 2


def test_a_remote_resolver_sees_random_case_and_many_ports(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        for some in range(25):
            assert len(await lookup.ask(many("nxdomain", 200)[8 * some : 8 * some + 8])) == 8

    running(server.port, story, remote=True)
    assert len(server.sources) > 8
    assert len({name[-22:] for name in server.names}) > 150


# --- late, lost and forged ---------------------------------------------------------------------


def late(seconds: float) -> Callable[[Asked], list[tuple[float, bytes]]]:
    return lambda asked: [(seconds, says("127.0.0.2")(asked))]


def test_a_late_answer_is_there_for_the_next() -> None:
    async def story(lookup: LiveLookup) -> None:
        question = Question("10.2.0.192.late.example", A, "late")
        started = time.monotonic()
        first = await lookup.ask([question], 0.05)
        assert time.monotonic() - started < 0.15
        assert first == {question: Reply(question, None, failure=Failure.TIMEOUT)}
        await until(lambda: lookup.counts.late == 1)
        (reply,) = (await lookup.ask([question], 0.05)).values()
        assert reply.addresses == ("127.0.0.2",)
        assert lookup.counts.timed_out == lookup.counts.from_cache == 1

    with lying_lists({"late.example": zone({"10.2.0.192": late(0.12)})}) as server:
        running(server.port, story)


def test_without_a_deadline_nobody_waits(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        assert (await lookup.ask([about("kept")], 0))[about("kept")].failure is Failure.TIMEOUT
        await until(lambda: lookup.counts.late == 1)
        assert (await lookup.ask([about("kept")], 0))[about("kept")].rcode == 3

    running(server.port, story)


def test_a_strangers_packet_is_not_heard() -> None:
    def forged(asked: Asked) -> list[tuple[float, bytes]]:
        return [(-1.0, says("127.0.0.2")(asked)), (0.02, packet(asked, 3))]

    async def story(lookup: LiveLookup) -> None:
        (reply,) = (await lookup.ask([Question("a.forged.example", A, "forged")])).values()
        assert reply.rcode == 3

    with lying_lists({"forged.example": zone({"a": forged})}) as server:
        running(server.port, story)


def test_nobody_listens() -> None:
    async def story(lookup: LiveLookup) -> None:
        started = time.monotonic()
        (reply,) = (await lookup.ask([about("listed")])).values()
        assert reply.failure is Failure.TIMEOUT
        assert time.monotonic() - started < DEADLINE + 0.2

    with ToyDns() as server:
        port = server.port
    running(port, story)


@pytest.mark.parametrize("address", ["255.255.255.255", "not an address"])
def test_no_way_leads_there(address: str) -> None:
    async def story() -> None:
        lookup = LiveLookup(Resolver(address, 53, True), DEADLINE)
        await lookup.start()
        assert [reply.failure for reply in (await lookup.ask([about("listed")])).values()] == [Failure.UNREACHABLE]
        await lookup.close()

    asyncio.run(story())


def test_no_such_name_can_be(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        questions = [about("listed", "x" * 64), about("listed", "a..b"), about("listed", "ä")]
        assert [reply.failure for reply in (await lookup.ask(questions)).values()] == [Failure.NAME] * 3

    running(server.port, story)


# --- what is down, and what is too much --------------------------------------------------------


def test_a_silent_list_goes_down_and_the_others_go_on(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.dns.live_lookup._STAYS_SECONDS", 0.4)

    async def story(lookup: LiveLookup) -> None:
        silent = many("silent", LOSSES)
        replies = await lookup.ask([*silent, *many("nxdomain", LOSSES)])
        assert Counter(reply.failure for reply in replies.values()) == {Failure.TIMEOUT: LOSSES, None: LOSSES}
        await until(lambda: lookup.under_way == 0)
        started = time.monotonic()
        replies = await lookup.ask([*silent, *many("nxdomain", LOSSES)])
        assert time.monotonic() - started < DEADLINE / 2
        assert Counter(reply.failure for reply in replies.values()) == {Failure.BREAKER: LOSSES, None: LOSSES}

    running(server.port, story)
    assert server.asked["silent"] == 3 * LOSSES


def test_one_question_finds_out_whether_a_list_lives_again(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.dns.live_lookup._STAYS_SECONDS", 0.1)
    lives = False
    monkeypatch.setitem(LISTS, "back", lambda query, seen: LISTS["kept" if lives else "silent"](query, seen))

    async def story(lookup: LiveLookup) -> None:
        nonlocal lives
        await lookup.ask(many("back", LOSSES), 0)
        await until(lambda: lookup.under_way == 0)
        replies = await lookup.ask(many("back", 2), 0)
        assert {reply.failure for reply in replies.values()} == {Failure.BREAKER}
        lookup._down_until["back"] = 0.0
        replies = await lookup.ask(many("back", 2), 0)
        assert sorted(str(reply.failure) for reply in replies.values()) == [Failure.BREAKER, Failure.TIMEOUT]
        await until(lambda: lookup.under_way == 0)
        lookup._down_until["back"], lives = 0.0, True
        replies = await lookup.ask([about("back")])
        assert replies[about("back")].rcode == 3
        assert {reply.failure for reply in (await lookup.ask(many("back", 9))).values()} == {None}

    running(server.port, story)


def test_ten_thousand_questions_at_once_are_bounded(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        questions = [question._replace(group="") for question in many("nxdomain", 10_000)]
        asking = asyncio.gather(*(lookup.ask(questions[at : at + 10]) for at in range(0, len(questions), 10)))
        await asyncio.sleep(0)
        assert lookup.under_way <= ROOM
        found = Counter(reply.failure for replies in await asking for reply in replies.values())
        assert found == {None: ROOM, Failure.NO_ROOM: 10_000 - ROOM}
        assert lookup.counts.refused_room == 10_000 - ROOM

    running(server.port, story, room=ROOM)


def test_a_new_list_is_asked_little_until_it_answers_and_then_all(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        replies = await lookup.ask(many("nxdomain", 500))
        assert {reply.rcode for reply in replies.values()} == {3}
        replies = await lookup.ask(many("silent", 500))
        assert {reply.failure for reply in replies.values()} == {Failure.TIMEOUT}

    running(server.port, story)
    assert server.asked["silent"] == 3 * LOSSES


def test_a_list_with_a_pace_is_asked_no_faster(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        lookup.keep_pace("nxdomain", 40)
        replies = await lookup.ask(many("nxdomain", 100))
        asked = sum(reply.failure is None for reply in replies.values())
        assert 2 <= asked <= 40 * DEADLINE + 4
        # What nobody waits for any more is not asked: it would only delay what somebody waits for.
        await until(lambda: lookup.under_way == 0)
        assert server.asked["nxdomain"] <= asked + 1

    running(server.port, story)


# --- going away --------------------------------------------------------------------------------


def test_closing_ends_the_waiting(server: ToyDns) -> None:
    async def story(lookup: LiveLookup) -> None:
        asking = [asyncio.create_task(lookup.ask([*many("silent", 20), about("truncated-silent")], 5)) for _ in "abc"]
        await until(lambda: server.tcp["truncated-silent"] > 0)
        await lookup.close()
        for replies in await asyncio.gather(*asking):
            assert {reply.failure for reply in replies.values()} == {Failure.TIMEOUT}
        assert [reply.failure for reply in (await lookup.ask([about("listed")])).values()] == [Failure.UNREACHABLE]
        await lookup.close()

    running(server.port, story)


def test_who_is_cancelled_leaves_nothing_behind_but_the_answer(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LISTS, "slow", lambda query, seen: LISTS["kept"](query, seen) if seen else [])

    async def story(lookup: LiveLookup) -> None:
        leaving = asyncio.create_task(lookup.ask([about("slow"), about("silent")]))
        staying = asyncio.create_task(lookup.ask([about("slow")]))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert [reply.rcode for reply in (await staying).values()] == [3]
        assert sum(map(len, lookup._under_way.values())) == 0
        assert lookup.counts.asked == 2

    running(server.port, story)


def test_sockets_are_closed(server: ToyDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.dns.live_lookup._PORTS_KEPT_SECONDS", 0.01)

    async def story(lookup: LiveLookup) -> None:
        for some in range(20):
            assert {reply.rcode for reply in (await lookup.ask(many("nxdomain", 40)[2 * some :][:2])).values()} == {3}
            await asyncio.sleep(0.005)
        assert len(lookup._ports.all) == len(lookup._leaving.all) == 16

    # ResourceWarning is an error here.
    running(server.port, story, remote=True)
    assert len(server.sources) > 16


def test_bad_bounds() -> None:
    with pytest.raises(ValueError, match="expected 1 to"):
        LiveLookup(Resolver("127.0.0.1"), 1.0, 0)
