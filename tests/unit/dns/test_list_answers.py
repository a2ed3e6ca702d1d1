"""What a list's reply means: each trap of an answer, read on the lists as the catalogue describes them."""

import pytest

from outwarden.dns.catalogue import load_catalogue
from outwarden.dns.list_answers import CodeBook, readable_text
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.events import ListAnswerKind, ListScope, Signal, WhyNot

CATALOGUE = load_catalogue()
LISTED, UNLISTED, UNASKED = ListAnswerKind

ANSWERS = [
    ("SBL", "spamhaus-zen", ["127.0.0.2"], LISTED, [Signal.SPAM_SOURCE]),
    ("XBL beside PBL", "spamhaus-zen", ["127.0.0.11", "127.0.0.4"], LISTED, [Signal.COMPROMISE, Signal.POLICY]),
    ("DROP", "spamhaus-zen", ["127.0.0.9", "127.0.0.2"], LISTED, [Signal.SPAM_SOURCE, Signal.NETBLOCK]),
    ("policy accuses nobody", "spamhaus-zen", ["127.0.0.10"], LISTED, [Signal.POLICY]),
    ("a mistyped zone", "spamhaus-zen", ["127.255.255.252"], UNASKED, WhyNot.REFUSED),
    ("a public resolver", "spamhaus-zen", ["127.255.255.254"], UNASKED, WhyNot.REFUSED),
    ("too many questions", "spamhaus-zen", ["127.255.255.255"], UNASKED, WhyNot.REFUSED),
    ("an error code of tomorrow", "psbl", ["127.255.255.249"], UNASKED, WhyNot.REFUSED),
    ("an error code among listings", "spamhaus-zen", ["127.0.0.4", "127.255.255.254"], UNASKED, WhyNot.REFUSED),
    ("Validity without registration", "senderscore-bl", ["127.255.255.255"], UNASKED, WhyNot.REFUSED),
    ("127.0.0.1 is no listing", "psbl", ["127.0.0.1"], UNASKED, WhyNot.REFUSED),
    ("127.0.0.1 among listings", "spamcop", ["127.0.0.1", "127.0.0.2"], UNASKED, WhyNot.REFUSED),
    ("127.0.0.1 where it means open proxy", "efnetrbl", ["127.0.0.1"], LISTED, [Signal.REPUTATION]),
    ("127.0.0.1 where it means white", "hostkarma", ["127.0.0.1"], UNLISTED, None),
    ("a parked zone", "spamcop", ["203.0.113.80"], UNASKED, WhyNot.REWRITTEN),
    ("a parked zone beside a listing", "spamcop", ["127.0.0.2", "203.0.113.80"], UNASKED, WhyNot.REWRITTEN),
    ("the null address", "spamcop", ["0.0.0.0"], UNASKED, WhyNot.REWRITTEN),  # noqa: S104
    ("an address that begins with 127 only in letters", "spamcop", ["12.7.0.2"], UNASKED, WhyNot.REWRITTEN),
    ("praise", "mailspike-rep", ["127.0.0.18"], UNLISTED, None),
    ("the bad end of a scale", "mailspike-rep", ["127.0.0.10"], LISTED, [Signal.REPUTATION]),
    ("a whitelist", "dnswl", ["127.0.5.3"], UNLISTED, None),
    ("a whitelist that refuses", "dnswl", ["127.0.0.255"], UNASKED, WhyNot.REFUSED),
    ("a score", "senderscore", ["127.0.4.7"], UNLISTED, None),
    ("a code unknown beside praise may be praise", "hostkarma", ["127.0.0.9"], UNASKED, WhyNot.REFUSED),
    ("good and bad at once", "hostkarma", ["127.0.0.1", "127.0.0.2"], LISTED, [Signal.REPUTATION]),
    ("a code nobody published lists, and votes for nothing", "psbl", ["127.0.0.77"], LISTED, []),
    ("SURBL, two bits", "surbl", ["127.0.0.72"], LISTED, [Signal.DOMAIN]),
    ("SURBL, a cracked site", "surbl", ["127.0.0.128"], LISTED, [Signal.ABUSED_DOMAIN]),
    ("SURBL, cracked and phishing", "surbl", ["127.0.0.136"], LISTED, [Signal.DOMAIN, Signal.ABUSED_DOMAIN]),
    ("SURBL refuses", "surbl", ["127.0.0.1"], UNASKED, WhyNot.REFUSED),
    ("SURBL refuses with other bits set", "surbl", ["127.0.0.9"], UNASKED, WhyNot.REFUSED),
    ("URIBL grey", "uribl", ["127.0.0.4"], LISTED, [Signal.REPUTATION]),
    ("URIBL black and grey", "uribl", ["127.0.0.6"], LISTED, [Signal.DOMAIN, Signal.REPUTATION]),
    ("DBL, a spammer's domain", "spamhaus-dbl", ["127.0.1.2"], LISTED, [Signal.DOMAIN]),
    ("DBL, a cracked site", "spamhaus-dbl", ["127.0.1.104"], LISTED, [Signal.ABUSED_DOMAIN]),
    ("DBL, asked about an address", "spamhaus-dbl", ["127.0.1.255"], UNASKED, WhyNot.REFUSED),
    ("ZRD, asked about an address", "spamhaus-zrd", ["127.0.2.255"], UNASKED, WhyNot.REFUSED),
    ("ZRD, young and not bad by itself", "spamhaus-zrd", ["127.0.2.7"], LISTED, []),
    ("Abusix, low reputation", "abusix-combined", ["127.0.0.3"], LISTED, [Signal.REPUTATION]),
    ("Abusix, manual", "abusix-combined", ["127.0.0.200"], LISTED, [Signal.SPAM_SOURCE]),
    ("RATS, dynamic", "spamrats-all", ["127.0.0.36"], LISTED, [Signal.POLICY]),
    ("SPFBL, suspicious only", "spfbl", ["127.0.0.3"], LISTED, []),
    ("SPFBL, residential", "spfbl", ["127.0.0.4"], LISTED, [Signal.POLICY]),
]


def reply(addresses: list[str], rcode: int | None = 0, failure: str | None = None) -> Reply:
    return Reply(Question("name.example", 1), rcode, tuple(addresses), failure=failure)


def book(name: str) -> CodeBook:
    return CodeBook(CATALOGUE.lists[name], CATALOGUE.errors)


@pytest.mark.parametrize(
    ("name", "addresses", "kind", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_what_addresses_mean(
    name: str, addresses: list[str], kind: ListAnswerKind, expected: list[Signal] | WhyNot | None
) -> None:
    for order in (addresses, addresses[::-1]):
        reading = book(name).read(reply(order))
        assert reading.kind is kind
        assert reading.meaning
        if isinstance(expected, WhyNot):
            assert (reading.why_not, reading.signals) == (expected, ())
        else:
            assert sorted(reading.signals) == sorted(expected or [])


WITHOUT_ADDRESS = [
    ("no such name", 3, None, UNLISTED, None),
    ("a name without addresses", 0, None, UNLISTED, None),
    ("refused", 5, Failure.REFUSED, UNASKED, WhyNot.REFUSED),
    ("the servers fail", 2, Failure.SERVFAIL, UNASKED, WhyNot.TIMEOUT),
    ("another error", 4, Failure.ERROR, UNASKED, WhyNot.REFUSED),
    ("an error without being named one", 9, None, UNASKED, WhyNot.REFUSED),
    ("silence", None, Failure.TIMEOUT, UNASKED, WhyNot.TIMEOUT),
    ("not asked any more", None, Failure.BREAKER, UNASKED, WhyNot.TIMEOUT),
    ("no resolver", None, Failure.UNREACHABLE, UNASKED, WhyNot.TIMEOUT),
    ("garbage", None, Failure.MALFORMED, UNASKED, WhyNot.TIMEOUT),
    ("cut off", None, Failure.TRUNCATED, UNASKED, WhyNot.TIMEOUT),
    ("a failure of tomorrow", None, "eaten-by-mice", UNASKED, WhyNot.TIMEOUT),
    ("nothing at all", None, None, UNASKED, WhyNot.TIMEOUT),
]


@pytest.mark.parametrize(
    ("rcode", "failure", "kind", "why_not"), [c[1:] for c in WITHOUT_ADDRESS], ids=[c[0] for c in WITHOUT_ADDRESS]
)
def test_what_an_answer_without_addresses_means(
    rcode: int | None, failure: str | None, kind: ListAnswerKind, why_not: WhyNot | None
) -> None:
    reading = book("psbl").read(reply([], rcode, failure))
    assert (reading.kind, reading.why_not) == (kind, why_not)


def test_a_name_that_does_not_exist_has_no_addresses() -> None:
    assert book("psbl").read(reply(["127.0.0.2"], rcode=3)).kind is UNASKED


def test_a_code_may_be_about_the_range() -> None:
    assert book("abusero-rbl").read(reply(["127.0.0.4"])).scope is ListScope.RANGE
    assert book("abusero-rbl").read(reply(["127.0.0.2"])).scope is ListScope.ADDRESS


def test_a_text_is_one_bounded_line_without_the_key() -> None:
    text = readable_text(("see\r\nhttps://a.example/?q=10.2.0.192.SeCrEt.zone\x1b[2J", "secret"), "SeCrEt")
    assert text == "see https://a.example/?q=10.2.0.192.<key>.zone?[2J <key>"
    assert readable_text(("x" * 10_000,), None) == "x" * 500
    assert readable_text((), "key") is None
