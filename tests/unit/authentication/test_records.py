"""Records asked of a DNS server on loopback, honest and otherwise."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outwarden.authentication.answers import Answer, RecordType
from outwarden.authentication.records import DnsRecords

sys.path.insert(0, str(Path(__file__).parent))
from loopback_dns import closed_port, dns_server

ZONE = {
    ("isp.example", "TXT"): ['"v=spf1 " "-all"', '"na\\239ve"'],
    ("isp.example", "MX"): ["10 MX.isp.example.", "20 mx2.isp.example."],
    ("parked.example", "MX"): ["0 ."],
    ("isp.example", "SOA"): ["ns.isp.example. h.isp.example. 1 2 3 4 5"],
    ("isp.example", "NS"): ["ns.isp.example."],
    ("mx.isp.example", "A"): ["192.0.2.10"],
    ("mx.isp.example", "AAAA"): ["2001:db8::10"],
    ("10.2.0.192.in-addr.arpa", "PTR"): ["mx.isp.example."],
    ("secure.isp.example", "TLSA"): ["3 1 1 " + "AB" * 32],
    ("alias.isp.example", "CNAME"): ["mx.isp.example."],
    ("long.isp.example", "TXT"): ['"' + "x" * 250 + '"', '"' + "y" * 250 + '"'],
    ("forged.isp.example", "A"): ["192.0.2.66"],
    ("old.isp.example", "A"): ["192.0.2.67"],
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with dns_server(ZONE) as port:
        yield port


A, TXT = RecordType.A, RecordType.TXT
# Name, question, answer.
ANSWERS = [
    ("several strings, and bytes", "isp.example", TXT, Answer(("na\udcefve", "v=spf1 -all"))),
    ("mail exchangers", "isp.example", RecordType.MX, Answer(("10 mx.isp.example", "20 mx2.isp.example"))),
    ("null MX", "parked.example", RecordType.MX, Answer(("0 ",))),
    ("SOA", "isp.example", RecordType.SOA, Answer(("ns.isp.example",))),
    ("NS", "isp.example", RecordType.NS, Answer(("ns.isp.example",))),
    ("IPv4", "mx.isp.example", A, Answer(("192.0.2.10",))),
    ("IPv6", "mx.isp.example", RecordType.AAAA, Answer(("2001:db8::10",))),
    ("PTR", "10.2.0.192.in-addr.arpa", RecordType.PTR, Answer(("mx.isp.example",))),
    ("validated", "secure.isp.example", RecordType.TLSA, Answer(("3 1 1 " + "ab" * 32,), secure=True)),
    ("an alias is followed", "alias.isp.example", A, Answer(("192.0.2.10",))),
    ("too long for UDP", "long.isp.example", TXT, Answer(("x" * 250, "y" * 250))),
    ("other packets come first", "forged.isp.example", A, Answer(("192.0.2.66",))),
    ("a server without EDNS", "old.isp.example", A, Answer(("192.0.2.67",))),
    ("no such record", "mx.isp.example", TXT, Answer()),
    ("no such name", "gone.isp.example", TXT, Answer(exists=False)),
    ("no name at all", "a..example", TXT, Answer(exists=False)),
    ("a label that no query holds", "\u00e9" * 63 + ".example", TXT, Answer(exists=False)),
    ("server failure", "servfail.isp.example", TXT, Answer(failure="servfail")),
    ("refused", "refused.isp.example", TXT, Answer(failure="refused")),
    ("silence", "silent.isp.example", TXT, Answer(failure="timeout")),
]


@pytest.mark.parametrize(("name", "kind", "answer"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_an_answer(port: int, name: str, kind: RecordType, answer: Answer) -> None:
    assert DnsRecords([("127.0.0.1", port)], question_seconds=0.2).ask(name, kind) == answer


def test_the_next_resolver_is_asked(port: int) -> None:
    records = DnsRecords([("127.0.0.1", closed_port()), ("127.0.0.1", port)])
    assert records.ask("mx.isp.example", A).values == ("192.0.2.10",)


def test_a_dead_resolver_is_given_up_soon() -> None:
    records = DnsRecords([("127.0.0.1", closed_port())])
    started = time.monotonic()
    failures = {records.ask(f"{number}.isp.example", A).failure for number in range(50)}
    assert failures <= {"unreachable", "timeout"}
    assert not records.ever_answered
    assert time.monotonic() - started < 1


def test_the_time_for_all_questions_is_kept(port: int) -> None:
    records = DnsRecords([("127.0.0.1", port)], question_seconds=0.2, run_seconds=0.5)
    started = time.monotonic()
    assert records.ask("mx.isp.example", A).failure is None
    assert {records.ask(f"silent.{number}.isp.example", A).failure for number in range(20)} == {"timeout"}
    assert time.monotonic() - started < 1.5


def test_an_answer_is_asked_for_once(port: int) -> None:
    records = DnsRecords([("127.0.0.1", port)])
    assert records.ask("MX.isp.example", A) is records.ask("mx.isp.example", A)


def test_no_resolver() -> None:
    assert DnsRecords([]).ask("isp.example", A) == Answer(failure="no resolver")
