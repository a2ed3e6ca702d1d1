"""HTML: what is seen, and where it leads."""

import pytest

from outwarden.sources.message.page import addresses_of, seen_text

ADDRESSES = [
    ("quoted", '<a href="https://a.example/?x=1&amp;y=2">', ["https://a.example/?x=1&y=2"]),
    ("single quotes", "<form ACTION = 'https://a.example/'>", ["https://a.example/"]),
    ("bare", "<img src=https://a.example/i.png width=1>", ["https://a.example/i.png"]),
    ("character references", '<a href="&#104;ttp&#x3a;//a&period;example&#0000047;x">', ["http://a.example/x"]),
    ("a line end inside", '<a href="ht\ntps://a.example">', ["ht\ntps://a.example"]),
    ("case kept", '<A HREF="https://bit.ly/aBC">', ["https://bit.ly/aBC"]),
    ("a letter that grows", '\u0130<a href="https://bit.ly/aBC">', ["https://bit.ly/aBC"]),
    ("style", "<td style=\"background:url( '//a.example/i')\">", ["//a.example/i"]),
    ("refresh", '<meta http-equiv="refresh" content="0; url=https://a.example/">', ["https://a.example/"]),
    ("not closed", '<a href="https://a.example/', ["https://a.example/"][:0]),
    ("for Outlook alone", '<!--[if mso]><v:rect href="https://a.example/"><![endif]-->', ["https://a.example/"]),
    ("a number beyond counting", f'<a href="x&#{"9" * 6000};y">', ["x;y"]),
]


@pytest.mark.parametrize(("page", "found"), [case[1:] for case in ADDRESSES], ids=[case[0] for case in ADDRESSES])
def test_addresses(page: str, found: list[str]) -> None:
    assert addresses_of(page) == found


SEEN = [
    ("words go on around bold", "<p>Vi<b>ag</b>ra</p>", "Viagra"),
    ("cells are apart", "<td>one</td><td>two</td>", "one two"),
    ("comments", "a<!-- b -->c", "ac"),
    ("styles and scripts", "<style>p{}</style >a<script>b</script>", "a"),
    ("a style that does not end", "a<style>b", "a"),
    ("hidden", 'a<div style="display: none">b</div><span style="font-size:0px">c</span>', "a"),
    ("small is not hidden", '<span style="font-size:0.9em">a</span>', "a"),
    ("references", "a &amp; b &euro; &#x41;", "a & b \u20ac A"),
    ("what is quoted below", 'yes<blockquote type="cite">no</blockquote>', "yes"),
    ("what Gmail quotes below", 'yes<div class="gmail_quote">no</div>', "yes"),
    ("nothing but a quotation", "<blockquote>yes</blockquote>", "yes"),
]


@pytest.mark.parametrize(("page", "text"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_seen_text(page: str, text: str) -> None:
    assert " ".join(seen_text(page).split()) == text
