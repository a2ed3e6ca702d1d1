"""Where links lead, whatever they are written like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import LinkKind
from outwarden.sources.message.link_services import LinkServices, known_services
from outwarden.sources.message.links import links_in_text, read_link
from outwarden.sources.message.unwrapping import unwrapped

WRITTEN = [
    ("as usual", "https://shop.example/a?b=c#d", "shop.example/a?b=c"),
    ("upper case and final dot", "HTTP://Shop.Example./A", "shop.example/A"),
    ("backslashes", "http:\\\\shop.example\\a", "shop.example/a"),
    ("no slashes", "http:shop.example", "shop.example/"),
    ("one slash", "https:/shop.example/", "shop.example/"),
    ("no scheme", "//shop.example/a", "shop.example/a"),
    ("www without scheme", "www.shop.example", "www.shop.example/"),
    ("name, password and port", "http://rosa:secret@shop.example:8080/p", "shop.example/p"),
    ("a host before the @", "http://bank.example:80@shop.example/", "shop.example/"),
    ("two @", "http://a@b@shop.example", "shop.example/"),
    ("an escaped host", "http://%73hop.example/", "shop.example/"),
    ("tabs and line ends inside", "ht\ntps://sh\top.exa\r\nmple/x", "shop.example/x"),
    ("query right after the host", "http://shop.example?x=1", "shop.example/?x=1"),
    ("umlaut", "http://m\u00fcnchen.example/", "xn--mnchen-3ya.example/"),
    ("sharp s, kept as browsers keep it", "http://stra\u00dfe.example", "xn--strae-oqa.example/"),
    ("letters of full width", "http://\uff53hop.example", "shop.example/"),
    ("an ideographic full stop", "http://shop\u3002example/x", "shop.example/x"),
    ("a soft hyphen", "http://sh\u00adop.example/", "shop.example/"),
    ("hexadecimal address", "http://0xc0000207/", "192.0.2.7/"),
    ("address as one number", "http://3221225991", "192.0.2.7/"),
    ("octal address", "http://0300.0.02.07/x", "192.0.2.7/x"),
    ("short address", "http://192.519", "192.0.2.7/"),
    ("IPv6", "http://[2001:db8::1]:80/x", "[2001:db8::1]/x"),
    ("file transfer", "ftp://files.example/a", "files.example/a"),
]
NO_LINKS = [
    "/relative", "#part", "", " ", "mailto:rosa@isp.example", "javascript:alert(1)", "cid:1@x", "data:text/html,x",
    "http://localhost/", "http://", "http:///", "http://a..b.example/", "http://1.2.3.4.5/", "http://256.1.1.1/",
    "http://[::g]/", f"http://{'a' * 300}.example", f"http://{'a.' * 200}example", "http://-a.example/", "http://\udc80.example/",
]  # fmt: skip


@pytest.mark.parametrize(("written", "leads_to"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN])
def test_where_it_leads(written: str, leads_to: str) -> None:
    address = read_link(written)
    assert address is not None
    assert address.url == leads_to


@pytest.mark.parametrize("written", NO_LINKS)
def test_no_link(written: str) -> None:
    assert read_link(written) is None


@given(st.text(max_size=300))
def test_any_text_is_a_link_or_none(text: str) -> None:
    for written in (text, f"http://{text}", f"https://shop.example/{text}", f"//{text}@shop.example"):
        address = read_link(written)
        if address is not None:
            assert address.host == address.host.lower()
            assert address.host.isascii()
            assert address.path.startswith("/")
            assert known_services().link_to(unwrapped(address)).target


WRAPPED = [
    ("Google", "https://www.google.com/url?sa=t&q=https://shop.example/x%3Fa%3D1&usg=x", "shop.example/x?a=1"),
    ("Google, newer", "https://www.google.de/url?sa=t&url=https%3A%2F%2Fshop.example%2F", "shop.example/"),
    ("Google AMP", "https://www.google.com/amp/s/shop.example/x?y=1", "shop.example/x?y=1"),
    ("AMP cache", "https://shop-example.cdn.ampproject.org/c/s/shop.example/x", "shop.example/x"),
    (
        "Safe Links",
        "https://nam10.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example%2Fa&data=04",
        "shop.example/a",
    ),
    (
        "Safe Links, & escaped twice",
        "https://x.safelinks.protection.outlook.com/?a=b&amp;url=http%3A%2F%2Fshop.example",
        "shop.example/",
    ),
    ("Bing", "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9zaG9wLmV4YW1wbGUv&ntb=1", "shop.example/"),
    ("Proofpoint 1", "https://urldefense.proofpoint.com/v1/url?u=http://shop.example/&k=x", "shop.example/"),
    (
        "Proofpoint 2",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__shop.example_a-3Fb-3D1&d=x",
        "shop.example/a?b=1",
    ),
    ("Proofpoint 3", "https://urldefense.com/v3/__https://shop.example/a?b=c__;!!key!token$", "shop.example/a?b=c"),
    ("Proofpoint 3, one slash", "https://urldefense.com/v3/__https:/shop.example/__;!!key!token$", "shop.example/"),
    (
        "Proofpoint 3, a letter put back",
        "https://urldefense.com/v3/__https://shop.example/a*b__;JQ!!key!t$",
        "shop.example/a%b",
    ),
    (
        "Proofpoint 3, a run put back",
        "https://urldefense.com/v3/__https://shop.example/a**Ab__;KCg!!key!t$",
        "shop.example/a((b",
    ),
    ("Barracuda", "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fshop.example%2f&c=E", "shop.example/"),
    ("Cisco", "https://secure-web.cisco.com/1aBc/https%3A%2F%2Fshop.example%2Fx", "shop.example/x"),
    ("Sophos", "https://eu.protection.sophos.com/?d=shop.example&u=aHR0cHM6Ly9zaG9wLmV4YW1wbGUv", "shop.example/"),
    ("Facebook", "https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2Fx&h=AT", "shop.example/x"),
    ("YouTube", "https://www.youtube.com/redirect?event=x&q=shop.example%2Fx", "shop.example/x"),
    (
        "one in the other",
        "https://www.google.com/url?q=https://l.facebook.com/l.php?u%3Dhttps%253A%252F%252Fshop.example%252F",
        "shop.example/",
    ),
    ("without a target", "https://www.google.com/url?sa=t", "www.google.com/url?sa=t"),
    ("a target that is none", "https://www.google.com/url?q=nowhere", "www.google.com/url?q=nowhere"),
    ("base64 that is none", "https://www.bing.com/ck/a?u=a1%FF%FF", "www.bing.com/ck/a?u=a1%FF%FF"),
    (
        "opaque",
        "https://shop.us1.list-manage.com/track/click?u=1&id=2",
        "shop.us1.list-manage.com/track/click?u=1&id=2",
    ),
]


@pytest.mark.parametrize(("written", "leads_to"), [case[1:] for case in WRAPPED], ids=[case[0] for case in WRAPPED])
def test_wrappers(written: str, leads_to: str) -> None:
    address = read_link(written)
    assert address is not None
    assert unwrapped(address).url == leads_to


def test_a_wrapper_that_wraps_itself_ends() -> None:
    written = "https://shop.example/"
    for _ in range(40):
        written = f"https://www.google.com/url?q={written}"
    address = read_link(written)
    assert address is not None
    assert unwrapped(address).host == "www.google.com"


KINDS = [
    ("a site", "https://www.shop.example.co.uk/a", LinkKind.DOMAIN, "example.co.uk"),
    ("a site on a shared suffix", "https://rosa.github.io/a", LinkKind.DOMAIN, "rosa.github.io"),
    ("an address", "http://192.0.2.7/a", LinkKind.DOMAIN, "192.0.2.7"),
    ("a short URL", "https://bit.ly/3aBc?x=y#z", LinkKind.SHORTENER, "bit.ly/3aBc"),
    ("a short URL, escaped without need", "http://www.bit.ly//%33aBc/", LinkKind.SHORTENER, "bit.ly/3aBc"),
    ("a shortener's sub-domain", "https://x.page.link/y", LinkKind.SHORTENER, "x.page.link/y"),
    ("not a shortener, by its end only", "https://habit.ly/x", LinkKind.DOMAIN, "habit.ly"),
    (
        "a file by its path",
        "https://drive.google.com/file/d/aB/view?usp=share",
        LinkKind.STORAGE,
        "drive.google.com/file/d/aB/view",
    ),
    (
        "a file by its query",
        "https://drive.google.com/uc?export=download&id=aB",
        LinkKind.STORAGE,
        "drive.google.com/uc?id=aB",
    ),
    (
        "a bucket",
        "https://x.s3.eu-west-1.amazonaws.com/a.html",
        LinkKind.STORAGE,
        "x.s3.eu-west-1.amazonaws.com/a.html",
    ),
]


@pytest.mark.parametrize(("written", "kind", "target"), [case[1:] for case in KINDS], ids=[case[0] for case in KINDS])
def test_kinds(written: str, kind: LinkKind, target: str) -> None:
    address = read_link(written)
    assert address is not None
    link = known_services().link_to(address)
    assert (link.kind, link.target) == (kind, target)


def test_a_site_adds_its_own_services() -> None:
    services = LinkServices('shorteners = "Go.Example"\n[[storage]]\nhosts = ["files.example"]\nkeys = ["f"]\n')
    address = read_link("https://cloud.files.example/get?f=1&t=2")
    short = read_link("https://go.example/x")
    assert address is not None and short is not None
    assert services.link_to(address).target == "cloud.files.example/get?f=1"
    assert services.link_to(short).kind is LinkKind.SHORTENER


@pytest.mark.parametrize("text", ["shorteners = ", "[[storage]]\nhost = 'x'", "storage = 3"])
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        LinkServices(text)


TEXTS = [
    ("in a sentence", "See http://a.example/x, or https://b.example/y.", ["http://a.example/x", "https://b.example/y"]),
    ("in parentheses", "(http://a.example/x) http://b.example/(y)", ["http://a.example/x", "http://b.example/(y)"]),
    ("in quotes", 'say "http://a.example/x" now', ["http://a.example/x"]),
    ("www", "at www.shop.example!", ["http://www.shop.example"]),
    ("a host alone", "visit evil.com today", ["http://evil.com"]),
    ("a host with a path", "visit Evil.com/Offer now", ["http://Evil.com/Offer"]),
    ("IDN", "visit b\u00fccher.de", ["http://b\u00fccher.de"]),
    ("a mailbox", "rosa@evil.com, rosa.braun@evil.com", []),
    ("no space after a sentence", "the end.It begins, e.g. now", []),
    ("a file", "see setup.py and readme.md", []),
    ("a version and an address", "v1.2.3 at 192.0.2.1", []),
    ("another scheme", "hxxp://no.invalid/ and foo://no.invalid/", []),
]


@pytest.mark.parametrize(("text", "found"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_links_in_text(text: str, found: list[str]) -> None:
    assert links_in_text(text) == found


def test_a_link_broken_over_lines_is_put_together() -> None:
    assert "http://a.example/lo\n ng" in links_in_text("see <http://a.example/lo\n ng>")
