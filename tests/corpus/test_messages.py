"""Messages kept as cases: the message in NAME.in, what its examination finds in NAME.expected.json."""

import json
from pathlib import Path

import msgspec
import pytest

from outwarden.sources.message import examine

FOLDER = Path(__file__).parent / "message"
CASES = sorted(FOLDER.glob("*.in"))


@pytest.mark.parametrize("file", CASES, ids=[file.stem for file in CASES])
def test_what_is_found(file: Path) -> None:
    found = json.loads(msgspec.json.encode(examine(file.read_bytes(), trusted=["X-Spam-Flag"])))
    # The numbers of a sketch are nobody's to read: whether there is one.
    found["sketch"] = bool(found["sketch"])
    assert found == json.loads(file.with_suffix(".expected.json").read_text(encoding="utf-8"))


def test_every_case_says_why_it_is_kept() -> None:
    assert [file.stem for file in CASES if not file.with_suffix(".readme").exists()] == []
