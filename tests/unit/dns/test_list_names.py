"""The names that lists are asked for, with the vectors their operators publish."""

import pytest

from outwarden.dns.blocklist import Blocklist, Form, Life, Tier
from outwarden.dns.catalogue import load_catalogue
from outwarden.dns.list_names import (
    abusix_hash,
    neighbourhood_part,
    registrable_domain,
    spamhaus_hash,
    suffix,
    surbl_hash,
    target_part,
)
from outwarden.dns.targets import Target, Targets, WebAddress

VECTORS = [
    ("bit.do/e3s49", "bb395cece75455415de5f3b6f75c13352586788c"),
    ("drive.google.com/file/d/0B6aqsaIzsR0CZlpxYUZSWDRyRGc/view", "f947e57d2326ca86ba9bead20696a9208a7acdd6"),
    ("abusix.ai/testpoint", "d2e4345eef7b21a542ed6d7c3dd191585b344461"),
    ("abusix.ai/testpoint/hash/short", "f4d986915d728956d139397effd00fee0e3725e4"),
    ("abusix.ai/testpoint/hash/disk", "2f07095f95bc86bc310febc625ee9327a69fde0b"),
]


def only(text: str) -> Target:
    [target] = Targets([text])
    return target


def url(text: str) -> WebAddress:
    found = only(text).url
    assert found is not None
    return found


def a_list(*asks: Form, zone: str = "list.example", hosts: tuple[str, ...] = ()) -> Blocklist:
    return Blocklist(
        id="a-list",
        zone=zone,
        operator="us",
        meaning="",
        asks=asks,
        tier=Tier.MINOR,
        life=Life("alive", "us"),
        hosts=hosts,
    )


@pytest.mark.parametrize(("written", "digest"), VECTORS)
def test_abusix_publishes_these(written: str, digest: str) -> None:
    assert abusix_hash(url(f"https://{written}")) == digest


@pytest.mark.parametrize(
    "written",
    ["HTTPS://BIT.DO/e3s49", "bit.do/e3s49?utm=1#top", "http://me:secret@bit.do/e3s49", "http://bit.do:8080/e3s49"],
)
def test_abusix_hashes_host_and_path_alone(written: str) -> None:
    assert abusix_hash(url(written)) == VECTORS[0][1]


def test_abusix_keeps_the_case_of_the_path() -> None:
    assert abusix_hash(url("bit.do/E3S49")) != VECTORS[0][1]


def test_spamhaus_hashes_port_and_the_decoded_rest() -> None:
    # sha256("a.example:8443/x y?q=1#f") in base32, computed with coreutils.
    expected = "AYWB2QDNKNMRU3AOIFBHAJYULXOOB4OLVR77NXLKQO5MDFW5LUUA"
    assert spamhaus_hash(url("https://me:secret@A.example:8443/x%20y?q=1#f")) == expected


def test_surbl_hashes_host_and_path() -> None:
    # md5("a.example/Path"), computed with coreutils.
    assert surbl_hash(url("http://A.example/Path?q")) == "fc1980fef2da531aa6de4d1c885f470a"


def test_urls_with_ipv6_hosts_are_hashed_as_written_in_urls() -> None:
    assert url("http://[2001:DB8::1]:8080/x").host == "[2001:db8::1]"


DOMAINS = [
    ("mail.example.co.uk", "example.co.uk"),
    ("a.b.example.com", "example.com"),
    ("shop.github.io", "shop.github.io"),
    ("co.uk", "co.uk"),
    ("a.b.unknowntld", "b.unknowntld"),
    ("www.xn--bcher-kva.example", "xn--bcher-kva.example"),
]


@pytest.mark.parametrize(("domain", "registered"), DOMAINS)
def test_what_is_registered(domain: str, registered: str) -> None:
    assert registrable_domain(domain) == registered


PARTS = [
    ("an address of a list of addresses", (Form.IPV4,), "192.0.2.10", "10.2.0.192"),
    ("IPv6 is not asked of an IPv4 list", (Form.IPV4,), "2001:db8::1", None),
    ("IPv4 is not asked of an IPv6 list", (Form.IPV6,), "192.0.2.10", None),
    ("an address is never asked of a list of domains", (Form.DOMAIN, Form.HOST), "192.0.2.10", None),
    ("a domain is not asked of a list of addresses", (Form.IPV4, Form.IPV6), "example.com", None),
    ("a domain is cut to what is registered", (Form.DOMAIN,), "www.example.com", "example.com"),
    ("a list of host names gets all of it", (Form.HOST,), "www.example.com", "www.example.com"),
    ("a URL's domain", (Form.DOMAIN,), "http://www.example.com/x", "example.com"),
    ("a URL's address is never asked of a list of domains", (Form.DOMAIN, Form.HOST), "http://192.0.2.10/", None),
    ("a URL's address where the list takes it", (Form.DOMAIN, Form.ADDRESS_IN_URL), "http://192.0.2.10/", "10.2.0.192"),
    ("a URL's IPv6 address", (Form.DOMAIN, Form.ADDRESS_IN_URL), "http://[2001:db8::1]/", None),
    ("a URL's address is no address to a list of senders", (Form.IPV4,), "http://192.0.2.10/", None),
    ("a bare address is not one in a URL", (Form.ADDRESS_IN_URL,), "192.0.2.10", None),
    ("a domain has no path to hash", (Form.ABUSIX_URL, Form.SURBL_URL, Form.SPAMHAUS_URL), "example.com", None),
]


@pytest.mark.parametrize(("asks", "text", "part"), [case[1:] for case in PARTS], ids=[case[0] for case in PARTS])
def test_what_stands_left_of_the_zone(asks: tuple[Form, ...], text: str, part: str | None) -> None:
    assert target_part(a_list(*asks), only(text)) == part


def test_a_list_of_storage_is_asked_about_storage_only() -> None:
    disks = load_catalogue().lists["abusix-diskhash"]
    assert target_part(disks, only("https://drive.google.com/x")) is not None
    assert target_part(disks, only("https://disk.yandex.ru/x")) is not None
    assert target_part(disks, only("https://drive.google.com.bad.example/x")) is None


def test_the_half_of_an_ipv6_address_that_lists_hold() -> None:
    assert neighbourhood_part(only("2001:db8::1")) == "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert neighbourhood_part(only("2001:db8::/64")) is None
    assert neighbourhood_part(only("192.0.2.1")) is None


def test_a_host_too_long_for_the_zone_loses_labels_from_the_left() -> None:
    host = "abcdefgh." * 25 + "example.com"
    part = target_part(a_list(Form.HOST), only(host), longest=200)
    assert part is not None and len(part) <= 200 and host.endswith("." + part)


def test_the_key_stands_where_the_list_says() -> None:
    assert suffix(a_list(Form.IPV4, zone="_url.<key>.list.example"), "KEY") == "._url.KEY.list.example"
