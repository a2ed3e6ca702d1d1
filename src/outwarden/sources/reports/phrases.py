"""The phrases by which reports are known: one expression for each meaning, made of ``phrases.toml``."""

import re
import tomllib
from functools import cache
from importlib.resources import files


@cache
def phrases(meaning: str) -> re.Pattern[str]:
    """Return what finds a meaning, in any language, in text of lower case."""
    return re.compile("|".join(_table()[meaning]), re.MULTILINE)


@cache
def _table() -> dict[str, list[str]]:
    table = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
    return {meaning: [one for spoken in languages.values() for one in spoken] for meaning, languages in table.items()}
