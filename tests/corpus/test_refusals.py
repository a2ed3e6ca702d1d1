"""Refusals kept as cases: one a line in NAME.in, the class of each in NAME.expected.json."""

import json
from pathlib import Path

import pytest

from outwarden.sources.refusals import classify

FOLDER = Path(__file__).parent / "refusals"
CASES = [
    (text, expected)
    for file in sorted(FOLDER.glob("*.in"))
    for text, expected in zip(
        file.read_text(encoding="utf-8").splitlines(),
        json.loads(file.with_suffix(".expected.json").read_text(encoding="utf-8")),
        strict=True,
    )
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_class(text: str, expected: str) -> None:
    assert classify(text).refusal_class == expected
