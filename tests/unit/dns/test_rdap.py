"""What registries' answers are read as: their several shapes, off-spec ones, hostile ones."""

import json
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.dns.contacts.rdap import LONGEST_ANSWER, MalformedRdap, Registration, read_rdap
from outwarden.dns.contacts.rdap_bootstrap import (
    BootstrapKind,
    MalformedBootstrap,
    read_bootstrap,
    servers_of_address,
    servers_of_domain,
    shipped,
)


def card(*lines: list[Any]) -> list[Any]:
    return ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Abuse desk"], *lines]]


def email(*values: object, **parameters: object) -> list[Any]:
    return ["email", parameters, "text", *values]


def entity(*roles: str, lines: list[list[Any]] | None = None, below: list[Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"objectClassName": "entity", "handle": "AB1-EXAMPLE", "roles": list(roles)}
    if lines is not None:
        found["vcardArray"] = card(*lines)
    return found | ({"entities": below} if below is not None else {})


def network(*entities: object, **more: object) -> dict[str, Any]:
    return {
        "objectClassName": "ip network",
        "handle": "NET-192-0-2-0-1",
        "startAddress": "192.0.2.0",
        "endAddress": "192.0.2.255",
        "name": "EXAMPLE-NET",
        "rdapConformance": ["rdap_level_0"],
        "entities": list(entities),
    } | more


DESK = email("abuse@isp.example")

EMAILS = [
    ("the network's own abuse entity", network(entity("abuse", lines=[DESK])), ("abuse@isp.example",)),
    (
        "ARIN: the desk inside the holder",
        network(entity("registrant", lines=[email("boss@isp.example")], below=[entity("abuse", lines=[DESK])])),
        ("abuse@isp.example",),
    ),
    (
        "the network's own desk before the holder's",
        network(
            entity("registrant", below=[entity("abuse", lines=[email("holder@isp.example")])]),
            entity("abuse", lines=[email("own@isp.example")]),
        ),
        ("own@isp.example", "holder@isp.example"),
    ),
    (
        "RIPE: the jCard's type says abuse, the role does not",
        network(entity("registrant", lines=[email("abuse@isp.example", type="abuse")])),
        ("abuse@isp.example",),
    ),
    (
        "a type among several",
        network(entity("technical", lines=[email("a@isp.example", type=["work", "Abuse"])])),
        ("a@isp.example",),
    ),
    ("a role in capitals", network(entity("ABUSE", lines=[DESK])), ("abuse@isp.example",)),
    ("a role that is no list", network(entity("abuse", lines=[DESK]) | {"roles": "abuse"}), ("abuse@isp.example",)),
    ("another role", network(entity("technical", "administrative", lines=[DESK])), ()),
    ("a desk without a mailbox", network(entity("abuse", lines=[["tel", {}, "uri", "tel:+1-555-0100"]])), ()),
    ("no entities", network(), ()),
    (
        "several mailboxes in one line",
        network(entity("abuse", lines=[email("a@isp.example", "b@isp.example")])),
        ("a@isp.example", "b@isp.example"),
    ),
    ("mailboxes in a list", network(entity("abuse", lines=[email(["a@isp.example"])])), ("a@isp.example",)),
    (
        "a mailto URI in capitals' domain",
        network(entity("abuse", lines=[email("mailto:Abuse@ISP.example")])),
        ("Abuse@isp.example",),
    ),
    (
        "the same one twice",
        network(entity("abuse", lines=[DESK]), entity("abuse", lines=[DESK])),
        ("abuse@isp.example",),
    ),
    (
        "what is no mailbox",
        network(
            entity(
                "abuse", lines=[email("see web"), email("a@b"), email("x@isp.example\nBcc: y@isp.example"), email("")]
            )
        ),
        (),
    ),
    ("a card of another shape", network(entity("abuse") | {"vcardArray": {"email": "abuse@isp.example"}}), ()),
]


@pytest.mark.parametrize(("answer", "expected"), [case[1:] for case in EMAILS], ids=[case[0] for case in EMAILS])
def test_who_takes_reports(answer: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert read_rdap(json.dumps(answer).encode()).emails == expected


WHAT = [
    ("a network as a prefix", network(), "192.0.2.0/24"),
    ("a network that is no prefix", network(endAddress="192.0.2.9"), "192.0.2.0 - 192.0.2.9"),
    ("bounds the wrong way round", network(endAddress="192.0.1.0"), "net-192-0-2-0-1"),
    ("bounds of two kinds", network(endAddress="2001:db8::1"), "net-192-0-2-0-1"),
    ("an AS", {"objectClassName": "autnum", "startAutnum": 64500, "endAutnum": 64500, "handle": "AS64500"}, "AS64500"),
    ("a domain", {"objectClassName": "domain", "ldhName": "SHOP.example", "handle": "D1"}, "shop.example"),
    ("nothing that names it", {"objectClassName": "domain"}, "?"),
]


@pytest.mark.parametrize(("answer", "expected"), [case[1:] for case in WHAT], ids=[case[0] for case in WHAT])
def test_what_is_registered(answer: dict[str, Any], expected: str) -> None:
    assert read_rdap(json.dumps(answer).encode()).what == expected


def test_the_network_above_is_found() -> None:
    links = ["?", {"rel": "self", "href": "https://a.example/ip/1"}, {"rel": "up", "href": "https://a.example/ip/2"}]
    assert read_rdap(json.dumps(network(links=links)).encode()).parent == "https://a.example/ip/2"


@pytest.mark.parametrize("href", ["http://a.example/ip/2", "file:///etc/passwd", "https://[", 7])
def test_a_network_above_elsewhere_is_not_followed(href: object) -> None:
    assert read_rdap(json.dumps(network(links=[{"rel": "up", "href": href}])).encode()).parent is None


def test_a_registration_holds_its_addresses() -> None:
    registration = read_rdap(json.dumps(network()).encode())
    assert registration.holds(ip_address("192.0.2.255"))
    assert not registration.holds(ip_address("192.0.3.0"))
    assert not registration.holds(ip_address("2001:db8::1"))


MALFORMED = [
    ("no JSON", b"<html>", "no JSON"),
    ("nothing", b"", "no JSON"),
    ("not UTF-8", b'{"objectClassName": "\xff"}', "no JSON"),
    ("no object", b"[]", "no JSON object"),
    ("an error", b'{"errorCode": 404, "title": "Not here"}', "'Not here'"),
    ("an entity", b'{"objectClassName": "entity"}', "'entity'"),
    ("too long", b" " * (LONGEST_ANSWER + 1), "bytes"),
    ("very deep", b"[" * 400_000, "no JSON"),
    ("very deep, and whole", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "no JSON"),
]


@pytest.mark.parametrize(("answer", "said"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_what_is_no_answer(answer: bytes, said: str) -> None:
    with pytest.raises(MalformedRdap, match=said):
        read_rdap(answer)


def test_entities_are_walked_only_so_deep_and_only_so_many() -> None:
    deep: dict[str, Any] = entity("abuse", lines=[DESK])
    for _ in range(40):
        deep = entity("registrant", below=[deep])
    many = [entity("technical") for _ in range(5_000)] + [entity("abuse", lines=[DESK])]
    assert read_rdap(json.dumps(network(deep)).encode()).emails == ()
    assert read_rdap(json.dumps(network(*many)).encode()).emails == ()


# --- hostile answers -----------------------------------------------------------------------------

_WORDS = st.sampled_from(
    "entities roles abuse vcardArray email links rel up href objectClassName startAddress endAddress".split()
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | _WORDS
ANY_JSON = st.recursive(
    _SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=6), part, max_size=5)
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["ip network", "autnum", "domain"]), st.dictionaries(_WORDS, ANY_JSON, max_size=8))
def test_any_json_is_read_or_malformed(kind: str, found: dict[str, Any]) -> None:
    try:
        answer = read_rdap(json.dumps(found | {"objectClassName": kind}).encode("utf-8", "surrogatepass"))
    except MalformedRdap:
        return
    assert isinstance(answer, Registration)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(raw: bytes) -> None:
    for read, fault in ((read_rdap, MalformedRdap), (read_bootstrap, MalformedBootstrap)):
        with pytest.raises(fault):
            read(raw)


@settings(max_examples=200, deadline=None)
@given(ANY_JSON)
def test_any_services_are_read_or_malformed(services: object) -> None:
    try:
        found = read_bootstrap(json.dumps({"services": services}).encode())
    except MalformedBootstrap:
        return
    assert servers_of_address(found, ip_address("192.0.2.1")) == ()


# --- which registry ------------------------------------------------------------------------------

SERVICES = read_bootstrap(
    json.dumps(
        {
            "version": "1.0",
            "services": [
                [["192.0.0.0/8", "no network"], ["http://plain.example/", "https://wide.example/rdap/"]],
                [["192.0.2.0/24"], ["https://narrow.example/"]],
                [["198.0.0.0/8"], ["http://only-plain.example/"]],
                [["2001:db8::/32"], ["https://six.example/", "https://no-slash.example"]],
                [["example"], ["https://top.example/"]],
                [["co.example"], ["https://second.example/"]],
            ],
        }
    ).encode()
)


@pytest.mark.parametrize(
    ("address", "servers"),
    [
        ("192.0.2.1", ("https://narrow.example/",)),
        ("192.0.3.1", ("https://wide.example/rdap/",)),
        ("198.51.100.1", ()),
        ("203.0.113.1", ()),
        ("2001:db8::1", ("https://six.example/",)),
    ],
)
def test_the_longest_prefix_decides(address: str, servers: tuple[str, ...]) -> None:
    assert servers_of_address(SERVICES, ip_address(address)) == servers


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("shop.example", ("example", ("https://top.example/",))),
        ("shop.co.example", ("co.example", ("https://second.example/",))),
        ("shopco.example", ("example", ("https://top.example/",))),
        ("shop.test", ("", ())),
    ],
)
def test_the_longest_suffix_decides(name: str, found: tuple[str, tuple[str, ...]]) -> None:
    assert servers_of_domain(SERVICES, name) == found


@pytest.mark.parametrize("services", [None, {}, [[["a"]]], [["a", "b"]], ["a"], [7]])
def test_a_bootstrap_file_of_another_shape(services: object) -> None:
    with pytest.raises(MalformedBootstrap):
        read_bootstrap(json.dumps({"services": services}).encode())


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("198.51.100.7", "https://rdap.arin.net/registry/"),
        ("193.0.0.1", "https://rdap.db.ripe.net/"),
        ("203.0.113.7", "https://rdap.apnic.net/"),
        ("200.0.0.1", "https://rdap.lacnic.net/rdap/"),
        ("41.0.0.1", "https://rdap.afrinic.net/rdap/"),
        ("2a00::1", "https://rdap.db.ripe.net/"),
        ("2600::1", "https://rdap.arin.net/registry/"),
    ],
)
def test_the_shipped_copies_know_the_five_registries(address: str, server: str) -> None:
    one = ip_address(address)
    kind = BootstrapKind.IPV4 if one.version == 4 else BootstrapKind.IPV6
    assert servers_of_address(shipped(kind), one) == (server,)


def test_the_shipped_copies_know_every_public_network_and_common_domains() -> None:
    unknown = [
        n for n in range(1, 224) if not servers_of_address(shipped(BootstrapKind.IPV4), ip_address(f"{n}.1.1.1"))
    ]
    assert unknown == [10, 127]
    assert servers_of_domain(shipped(BootstrapKind.DNS), "a.com") == ("com", ("https://rdap.verisign.com/com/v1/",))
