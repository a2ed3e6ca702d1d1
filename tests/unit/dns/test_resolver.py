from pathlib import Path

import pytest

from outwarden.dns.resolver import Resolver, UnusableResolver, parse, read_resolv_conf, system_resolvers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", Resolver("192.0.2.1", 53, True)),
        ("192.0.2.1:5353", Resolver("192.0.2.1", 5353, True)),
        (" 127.0.0.53 ", Resolver("127.0.0.53", 53, False)),
        ("::1", Resolver("::1", 53, False)),
        ("[::1]", Resolver("::1", 53, False)),
        ("[::1]:5353", Resolver("::1", 5353, False)),
        ("2001:db8::1", Resolver("2001:db8::1", 53, True)),
        ("fe80::1%lo", Resolver("fe80::1%lo", 53, True)),
        ("localhost:54", Resolver("127.0.0.1", 54, False)),
    ],
)
def test_a_resolver_is_parsed(text: str, expected: Resolver) -> None:
    found = parse(text)
    if text.startswith("localhost"):
        expected = expected._replace(address=found.address)
        assert found.address in ("127.0.0.1", "::1")
    assert found == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "resolver '': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        (":53", "resolver ':53': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("1.2.3.4 5.6.7.8", "resolver '1.2.3.4 5.6.7.8': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("::1:x", "resolver '::1:x': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("[::1", "resolver '[::1': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("[::1]53", "resolver '[::1]53': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("[192.0.2.1]:53", "resolver '[192.0.2.1]:53': expected HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT"),
        ("192.0.2.1:", "resolver '192.0.2.1:': '' is not a port; expected 1 to 65535"),
        ("192.0.2.1:0", "resolver '192.0.2.1:0': '0' is not a port; expected 1 to 65535"),
        ("192.0.2.1:65536", "resolver '192.0.2.1:65536': '65536' is not a port; expected 1 to 65535"),
        ("[::1]:dns", "resolver '[::1]:dns': 'dns' is not a port; expected 1 to 65535"),
        ("a..b", "resolver 'a..b': no address is known for 'a..b'; name it by its address"),
    ],
)
def test_what_is_no_resolver_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(UnusableResolver) as caught:
        parse(text)
    assert str(caught.value) == message


def test_a_resolver_is_written_as_it_is_parsed() -> None:
    for text in ("192.0.2.1:53", "[2001:db8::1]:5353"):
        assert str(parse(text)) == text


RESOLV_CONF = """\
# comment
; another
search example
nameserver 127.0.0.53   # local
nameserver not-an-address
options edns0
nameserver
nameserver 2001:db8::53
nameserver 192.0.2.1
nameserver 192.0.2.2
"""


def test_the_systems_file_is_read() -> None:
    assert read_resolv_conf(RESOLV_CONF) == (
        Resolver("127.0.0.53", 53, False),
        Resolver("2001:db8::53", 53, True),
        Resolver("192.0.2.1", 53, True),
    )


def test_the_systems_resolvers(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    with pytest.raises(UnusableResolver) as caught:
        system_resolvers(path)
    assert str(caught.value) == f"{path}: No such file or directory; name a resolver with --resolver HOST[:PORT]"
    path.write_bytes(b"search example\n\xff\0")
    with pytest.raises(UnusableResolver) as caught:
        system_resolvers(path)
    assert str(caught.value) == f"{path} names no nameserver; name one with --resolver HOST[:PORT]"
    path.write_text("nameserver 192.0.2.7\n")
    assert system_resolvers(path) == (Resolver("192.0.2.7"),)
