"""OpenSMTPD's log against cases of our own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Event, encode_event
from outwarden.sources.logs.opensmtpd import OpenSmtpdLog, is_opensmtpd
from outwarden.sources.logs.stamps import Stamps

OWN_CASES = sorted(Path(__file__).parent.glob("*.in"))


def read(text: str, newest: datetime) -> tuple[OpenSmtpdLog, list[Event]]:
    reader = OpenSmtpdLog(Stamps(newest))
    return reader, reader.feed(text) + reader.finish()


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: case.stem)
def test_our_own_cases(case: Path) -> None:
    text = case.read_text("utf-8")
    reader, events = read(text, datetime(2026, 12, 1, tzinfo=UTC))
    told = [json.loads(encode_event(event)) for event in events]
    for event in told:
        del event["id"], event["line"]
    assert is_opensmtpd(text)
    assert {"events": told, "not_understood": reader.lines_not_understood} == json.loads(
        case.with_suffix(".expected.json").read_text("utf-8")
    )
