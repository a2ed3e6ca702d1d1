"""A network against a real rbldnsd: every address, every list, and nothing made up."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.waiting import free_port

from outwarden.dns.lookup import Lookup, Question
from outwarden.dns.packets import RecordType
from outwarden.dns.resolver import Resolver

RBLDNSD = shutil.which("rbldnsd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
LISTS = 20
DEADLINE = 5.0


def is_listed(number: int, last: int) -> bool:
    return last % (number + 2) == 0


@pytest.fixture
def resolver(home: Path) -> Iterator[Resolver]:
    if RBLDNSD is None:
        pytest.skip("rbldnsd is not installed (tests/debian-packages.txt)")
    for number in range(LISTS):
        entries = [f"192.0.2.{last}" for last in range(256) if is_listed(number, last)]
        answer = f":127.0.0.{number + 2}:Listed, see https://list{number}.example/?ip=$"
        soa = "$SOA 300 ns.example hostmaster.example 1 600 300 86400 120"
        (home / f"list{number}").write_text("\n".join([soa, answer, *entries, ""]), encoding="ascii")
    port = free_port()
    zones = [f"list{number}.example:ip4set:list{number}" for number in range(LISTS)]
    with (home / "rbldnsd.log").open("w+") as log:
        server = subprocess.Popen(
            [RBLDNSD, "-n", "-b", f"127.0.0.1/{port}", "-u", "nobody", "-r", str(home), *zones], stdout=log, stderr=log
        )
        try:
            yield Resolver("127.0.0.1", port, remote=False)
        finally:
            server.terminate()
            server.wait(10)


def until_it_answers(lookup: Lookup) -> None:
    for _ in range(100):
        (reply,) = lookup.ask([Question("1.2.0.192.list0.example", RecordType.A)])
        if reply.rcode is not None:
            return
    pytest.fail("rbldnsd does not answer")


def test_a_network_is_swept_without_a_mistake(resolver: Resolver) -> None:
    until_it_answers(Lookup(resolver, 0.1))
    questions = [
        Question(f"{last}.2.0.192.list{number}.example", RecordType.A, f"list{number}")
        for last in range(256)
        for number in range(LISTS)
    ]
    replies = {reply.question: reply for reply in Lookup(resolver, DEADLINE).ask(questions)}
    assert len(replies) == len(questions)
    for last in range(256):
        for number in range(LISTS):
            reply = replies[questions[last * LISTS + number]]
            listed = is_listed(number, last)
            assert (reply.rcode, reply.failure) == ((0, None) if listed else (3, None))
            assert reply.addresses == ((f"127.0.0.{number + 2}",) if listed else ())
            assert listed or reply.ttl == 120


def test_the_reason_and_what_rbldnsd_refuses(resolver: Resolver) -> None:
    until_it_answers(Lookup(resolver, 0.1))
    asked = [
        Question("6.2.0.192.list0.example", RecordType.TXT),
        Question("1.2.0.192.list0.example", RecordType.TXT),
        Question("6.2.0.192.another.example", RecordType.A),
        Question("list0.example", RecordType.A),
    ]
    replies = {reply.question: reply for reply in Lookup(resolver, DEADLINE).ask(asked)}
    assert replies[asked[0]].texts == ("Listed, see https://list0.example/?ip=192.0.2.6",)
    assert replies[asked[1]].rcode == 3
    assert replies[asked[2]].failure == "refused"
    assert (replies[asked[3]].rcode, replies[asked[3]].addresses) == (0, ())
