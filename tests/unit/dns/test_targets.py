"""What an operator writes, and what is asked about it; mistakes are told with their cure."""

import pytest

from outwarden.dns.targets import TargetKind, Targets, UnusableTarget

READ = [
    ("an address", "192.0.2.10", [("192.0.2.10", TargetKind.IPV4, "10.2.0.192")]),
    ("an address with the root's dot", "192.0.2.10.", [("192.0.2.10", TargetKind.IPV4, "10.2.0.192")]),
    ("IPv4 written inside IPv6", "::ffff:192.0.2.10", [("192.0.2.10", TargetKind.IPV4, "10.2.0.192")]),
    (
        "IPv6, in brackets",
        "[2001:DB8::567:89ab]",
        [("2001:db8::567:89ab", TargetKind.IPV6, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2")],
    ),
    (
        "a /64 is asked about as a whole",
        "2001:db8::/64",
        [("2001:db8::/64", TargetKind.IPV6, "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2")],
    ),
    (
        "a network",
        "192.0.2.4/31",
        [("192.0.2.4", TargetKind.IPV4, "4.2.0.192"), ("192.0.2.5", TargetKind.IPV4, "5.2.0.192")],
    ),
    (
        "a domain in capitals with the root's dot",
        "WWW.Example.COM.",
        [("WWW.Example.COM.", TargetKind.DOMAIN, "www.example.com")],
    ),
    ("a domain beyond ASCII", "Bücher.example", [("Bücher.example", TargetKind.DOMAIN, "xn--bcher-kva.example")]),
    ("a domain with underscores", "_a.b_c.example", [("_a.b_c.example", TargetKind.DOMAIN, "_a.b_c.example")]),
    ("a URL", "https://Shop.Example/a", [("https://Shop.Example/a", TargetKind.URL, "shop.example")]),
    ("a URL without scheme", "bit.do/e3s49", [("bit.do/e3s49", TargetKind.URL, "bit.do")]),
    (
        "a URL's password is not shown",
        "http://me:secret@a.example/x",
        [("http://a.example/x", TargetKind.URL, "a.example")],
    ),
    ("an @ in a path is no password", "http://a.example/x@y", [("http://a.example/x@y", TargetKind.URL, "a.example")]),
    (
        "a backslash ends the host",
        "http://a.example\\@b.example/",
        [("http://a.example\\@b.example/", TargetKind.URL, "a.example")],
    ),
    ("a URL of an address", "http://192.0.2.10/x", [("http://192.0.2.10/x", TargetKind.URL, "10.2.0.192")]),
    ("an escaped host", "http://%65xample.com/", [("http://%65xample.com/", TargetKind.URL, "example.com")]),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_what_is_asked_about(text: str, expected: list[tuple[str, TargetKind, str]]) -> None:
    assert [target[:3] for target in Targets([text])] == expected


UNUSABLE = [
    ("a /8", "10.0.0.0/8", "too large"),
    ("a /15", "192.0.0.0/15", "/16"),
    ("an IPv6 network", "2001:db8::/48", "/64 as a whole"),
    ("bits right of the prefix", "192.0.2.1/24", "did you mean 192.0.2.0/24?"),
    ("a prefix that is none", "192.0.2.0/33", "is no network"),
    ("a number too large", "192.0.2.256", "four numbers from 0 to 255"),
    ("three numbers", "192.0.2", "four numbers from 0 to 255"),
    ("a leading zero, which some take for octal", "192.0.2.010", "four numbers"),
    ("half an IPv6 address", "2001:db8:", "eight groups or one ::"),
    ("an interface", "fe80::1%eth0", "without %eth0"),
    ("one word", "localhost", "write it in full"),
    ("nothing", " ", "no address"),
    ("a blank within", "a.example b.example", "no address"),
    ("an empty label", "a..example", "no domain name"),
    ("a label too long", "x" * 64 + ".example", "no domain name"),
    ("a name too long", "abcdefg." * 32 + "example", "no domain name"),
    ("a hyphen first", "-a.example", "no domain name"),
    ("a URL without host", "http:///path", "usable host"),
    ("a URL with half a bracket", "http://[2001:db8::1/x", "no URL that can be read"),
    ("a URL with a port that is none", "http://a.example:port/", "no URL that can be read"),
]


@pytest.mark.parametrize(("text", "told"), [case[1:] for case in UNUSABLE], ids=[case[0] for case in UNUSABLE])
def test_what_cannot_be_used_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(UnusableTarget) as error:
        Targets(["192.0.2.1", text])
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_no_error_shows_a_password() -> None:
    with pytest.raises(UnusableTarget) as error:
        Targets(["http://me:secret@local_host:port/x"])
    assert "secret" not in str(error.value)


def test_a_large_network_costs_nothing_to_hold_and_can_be_walked_twice() -> None:
    targets = Targets(["198.51.0.0/16", "192.0.2.1"])
    assert len(targets) == 65_537
    assert next(iter(targets)).text == "198.51.0.0"
    assert sum(1 for _ in targets) == sum(1 for _ in targets) == 65_537
