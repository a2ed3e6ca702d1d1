"""Patterns mean the same in every Python that we promise to work with."""

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "outwarden"


def test_no_group_is_repeated_possessively() -> None:
    # Before Python 3.11.5 (Debian 12 has 3.11.2) a possessive group whose last repetition fails half way
    # does not step back over that half: ``(?: (?!P)[a-z])*+ P`` does not find " a P".  The same as an
    # atomic group, ``(?>(?: (?!P)[a-z])*) P``, does, in the same time.  Repeating a single character is sound.
    possessive = re.compile(r"\)(?:[*+?]|\{\{?\d*,?\d*\}?\})\+")
    found = [
        f"{file.relative_to(PACKAGE)}:{number}"
        for file in PACKAGE.rglob("*")
        if file.suffix in {".py", ".toml"}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if possessive.search(line)
    ]
    assert found == []
