"""replay on the sample day: the stolen account is stopped, the honest that look like one are not blocked."""

import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from outwarden.cli.main import run
from outwarden.cli.sample_day import SampleTruth, sample_truth

ROOT = Path(__file__).resolve().parents[3]
POLICIES = ["company", "university", "hoster", "isp"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sample") / "mail.log"
    assert run(["-q", "demo", "--out", str(path)]) == 0
    return str(path)


@pytest.fixture(scope="module")
def truth() -> SampleTruth:
    return sample_truth(1)


def stolen(truth: SampleTruth) -> str:
    return f"--stolen={truth.compromised}={truth.start.isoformat()}"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["--json", "replay", *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("desk", [[], ["--desk", "30"]], ids=["nobody looks", "a desk"])
def test_the_stolen_account_is_stopped_and_nobody_else_blocked(
    log: str, truth: SampleTruth, policy: str, desk: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (played,) = answer(capsys, log, "--policy", policy, stolen(truth), *desk)["policies"]
    by_name = {one["account"]: one for one in played["accounts"]}
    thief = by_name[truth.compromised]
    assert (thief["would_be"], thief["stolen"]) == ("blocked", True)
    assert thief["leaked"] <= 30
    block = next(turn for turn in thief["turns"] if turn["what"] == "blocked")
    assert block["findings"]
    assert block["points"] == pytest.approx(sum(finding["points"] for finding in block["findings"]), abs=0.1)
    assert block["cause"] == "stolen-password"
    assert played["honest"]["blocks"] == 0
    for role in ("newsletter", "mailing list", "back from holiday", "forwarder", "web form", "monitoring"):
        assert by_name.get(truth.honest[role], {}).get("would_be") != "blocked", role
    if desk:
        assert played["honest"]["never"] == 0


def test_without_a_truth_the_blocked_are_told_and_the_others_are_honest(
    log: str, truth: SampleTruth, capsys: pytest.CaptureFixture[str]
) -> None:
    (played,) = answer(capsys, log, "--policy", "university")["policies"]
    assert [one["account"] for one in played["accounts"] if one["would_be"] == "blocked"] == [truth.compromised]
    assert played["accounts"][0]["leaked"] <= 30
    for of in ("messages", "recipients"):
        fates = played[of]
        assert fates["submitted"] == sum(count for fate, count in fates.items() if fate != "submitted")


def test_events_give_the_same_answer_as_their_log(
    log: str, truth: SampleTruth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["logs", "--events", log]) == 0
    events = tmp_path / "events.jsonl"
    events.write_text(capsys.readouterr().out)
    of_log = answer(capsys, log, "--policy", "isp", stolen(truth))
    of_events = answer(capsys, str(events), "--policy", "isp", stolen(truth))
    assert of_events["policies"] == of_log["policies"]
    assert of_events["joined"] == of_log["joined"]


def test_the_answer_is_the_same_byte_for_byte_in_any_process(log: str, truth: SampleTruth) -> None:
    digests = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "outwarden", "--json", "replay", log, "--policy", "hoster", stolen(truth)],
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
    arguments = ["replay", log, "--policy", "university", "--against", str(strict), "--html", str(page), stolen(truth)]
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ +university +strict\.toml$", shown, flags=re.MULTILINE)
    assert "Where they differ" in shown
    assert re.search(rf"^{truth.compromised} \(stolen\) +blocked ", shown, flags=re.MULTILINE)
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


def test_it_prints_well_on_80_columns(log: str, truth: SampleTruth) -> None:
    from outwarden.cli.log_options import Screen
    from outwarden.cli.replay_report import report
    from outwarden.detection.live import shipped_policy
    from outwarden.detection.replay.player import Plan
    from outwarden.service.event_reading import EventReading
    from outwarden.service.log_reading import log_sources
    from outwarden.service.replaying import NamedPolicy, read_tape, replay

    tape, read = read_tape(EventReading(log_sources([log])))
    policies = [NamedPolicy(name, shipped_policy(name)) for name in ("company", "isp")]
    played = replay(tape, read, policies, Plan({truth.compromised: None}), lambda _done, _of: None)
    for height in (24, None):
        lines = report(played, Screen(80, height, True))
        assert [line for line in lines if len(re.sub(r"\x1b\[\d+m", "", line)) > 80] == []


def test_quiet_is_one_line_for_each_policy(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-q", "replay", log, "--policy", "isp", "--against", "hoster"]) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["isp", "hoster"]


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
