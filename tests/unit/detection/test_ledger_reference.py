"""The reference page has a section for every rule, and its caps are those of the code."""

import re
from pathlib import Path

import pytest

from outwarden.detection import ledger, listings, relaying
from outwarden.detection.baseline import troubles
from outwarden.detection.streams import bounces_returned, networks, refused, same_message, unknown_recipients, volume

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "ledger.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^#|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
CAPS = {
    volume: (0.0, volume.HIGHEST),
    unknown_recipients: (unknown_recipients.LOWEST, unknown_recipients.HIGHEST),
    refused: (refused.LOWEST, refused.HIGHEST),
    networks: (0.0, networks.HIGHEST),
    same_message: (0.0, same_message.HIGHEST),
    bounces_returned: (bounces_returned.LOWEST, bounces_returned.HIGHEST),
}
SERVER_RULES = [
    troubles.BOUNCE_RATE,
    troubles.DEFERRAL_RATE,
    listings.RULE,
    relaying.FORWARDS_SPAM,
    relaying.OPEN_RELAY,
]


def test_every_stream_of_the_ledger_has_its_caps_here() -> None:
    assert set(ledger.STREAMS) == set(CAPS)


@pytest.mark.parametrize("rule", [stream.STREAM.value for stream in ledger.STREAMS] + SERVER_RULES)
def test_every_rule_has_a_section_that_says_what_it_sees_and_where_it_errs(rule: str) -> None:
    assert rule in SECTIONS
    for said in ("Sees ", "Points: ", "False alarms: "):
        assert said in SECTIONS[rule]


def test_no_section_is_about_a_rule_that_is_gone() -> None:
    assert set(SECTIONS) == {stream.STREAM.value for stream in ledger.STREAMS} | set(SERVER_RULES)


@pytest.mark.parametrize("stream", list(CAPS), ids=lambda stream: stream.STREAM.value)
def test_the_caps_are_those_of_the_code(stream: object) -> None:
    lowest, highest = CAPS[stream]  # type: ignore[index]
    assert f"Points: {lowest} to {highest}." in SECTIONS[stream.STREAM.value]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("standing", "least"),
    [("watched", ledger.WATCHED_AT), ("held", ledger.HELD_AT), ("blocked", ledger.BLOCKED_AT)],
)
def test_the_standings_are_those_of_the_code(standing: str, least: float) -> None:
    assert f"| {standing} | {least:.0f} points or more" in PAGE
