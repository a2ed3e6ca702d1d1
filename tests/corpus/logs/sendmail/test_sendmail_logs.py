"""Sendmail's log against cases of our own, and against the lines that others ban for.

The public lines (fail2ban, GPL-2+) are read where they lie and never copied.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Event, Login, encode_event
from outwarden.sources.logs.sendmail import SendmailLog, is_sendmail
from outwarden.sources.logs.stamps import Stamps

OWN_CASES = sorted(Path(__file__).parent.glob("*.in"))
PUBLIC = Path(__file__).parents[5] / "shared" / "corpora" / "logs" / "login-lines"
ABSENT = "the public log corpora are not beside the repository"


def read(text: str, newest: datetime) -> tuple[SendmailLog, list[Event]]:
    reader = SendmailLog(Stamps(newest))
    return reader, reader.feed(text) + reader.finish()


def public_lines(name: str) -> Iterator[tuple[dict[str, object], str]]:
    expected: dict[str, object] = {}
    for line in (PUBLIC / name).read_text("utf-8").splitlines():
        if line.startswith("# failJSON:"):
            expected = json.loads(line.removeprefix("# failJSON:"))
        elif line and not line.startswith("#"):
            yield expected, line


@pytest.mark.skipif(not PUBLIC.is_dir(), reason=ABSENT)
def test_refused_logins_have_the_address_that_others_ban() -> None:
    for expected, line in public_lines("sendmail-auth"):
        reader, (login,) = read(f"{line}\n", datetime(2026, 1, 1, tzinfo=UTC))
        assert (reader.lines_understood, reader.lines_not_understood) == (1, 0), line
        assert isinstance(login, Login)
        assert (login.ok, login.client_address) == (False, expected["host"]), line


@pytest.mark.skipif(not PUBLIC.is_dir(), reason=ABSENT)
def test_rejections_are_understood_and_no_submissions() -> None:
    for _, line in public_lines("sendmail-reject"):
        reader, events = read(f"{line}\n", datetime(2026, 1, 1, tzinfo=UTC))
        assert (reader.lines_understood, reader.lines_not_understood, events) == (1, 0, []), line
        assert is_sendmail(f"{line}\n")


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: case.stem)
def test_our_own_cases(case: Path) -> None:
    text = case.read_text("utf-8")
    reader, events = read(text, datetime(2026, 12, 1, tzinfo=UTC))
    told = [json.loads(encode_event(event)) for event in events]
    for event in told:
        del event["id"], event["line"]
    assert is_sendmail(text)
    assert {"events": told, "not_understood": reader.lines_not_understood} == json.loads(
        case.with_suffix(".expected.json").read_text("utf-8")
    )
