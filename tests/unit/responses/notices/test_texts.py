"""Every kind in every language: said in full, in lines that fit, in HTML that is accessible, as it was looked at."""

import re
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import meta

from outwarden.responses.notices.checking import template_faults
from outwarden.responses.notices.facts import Counted, Done, Facts, Incomplete, Language, NoticeKind, Period, Place
from outwarden.responses.notices.letter import BlockKind, html_page, letter, plain_text, text_environment
from outwarden.responses.notices.sample import SAMPLE_PLACES, sample_facts
from outwarden.responses.notices.texts import PARTS, load_templates
from outwarden.responses.notices.wording import VARIABLES, number_in_words, one_line, variables

TEMPLATES = load_templates()
ROME = ZoneInfo("Europe/Rome")
GOLDEN = Path(__file__).with_name("golden")
EVERY = [(kind, language) for language in Language for kind in NoticeKind]
LINK = "https://my.isp.example/my/" + "x" * 160


def shown(kind: NoticeKind, language: Language) -> str:
    """A notice as the golden files have it."""
    made = letter(TEMPLATES, kind, language, sample_facts(kind), SAMPLE_PLACES[True], ROME)
    return f"=== {kind}\nSubject: {made.subject}\nText message: {made.short}\n\n{plain_text(made)}"


@pytest.mark.parametrize("language", Language)
def test_the_texts_are_those_that_were_looked_at(language: Language) -> None:
    told = "\n".join(shown(kind, language) for kind in NoticeKind)
    assert told == (GOLDEN / f"{language}.txt").read_text(encoding="utf-8")


def test_the_shipped_templates_have_no_fault() -> None:
    assert template_faults(TEMPLATES, set(TEMPLATES.texts)) == []


@pytest.mark.parametrize("language", Language)
def test_every_language_says_the_same_things(language: Language) -> None:
    words = TEMPLATES.words[language]
    assert (set(words.done), set(words.counted), set(words.period)) == (set(Done), set(Counted), set(Period))
    for name in (*NoticeKind, *PARTS):
        english, here = (
            meta.find_undeclared_variables(text_environment(TEMPLATES, each).parse(TEMPLATES.texts[f"{each}/{name}"]))
            for each in (Language.ENGLISH, language)
        )
        assert here == english, name
        steps = [
            len(re.findall(r"^[0-9]\. ", TEMPLATES.texts[f"{each}/{name}"], re.MULTILINE)) for each in ("en", language)
        ]
        assert steps[0] == steps[1], name


def test_every_variable_is_given_to_every_kind() -> None:
    for kind in NoticeKind:
        given = variables(sample_facts(kind), SAMPLE_PLACES[True], TEMPLATES.words[Language.ENGLISH], UTC)
        assert set(given) == VARIABLES


@pytest.mark.parametrize(("kind", "language"), EVERY)
@pytest.mark.parametrize("full", [True, False])
def test_lines_fit_and_nothing_is_left_open(kind: NoticeKind, language: Language, full: bool) -> None:
    made = letter(TEMPLATES, kind, language, sample_facts(kind, full=full, link=LINK), SAMPLE_PLACES[full], ROME)
    text = plain_text(made)
    assert [line for line in text.splitlines() if len(line) > 76] == [LINK]
    assert text.count(LINK) == 1
    for left in ("{{", "{%", "}}", "  .", "()", "None", "\ue000", "\ue001", "\ue002"):
        assert left not in f"{made.subject}{made.short}{text}", left
    assert LINK not in made.short, "a text message opens no page"
    assert [block.kind for block in made.blocks].count(BlockKind.STEPS) == 1
    for told in ("rosa@isp.example", "OW-2041", "03:12 UTC"):
        assert told in text


class Page(HTMLParser):
    """What a reader's program makes of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_the_page_is_accessible_and_asks_for_nothing(kind: NoticeKind, language: Language) -> None:
    made = letter(TEMPLATES, kind, language, sample_facts(kind, link=LINK), SAMPLE_PLACES[True], ROME)
    page = Page(html_page(TEMPLATES, made, "OW-2041"))
    names = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"] == {"lang": language.value}
    assert (names.count("title"), names.count("main"), names.count("h1")) == (1, 1, 1)
    assert page.headings[0] == "h1" and set(page.headings[1:]) == {"h2"}
    assert {"img", "script", "link", "iframe", "form", "video", "object"}.isdisjoint(names)
    links = {str(given["href"]) for tag, given in page.tags if tag == "a"}
    assert LINK in links and all(link.startswith("https://my.isp.example/") for link in links)
    styles = " ".join(str(given.get("style", "")) for _, given in page.tags)
    assert "color" not in styles and "background" not in styles, "the reader's own colours, light or dark"
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Hello\r\nBcc: victim@bigmail.example"),
        ("subject", "<script>alert(1)</script><img src=x>"),
        ("place", "{{ 7*7 }}{% include 'answer' %}"),
        ("machine", "# Heading\n- point\n1. step"),
        ("machine", "https://evil.example/ www.evil.example"),
        ("words", "\u202eevil\u2066\x1b[2J\x00"),
        ("account", "\ue000\ue002https://evil.example\ue001@isp.example"),
    ],
)
def test_what_strangers_choose_stays_a_value(field: str, value: str) -> None:
    facts = Facts(**{"account": "a@isp.example", "happened_at": sample_facts(NoticeKind.GIVEN_BACK).happened_at,
                     "reference": "OW-1", field: value})  # type: ignore[arg-type]  # fmt: skip
    made = letter(TEMPLATES, NoticeKind.BLOCKED_BY_PERSON, Language.ENGLISH, facts, SAMPLE_PLACES[False], UTC)
    plain = letter(
        TEMPLATES, NoticeKind.BLOCKED_BY_PERSON, Language.ENGLISH,
        Facts(**{"account": "a@isp.example", "happened_at": facts.happened_at, "reference": "OW-1", field: "x"}),  # type: ignore[arg-type]
        SAMPLE_PLACES[False], UTC,
    )  # fmt: skip
    assert [(block.kind, len(block.lines)) for block in made.blocks] == [
        (block.kind, len(block.lines)) for block in plain.blocks
    ]
    assert "\n" not in made.subject + made.short
    page = Page(html_page(TEMPLATES, made, "OW-1"))
    assert {"script", "img", "a"}.isdisjoint(tag for tag, _ in page.tags)
    assert all(letter_.isprintable() or letter_ in "\n\u00a0" for letter_ in plain_text(made))
    if field == "machine":
        assert "://" not in plain_text(made) and "www.e" not in plain_text(made)


@given(st.text(), st.integers(4, 300))
def test_one_line_is_one_line(text: str, most: int) -> None:
    made = one_line(text, most)
    assert len(made) <= most and made.isprintable() and made == made.strip()


def test_a_secret_cannot_be_said() -> None:
    class Secret:
        def __str__(self) -> str:
            return "hunter2"

    facts = Facts(account=Secret(), happened_at=sample_facts(NoticeKind.GIVEN_BACK).happened_at, reference="OW-1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a notice says text, and no Secret"):
        letter(TEMPLATES, NoticeKind.PASSWORD_RESET, Language.ENGLISH, facts, SAMPLE_PLACES[False], UTC)
    names = {*Facts.__struct_fields__, *Place.__struct_fields__} - {"password_page"}
    assert [name for name in names if re.search("secret|password|token|key", name)] == []


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (NoticeKind.INFECTED_MACHINE, "client_address"),
        (NoticeKind.LIMIT_REACHED, "limit"),
        (NoticeKind.RULES_FOUND, "rules"),
    ],
)
def test_a_kind_that_would_say_nothing_is_refused(kind: NoticeKind, missing: str) -> None:
    facts = sample_facts(NoticeKind.GIVEN_BACK, full=False)
    with pytest.raises(Incomplete, match=f"cannot do without: {missing}"):
        letter(TEMPLATES, kind, Language.ENGLISH, facts, SAMPLE_PLACES[False], UTC)


def test_figures_and_times_are_those_of_the_language() -> None:
    told = {language: number_in_words(12400, TEMPLATES.words[language]) for language in Language}
    assert told == {"en": "12,400", "it": "12.400", "de": "12.400", "fr": "12\u00a0400", "es": "12.400"}
    happened = {
        language: variables(sample_facts(NoticeKind.GIVEN_BACK), SAMPLE_PLACES[True], TEMPLATES.words[language], ROME)[
            "happened"
        ]
        for language in Language
    }
    both = " (Europe/Rome; 2026-11-25 03:12 UTC)"
    assert happened == {
        "en": f"25 November 2026, 04:12{both}", "it": f"25 novembre 2026, ore 04:12{both}",
        "de": f"25. November 2026, 04:12 Uhr{both}", "fr": f"25 novembre 2026 à 04:12{both}",
        "es": f"25 de noviembre de 2026, 04:12{both}",
    }  # fmt: skip
    english = TEMPLATES.words[Language.ENGLISH]
    given_in_utc = variables(sample_facts(NoticeKind.GIVEN_BACK), SAMPLE_PLACES[True], english, UTC)
    assert given_in_utc["happened"] == "25 November 2026, 03:12 UTC"
