"""The trap exam: every way an answer can lie that we could think of, from a real server over real sockets.

Each zone below is a list of its own that is asked about 192.0.2.10.  None may be misread: what could not be
asked is neither listed nor clean.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.dns.lying_lists import (
    AAAA,
    CNAME,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    TXT,
    Asked,
    Behaviour,
    LyingLists,
    Packets,
    address,
    fails,
    lying_lists,
    name,
    packet,
    record,
    says,
    zone,
)

from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.checking import check
from outwarden.dns.list_health import HealthBook
from outwarden.dns.lookup import Lookup
from outwarden.dns.resolver import Resolver
from outwarden.dns.targets import Targets
from outwarden.events import ListAnswer, ListAnswerKind, ListScope, Signal, WhyNot

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LISTED, UNLISTED, UNASKED = ListAnswerKind
DEADLINE = 0.6
US = "10.2.0.192"
TEST, NEVER = "2.0.0.127", "1.0.0.127"
HERE = says("127.0.0.2")
SILENCE = lambda asked: None  # noqa: E731


def about_us(answer, **more) -> Behaviour:  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003
    """A list whose controls hold, with this answer about us."""
    return zone({TEST: HERE, US: answer, **more})


def in_row(*answers: bytes) -> Packets:
    return [(0.0, answer) for answer in answers]


def cut_off(asked: Asked) -> bytes:
    return HERE(asked) if asked.by_tcp else packet(asked, flags=0x8380)


def cut_off_for_good(asked: Asked) -> bytes | None:
    return None if asked.by_tcp else packet(asked, flags=0x8380)


def wrong_id(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2")], query_id=bytes([asked.packet[0] ^ 0xFF, asked.packet[1]]))


def another_question(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2")], question=name("3.0.0.127.other.example") + b"\0\1\0\1")


def chain(*addresses: str, end: str = "x.elsewhere.example"):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Two aliases, then the addresses of the last."""

    def answer(asked: Asked) -> bytes:
        middle = "middle.elsewhere.example"
        aliases = [record(CNAME, name(middle)), record(CNAME, name(end), owner=name(middle))]
        return packet(asked, records=aliases + [address(each, owner=name(end)) for each in addresses])

    return answer


def alias_of_itself(asked: Asked) -> bytes:
    return packet(asked, records=[record(CNAME, b"\xc0\x0c"), address("127.0.0.2", owner=name("x.example"))])


def upper_case(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2")], question=asked.question[:-4].upper() + asked.question[-4:])


def of_another_name(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2", owner=name("other.example"))])


def additional_only(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2", owner=name("ns.example"))], counts=(0, 0, 1))


def other_types(asked: Asked) -> bytes:
    return packet(asked, records=[record(AAAA, bytes(15) + b"\1"), record(TXT, b"\x09127.0.0.2")])


def chaos_class(asked: Asked) -> bytes:
    return packet(asked, records=[record(1, b"\x7f\0\0\2", rclass=3)])


def short_address(asked: Asked) -> bytes:
    return packet(asked, records=[record(1, b"\x7f\0\0")])


def short_of_records(asked: Asked) -> bytes:
    return packet(asked, records=[address("127.0.0.2")], counts=(7, 0, 0))


def question_back(asked: Asked) -> bytes:
    return asked.packet


def pointing_at_itself(asked: Asked) -> bytes:
    return packet(asked, records=[record(CNAME, b"\xc0\x2c", owner=b"\xc0\x2c"), b"\xc0" * 40], counts=(2, 0, 0))


def exists_not_yet_listed(asked: Asked) -> bytes:
    return packet(asked, NXDOMAIN, [address("127.0.0.2")])


def many_with_an_error(asked: Asked) -> bytes:
    return says(*[f"127.0.0.{octet}" for octet in range(2, 12)], "127.255.255.254")(asked)


def refused_without_question(asked: Asked) -> bytes:
    return packet(asked, REFUSED, question=b"")


def late(answer, seconds: float):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return lambda asked: [(seconds, answer(asked))]


def from_stranger(asked: Asked) -> Packets:
    return [(-1.0, HERE(asked))]


EVERYTHING = zone({}, HERE)
SPARES_NEGATIVE = zone({NEVER: fails(NXDOMAIN)}, HERE)


def spares_loopback(asked: Asked) -> Packets:
    answer = HERE if asked.part == TEST or not asked.part.endswith(".127") else fails(NXDOMAIN)
    return [(0.0, answer(asked))]


TRAPS: Mapping[str, tuple[Behaviour, ListAnswerKind, WhyNot | None]] = {
    "listed": (about_us(HERE), LISTED, None),
    "clean": (zone({TEST: HERE}), UNLISTED, None),
    "nodata": (about_us(packet), UNLISTED, None),
    # Error codes, where and how they may come.
    "error-code-always": (zone({}, says("127.255.255.254")), UNASKED, WhyNot.REFUSED),
    "error-code-for-us": (about_us(says("127.255.255.255")), UNASKED, WhyNot.REFUSED),
    "error-code-beside": (about_us(says("127.0.0.2", "127.255.255.254")), UNASKED, WhyNot.REFUSED),
    "error-code-last-of-many": (about_us(many_with_an_error), UNASKED, WhyNot.REFUSED),
    "error-code-on-test": (zone({TEST: says("127.255.255.252"), US: HERE}), UNASKED, WhyNot.REFUSED),
    "error-code-on-absent": (zone({TEST: HERE, US: HERE}, says("127.255.255.254")), UNASKED, WhyNot.REFUSED),
    "one": (about_us(says("127.0.0.1")), UNASKED, WhyNot.REFUSED),
    "one-beside": (about_us(says("127.0.0.2", "127.0.0.1")), UNASKED, WhyNot.REFUSED),
    # Addresses no list answers.
    "parked": (zone({}, says("203.0.113.80")), UNASKED, WhyNot.REWRITTEN),
    "parked-beside": (about_us(says("127.0.0.2", "203.0.113.80")), UNASKED, WhyNot.REWRITTEN),
    "rewritten": (zone({TEST: HERE}, says("198.51.100.7")), UNASKED, WhyNot.REWRITTEN),
    "rewritten-though-listed": (zone({TEST: HERE, US: HERE}, says("198.51.100.7")), UNASKED, WhyNot.REWRITTEN),
    "null-address": (zone({}, says("0.0.0.0")), UNASKED, WhyNot.REWRITTEN),  # noqa: S104
    "rewritten-to-loopback": (zone({TEST: HERE}, says("127.0.0.1")), UNASKED, WhyNot.REFUSED),
    # Lists that have lost their mind, or their life.
    "everything": (EVERYTHING, UNASKED, WhyNot.CANARY_FAILED),
    "everything-but-the-negative": (SPARES_NEGATIVE, UNASKED, WhyNot.CANARY_FAILED),
    "everything-but-loopback": (spares_loopback, UNASKED, WhyNot.CANARY_FAILED),
    "negative-listed": (zone({TEST: HERE, NEVER: HERE, US: HERE}), UNASKED, WhyNot.CANARY_FAILED),
    "died": (zone({}), UNASKED, WhyNot.CANARY_FAILED),
    "died-nodata": (zone({}, packet), UNASKED, WhyNot.CANARY_FAILED),
    "died-but-lists-us": (zone({US: HERE}), UNASKED, WhyNot.CANARY_FAILED),
    # Failures.
    "servfail": (zone({}, fails(SERVFAIL)), UNASKED, WhyNot.TIMEOUT),
    "servfail-for-us": (about_us(fails(SERVFAIL)), UNASKED, WhyNot.TIMEOUT),
    "refused": (zone({}, fails(REFUSED)), UNASKED, WhyNot.REFUSED),
    "refused-for-us": (about_us(fails(REFUSED)), UNASKED, WhyNot.REFUSED),
    "refused-bare": (zone({}, refused_without_question), UNASKED, WhyNot.REFUSED),
    "refused-with-listing": (
        about_us(lambda asked: packet(asked, REFUSED, [address("127.0.0.2")])),
        UNASKED,
        WhyNot.REFUSED,
    ),
    "not-implemented": (about_us(fails(4)), UNASKED, WhyNot.REFUSED),
    "nxdomain-with-address": (about_us(exists_not_yet_listed), UNASKED, WhyNot.REWRITTEN),
    "silent": (zone({}, SILENCE), UNASKED, WhyNot.TIMEOUT),
    "silent-for-us": (about_us(SILENCE), UNASKED, WhyNot.TIMEOUT),
    "silent-on-test": (zone({TEST: SILENCE, US: HERE}), UNASKED, WhyNot.TIMEOUT),
    "silent-where-absent": (zone({TEST: HERE, US: HERE}, SILENCE), UNASKED, WhyNot.TIMEOUT),
    "slow": (about_us(late(HERE, 0.3)), LISTED, None),
    "slow-clean": (about_us(late(fails(NXDOMAIN), 0.3)), UNLISTED, None),
    "too-slow": (about_us(late(HERE, 2.0)), UNASKED, WhyNot.TIMEOUT),
    # Packets that are no answer to the question.
    "wrong-id": (about_us(wrong_id), UNASKED, WhyNot.TIMEOUT),
    "wrong-id-then-right": (about_us(lambda asked: in_row(wrong_id(asked), packet(asked, NXDOMAIN))), UNLISTED, None),
    "wrong-question": (about_us(another_question), UNASKED, WhyNot.TIMEOUT),
    "wrong-question-then-right": (
        about_us(lambda asked: in_row(another_question(asked), packet(asked, NXDOMAIN))),
        UNLISTED,
        None,
    ),
    "from-a-stranger": (about_us(from_stranger), UNASKED, WhyNot.TIMEOUT),
    "question-back": (about_us(question_back), UNASKED, WhyNot.TIMEOUT),
    "garbage": (about_us(lambda asked: asked.packet[:2] + b"\xff" * 300), UNASKED, WhyNot.TIMEOUT),
    "header-only": (about_us(lambda asked: asked.packet[:2] + b"\x81\x80" + bytes(8)), UNASKED, WhyNot.TIMEOUT),
    "two-octets": (about_us(lambda asked: asked.packet[:2]), UNASKED, WhyNot.TIMEOUT),
    "pointer-loop": (about_us(pointing_at_itself), UNASKED, WhyNot.TIMEOUT),
    "short-of-records": (about_us(short_of_records), UNASKED, WhyNot.TIMEOUT),
    "short-address": (about_us(short_address), UNASKED, WhyNot.TIMEOUT),
    # Answers that need care.
    "cut-off": (about_us(cut_off), LISTED, None),
    "cut-off-for-good": (about_us(cut_off_for_good), UNASKED, WhyNot.TIMEOUT),
    "chain": (about_us(chain("127.0.0.2")), LISTED, None),
    "chain-to-parking": (about_us(chain("203.0.113.80")), UNASKED, WhyNot.REWRITTEN),
    "chain-to-nothing": (about_us(chain()), UNLISTED, None),
    "chain-to-an-error-code": (about_us(chain("127.0.0.4", "127.255.255.254")), UNASKED, WhyNot.REFUSED),
    "of-another-name": (about_us(of_another_name), UNLISTED, None),
    "alias-of-itself": (about_us(alias_of_itself), UNLISTED, None),
    "additional-only": (about_us(additional_only), UNLISTED, None),
    "other-types": (about_us(other_types), UNLISTED, None),
    "chaos-class": (about_us(chaos_class), UNLISTED, None),
    "upper-case": (about_us(upper_case), LISTED, None),
    "ttl-zero": (about_us(says("127.0.0.2", ttl=0)), LISTED, None),
    "ttl-enormous": (about_us(says("127.0.0.2", ttl=0xFFFFFFFF)), LISTED, None),
    "same-code-twice": (about_us(says("127.0.0.2", "127.0.0.2")), LISTED, None),
    "unpublished-code": (about_us(says("127.0.0.77")), LISTED, None),
    "test-entry-is-a-chain": (zone({TEST: chain("127.0.0.2")}), UNLISTED, None),
    "test-entry-slow": (zone({TEST: late(HERE, 0.3), US: HERE}), LISTED, None),
    "no-text": (zone({TEST: HERE, US: lambda asked: HERE(asked) if asked.qtype == 1 else None}), LISTED, None),
}

TABLE = """
[{name}]
zone = "{name}.traps.example"
operator = "us"
meaning = "a trap"
asks = ["ipv4"]
tier = "major"
life = {{ state = "alive", source = "us" }}
[{name}.codes]
"127.0.0.2" = {{ means = "listed", votes = "spam-source" }}
"127.0.0.4" = {{ means = "listed", votes = "compromise" }}
"""
EVERY_LIST = """
[every-list.errors]
"127.255.255.x" = "refused"
"127.0.0.0-1" = "no listing"
"""


def catalogue_of(names: Sequence[str], path: Path) -> Catalogue:
    path.write_text(EVERY_LIST + "".join(TABLE.format(name=each) for each in names), encoding="utf-8")
    return load_catalogue(path)


def asked_of(server: LyingLists, catalogue: Catalogue, *targets: str, remote: bool = False) -> list[ListAnswer]:
    lookup = Lookup(Resolver("127.0.0.1", server.port, remote=remote), deadline_seconds=DEADLINE)
    return list(check(Targets(targets), catalogue, lookup, NOW))


@pytest.fixture(scope="module", params=[False, True], ids=["own resolver", "distant resolver"])
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ListAnswer]:
    """All traps asked at once, as lists are."""
    catalogue = catalogue_of(list(TRAPS), tmp_path_factory.mktemp("traps") / "traps.toml")
    with lying_lists({f"{each}.traps.example": trap[0] for each, trap in TRAPS.items()}) as server:
        found = asked_of(server, catalogue, "192.0.2.10", remote=request.param)
    assert len(found) == len(TRAPS), "one answer for each list"
    return {answer.list: answer for answer in found}


@pytest.mark.parametrize("trap", TRAPS)
def test_no_trap_catches(trap: str, answers: dict[str, ListAnswer]) -> None:
    _, kind, why_not = TRAPS[trap]
    answer = answers[trap]
    assert (answer.answer, answer.why_not) == (kind, why_not), answer.meaning
    assert (answer.target, answer.asked_at, answer.major) == ("192.0.2.10", NOW, True)
    assert bool(answer.signals) <= (kind is LISTED)
    assert (kind is UNASKED) <= bool(answer.meaning)


def test_a_listing_tells_its_codes_and_its_text(answers: dict[str, ListAnswer]) -> None:
    listed = answers["listed"]
    assert (listed.codes, listed.meaning, listed.text) == (("127.0.0.2",), "listed", "listed here")
    assert (listed.signals, listed.ttl_seconds) == ((Signal.SPAM_SOURCE,), 60)
    assert answers["ttl-zero"].ttl_seconds == 0
    assert answers["no-text"].text is None


# --- several lists, several targets ------------------------------------------------------------------------------


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "lists.toml"


def test_a_silent_list_holds_up_nobody(where: Path) -> None:
    names = [f"list{number}" for number in range(20)]
    zones = {f"{each}.traps.example": about_us(HERE) for each in names[1:]} | {"list0.traps.example": zone({}, SILENCE)}
    catalogue = catalogue_of(names, where)
    with lying_lists(zones) as server:
        lookup = Lookup(Resolver("127.0.0.1", server.port, remote=False), deadline_seconds=1.5)
        begun = time.monotonic()
        seen = [(time.monotonic() - begun, answer) for answer in check(Targets(["192.0.2.10"]), catalogue, lookup, NOW)]
    assert [answer.list for _, answer in seen][-1] == "list0"
    assert all(answer.text == "listed here" for _, answer in seen[:-1])
    assert seen[-2][0] < 1.0 < seen[-1][0] < 2.5


def test_texts_are_asked_of_listings_only(where: Path) -> None:
    with lying_lists({"clean.traps.example": zone({TEST: HERE}), "listed.traps.example": about_us(HERE)}) as server:
        asked_of(server, catalogue_of(["clean", "listed"], where), "192.0.2.10")
    assert [asked for asked, qtype in server.asked if qtype == TXT] == [f"{US}.listed.traps.example"]


def test_a_list_that_lists_everything_of_a_sweep_gets_a_second_look(where: Path) -> None:
    def only_canaries_at_first(asked: Asked) -> Packets:
        # Honest about loopback and about the first far canary, then it lists whatever comes.
        absent = asked.part.endswith(".127") and asked.part != TEST
        first_far = asked.part.split(".")[-1] >= "240" and not seen_far
        if asked.part.split(".")[-1] >= "240":
            seen_far.append(asked.part)
        return [(0.0, (fails(NXDOMAIN) if absent or first_far else HERE)(asked))]

    seen_far: list[str] = []
    zones: dict[str, Behaviour] = {
        "mad.traps.example": only_canaries_at_first,
        "sane.traps.example": zone({TEST: HERE}),
        "harsh.traps.example": zone({TEST: HERE} | {f"{n}.100.51.198": HERE for n in range(256)}),
    }
    with lying_lists(zones) as server:
        found = asked_of(server, catalogue_of(["mad", "sane", "harsh"], where), "198.51.100.0/24")
    kinds = {each: {answer.answer for answer in found if answer.list == each} for each in ("mad", "sane", "harsh")}
    assert kinds == {"mad": {UNASKED}, "sane": {UNLISTED}, "harsh": {LISTED}}
    assert len(found) == 3 * 256


def test_a_list_that_begins_to_refuse_is_asked_no_more(where: Path) -> None:
    asked_before: list[str] = []

    def tired(asked: Asked) -> Packets:
        asked_before.append(asked.part)
        code = says("127.255.255.255") if len(asked_before) > 100 else (HERE if asked.part == TEST else fails(NXDOMAIN))
        return [(0.0, code(asked))]

    with lying_lists({"tired.traps.example": tired}) as server:
        found = asked_of(server, catalogue_of(["tired"], where), "198.51.96.0/20")
    assert len(found) == 4096
    assert {answer.answer for answer in found[200:]} == {UNASKED}
    assert len(asked_before) < 1000


def test_an_unfit_list_is_answered_for_every_address_and_asked_little(where: Path) -> None:
    with lying_lists({"died.traps.example": zone({}), "sane.traps.example": zone({TEST: HERE})}) as server:
        found = asked_of(server, catalogue_of(["died", "sane"], where), "198.51.96.0/20")
    dead = [answer for answer in found if answer.list == "died"]
    assert len(found) == 2 * 4096 and len({answer.target for answer in dead}) == 4096
    assert {answer.why_not for answer in dead} == {WhyNot.CANARY_FAILED}
    assert sum(asked.endswith("died.traps.example") for asked, _ in server.asked) < 1000


def test_one_lost_packet_condemns_no_list(where: Path) -> None:
    lost: set[str] = set()

    def forgetful(asked: Asked) -> Packets:
        # Deaf to each name for as long as a look-up tries.
        if asked.part not in seen_at:
            seen_at[asked.part] = time.monotonic()
        if asked.part == NEVER and time.monotonic() < seen_at[NEVER] + DEADLINE:
            lost.add(asked.part)
            return []
        return [(0.0, (HERE if asked.part == TEST else fails(NXDOMAIN))(asked))]

    seen_at: dict[str, float] = {}
    with lying_lists({"forgetful.traps.example": forgetful}) as server:
        [answer] = asked_of(server, catalogue_of(["forgetful"], where), "192.0.2.10")
    assert lost == {NEVER}
    assert answer.answer is UNLISTED


def test_a_list_with_a_slow_pace_is_not_asked_about_a_large_network(where: Path) -> None:
    catalogue_of(["slow"], where)
    where.write_text(
        where.read_text(encoding="utf-8").replace("tier", "queries_per_second = 10\ntier"), encoding="utf-8"
    )
    with lying_lists({"slow.traps.example": zone({TEST: HERE})}) as server:
        found = asked_of(server, load_catalogue(where), "198.51.96.0/20")
    assert {(answer.answer, answer.why_not) for answer in found} == {(UNASKED, WhyNot.REFUSED)}
    assert len(found) == 4096 and "300 addresses" in found[0].meaning
    assert server.asked == []


def test_health_is_remembered(where: Path) -> None:
    catalogue = catalogue_of(["sane"], where)
    with lying_lists({"sane.traps.example": zone({TEST: HERE})}) as server:
        lookup = Lookup(Resolver("127.0.0.1", server.port, remote=False), deadline_seconds=DEADLINE)
        book = HealthBook()
        for target in ("192.0.2.1", "192.0.2.2"):
            [answer] = check(Targets([target]), catalogue, lookup, NOW, book)
            assert answer.answer is UNLISTED
    assert (
        sum("127.sane" in asked or asked.split(".")[-4:][0] > "239" for asked, _ in server.asked if "sane" in asked)
        == 4
    )
    assert sum("sane" not in asked for asked, _ in server.asked) == 5, "the resolver was proved once"


def test_the_same_listing_votes_once(where: Path) -> None:
    catalogue = catalogue_of(["outer", "inner"], where)
    text = where.read_text(encoding="utf-8").replace("[inner]", '[inner]\ninside_of = ["outer"]')
    where.write_text(text, encoding="utf-8")
    catalogue = load_catalogue(where)
    zones = {
        "outer.traps.example": about_us(says("127.0.0.2")),
        "inner.traps.example": about_us(says("127.0.0.2", "127.0.0.4")),
    }
    with lying_lists(zones) as server:
        found = asked_of(server, catalogue, "192.0.2.10")
    votes = sorted(signal for answer in found for signal in answer.signals)
    assert votes == [Signal.COMPROMISE, Signal.SPAM_SOURCE]
    assert {answer.answer for answer in found} == {LISTED}


def test_targets_with_the_same_name_are_asked_about_once(where: Path) -> None:
    catalogue_of(["names"], where)
    where.write_text(where.read_text(encoding="utf-8").replace('["ipv4"]', '["domain"]'), encoding="utf-8")
    zones = {"names.traps.example": zone({"test": HERE, "bad.example": HERE})}
    with lying_lists(zones) as server:
        found = asked_of(
            server, load_catalogue(where), "a.bad.example", "B.BAD.example.", "http://bad.example/x", "good.example"
        )
    assert {answer.target: answer.answer for answer in found} == {
        "a.bad.example": LISTED, "B.BAD.example.": LISTED, "http://bad.example/x": LISTED, "good.example": UNLISTED,
    }  # fmt: skip


def test_an_ipv6_address_is_listed_where_its_64_is(where: Path) -> None:
    catalogue_of(["six"], where)
    where.write_text(where.read_text(encoding="utf-8").replace('["ipv4"]', '["ipv4", "ipv6"]'), encoding="utf-8")
    zones = {"six.traps.example": zone({TEST: HERE, "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2": HERE})}
    with lying_lists(zones) as server:
        found = asked_of(server, load_catalogue(where), "2001:db8::1", "2001:db8:1::1", "192.0.2.1")
    assert {answer.target: (answer.answer, answer.scope) for answer in found} == {
        "2001:db8::1": (LISTED, ListScope.RANGE),
        "2001:db8:1::1": (UNLISTED, ListScope.ADDRESS),
        "192.0.2.1": (UNLISTED, ListScope.ADDRESS),
    }


def test_an_ipv4_list_is_never_asked_about_ipv6(where: Path) -> None:
    with lying_lists({"four.traps.example": zone({TEST: HERE})}) as server:
        assert asked_of(server, catalogue_of(["four"], where), "2001:db8::1") == []
    assert server.asked == []


def test_without_key_a_list_is_not_asked_and_with_it_the_key_is_shown_nowhere(where: Path) -> None:
    catalogue_of(["secret"], where)
    keyed = where.read_text(encoding="utf-8").replace('zone = "', 'key = "us"\nzone = "<key>.')
    where.write_text(keyed, encoding="utf-8")

    def tells_the_name(asked: Asked) -> bytes:
        said = b"\x40" + b"see " + US.encode() + b".K3Y.secret and k3y" + b"." * 31
        return packet(asked, records=[record(TXT, said)]) if asked.qtype == TXT else HERE(asked)

    with lying_lists({"k3y.secret.traps.example": about_us(tells_the_name)}) as server:
        [answer] = asked_of(server, load_catalogue(where), "192.0.2.10")
        assert (answer.answer, answer.why_not, answer.major) == (UNASKED, WhyNot.NEEDS_KEY, False)
        assert server.asked == []
        [answer] = asked_of(server, load_catalogue(where, keys={"us": "k3y"}), "192.0.2.10")
    assert answer.answer is LISTED
    assert "k3y" not in repr(answer).lower()


def test_a_dead_list_that_is_asked_for_by_name_is_not_asked(where: Path) -> None:
    with lying_lists({}) as server:
        [answer] = asked_of(server, load_catalogue().chosen(["dnsbl.sorbs.net"]), "192.0.2.10")
    assert (answer.answer, answer.why_not) == (UNASKED, WhyNot.DEAD)
    assert server.asked == []


def test_no_resolver_at_all_is_no_clean_bill(where: Path) -> None:
    with lying_lists({}) as server:
        port = server.port
    lookup = Lookup(Resolver("127.0.0.1", port, remote=False), deadline_seconds=0.3)
    found = list(check(Targets(["192.0.2.10", "192.0.2.11"]), catalogue_of(["a", "b"], where), lookup, NOW))
    assert {(answer.answer, answer.why_not) for answer in found} == {(UNASKED, WhyNot.TIMEOUT)}
    assert len(found) == 4
    assert all("resolver" in answer.meaning for answer in found)
