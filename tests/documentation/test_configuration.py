"""The page of the configuration is what the settings say of themselves."""

import re
from pathlib import Path

from outwarden.cli.config import toml
from outwarden.service.settings import fields

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")


def test_every_setting_has_its_row_and_nothing_else_has() -> None:
    shown = {
        section: re.findall(r"^\| `(\w+)` \| `(.*?)` \| (.*) \|$", text, flags=re.MULTILINE)
        for section, text in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    }
    assert shown == {
        section: [(each.key.partition(".")[2], toml(each.default), each.sentence) for each in inside]
        for section, _, inside in fields()
    }


def test_every_section_and_setting_says_what_it_is_for() -> None:
    for section, sentence, inside in fields():
        assert sentence.endswith("."), section
        for each in inside:
            assert each.sentence.endswith("."), each.key
