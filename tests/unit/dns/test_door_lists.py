"""The lists asked at the gate: which, about what, and what counts; against a server that answers as it is told to."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.dns.lying_lists import (
    NXDOMAIN,
    REFUSED,
    Answer,
    Asked,
    Behaviour,
    LyingLists,
    fails,
    lying_lists,
    says,
    zone,
)

from outwarden.dns.blocklist import UnusableCatalogue
from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.door_answers import Conclusion, DoorQuestions, Office
from outwarden.dns.door_choice import door_lists
from outwarden.dns.door_lists import AboutMessage, DoorLists
from outwarden.dns.list_health import Health
from outwarden.dns.live_lookup import LiveLookup
from outwarden.dns.questions import Reply
from outwarden.dns.resolver import Resolver
from outwarden.dns.targets import TargetKind
from outwarden.events import Link, LinkKind, WhyNot

DEADLINE = 0.25
CLIENT, CLIENT_PART = "192.0.2.10", "10.2.0.192"
TEST = "2.0.0.127"
HERE = says("127.0.0.2")

# id: the part of its table that matters.
LISTS = """
[zen]
asks = ["ipv4", "ipv6"]
codes."127.0.0.3" = { means = "CSS", votes = "spam-source" }
codes."127.0.0.4" = { means = "XBL", votes = "compromise" }
codes."127.0.0.9" = { means = "DROP", votes = "netblock" }
codes."127.0.0.10" = { means = "PBL", votes = "policy" }
codes."127.0.0.13" = { means = "low repute", votes = "reputation" }
[exploit]
asks = ["ipv4"]
codes."127.0.0.4" = { means = "exploit", votes = "compromise" }
[brute]
asks = ["ipv4"]
tier = "hobby"
codes."127.0.0.2" = { means = "attacked servers", votes = "reputation" }
[range]
asks = ["ipv4"]
codes."127.0.0.2" = { means = "bad neighbours", votes = "neighbourhood" }
[dbl]
asks = ["domain", "address-in-url"]
codes."127.0.1.2" = { means = "spam", votes = "domain" }
codes."127.0.1.102" = { means = "abused", votes = "abused-domain" }
codes."127.0.1.4" = { means = "grey", votes = "reputation" }
[fresh]
asks = ["domain"]
tier = "hobby"
new_within_days = 5
codes."127.0.0.2" = { means = "new" }
[today]
asks = ["host"]
new_within_days = 0
codes."127.0.2.2-24" = { means = "new today" }
[pages]
asks = ["domain", "surbl-url"]
codes."127.0.0.8" = { means = "phishing" }
[keyed]
zone = "<key>.keyed.example"
asks = ["ipv4"]
key = "somebody"
codes."127.0.0.4" = { means = "exploit", votes = "compromise" }
[dead]
"closed.example" = "closed in 2020"
"""
COMMON = """operator = "Somebody"
meaning = "invented"
life = { state = "alive", source = "invented" }
"""


def catalogue(folder: Path, wanted: Iterable[str] | None = None, **keys: str) -> Catalogue:
    lines = []
    for line in LISTS.strip().splitlines():
        lines.append(line)
        name = line.strip("[]")
        if line.startswith("[") and name != "dead":
            zone_line = [] if name == "keyed" else [f'zone = "{name}.example"']
            lines += [*zone_line, *COMMON.splitlines()]
    text = "\n".join(lines).replace('asks = ["ipv4"]\ncodes', 'asks = ["ipv4"]\ntier = "major"\ncodes')
    for asks in ('["ipv4", "ipv6"]', '["domain", "address-in-url"]', '["domain", "surbl-url"]'):
        text = text.replace(f"asks = {asks}\n", f'asks = {asks}\ntier = "major"\n')
    text = text.replace("new_within_days = 0", 'tier = "major"\nnew_within_days = 0')
    text = text.replace('key = "somebody"', 'tier = "major"\nkey = "somebody"')
    path = folder / "lists.toml"
    path.write_text(text, encoding="utf-8")
    found = load_catalogue(path, keys=keys)
    return found if wanted is None else found.chosen(wanted)


def md5(page: str) -> str:
    return hashlib.md5(page.encode(), usedforsecurity=False).hexdigest()


def link(target: str, kind: LinkKind = LinkKind.DOMAIN, age_days: int | None = None, listed: bool = False) -> Link:
    return Link(kind, target, age_days, listed)


SHIPPED = door_lists(load_catalogue(keys={"spamhaus": "k", "abusix": "k"}))


# --- which lists, and about what ---------------------------------------------------------------


def test_the_lists_that_fit_are_asked(tmp_path: Path) -> None:
    offices = {(door.id, door.office, door.kind) for door in door_lists(catalogue(tmp_path))}
    assert offices == {
        ("zen", Office.CLIENT, TargetKind.IPV4),
        ("zen", Office.CLIENT, TargetKind.IPV6),
        ("exploit", Office.CLIENT, TargetKind.IPV4),
        ("dbl", Office.LINK, TargetKind.DOMAIN),
        ("fresh", Office.AGE, TargetKind.DOMAIN),
        ("today", Office.AGE, TargetKind.DOMAIN),
        ("pages", Office.PAGE, TargetKind.URL),
    }


def test_a_list_with_a_key_is_asked_with_one_only(tmp_path: Path) -> None:
    asked = {door.id: door for door in door_lists(catalogue(tmp_path, somebody="secret"))}
    assert asked["keyed"].question("x").name == "x.secret.keyed.example"
    (named,) = door_lists(catalogue(tmp_path), ["keyed"])
    assert named.health is not None
    assert named.health.why_not is WhyNot.NEEDS_KEY


def test_a_small_list_counts_where_the_site_names_it(tmp_path: Path) -> None:
    (door,) = door_lists(catalogue(tmp_path), ["brute"])
    assert door.office is Office.CLIENT


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("range", "gate.lists: range says nothing"),
        ("closed.example", "gate.lists: closed.example is never asked: closed in 2020"),
        ("zem", "did you mean zen"),
    ],
)
def test_a_choice_that_cannot_be(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UnusableCatalogue, match=told):
        door_lists(catalogue(tmp_path), [name])


def test_the_lists_we_ship_have_their_offices() -> None:
    offices = {(door.id, door.office) for door in SHIPPED}
    assert offices >= {
        ("spamhaus-zen-dqs", Office.CLIENT),
        ("spamhaus-authbl", Office.CLIENT),
        ("abusix-authbl", Office.CLIENT),
        ("spamhaus-dbl-dqs", Office.LINK),
        ("surbl", Office.LINK),
        ("uribl", Office.LINK),
        ("spamhaus-zrd", Office.AGE),
        ("abusix-nod", Office.AGE),
        ("abusix-shorthash", Office.PAGE),
    }
    assert {door.id for door in SHIPPED}.isdisjoint({"spamhaus-pbl", "abusix-dynamic", "uceprotect-2", "dronebl"})


CLIENTS = [
    ("an address", CLIENT, {"10.2.0.192.zen.example", "10.2.0.192.exploit.example"}),
    ("IPv6", "2001:db8::1", {f"1.{'0.' * 23}8.b.d.0.1.0.0.2.zen.example"}),
    ("IPv4 inside IPv6", "::ffff:192.0.2.10", {"10.2.0.192.zen.example", "10.2.0.192.exploit.example"}),
    ("ours", "198.51.100.77", set()),
    ("private", "10.1.2.3", set()),
    ("of a carrier", "100.64.0.9", set()),
    ("loopback", "127.0.0.1", set()),
    ("loopback of IPv6", "::1", set()),
    ("of a link", "fe80::1%eth0", set()),
    ("unique local", "fd00::1", set()),
    ("no address", "unknown", set()),
]


@pytest.mark.parametrize(("name", "address", "names"), CLIENTS, ids=[case[0] for case in CLIENTS])
def test_what_is_asked_about_a_client(tmp_path: Path, name: str, address: str, names: set[str]) -> None:
    questions = DoorQuestions(door_lists(catalogue(tmp_path)), ["198.51.100.0/24"])
    assert {question.name for _, question in questions.about_client(address)} == names


DRIVE = "drive.example/open?id=A"
LINKS = [
    ("a domain", link("spam.example"), (), {"spam.example.dbl.example", "spam.example.fresh.example",
                                            "spam.example.today.example"}),
    ("an address", link("192.0.2.7"), (), {"7.2.0.192.dbl.example"}),
    ("a private address", link("192.168.1.1"), (), set()),
    ("IPv6", link("[2001:db8::1]"), (), set()),
    ("a short link", link("bit.example/e3", LinkKind.SHORTENER), ("bit.example/e3", "other.example/x"),
     {md5("bit.example/e3") + ".pages.example"}),
    ("its page as it stands there", link("bit.example/e3", LinkKind.SHORTENER), ("www.bit.example/e3/?utm=1",),
     {md5("www.bit.example/e3/") + ".pages.example"}),
    ("no page is known", link("bit.example/e3", LinkKind.SHORTENER), (), {md5("bit.example/e3") + ".pages.example"}),
    ("two files behind one path", link(DRIVE, LinkKind.STORAGE),
     ("drive.example/open?id=B", "drive.example/open?id=A&x=1"), {md5("drive.example/open") + ".pages.example"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "urls", "names"), LINKS, ids=[case[0] for case in LINKS])
def test_what_is_asked_about_a_link(
    tmp_path: Path, name: str, asked: Link, urls: tuple[str, ...], names: set[str]
) -> None:
    questions = DoorQuestions(door_lists(catalogue(tmp_path)))
    found = questions.about_links([asked], urls)
    assert {question.name for _, _, row in found for _, question in row} == names


def test_where_no_list_has_pages_a_shared_host_is_not_asked_about(tmp_path: Path) -> None:
    questions = DoorQuestions(door_lists(catalogue(tmp_path), ["dbl", "fresh", "zen"]))
    shared = [link("bit.example/e3", LinkKind.SHORTENER), link(DRIVE, LinkKind.STORAGE)]
    assert list(questions.about_links(shared, ["bit.example/e3", DRIVE])) == []


def test_a_message_of_very_many_links_is_bounded(tmp_path: Path) -> None:
    questions = DoorQuestions(door_lists(catalogue(tmp_path)))
    many = [link("bit.example/e3", LinkKind.SHORTENER)] * 1000
    urls = [f"bit.example/e3?{number}" for number in range(1000)]
    assert len(list(questions.about_links(many, urls))) <= 150


_STRANGE = st.text(st.characters(exclude_categories=()), max_size=80) | st.from_regex(
    r"[a-z0-9.\[\]:?&=/%-]{0,60}", fullmatch=True
)


@settings(max_examples=200, deadline=None)
@example("bit.example/\ud800", ["\ud800.example/x"])
@example("a..b.", [".", "", "\u00b2.\u00b2", "x." * 200])
@given(_STRANGE, st.lists(_STRANGE, max_size=3))
def test_whatever_a_message_says_can_be_asked_or_not(strange: str, urls: list[str]) -> None:
    questions = DoorQuestions(SHIPPED)
    links = [Link(kind, text) for kind in LinkKind for text in (strange, *urls)]
    asked = [
        *questions.about_client(strange),
        *(one for _, _, row in questions.about_links(links, urls) for one in row),
    ]
    assert all(
        question.name.endswith((".spamhaus.net", ".abusix.zone", ".com", ".org", ".net")) for _, question in asked
    )


# --- what they answer --------------------------------------------------------------------------

Story = Callable[[DoorLists, LyingLists], Coroutine[Any, Any, None]]


def told(folder: Path, zones: Mapping[str, Behaviour], story: Story, lists: Iterable[str] = ()) -> None:
    """Tell a story of the lists whose zones are given; of the others nothing is there.  Nothing may be left of it."""

    async def tell(server: LyingLists) -> None:
        lookup = LiveLookup(Resolver("127.0.0.1", server.port, remote=False), DEADLINE)
        doors = DoorLists(catalogue(folder), lookup, tuple(lists) or [name.partition(".")[0] for name in zones])
        await lookup.start()
        await doors.start()
        try:
            await until(lambda: None not in doors.health.values())
            await story(doors, server)
        finally:
            await doors.close()
            await lookup.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with lying_lists(zones) as server:
        asyncio.run(tell(server))


async def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def of_client(answer: Answer) -> Behaviour:
    return zone({TEST: HERE, CLIENT_PART: answer})


ZEN_TEST_6 = f"2.0.0.0.0.0.f.7.f.f.f.f.{'0.' * 19}0"


def zen(answer: Answer) -> Behaviour:
    return zone({TEST: HERE, ZEN_TEST_6: HERE, CLIENT_PART: answer})


CODES = [
    ("exploited", says("127.0.0.4"), True),
    ("a spam source", says("127.0.0.3"), True),
    ("exploited and dynamic", says("127.0.0.4", "127.0.0.10"), True),
    ("dynamic", says("127.0.0.10"), False),
    ("netblock", says("127.0.0.9"), False),
    ("low repute", says("127.0.0.13"), False),
    ("a code nobody published", says("127.0.0.99"), False),
    ("not listed", fails(NXDOMAIN), False),
]


@pytest.mark.parametrize(("name", "answer", "counts"), CODES, ids=[case[0] for case in CODES])
def test_what_counts_of_a_client(tmp_path: Path, name: str, answer: Answer, counts: bool) -> None:
    async def story(doors: DoorLists, server: LyingLists) -> None:
        about = await doors.about(CLIENT, (), (), ())
        assert about == AboutMessage(client_lists=("zen",) if counts else ())
        assert about.client_listed is counts

    told(tmp_path, {"zen.example": zen(answer)}, story)


NO_ANSWERS = [
    ("an error code", says("127.255.255.254")),
    ("outside 127/8", says("192.0.2.1")),
    ("refused", fails(REFUSED)),
    ("listed and an error", says("127.0.0.4", "127.255.255.255")),
]


@pytest.mark.parametrize(("name", "answer"), NO_ANSWERS, ids=[case[0] for case in NO_ANSWERS])
def test_what_is_no_answer(tmp_path: Path, name: str, answer: Answer) -> None:
    async def story(doors: DoorLists, server: LyingLists) -> None:
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("zen",))

    told(tmp_path, {"zen.example": zen(answer)}, story)


def test_links_are_marked(tmp_path: Path) -> None:
    zones = {
        "dbl.example": zone({
            TEST: HERE, "spam.example": says("127.0.1.2"), "abused.example": says("127.0.1.102"),
            "grey.example": says("127.0.1.4"), "7.2.0.192": says("127.0.1.2"),
        }),
        "fresh.example": zone({TEST: HERE, "new.example": HERE, "newer.example": HERE}),
        "today.example": zone({TEST: HERE, "newer.example": says("127.0.2.7")}),
        "pages.example": zone({TEST: HERE, md5("bit.example/e3"): says("127.0.0.8")}),
    }  # fmt: skip
    given = (
        link("spam.example"), link("abused.example"), link("grey.example"), link("192.0.2.7"), link("new.example"),
        link("newer.example"), link("new.example", age_days=2), link("bit.example/e3", LinkKind.SHORTENER),
        link("bit.example/e4", LinkKind.SHORTENER), link("fine.example", listed=True),
    )  # fmt: skip

    async def story(doors: DoorLists, server: LyingLists) -> None:
        about = await doors.about(None, given, ("bit.example/e3?utm=1", "bit.example/e4"), ("00" * 32,))
        assert about.links == (
            link("spam.example", listed=True), link("abused.example", listed=True), link("grey.example"),
            link("192.0.2.7", listed=True), link("new.example", age_days=5), link("newer.example", age_days=0),
            link("new.example", age_days=2), link("bit.example/e3", LinkKind.SHORTENER, listed=True),
            link("bit.example/e4", LinkKind.SHORTENER), link("fine.example", listed=True),
        )  # fmt: skip
        assert set(about.listed) == {
            ("spam.example", "dbl"), ("abused.example", "dbl"), ("192.0.2.7", "dbl"),
            ("bit.example/e3?utm=1", "pages"),
        }  # fmt: skip
        assert about.late == about.could_not_ask == about.client_lists == ()
        assert not any(name.startswith("bit.example") for name, _ in server.asked)

    told(tmp_path, zones, story)


def test_a_late_answer_counts_for_the_next_message(tmp_path: Path) -> None:
    def late(asked: Asked) -> list[tuple[float, bytes]]:
        return [(DEADLINE + 0.1, says("127.0.0.4")(asked))]

    async def story(doors: DoorLists, server: LyingLists) -> None:
        started = time.monotonic()
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(late=("exploit",))
        assert time.monotonic() - started < DEADLINE + 0.1
        await until(lambda: doors._lookup.counts.late == 1)
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(client_lists=("exploit",))

    told(tmp_path, {"exploit.example": of_client(late)}, story)


# --- what is remembered of the answers ---------------------------------------------------------

FIT = Health(True)
# what dbl says of the domain, what fresh says, and for how many seconds nothing needs to be asked after it
QUIET = [
    ("on no list", (3, (), 300), (3, (), 200), 200),
    ("on no list, by a code that does not count", (0, ("127.0.1.4",), 60), (3, (), 200), 60),
    ("for longer than a day", (3, (), 1 << 30), (3, (), 1 << 30), 86_400),
    ("not to be remembered", (3, (), 0), (3, (), 300), 0),
    ("listed", (0, ("127.0.1.2",), 300), (3, (), 300), 0),
    ("new", (3, (), 300), (0, ("127.0.0.2",), 300), 0),
    ("refused", (0, ("127.255.255.254",), 300), (3, (), 300), 0),
    ("no answer", (3, (), 300), None, 0),
]
Said = tuple[int, tuple[str, ...], int]


@pytest.mark.parametrize(("first", "second", "seconds"), [case[1:] for case in QUIET], ids=[case[0] for case in QUIET])
def test_how_long_nothing_needs_to_be_asked(tmp_path: Path, first: Said, second: Said | None, seconds: int) -> None:
    doors = door_lists(catalogue(tmp_path), ["dbl", "fresh"])
    for door in doors:
        door.health = FIT
    ((place, what, inquiry),) = DoorQuestions(doors).about_links([link("a.example")], ())
    assert [door.id for door, _ in inquiry] == ["dbl", "fresh"]
    replies = {
        question: Reply(question, said[0], said[1], ttl=said[2])
        for (_, question), said in zip(inquiry, (first, second), strict=True)
        if said is not None
    }
    Conclusion([link("a.example")], replies, 1000.0).take_link(place, what, inquiry)
    assert inquiry.quiet_until == 1000.0 + seconds
    assert not inquiry.is_quiet(1000.0 + seconds)
    if seconds:
        doors[0].refusals = doors[1].listings = 5
        assert inquiry.is_quiet(999.0 + seconds)
        assert doors[0].refusals == doors[1].listings == 0
        # Of a list that is not fit nothing is known.
        doors[1].health = Health(False, WhyNot.CANARY_FAILED, "lists everything")
        assert not inquiry.is_quiet(999.0 + seconds)


def test_of_a_list_that_is_fit_no_more_it_is_told_again(tmp_path: Path) -> None:
    async def story(doors: DoorLists, server: LyingLists) -> None:
        for _ in range(2):
            assert await doors.about(CLIENT, (link("a.example"),), (), ()) == AboutMessage(links=(link("a.example"),))
        doors._doors[0].health = Health(False, WhyNot.REFUSED, "refuses what it is asked")
        about = await doors.about(CLIENT, (link("a.example"),), (), ())
        assert about == AboutMessage(links=(link("a.example"),), could_not_ask=(doors._doors[0].id,))

    told(tmp_path, {"dbl.example": zone({TEST: HERE}), "exploit.example": zone({TEST: HERE})}, story)


# --- which are believed ------------------------------------------------------------------------

UNFIT = [
    ("its test entry is missing", zone({CLIENT_PART: says("127.0.0.4")}), WhyNot.CANARY_FAILED),
    ("it lists everything", zone({}, otherwise=says("127.0.0.4")), WhyNot.CANARY_FAILED),
    ("it refuses us", zone({}, otherwise=says("127.255.255.254")), WhyNot.REFUSED),
    ("it is parked", zone({}, otherwise=says("203.0.113.9")), WhyNot.REWRITTEN),
]


@pytest.mark.parametrize(("name", "behaviour", "why"), UNFIT, ids=[case[0] for case in UNFIT])
def test_an_unfit_list_is_not_asked_and_never_lists(
    tmp_path: Path, name: str, behaviour: Behaviour, why: WhyNot
) -> None:
    async def story(doors: DoorLists, server: LyingLists) -> None:
        before = len(server.asked)
        about = await doors.about(CLIENT, (), (), ())
        assert about == AboutMessage(could_not_ask=("exploit",), client_lists=("zen",))
        assert [asked for asked, _ in server.asked[before:]] == [f"{CLIENT_PART}.zen.example"]
        health = doors.health["exploit"]
        assert health is not None
        assert health.why_not is why

    told(tmp_path, {"exploit.example": behaviour, "zen.example": zen(says("127.0.0.4"))}, story)


def test_until_its_controls_are_in_a_list_is_not_asked(tmp_path: Path) -> None:
    async def tell(server: LyingLists) -> None:
        lookup = LiveLookup(Resolver("127.0.0.1", server.port, remote=False), DEADLINE)
        await lookup.start()
        doors = DoorLists(catalogue(tmp_path), lookup, ["exploit"])
        # Who forgot to start it starts it so.
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("exploit",))
        await until(lambda: doors.health["exploit"] is not None)
        assert (await doors.about(CLIENT, (), (), ())).client_lists == ("exploit",)
        await doors.close()
        await lookup.close()

    with lying_lists({"exploit.example": of_client(says("127.0.0.4"))}) as server:
        asyncio.run(tell(server))


def test_through_a_resolver_that_rewrites_no_list_is_believed(tmp_path: Path) -> None:
    everything = {name: zone({}, otherwise=says("127.0.0.4")) for name in ("com", "net", "org", "de", "uk")}

    async def story(doors: DoorLists, server: LyingLists) -> None:
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("exploit",))
        assert "where no name is" in (doors.resolver_fault or "")

    told(tmp_path, {"exploit.example": of_client(says("127.0.0.4")), **everything}, story, ["exploit"])


def test_a_list_that_begins_to_refuse_is_proved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.dns.door_lists._SILENT_SECONDS", 0.0)
    refuses = False

    def turned(asked: Asked) -> bytes:
        return says("127.255.255.255" if refuses else "127.0.0.4", ttl=0)(asked)

    async def story(doors: DoorLists, server: LyingLists) -> None:
        nonlocal refuses
        assert (await doors.about(CLIENT, (), (), ())).client_listed
        refuses = True
        for _ in range(10):
            assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("exploit",))
        asked = len(server.asked)
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("exploit",))
        # Its controls still hold, so it is asked on.
        await until(lambda: len(server.asked) > asked and doors.health["exploit"].fit)  # type: ignore[union-attr]
        refuses = False
        assert (await doors.about(CLIENT, (), (), ())).client_listed

    told(tmp_path, {"exploit.example": of_client(turned)}, story)


def test_a_list_that_lists_everything_all_at_once_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.dns.door_lists._SILENT_SECONDS", 0.0)
    closed = False

    def everything(asked: Asked) -> bytes:
        return says("127.0.0.4")(asked) if closed or asked.part == TEST else fails(NXDOMAIN)(asked)

    async def story(doors: DoorLists, server: LyingLists) -> None:
        nonlocal closed
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage()
        closed = True
        for last in range(100, 125):
            assert (await doors.about(f"192.0.2.{last}", (), (), ())).client_listed
        assert await doors.about("192.0.2.200", (), (), ()) == AboutMessage(could_not_ask=("exploit",))
        await until(lambda: "answers everything" in doors.health["exploit"].meaning)  # type: ignore[union-attr]
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(could_not_ask=("exploit",))

    told(tmp_path, {"exploit.example": zone({}, otherwise=everything)}, story)


def test_one_silent_list_takes_nothing_from_the_others(tmp_path: Path) -> None:
    zones = {
        "exploit.example": of_client(lambda asked: None),
        "zen.example": zen(says("127.0.0.4")),
    }

    async def story(doors: DoorLists, server: LyingLists) -> None:
        started = time.monotonic()
        assert await doors.about(CLIENT, (), (), ()) == AboutMessage(client_lists=("zen",), late=("exploit",))
        assert DEADLINE <= time.monotonic() - started < DEADLINE + 0.15

    told(tmp_path, zones, story)


def test_a_message_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async def story(doors: DoorLists, server: LyingLists) -> None:
        asking = asyncio.create_task(doors.about(CLIENT, (), (), ()))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    told(tmp_path, {"exploit.example": of_client(lambda asked: None)}, story)
