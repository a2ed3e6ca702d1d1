"""The page: complete in itself, small, harmless, and in the words of the terminal."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from outwarden.cli.page import page
from outwarden.cli.verdict_words import headline
from outwarden.events import Verdict
from outwarden.service.examine import Examination

_VOID = {"meta", "path", "br"}


class _Outline(HTMLParser):
    """Checks that elements close in order, and collects what there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_the_words_of_the_terminal(yes: Examination) -> None:
    outline = _Outline(page(yes))
    line = headline(yes.assessment)
    assert f"{line.word} {line.sentence}" in re.sub(r"\s+", " ", outline.text)
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("svg") == 1
    for words in ("rosa@isp.example", "462 new recipients in an hour (own record 2)", "zen.spamhaus.org"):
        assert words in outline.text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_makes_a_page(yes: Examination, verdict: Verdict) -> None:
    _Outline(page(replace(yes, assessment=replace(yes.assessment, verdict=verdict))))


def test_the_page_asks_nobody_for_anything(yes: Examination) -> None:
    text = page(yes)
    outline = _Outline(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(outline.tags)
    assert not {name for name, _ in outline.attributes} & {"src", "href", "style", "srcset"}
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_allows_its_own_style_and_nothing_else(yes: Examination) -> None:
    text = page(yes)
    found = re.search(r"<style>(.*?)</style>", text, re.S)
    assert found
    digest = b64encode(sha256(found[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text


def test_an_ordinary_page_is_small(yes: Examination) -> None:
    assert len(page(yes).encode()) < 12_000


def test_the_page_of_a_very_bad_day_is_small_too(crowd: Examination) -> None:
    assert len(page(crowd).encode()) <= 50_000


def test_what_strangers_wrote_is_only_text(hostile: Examination) -> None:
    text = page(hostile)
    outline = _Outline(text)
    assert "script" not in outline.tags
    assert "<script>alert(1)</script>" in outline.text
    assert not any(char in text for char in "\x1b\x9b\r\u202e")
