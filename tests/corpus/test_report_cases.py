"""Bounces of every dialect, complaints, and what is neither: NAME.in, and what it says in the JSON beside it."""

import json
from pathlib import Path

import msgspec
import pytest

from outwarden.sources.reports import read_report

FOLDER = Path(__file__).parent / "reports"
CASES = sorted(FOLDER.glob("*.in"))


@pytest.mark.parametrize("file", CASES, ids=[file.stem for file in CASES])
def test_what_it_says(file: Path) -> None:
    found = json.loads(msgspec.json.encode(read_report(file.read_bytes())))
    assert found == json.loads(file.with_suffix(".expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", CASES, ids=[file.stem for file in CASES])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
def test_the_line_ends_do_not_matter(file: Path, line_end: bytes) -> None:
    message = file.read_bytes()
    assert read_report(message.replace(b"\n", line_end)) == read_report(message)


def test_every_case_says_why_it_is_kept() -> None:
    assert [file.stem for file in CASES if not file.with_suffix(".readme").exists()] == []
