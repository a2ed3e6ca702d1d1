"""Each ``NAME.in`` is read as a file would be; ``NAME.expected.json`` says what must come out."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from outwarden.events import Event
from outwarden.sources.logs.reading import MixedLog

NEWEST = datetime(2026, 11, 24, tzinfo=UTC)
HERE = Path(__file__).parent
CASES = [path for folder in ("logins", "journald", "mixed") for path in sorted((HERE / folder).glob("*.in"))]


def told(event: Event) -> dict[str, object]:
    """The event as other programs see it, without the evidence and what is empty."""
    raw: dict[str, object] = msgspec.to_builtins(event)
    return {name: value for name, value in raw.items() if name != "line" and value not in (None, "", ())}


def read(content: bytes) -> dict[str, object]:
    log = MixedLog(NEWEST)
    events = [*log.feed(content), *log.finish()]
    return {
        "formats": list(log.formats),
        "lines": log.lines,
        "lines_not_understood": log.lines_not_understood,
        "lines_of_other_programs": log.lines_of_other_programs,
        "events": [told(event) for event in events],
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_a_log_says(path: Path) -> None:
    assert path.with_suffix(".readme").is_file()
    assert read(path.read_bytes()) == json.loads(path.with_suffix(".expected.json").read_text())
