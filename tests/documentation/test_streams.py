"""Every stream of evidence has its page, and what the pages say of points, weights and words is so."""

import re
import tomllib
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outwarden.detection.live import ledger
from outwarden.detection.live.counts import Count
from outwarden.detection.live.ledger import PROOF, QUANTITY, STREAM_NAMES, name_of
from outwarden.detection.live.record import DAY, AccountRecord, Most, NetworkUse, SharedWithOthers, TextUse, new_record
from outwarden.detection.live.scene import scene_of
from outwarden.detection.live.weights import shipped_weights
from outwarden.events import AccountKind

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
FOLDER = DOCS / "streams"
INDEX = (FOLDER / "index.md").read_text(encoding="utf-8")
WEIGHTS = tomllib.loads(files("outwarden.detection.live").joinpath("weights.toml").read_text("utf-8"))
NOW = 60.0 * DAY


def page(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """The name of a stream in the file of weights."""
    return name.replace("-", "_")


def span(name: str) -> str:
    """The points a stream can give, from its caps."""
    weights: dict[str, Any] = WEIGHTS[section(name)]
    if name == "campaign":
        highest = max(weights["one"], weights["several"], weights["blocked"])
    elif "highest" in weights:
        highest = weights["highest"]
    else:
        highest = max(weights.get("highest_by_count") or weights["by_count"])
    return f"{weights.get('lowest', 0.0):.1f} to {highest:.1f}"


# -- what each page shows an example of


def counts(day: dict[Count, int], own: dict[Count, int] | None = None) -> Callable[[AccountRecord], None]:
    def fill(record: AccountRecord) -> None:
        for counter, amount in day.items():
            record.hour.add(NOW, counter, amount)
            record.day.add(NOW, counter, amount)
        for counter, amount in (own or {}).items():
            record.own[counter] = amount

    return fill


def text(use: TextUse) -> Callable[[AccountRecord], None]:
    return lambda record: record.texts.update({1: use})


def shared(record: AccountRecord) -> None:
    record.shared = SharedWithOthers(4.0, NOW, "link", 3)


def foreign(record: AccountRecord) -> None:
    record.networks.update({f"AS{64500 + one}": NetworkUse(NOW - one * DAY, 0.0) for one in (1, 2)})
    counts({Count.NETWORKS: 2, Count.COUNTRIES: 1})(record)


def quantity(record: AccountRecord) -> None:
    record.weeks.append(Most(8, new_hour=2, new_day=9))
    counts({Count.NEW: 462, Count.RECIPIENTS: 470})(record)


EXAMPLES: dict[str, Callable[[AccountRecord], None]] = {
    "volume": quantity,
    "strangers": counts({Count.TO_STRANGERS: 9, Count.MESSAGES: 10}, {Count.TO_STRANGERS: 12, Count.MESSAGES: 100}),
    "same-text": text(TextUse(NOW - 3600, NOW, messages=40, new=40)),
    "fresh-links": counts(
        {Count.FRESH_LINKED: 8, Count.MESSAGES: 9, Count.FRESH_TARGETS: 3}, {Count.FRESH_LINKED: 2, Count.MESSAGES: 210}
    ),
    "unknown-recipients": counts({Count.UNKNOWN: 11, Count.RESULTS: 54}, {Count.UNKNOWN: 3, Count.RESULTS: 250}),
    "refused": counts({Count.REFUSED: 5, Count.RESULTS: 40}, {Count.REFUSED: 1, Count.RESULTS: 400}),
    "network": foreign,
    "content-verdict": counts({Count.SPAM: 3, Count.FILTERED: 12}, {Count.SPAM: 1, Count.FILTERED: 300}),
    "many-links": counts({Count.FRESH_TARGETS: 19}),
    "listed-links": counts({Count.LISTED_TARGETS: 2}),
    "same-reply": text(TextUse(NOW - 3600, NOW, messages=5, replies=5)),
    "campaign": shared,
    "complaints": counts({Count.COMPLAINTS: 2, Count.RECIPIENTS: 180}),
    "foreign-from": counts({Count.FOREIGN: 6, Count.MESSAGES: 30}, {Count.MESSAGES: 500}),
}


def example(name: str) -> str:
    """The entry of the ledger that a page shows."""
    record = new_record("kim@isp.example", AccountKind.LOGIN, NOW - 40 * DAY)
    for window in (record.hour, record.day):
        window.turn(NOW)
    EXAMPLES[name](record)
    stream = import_module(f"{ledger.__package__}.streams.{section(name)}")
    scene, weights = scene_of(record, NOW), getattr(shipped_weights(), section(name))
    return f"{stream.points(scene, weights):+.1f}  {stream.words(scene, weights)}"


# -- the pages


def test_every_stream_has_a_page_and_no_other_page_is_there() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted((*STREAM_NAMES, "index"))


def test_the_index_has_every_stream_with_its_points_and_whether_it_is_proof() -> None:
    row = r"^\| \[`([a-z-]+)`\]\(\1\.md\) \| ([-0-9. to]+) \| [^|]+ \| (yes|no) \| [^|]+ \|$"
    proof = {name_of(stream): "yes" if stream in PROOF else "no" for stream in (*QUANTITY, *PROOF)}
    assert re.findall(row, INDEX, re.MULTILINE) == [(name, span(name), proof[name]) for name in STREAM_NAMES]


@pytest.mark.parametrize("name", STREAM_NAMES)
def test_the_page_says_the_points_and_whether_they_are_proof(name: str) -> None:
    proof = "Proof" if name in map(name_of, PROOF) else "No proof"
    shown = re.findall(r"^\*\*Points:\*\* ([-0-9. to]+?)\. (No proof|Proof)\.", page(name), re.MULTILINE)
    assert shown == [(span(name), proof)]


@pytest.mark.parametrize("name", STREAM_NAMES)
def test_the_page_shows_every_weight_as_it_is(name: str) -> None:
    shown = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| [^|]+ \|$", page(name), re.MULTILINE)
    values = [(key, tomllib.loads(f"value = {value}")["value"]) for key, value in shown]
    assert values == list(WEIGHTS[section(name)].items())


@pytest.mark.parametrize("name", STREAM_NAMES)
def test_the_page_says_how_to_switch_the_stream_off(name: str) -> None:
    assert f'```toml\n[streams]\noff = ["{name}"]\n```' in page(name)


@pytest.mark.parametrize("name", STREAM_NAMES)
def test_the_example_is_what_the_stream_says(name: str) -> None:
    assert f"```text\n{example(name)}\n```" in page(name)


@pytest.mark.parametrize("name", STREAM_NAMES)
def test_the_page_has_its_parts(name: str) -> None:
    parts = re.findall(r"^\*\*([A-Z][a-z ]+):\*\*", page(name), re.MULTILINE)
    assert parts == ["Sees", "Points", "Against", "False alarms", "Evasions"]


def test_the_weights_are_all_those_of_the_streams() -> None:
    assert list(WEIGHTS) == [section(name) for name in msgspec.structs.asdict(shipped_weights())]
    assert sorted(WEIGHTS) == sorted(map(section, STREAM_NAMES))
