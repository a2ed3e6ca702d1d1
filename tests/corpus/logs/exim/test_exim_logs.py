"""Exim's log against its own test suite's logs, and against cases of our own.

The public logs (Exim/exim, GPL-2+) are read where they lie and never copied.  They hold much free
text, because Exim's tests write through ACLs to see what these saw; no reader can know that text.
"""

# ruff: noqa: E501 (a log line is as long as it is)

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.events import Attempted, Event, Login, Outcome, Submitted, encode_event
from outwarden.sources.logs.exim import EximLog, is_exim
from outwarden.sources.logs.stamps import Stamps

OWN_CASES = sorted(Path(__file__).parent.glob("*.in"))
PUBLIC = Path(__file__).parents[5] / "shared" / "corpora" / "logs"
TEST_LOGS = sorted((PUBLIC / "exim").glob("*")) if PUBLIC.is_dir() else []
ABSENT = "the public log corpora are not beside the repository"

MARKED = re.compile(
    r"^\S+ \S+ (?:\[\d+\] )?([0-9A-Za-z]{6}-(?:\w{11}-\w{4}|\w{6}-\w{2})) (<=|\(=|=>|->|>>|==|\*\*|Completed)(?: (.*))?$",
    re.M,
)
# Lines that bear a delivery's mark and speak of no recipient: a whole message thrown away by an
# ACL or a system filter, and the summary that Exim writes as somebody's sendmail (mua_wrapper).
OF_NO_RECIPIENT = ("blackhole (", "discarded (", "mua_wrapper is set")
OUTCOMES = {"=>": Outcome.DELIVERED, "->": Outcome.DELIVERED, ">>": Outcome.DELIVERED, "==": Outcome.DEFERRED}

# What Exim's own code writes is never unknown, so a line that is not understood has none of these.
EXIMS_OWN_WORDS = re.compile(
    r" (?:<=|=>|->|>>|\*\*|==|Completed|rejected|Warning:|queue run:|daemon started:|error ignored|frozen by|Frozen|Unfrozen"
    r"|removed by|cancelled by|sender verify|authenticator failed|SMTP connection|SMTP call|no MAIL in|no immediate delivery:"
    r"|SMTP protocol|SMTP syntax|transport output:|discarded by|TLS error|DKIM:|Connection refused|Network Error) "
)
# Free text that happens to hold such words: what an event_action or an ACL of the tests wrote.
FREE_TEXT = re.compile(r" (?:event |\. |event_data|tls_|acl_|where=|cmd |rcpt for |\"rcpt ACL\"|\[127\.0\.0\.1\] -> )")


def read(text: str, newest: datetime) -> tuple[EximLog, list[Event]]:
    reader = EximLog(Stamps(newest))
    return reader, reader.feed(text) + reader.finish()


def public_log(path: Path) -> str:
    # The suite has replaced port numbers by names that no Exim writes.
    return re.sub(r":PORT_[A-Z]\d*", ":25", path.read_text("utf-8", "backslashreplace"))


def handed_back(text: str) -> dict[int, str]:
    """Return, by place in the text, the delivery lines that hand a message to this same host, and its new ID.

    Some of the suite's Exims talk to themselves: the reply names a message that has arrived before.
    That is what a content filter looks like, so such a delivery is no attempt and the new ID no submission.
    """
    senders: dict[str, str] = {}
    found = {}
    for match in MARKED.finditer(text):
        queue_id, flag, rest = match.groups()
        if flag in ("<=", "(="):
            senders[queue_id] = rest.partition(" ")[0]
        elif flag in ("=>", "->") and " [127.0.0.1]" in rest and (named := re.search(r"id=([^ \"]{16,23})\"", rest)):
            if queue_id in senders and senders.get(named[1]) == senders[queue_id]:
                found[match.start()] = named[1]
    return found


@pytest.mark.skipif(not TEST_LOGS, reason=ABSENT)
def test_every_delivery_line_is_one_attempt() -> None:
    for path in TEST_LOGS:
        text = public_log(path)
        expected: Counter[tuple[str, Outcome]] = Counter()
        no_attempts = handed_back(text)
        for match in MARKED.finditer(text):
            queue_id, flag, rest = match.groups()
            if flag in ("<=", "(=", "Completed") or rest.startswith(OF_NO_RECIPIENT) or match.start() in no_attempts:
                continue
            failed = Outcome.EXPIRED if "retry timeout exceeded" in rest else Outcome.BOUNCED
            expected[queue_id, OUTCOMES.get(flag, failed)] += 1
        _, events = read(text, datetime(2017, 8, 1, tzinfo=UTC))
        seen = Counter((event.queue_id, event.outcome) for event in events if isinstance(event, Attempted))
        assert seen == expected, path.name


@pytest.mark.skipif(not TEST_LOGS, reason=ABSENT)
def test_every_message_is_submitted_before_it_is_attempted_and_then_completed_or_open() -> None:
    for path in TEST_LOGS:
        text = public_log(path)
        first_flags: dict[str, str] = {}
        arrived: set[str] = set()
        still_open: set[str] = set()
        for queue_id, flag, _ in MARKED.findall(text):
            first_flags.setdefault(queue_id, flag)
            if flag in ("<=", "(="):
                arrived.add(queue_id)
                still_open.add(queue_id)
            elif flag == "Completed":
                still_open.discard(queue_id)
        reader, events = read(text, datetime(2017, 8, 1, tzinfo=UTC))
        come_back = set(handed_back(text).values())
        submitted: set[str] = set()
        for event in events:
            if isinstance(event, Submitted):
                assert event.queue_id not in submitted, path.name
                submitted.add(event.queue_id)
            elif isinstance(event, Attempted) and event.queue_id not in come_back:
                # Some files are two servers' logs one after the other: then a life begins in the middle.
                assert event.queue_id in submitted or first_flags[event.queue_id] in ("=>", "->", "==", "**"), path.name
        assert arrived - submitted == come_back, path.name
        assert set(reader._open) == still_open, path.name


@pytest.mark.skipif(not TEST_LOGS, reason=ABSENT)
def test_only_free_text_is_not_understood() -> None:
    not_understood = 0
    for path in TEST_LOGS:
        reader = EximLog(Stamps(datetime(2017, 8, 1, tzinfo=UTC)))
        for line in public_log(path).splitlines():
            before = reader.lines_not_understood
            reader.feed(f"{line}\n")
            if reader.lines_not_understood > before:
                not_understood += 1
                assert not EXIMS_OWN_WORDS.search(f"{line} ") or FREE_TEXT.search(line), f"{path.name}: {line}"
    assert not_understood < 2100


@pytest.mark.skipif(not TEST_LOGS, reason=ABSENT)
def test_a_cut_after_every_line_gives_the_same_events() -> None:
    for path in TEST_LOGS[::7]:
        text = public_log(path)
        _, whole = read(text, datetime(2017, 8, 1, tzinfo=UTC))
        reader = EximLog(Stamps(datetime(2017, 8, 1, tzinfo=UTC)))
        piecewise = [event for line in text.split("\n") for event in reader.feed(f"{line}\n")]
        assert piecewise + reader.finish() == whole, path.name


@pytest.mark.skipif(not (PUBLIC / "login-lines").is_dir(), reason=ABSENT)
def test_the_lines_that_others_ban_for() -> None:
    expected: dict[str, object] = {}
    for line in (PUBLIC / "login-lines" / "exim").read_text("utf-8").splitlines():
        if line.startswith("# failJSON:"):
            expected = json.loads(line.removeprefix("# failJSON:"))
        elif line and not line.startswith("#"):
            reader, events = read(f"{line}\n", datetime(2026, 1, 1, tzinfo=UTC))
            assert (reader.lines_understood, reader.lines_not_understood) == (1, 0), line
            if "Incorrect authentication data" in line:
                (login,) = events
                assert isinstance(login, Login)
                assert (login.ok, login.client_address) == (False, expected["host"]), line


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: case.stem)
def test_our_own_cases(case: Path) -> None:
    text = case.read_text("utf-8")
    reader, events = read(text, datetime(2026, 12, 1, tzinfo=UTC))
    told = [json.loads(encode_event(event)) for event in events]
    for event in told:
        del event["id"], event["line"]
    assert is_exim(text)
    assert {"events": told, "not_understood": reader.lines_not_understood} == json.loads(
        case.with_suffix(".expected.json").read_text("utf-8")
    )
