"""What an operator types for a domain."""

import pytest

from outwarden.authentication.domain_names import MalformedDomain, parse_domain

GOOD = [
    ("plain", "isp.example", "isp.example"),
    ("capitals", "ISP.Example", "isp.example"),
    ("trailing dot", "isp.example.", "isp.example"),
    ("blanks around", "  isp.example ", "isp.example"),
    ("internationalised", "Bücher.example", "xn--bcher-kva.example"),
    ("internationalised, its dot too", "bücher。example", "xn--bcher-kva.example"),
    ("already ASCII", "xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("a name of the DNS, not a host", "_dmarc.isp.example", "_dmarc.isp.example"),
]
BAD = [
    ("empty", "", "is empty"),
    ("only a dot", ".", "is empty"),
    ("a mailbox", "rosa@isp.example", "is a mailbox"),
    ("a URL", "https://isp.example/", "is a URL"),
    ("an address", "192.0.2.1", "is an address"),
    ("an IPv6 address", "2001:db8::1", "is an address"),
    ("no dot", "localhost", "has no dot"),
    ("two dots", "isp..example", "two dots"),
    ("a blank", "isp .example", "no host name has"),
    ("an underscore in between is fine, a hyphen first is not", "-isp.example", "no host name has"),
    ("a long label", "a" * 64 + ".example", "longer than 63"),
    ("a long name", "a." * 126 + "example", "longer than 253"),
    ("written differently by two standards", "straße.example", "xn--"),
    ("letters of two directions in one label", "\u0627a.example", "no internationalised"),
]


@pytest.mark.parametrize(("text", "name"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_a_domain(text: str, name: str) -> None:
    assert parse_domain(text) == name


@pytest.mark.parametrize(("text", "why"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_no_domain(text: str, why: str) -> None:
    with pytest.raises(MalformedDomain, match=why):
        parse_domain(text)
