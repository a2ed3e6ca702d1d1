"""Who answers for a target: each source alone, and all together against a real DNS server and a real registry."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.dns.lying_lists import (
    SERVFAIL,
    TXT,
    Asked,
    Behaviour,
    LyingLists,
    fails,
    lying_lists,
    name,
    packet,
    record,
    says,
    zone,
)
from tests.unit.dns.registry_server import LOOPBACK, RegistryServer, page
from tests.unit.dns.test_rdap import email, entity, network

from outwarden.dns.contacts.contact import Contact, ContactSource, MalformedMailbox, in_order, read_mailbox
from outwarden.dns.contacts.https_pages import Guard, HttpsPages
from outwarden.dns.contacts.names import Names
from outwarden.dns.contacts.own_table import MalformedTable, OwnTable, read_table
from outwarden.dns.contacts.page_cache import PageCache
from outwarden.dns.contacts.rdap_registry import RdapRegistry
from outwarden.dns.contacts.role_mailbox import names_above, organisation
from outwarden.dns.contacts.search import Answerers, ContactSearch
from outwarden.dns.contacts.text_answers import (
    MalformedTextAnswer,
    Origin,
    contact_name,
    origin_name,
    read_contacts,
    read_origins,
)
from outwarden.dns.lookup import Lookup
from outwarden.dns.public_addresses import is_public
from outwarden.dns.resolver import Resolver

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PTR, MX = 12, 15
OWN, RDAP, CONTACT_ZONE, AS, ROLE_MAILBOX = ContactSource

# --- mailboxes and their order -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("abuse@isp.example", "abuse@isp.example"),
        (" Abuse@ISP.Example. ", "Abuse@isp.example"),
        ("mailto:abuse@isp.example", "abuse@isp.example"),
        ("abuse+net@bücher.example", "abuse+net@xn--bcher-kva.example"),
    ],
)
def test_mailboxes(text: str, mailbox: str) -> None:
    assert read_mailbox(text) == mailbox


@pytest.mark.parametrize(
    "text",
    ["", "abuse", "@isp.example", "abuse@", "abuse@localhost", "a b@isp.example", "a@isp.example\nTo: b@isp.example",
     '"a b"@isp.example', "a@b@isp.example", "a,b@isp.example", "ä@isp.example", "x" * 65 + "@isp.example",
     "a@192.0.2.1", "a@" + "b." * 130 + "example"],
)  # fmt: skip
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(MalformedMailbox):
        read_mailbox(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_mailbox_on_one_line_or_malformed(text: str) -> None:
    try:
        mailbox = read_mailbox(text)
    except MalformedMailbox:
        return
    assert mailbox.isascii() and mailbox.isprintable() and " " not in mailbox


def test_the_next_is_written_to_when_one_bounces() -> None:
    a, b, c = (Contact(f"{x}@isp.example", RDAP, "192.0.2.0/24") for x in "abc")
    again = Contact("B@isp.example", ROLE_MAILBOX, "isp.example")
    ordered = in_order([a, b, again, c], frozenset({"a@isp.example"}))
    assert [(each.email, each.bounces) for each in ordered] == [
        ("b@isp.example", False),
        ("c@isp.example", False),
        ("a@isp.example", True),
    ]


# --- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "emails"),
    [
        (["abuse@isp.example"], ("abuse@isp.example",)),
        (["abuse@isp.example, noc@isp.example"], ("abuse@isp.example", "noc@isp.example")),
        (['"abuse@isp.example,abuse@isp.example"'], ("abuse@isp.example",)),
        (["abuse@isp.example,not one"], ("abuse@isp.example",)),
        ([], ()),
        ([""], ()),
    ],
)
def test_the_contact_zones_answers(texts: list[str], emails: tuple[str, ...]) -> None:
    assert read_contacts(texts) == emails


def test_names_in_the_zones() -> None:
    four, six = ip_address("192.0.2.10"), ip_address("2001:db8::567:89ab")
    nibbles = "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert contact_name(four) == "10.2.0.192.abuse-contacts.abusix.zone"
    assert contact_name(six) == f"{nibbles}.abuse-contacts.abusix.zone"
    assert origin_name(four) == "10.2.0.192.origin.asn.cymru.com"
    assert origin_name(six) == f"{nibbles}.origin6.asn.cymru.com"


@pytest.mark.parametrize(
    ("texts", "origins"),
    [
        (["64500 | 192.0.2.0/24 | ZZ | arin | 2001-02-03"], [Origin(64500, "192.0.2.0/24", "arin")]),
        (["64500 | 192.0.2.0/24 | | RIPENCC |"], [Origin(64500, "192.0.2.0/24", "ripencc")]),
        (
            ["64500 | 192.0.0.0/16 | ZZ | arin | x", "64501 64502 | 192.0.2.0/24 | ZZ | arin | x"],
            [Origin(64501, "192.0.2.0/24", "arin"), Origin(64502, "192.0.2.0/24", "arin"),
             Origin(64500, "192.0.0.0/16", "arin")],
        ),
        (["64500 | 2001:db8::/32 | ZZ | apnic | x"], [Origin(64500, "2001:db8::/32", "apnic")]),
        ([], []),
    ],
)  # fmt: skip
def test_origins(texts: list[str], origins: list[Origin]) -> None:
    assert list(read_origins(texts)) == origins


@pytest.mark.parametrize(
    "text", ["", "64500", "NA | 192.0.2.0/24 | ZZ | arin | x", "64500 | here | ZZ | arin",
             "99999999999 | 192.0.2.0/24 | | a",
             "4294967296 | 192.0.2.0/24 | ZZ | arin | x", "² | 192.0.2.0/24 | ZZ | arin | x"],
)  # fmt: skip
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(MalformedTextAnswer):
        read_origins([text])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=60) | st.from_regex(r"[0-9 ]{1,12}\| ?[0-9./]{1,20} ?\| ?Z", fullmatch=False)))
def test_any_texts_are_read_or_malformed(texts: list[str]) -> None:
    for read in (read_contacts, read_origins):
        try:
            read(texts)
        except MalformedTextAnswer:
            continue


@pytest.mark.parametrize(
    ("host", "exchangers", "domain"),
    [
        ("mx1.pool.isp.example", {"isp.example": ("10 mx.isp.example",)}, "isp.example"),
        (
            "mx1.pool.isp.co.example",
            {"isp.co.example": ("10 mx",), "pool.isp.co.example": ("10 mx",)},
            "isp.co.example",
        ),
        ("isp.example", {"isp.example": ("0 .",)}, None),
        ("isp.example", {"isp.example": ("0 ",)}, None),
        ("isp.example", {}, None),
    ],
)
def test_the_organisation_of_a_host(host: str, exchangers: Mapping[str, tuple[str, ...]], domain: str | None) -> None:
    assert organisation(host, exchangers) == domain


def test_a_long_name_costs_few_questions() -> None:
    assert len(names_above("a." * 100 + "example")) == 7


# --- the own table -------------------------------------------------------------------------------

TABLE = """
bounced = ["Dead@isp.example"]
[reporter]
org = "Example  Provider"
contact = "abuse@us.example"
[[contact]]
for = ["192.0.0.0/16", "isp.example"]
email = ["wide@isp.example"]
[[contact]]
for = ["192.0.2.10", "shop.isp.example", "2001:db8::/32"]
email = ["narrow@isp.example", "dead@isp.example"]
"""


def test_the_smallest_network_and_the_longest_domain_first() -> None:
    table = read_table(TABLE)
    assert [each.answers_for for each in table.of_address(ip_address("192.0.2.10"))] == [
        "192.0.2.10/32",
        "192.0.2.10/32",
        "192.0.0.0/16",
    ]
    assert table.of_domain("www.shop.isp.example")[0].email == "narrow@isp.example"
    assert [each.email for each in table.of_domain("isp.example")] == ["wide@isp.example"]
    assert table.of_domain("notisp.example") == []
    assert table.of_address(ip_address("2001:db8::1"))[0].email == "narrow@isp.example"
    assert table.bounced == {"dead@isp.example"}
    assert table.reporter is not None
    assert (table.reporter.org, table.reporter.domain) == ("Example Provider", "us.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bounced = [", "Unclosed|Invalid"),
        ("bouncd = []", "unknown field `bouncd`"),
        ("bounced = ['nobody']", "bounced: 'nobody' is no mailbox; write it like"),
        ("[[contact]]\nfor = ['192.0.2.1']", "`email`.*contact"),
        ("[[contact]]\nfor = '192.0.2.1'\nemail = []", "Expected `array`.*contact"),
        ("[[contact]]\nfor = ['192.0.2.1/24']\nemail = []", "192.0.2.1/24' has bits set"),
        ("[[contact]]\nfor = ['no such']\nemail = []", "'no such' is no address"),
        ("[[contact]]\nfor = ['a.example']\nemail = ['x']", "email: 'x' is no mailbox"),
        ("[reporter]\norg = ''\ncontact = 'a@us.example'", "reporter.org"),
        ("[reporter]\norg = 'Us'\ncontact = 'us'", "reporter.contact: 'us' is no mailbox"),
    ],
)
def test_mistakes_in_the_table(text: str, said: str) -> None:
    with pytest.raises(MalformedTable, match=said):
        read_table(text)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=80) | st.sampled_from(["a = " + "9" * 5000, "a = 2026-02-30", "[" * 20_000, "a=" + "[" * 20_000])
)
def test_any_text_is_a_table_or_malformed(text: str) -> None:
    try:
        read_table(text)
    except MalformedTable:
        return


# --- all together --------------------------------------------------------------------------------


def text(words: str) -> Callable[[Asked], bytes]:
    content = words.encode()
    return lambda asked: packet(asked, 0, [record(TXT, bytes([len(content)]) + content)])


def pointer(to: str) -> Callable[[Asked], bytes]:
    return lambda asked: packet(asked, 0, [record(PTR, name(to))])


def host(address: str, exchanger: str | None = None) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        if asked.qtype == MX and exchanger:
            return packet(asked, 0, [record(MX, struct.pack("!H", 10) + name(exchanger))])
        return says(address)(asked) if asked.qtype == 1 and address else packet(asked)

    return answer


ZONES: dict[str, Behaviour] = {
    "abuse-contacts.abusix.zone": zone({"10.2.0.192": text("zone@isp.example,noc@isp.example")}),
    "origin.asn.cymru.com": zone({"10.2.0.192": text("64500 | 192.0.2.0/24 | ZZ | arin | 2001-02-03")}),
    "in-addr.arpa": zone({"10.2.0.192": pointer("mx1.pool.isp.example")}),
    "arin.net": zone({"rdap": host("127.0.0.1")}),
    "iana.org": zone({"data": host("127.0.0.1")}),
    "verisign.com": zone({"rdap": host("127.0.0.1")}),
    "com": zone({"shop": host("192.0.2.10", "mx.shop.com")}),
    "example": zone({"mx1.pool.isp": host("192.0.2.10"), "isp": host("", "mx.isp.example")}),
}
HOSTS = ["rdap.arin.net", "data.iana.org", "rdap.verisign.com"]
NET = "rdap.arin.net/registry/ip/192.0.2.10"
RDAP_DESK = network(entity("registrant", below=[entity("abuse", lines=[email("desk@isp.example")])]))
AUTNUM = {
    "objectClassName": "autnum",
    "startAutnum": 64500,
    "entities": [entity("abuse", lines=[email("as@isp.example")])],
}
SHOP = {
    "objectClassName": "domain",
    "ldhName": "SHOP.COM",
    "entities": [entity("registrar", below=[entity("abuse", lines=[email("abuse@registrar.example")])])],
}
PAGES = {
    NET: page(json.dumps(RDAP_DESK)),
    "rdap.arin.net/registry/autnum/64500": page(json.dumps(AUTNUM)),
    "rdap.verisign.com/com/v1/domain/shop.com": page(json.dumps(SHOP)),
}


class World:
    """A DNS server and registries on loopback, and a search among them."""

    def __init__(self, dns: LyingLists, registries: RegistryServer, cache: Path) -> None:
        self.dns = dns
        self.registries = registries
        self._cache = cache

    def search(self, table: OwnTable = OwnTable(), *, offline: bool = False) -> ContactSearch:  # noqa: B008
        names = Names(Lookup(Resolver("127.0.0.1", self.dns.port, remote=False), deadline_seconds=0.6))
        may_connect = lambda address: address == LOOPBACK or is_public(address)  # noqa: E731
        guard = Guard(may_connect, self.registries.port, self.registries.trusted, 3.0, 1000.0)
        pages = HttpsPages(None if offline else names.addresses_of, PageCache(self._cache), guard)
        return ContactSearch(table, RdapRegistry(pages, NOW), None if offline else names)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with lying_lists(ZONES) as dns:
        registries = RegistryServer(tmp_path, HOSTS, PAGES)
        yield World(dns, registries, tmp_path / "kept")
        registries.close()


def found(answerers: Answerers) -> list[tuple[str, ContactSource]]:
    return [(each.email, each.source) for each in answerers.contacts]


def test_an_address(world: World) -> None:
    answerers = world.search(read_table(TABLE)).of_address(ip_address("192.0.2.10"))
    assert found(answerers) == [
        ("narrow@isp.example", OWN),
        ("wide@isp.example", OWN),
        ("desk@isp.example", RDAP),
        ("zone@isp.example", CONTACT_ZONE),
        ("noc@isp.example", CONTACT_ZONE),
        ("as@isp.example", AS),
        ("abuse@isp.example", ROLE_MAILBOX),
        ("dead@isp.example", OWN),
    ]
    assert answerers.could_not_ask == ()
    assert "the list of registries in the package was used" in answerers.remarks[0]


def test_a_domain(world: World) -> None:
    answerers = world.search().of_domain("shop.com")
    assert found(answerers) == [
        ("abuse@registrar.example", RDAP),
        ("desk@isp.example", RDAP),
        ("zone@isp.example", CONTACT_ZONE),
        ("noc@isp.example", CONTACT_ZONE),
        ("as@isp.example", AS),
        ("abuse@shop.com", ROLE_MAILBOX),
    ]


def test_a_name_below_a_registered_domain(world: World) -> None:
    assert found(world.search().of_domain("www.shop.com"))[0] == ("abuse@registrar.example", RDAP)


def test_a_domain_whose_registry_is_not_known(world: World) -> None:
    answerers = world.search().of_domain("isp.example")
    assert found(answerers) == [("abuse@isp.example", ROLE_MAILBOX)]
    assert answerers.remarks[0] == "no RDAP server is known for the top-level domain of isp.example"


def test_ianas_own_list_goes_before_ours(world: World) -> None:
    world.registries.pages["data.iana.org/rdap/ipv4.json"] = page(
        json.dumps({"services": [[["192.0.2.0/24"], ["https://rdap.verisign.com/other/"]]]})
    )
    world.registries.pages["rdap.verisign.com/other/ip/192.0.2.10"] = page(
        json.dumps(network(entity("abuse", lines=[email("other@isp.example")])))
    )
    assert found(world.search().of_address(ip_address("192.0.2.10")))[0] == ("other@isp.example", RDAP)


def test_the_network_above_answers_where_the_smallest_names_nobody(world: World) -> None:
    above = {"rel": "up", "href": "https://rdap.arin.net/registry/ip/192.0.0.0/16"}
    world.registries.pages[NET] = page(json.dumps(network(links=[above])))
    world.registries.pages["rdap.arin.net/registry/ip/192.0.0.0/16"] = page(
        json.dumps(
            network(
                entity("abuse", lines=[email("above@isp.example")]),
                startAddress="192.0.0.0",
                endAddress="192.0.255.255",
            )
        )
    )
    first = world.search().of_address(ip_address("192.0.2.10")).contacts[0]
    assert (first.email, first.answers_for) == ("above@isp.example", "192.0.0.0/16")


def test_networks_above_each_other_in_a_circle(world: World) -> None:
    links = [{"rel": "up", "href": f"https://{NET}"}]
    world.registries.pages[NET] = page(json.dumps(network(links=links)))
    assert found(world.search().of_address(ip_address("192.0.2.10")))[0] == ("zone@isp.example", CONTACT_ZONE)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page("<html>", "200 OK"), "no JSON"),
        (page("", "503 Service Unavailable"), "status 503"),
        (page(json.dumps(network(startAddress="203.0.113.0", endAddress="203.0.113.255"))), "speaks of 203.0.113.0/24"),
    ],
)
def test_a_registry_that_cannot_be_believed(world: World, answer: bytes, said: str) -> None:
    world.registries.pages[NET] = answer
    answerers = world.search().of_address(ip_address("192.0.2.10"))
    assert found(answerers)[0] == ("zone@isp.example", CONTACT_ZONE)
    assert len(answerers.could_not_ask) == 1
    assert said in answerers.could_not_ask[0]


def test_a_registry_without_the_network_was_asked(world: World) -> None:
    del world.registries.pages[NET]
    answerers = world.search().of_address(ip_address("192.0.2.10"))
    assert answerers.could_not_ask == ()
    assert any("has nothing under" in remark for remark in answerers.remarks)


def test_a_reverse_name_that_does_not_lead_back_is_nobodys(world: World) -> None:
    world.dns.zones["in-addr.arpa"] = zone({"10.2.0.192": pointer("shop.com")})
    world.dns.zones["com"] = zone({"shop": host("203.0.113.1", "mx.shop.com")})
    assert ROLE_MAILBOX not in {source for _, source in found(world.search().of_address(ip_address("192.0.2.10")))}


def test_what_could_not_be_asked_is_said(world: World) -> None:
    world.dns.zones["abuse-contacts.abusix.zone"] = zone({}, fails(SERVFAIL))
    world.dns.zones["arin.net"] = zone({}, fails(SERVFAIL))
    answerers = world.search().of_address(ip_address("192.0.2.10"))
    assert found(answerers) == [("abuse@isp.example", ROLE_MAILBOX)]
    assert any(each.startswith("RDAP: address of rdap.arin.net: ") for each in answerers.could_not_ask)
    assert any(each.startswith("10.2.0.192.abuse-contacts.abusix.zone: ") for each in answerers.could_not_ask)


def test_offline_knows_what_was_asked_before(world: World) -> None:
    target = ip_address("192.0.2.10")
    assert "nothing is kept" in world.search(offline=True).of_address(target).could_not_ask[0]
    world.search().of_address(target)
    asked = len(world.dns.asked), len(world.registries.asked)
    assert found(world.search(offline=True).of_address(target)) == [("desk@isp.example", RDAP)]
    assert (len(world.dns.asked), len(world.registries.asked)) == asked
