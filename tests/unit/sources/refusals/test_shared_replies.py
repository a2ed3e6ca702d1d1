"""The labelled replies beside the project, where they are: how often the classifier is right."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from outwarden.events import Refusal
from outwarden.sources.refusals import classify

REPLIES = Path(__file__).resolve().parents[5] / "shared" / "facts" / "replies.jsonl"

pytestmark = pytest.mark.skipif(not REPLIES.exists(), reason=f"{REPLIES} is not there")


@pytest.fixture(scope="module")
def judged() -> list[tuple[dict[str, Any], Refusal]]:
    labels = [json.loads(line) for line in REPLIES.read_text(encoding="utf-8").splitlines()]
    return [(label, classify(label["text"])) for label in labels]


def macro_f1(pairs: list[tuple[str, str]]) -> float:
    """The mean over classes of 2tp / (2tp + fp + fn), of pairs (right, given)."""
    right, wanted, given = Counter(), Counter(w for w, _ in pairs), Counter(g for _, g in pairs)
    for want, got in pairs:
        right[want] += want == got
    classes = wanted.keys() | given.keys()
    return sum(2 * right[name] / (wanted[name] + given[name]) for name in classes) / len(classes)


def test_class(judged: list[tuple[dict[str, Any], Refusal]]) -> None:
    # Where a second class is honest too, either answer is right.
    pairs = [
        (got if got in (label["class"], label["also"]) else label["class"], got)
        for label, refusal in judged
        for got in [str(refusal.refusal_class)]
    ]
    assert macro_f1(pairs) >= 0.98


@pytest.mark.parametrize("field", ["permanent", "list", "listed", "provider", "status"])
def test_field(field: str, judged: list[tuple[dict[str, Any], Refusal]]) -> None:
    wrong = [label["text"] for label, refusal in judged if getattr(refusal, field) != label[field]]
    assert len(wrong) <= 0.01 * len(judged), wrong
