"""replay on the sample day: the stolen account is stopped, the honest that look like one are not blocked."""

import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from outwarden.cli.log_options import Screen
from outwarden.cli.main import run
from outwarden.cli.replay_report import report
from outwarden.cli.sample_day import SampleTruth, sample_truth
from outwarden.detection.live import SHIPPED_POLICIES, shipped_policy
from outwarden.detection.replay.outcome import Outcome, What
from outwarden.detection.replay.player import Plan
from outwarden.detection.replay.tape import Tape
from outwarden.events import AccountCause
from outwarden.service.event_reading import EventReading
from outwarden.service.log_reading import log_sources
from outwarden.service.replaying import NamedPolicy, Replay, WhatWasRead, read_tape, replay

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sample") / "mail.log"
    assert run(["-q", "demo", "--out", str(path)]) == 0
    return str(path)


@pytest.fixture(scope="module")
def truth() -> SampleTruth:
    return sample_truth(1)


@pytest.fixture(scope="module")
def recorded(log: str) -> tuple[Tape, WhatWasRead]:
    return read_tape(EventReading(log_sources([log])))


def played(recorded: tuple[Tape, WhatWasRead], plan: Plan, *policies: str) -> Replay:
    return replay(*recorded, [NamedPolicy(name, shipped_policy(name)) for name in policies], plan, lambda *_: None)


def blocked(outcome: Outcome) -> list[str]:
    return [one.account for one in outcome.accounts if one.first(What.BLOCKED)]


@pytest.mark.parametrize(("policy", "desk"), [*((name, None) for name in SHIPPED_POLICIES), ("company", 30.0)])
def test_the_stolen_account_is_stopped_and_nobody_else_blocked(
    recorded: tuple[Tape, WhatWasRead], truth: SampleTruth, policy: str, desk: float | None
) -> None:
    plan = Plan({truth.compromised: truth.start.timestamp()}, desk_minutes=desk)
    (outcome,) = played(recorded, plan, policy).outcomes
    assert blocked(outcome) == [truth.compromised]
    assert set(truth.honest.values()).isdisjoint(blocked(outcome))
    assert outcome.honest.blocks == 0
    thief = outcome.account(truth.compromised)
    assert thief is not None
    assert thief.leaked <= 30
    block = thief.first(What.BLOCKED)
    assert block is not None
    assert block.findings
    assert block.points == pytest.approx(sum(finding.points for finding in block.findings), abs=0.05)
    assert block.cause is AccountCause.STOLEN_PASSWORD
    if desk is not None:
        assert outcome.honest.never == 0


def test_the_tape_is_what_really_was_sent(recorded: tuple[Tape, WhatWasRead], truth: SampleTruth) -> None:
    tape, read = recorded
    sent: dict[str, tuple[int, int]] = {}
    for message in tape.messages:
        messages, recipients = sent.get(message.submitted.account, (0, 0))
        sent[message.submitted.account] = (messages + 1, recipients + message.recipients)
    assert len(sent) > 300
    assert sent == {name: (truth.accounts[name].messages, truth.accounts[name].recipients) for name in sent}
    # A filter hides some: not two in a thousand of all recipients may stay unclear.
    assert read.joined.unanswered + read.joined.attempts_alone < 0.002 * read.joined.recipients


def test_without_a_truth_the_blocked_are_told_and_the_others_are_honest(
    recorded: tuple[Tape, WhatWasRead], truth: SampleTruth
) -> None:
    (outcome,) = played(recorded, Plan(), "university").outcomes
    assert blocked(outcome) == [truth.compromised]
    assert outcome.accounts[0].leaked <= 30
    assert outcome.honest_accounts > 300
    assert outcome.honest.blocks == 0


def test_events_make_the_same_tape_as_their_log(
    log: str, recorded: tuple[Tape, WhatWasRead], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["logs", "--events", log]) == 0
    events = tmp_path / "events.jsonl"
    events.write_text(capsys.readouterr().out)
    tape, _ = read_tape(EventReading(log_sources([str(events)])))
    assert tape == recorded[0]


def test_the_answer_is_the_same_byte_for_byte_in_any_process(log: str, truth: SampleTruth) -> None:
    digests = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "outwarden", "--json", "replay", log, "--policy", "hoster"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=120,
            check=True,
        )
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_two_policies_stand_side_by_side(
    log: str, truth: SampleTruth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text('extends = "company"\n[thresholds]\nhold = 3.0\nblock = 8.0\n')
    page = tmp_path / "answer.html"
    stolen = f"--stolen={truth.compromised}={truth.start.isoformat()}"
    arguments = ["replay", log, "--policy", "university", "--against", str(strict), "--html", str(page), stolen]
    assert run(["--json", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [of["policy"] for of in document["policies"]] == ["university", "strict.toml"]
    for of in document["policies"]:
        for fates in (of["messages"], of["recipients"]):
            assert fates.pop("submitted") == sum(fates.values())
        assert (of["accounts"][0]["account"], of["accounts"][0]["would_be"]) == (truth.compromised, "blocked")
    assert {one["second"]["would_be"] for one in document["differences"]} <= {"held", "blocked"}
    outline = _Outline(page.read_text(encoding="utf-8"))
    assert outline.open == []
    assert outline.tags.count("svg") >= 4
    assert not {"script", "link", "img", "iframe", "a"} & set(outline.tags)
    assert {"university", "strict.toml", truth.compromised} <= set(map(str.strip, outline.text.splitlines()))
    assert len(page.read_bytes()) <= 150_000


class _Outline(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def test_it_prints_well_on_80_columns(recorded: tuple[Tape, WhatWasRead], truth: SampleTruth) -> None:
    answer = played(recorded, Plan({truth.compromised: None}), "company", "hoster")
    for height in (24, None):
        lines = [re.sub(r"\x1b\[\d+m", "", line) for line in report(answer, Screen(80, height, True))]
        assert [line for line in lines if len(line) > 80] == []
        assert "Where they differ" in lines
        assert any(re.fullmatch(r" +company +hoster", line) for line in lines)
        assert any(line.startswith(f"{truth.compromised} (stolen)  blocked ") for line in lines)


def test_quiet_is_one_line_for_each_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = '{"type":"submitted","at":"2026-04-07T09:00:00Z","host":"mx","queue_id":"1","account":"tim","kind":"login"}'
    (tmp_path / "events.jsonl").write_text(event)
    assert run(["-q", "replay", str(tmp_path / "events.jsonl"), "--policy", "isp", "--against", "hoster"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: 0 accounts blocked, 0 only held; of 1 honest message 0 late, 0 of them never sent"
        for name in ("isp", "hoster")
    ]


def test_a_policy_is_completed_by_name_or_file() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "outwarden"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "_OUTWARDEN_COMPLETE": "bash_complete",
            "COMP_WORDS": "outwarden replay --policy u",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["plain,university", "file,u"]
