"""The page of lists shows the catalogue that is shipped."""

from pathlib import Path

from tools.blocklists_page import PAGE, page

from outwarden.dns.blocklist import Blocklist, Form, Tier
from outwarden.dns.catalogue import load_catalogue
from outwarden.events import Signal, WhyNot


def test_the_tables_are_those_of_the_catalogue() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, load_catalogue()) == text, "run: python tools/blocklists_page.py"


def test_every_word_of_a_catalogue_is_explained() -> None:
    text = Path(PAGE).read_text(encoding="utf-8").partition("## The lists")[0]
    words = {*Form, *Tier, *Signal, *WhyNot, *Blocklist.__struct_fields__} - {
        "id",
        "zone",
        "operator",
        "meaning",
        "scope",
        "by_default",
    }
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []
