"""Fetching from registries, against a real HTTPS server: what is refused, what is kept, and that it ends."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from tests.unit.dns.registry_server import LOOPBACK, RegistryServer, page, redirect

from outwarden.dns.contacts.https_pages import CouldNotFetch, Guard, HttpsPages, NoSuchPage
from outwarden.dns.contacts.page_cache import PageCache
from outwarden.dns.public_addresses import is_public

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTS = ["one.example", "two.example"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RegistryServer]:
    one = RegistryServer(tmp_path, HOSTS, {"one.example/a": page("first", "200 OK", 'ETag: "v1"')})
    yield one
    one.close()


def pages(server: RegistryServer, cache: Path, **changes: object) -> HttpsPages:
    guard = Guard(lambda address: address == LOOPBACK, server.port, server.trusted, 2.0, 1000.0)
    return HttpsPages(lambda _: [LOOPBACK], PageCache(cache), guard._replace(**changes))  # type: ignore[arg-type]


def test_a_page_is_fetched_once_a_day(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept")
    assert ours.fetch("https://one.example/a", NOW, DAY).body == b"first"
    assert ours.fetch("https://one.example/a", NOW + timedelta(hours=23), DAY).body == b"first"
    assert pages(server, tmp_path / "kept").fetch("https://one.example/a", NOW + DAY, DAY).body == b"first"
    assert server.urls == ["one.example/a"]
    assert "Accept: application/rdap+json" in server.asked[0]


def test_later_it_is_asked_for_by_its_tag(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept")
    ours.fetch("https://one.example/a", NOW, DAY)
    server.pages["one.example/a"] = page("", "304 Not Modified")
    later = NOW + 2 * DAY
    assert ours.fetch("https://one.example/a", later, DAY).body == b"first"
    assert 'If-None-Match: "v1"' in server.asked[1]
    assert ours.fetch("https://one.example/a", later + timedelta(hours=1), DAY).body == b"first"
    assert len(server.asked) == 2


def test_an_old_page_stands_in_and_says_so(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept")
    ours.fetch("https://one.example/a", NOW, DAY)
    server.pages["one.example/a"] = page("", "503 Service Unavailable")
    found = ours.fetch("https://one.example/a", NOW + 3 * DAY, DAY)
    assert (found.body, found.as_of) == (b"first", NOW)


def test_what_is_a_month_old_is_forgotten(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept")
    ours.fetch("https://one.example/a", NOW, DAY)
    offline = HttpsPages(None, PageCache(tmp_path / "kept"))
    assert offline.fetch("https://one.example/a", NOW + 29 * DAY, DAY).as_of == NOW
    with pytest.raises(CouldNotFetch, match="nothing is kept"):
        offline.fetch("https://one.example/a", NOW + 31 * DAY, DAY)


def test_a_damaged_page_is_as_good_as_none(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept")
    ours.fetch("https://one.example/a", NOW, DAY)
    for kept in (tmp_path / "kept").iterdir():
        kept.write_bytes(kept.read_bytes()[:40])
    assert ours.fetch("https://one.example/a", NOW, DAY).body == b"first"
    assert len(server.asked) == 2


def test_pages_that_cannot_be_kept_are_still_read(server: RegistryServer, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file, no directory")
    cache = PageCache(tmp_path / "kept")
    guard = Guard(lambda address: address == LOOPBACK, server.port, server.trusted)
    assert HttpsPages(lambda _: [LOOPBACK], cache, guard).fetch("https://one.example/a", NOW, DAY).body == b"first"
    assert "cannot be kept" in (cache.trouble or "")


def test_redirects_are_followed_to_other_hosts(server: RegistryServer, tmp_path: Path) -> None:
    server.pages |= {
        "one.example/b": redirect("https://two.example/c"),
        "two.example/c": redirect("/d"),
        "two.example/d": page("there"),
    }
    found = pages(server, tmp_path / "kept").fetch("https://one.example/b", NOW, DAY)
    assert (found.body, found.answered_by) == (b"there", "https://two.example/d")


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("http://two.example/c", "only plain HTTPS"),
        ("https://two.example:8443/c", "only plain HTTPS"),
        ("https://me:secret@two.example/c", "only plain HTTPS"),
        ("file:///etc/passwd", "only plain HTTPS"),
        ("https://two.example:x/c", "no URL"),
        ("https://[/", "no URL"),
        ("https://.example/", "no host name"),
        ("https://127.0.0.1/", "no host name"),
        ("https://[::1]/", "no host name"),
        ("https://localhost/", "no host name"),
        (f"https://{'a' * 70}.example/", "no host name"),
        ("https://two.example/\u00e9".encode().decode("latin-1"), "no URL"),
        ("", "redirects to nowhere"),
        ("/b", "more than 5 times"),
    ],
)
def test_redirects_elsewhere_are_not(server: RegistryServer, tmp_path: Path, to: str, said: str) -> None:
    server.pages["one.example/b"] = redirect(to)
    with pytest.raises(CouldNotFetch, match=said):
        pages(server, tmp_path / "kept").fetch("https://one.example/b", NOW, DAY)


def test_a_redirect_to_a_private_address_is_not_followed(server: RegistryServer, tmp_path: Path) -> None:
    server.pages["one.example/b"] = redirect("https://two.example/c")
    inside = {"one.example": [LOOPBACK], "two.example": [IPv4Address("10.0.0.1")]}
    guard = Guard(lambda address: address == LOOPBACK, server.port, server.trusted, 2.0, 1000.0)
    with pytest.raises(CouldNotFetch, match=r"10\.0\.0\.1, which is not public"):
        HttpsPages(inside.__getitem__, PageCache(tmp_path / "kept"), guard).fetch("https://one.example/b", NOW, DAY)
    assert server.urls == ["one.example/b"]


def test_loopback_is_not_asked_without_leave(server: RegistryServer, tmp_path: Path) -> None:
    ours = pages(server, tmp_path / "kept", may_connect=is_public)
    with pytest.raises(CouldNotFetch, match="not public"):
        ours.fetch("https://one.example/a", NOW, DAY)
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page("no", "429 Too Many Requests"), "429: asked too often"),
        (page("no", "500 Broken"), "status 500"),
        (page("", "304 Not Modified"), "status 304"),
        (b"hello", "no page"),
        (b"", "no page"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "cut off"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "no page"),
        (page("x" * 2_100_000), "more than 2000000 bytes"),
    ],
)
def test_answers_that_are_none(server: RegistryServer, tmp_path: Path, answer: bytes, said: str) -> None:
    server.pages["one.example/b"] = answer
    with pytest.raises(CouldNotFetch, match=said):
        pages(server, tmp_path / "kept").fetch("https://one.example/b", NOW, DAY)


def test_a_page_in_chunks_is_read(server: RegistryServer, tmp_path: Path) -> None:
    server.pages["one.example/b"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert pages(server, tmp_path / "kept").fetch("https://one.example/b", NOW, DAY).body == b"abcde"


def test_nothing_there_is_an_answer(server: RegistryServer, tmp_path: Path) -> None:
    with pytest.raises(NoSuchPage):
        pages(server, tmp_path / "kept").fetch("https://one.example/none", NOW, DAY)


def test_a_page_that_drips_ends_in_time(server: RegistryServer, tmp_path: Path) -> None:
    def drip(_head: str, connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"x")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    server.pages["one.example/b"] = drip
    began = time.monotonic()
    with pytest.raises(CouldNotFetch, match="in time"):
        pages(server, tmp_path / "kept", seconds=0.5).fetch("https://one.example/b", NOW, DAY)
    assert time.monotonic() - began < 1.5


def test_a_certificate_of_another_name_or_authority(server: RegistryServer, tmp_path: Path) -> None:
    with pytest.raises(CouldNotFetch, match=r"certificate of three\.example"):
        pages(server, tmp_path / "kept").fetch("https://three.example/a", NOW, DAY)
    with pytest.raises(CouldNotFetch, match=r"certificate of one\.example"):
        pages(server, tmp_path / "kept", certificates=None).fetch("https://one.example/a", NOW, DAY)


def test_a_host_is_asked_at_its_pace(server: RegistryServer, tmp_path: Path) -> None:
    server.pages |= {f"one.example/{n}": page(str(n)) for n in range(3)}
    ours = pages(server, tmp_path / "kept", per_second=5.0)
    began = time.monotonic()
    for number in range(3):
        ours.fetch(f"https://one.example/{number}", NOW, DAY)
    assert time.monotonic() - began >= 0.39


def test_a_host_without_address(server: RegistryServer, tmp_path: Path) -> None:
    guard = Guard(is_public, server.port, server.trusted)
    with pytest.raises(CouldNotFetch, match=r"no address is known for one\.example"):
        HttpsPages(lambda _: [], PageCache(tmp_path / "kept"), guard).fetch("https://one.example/a", NOW, DAY)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("198.41.0.4", True),
        ("2001:500:2::c", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::198.41.0.4", True),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
