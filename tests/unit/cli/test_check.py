"""check and logs on the sample day: the words, the documents that programs rely on, the page."""

import json
import os
import re
from pathlib import Path

import pytest

from outwarden.cli.main import run
from outwarden.cli.sample_day import SampleTruth, sample_truth

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_FINDING = {"rule", "points", "text", "at", "evidence"}
_COUNTS = {
    "messages",
    "recipients",
    "delivered",
    "deferred_attempts",
    "bounced",
    "expired",
    "refused",
    "bounces_returned",
    "client_addresses",
    "networks",
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sample") / "mail.log"
    assert run(["-q", "demo", "--out", str(path)]) == 0
    return str(path)


@pytest.fixture(scope="module")
def truth() -> SampleTruth:
    return sample_truth(1)


def test_the_first_line_answers_who_and_since_when(
    log: str, truth: SampleTruth, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", log]) == 2
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        f"YES, this server is sending spam: {truth.compromised}, since {truth.start:%Y-%m-%d %H:%M} UTC ("
    )


def test_the_document_of_check(log: str, truth: SampleTruth, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--json", "check", log])
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "yes"
    assert _TIME.fullmatch(answer["since"])
    assert all(set(finding) == _FINDING for finding in answer["because"])
    first = answer["accounts"][0]
    assert (first["account"], first["standing"]) == (truth.compromised, "blocked")
    assert {"account", "standing", "points", "findings"} | _COUNTS <= set(first)
    assert all(set(finding) == _FINDING and finding["evidence"] for finding in first["findings"])
    assert (answer["blocklists"], answer["authentication"], answer["queue"]) == ([], [], None)
    assert all(set(step) == {"text", "command"} for step in answer["next_steps"])
    assert answer["lines"] > 100_000
    assert answer["lines_not_understood"] == 0
    assert answer["listings_seen"][0]["list"] == "spamhaus-zen"


def test_the_document_of_logs(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", "--json", log]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"from", "to", "lines", "lines_not_understood", "accounts", "destinations", "listings_seen"} <= set(answer)
    assert _TIME.fullmatch(answer["from"])
    assert all(set(account) == {"account", "kind", "points", "findings"} | _COUNTS for account in answer["accounts"])
    destination = answer["destinations"][0]
    assert {"destination", "delivered", "deferred_attempts", "bounced", "refused"} <= set(destination)
    assert set(answer["listings_seen"][0]) == {"list", "address", "first", "last", "count"}


def _counts(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    """Return what ``logs`` counts for each account, by kind and name."""
    run(["--json", "logs", *arguments])
    document = json.loads(capsys.readouterr().out)
    # Of strangers, few client addresses are kept apart where accounts are judged.
    exact = _COUNTS - {"client_addresses", "networks"}
    return {
        f"{account['kind']} {account['account']}": {name: account[name] for name in exact}
        for account in document["accounts"]
    }


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_counts_alone_are_the_same_counts(log: str, jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    counted = _counts(["--counts-only", "--jobs", jobs, log], capsys)
    judged = _counts([log], capsys)
    assert counted == judged


def test_what_was_not_judged_is_null(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--json", "logs", "--counts-only", log])
    document = json.loads(capsys.readouterr().out)
    assert document["lines"] > 100_000
    assert (document["destinations"], document["listings_seen"]) == (None, None)
    assert all(account["points"] is None and account["findings"] is None for account in document["accounts"])


def test_events_are_lines_that_can_be_read_back(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    from outwarden.events import decode_event, event_id

    assert run(["logs", "--events", log]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 50_000
    for line in lines[::1000]:
        assert json.loads(line)["id"] == event_id(decode_event(line))


def test_the_page_is_written_beside_the_answer(
    log: str, truth: SampleTruth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "answer.html"
    assert run(["check", log, "--html", str(page)]) == 2
    text = page.read_text(encoding="utf-8")
    assert truth.compromised in text
    assert len(text.encode()) <= 50_000
    assert capsys.readouterr().out.startswith("YES, ")


def test_a_page_that_cannot_be_written_is_said(log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", log, "--html", str(tmp_path / "nowhere" / "answer.html")]) == 3
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err


QUEUE = (
    '{{"queue_name":"deferred","queue_id":"{n}","arrival_time":1775520000,"message_size":900,"sender":"{sender}",'
    '"recipients":[{{"address":"a@b.example","delay_reason":"timeout"}}]}}\n'
)


def test_a_queue_that_is_handed_over_is_judged_too(
    log: str, truth: SampleTruth, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = tmp_path / "queue.json"
    listing.write_text("".join(QUEUE.format(n=n, sender=truth.compromised) for n in range(300)))
    assert run(["check", "--json", log, "--queue", str(listing)]) == 2
    assert json.loads(capsys.readouterr().out)["queue"]["total"] == 300


def test_a_queue_is_judged_against_older_listings_of_it(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    for listing, count, at in ((newer, 300, 1_775_600_000), (older, 30, 1_775_590_000)):
        listing.write_text("".join(QUEUE.format(n=n, sender="news@isp.example") for n in range(count)))
        os.utime(listing, (at, at))
    run(["check", "--json", log, "--queue", str(newer), "--queue", str(older)])
    answer = json.loads(capsys.readouterr().out)
    assert answer["queue"]["total"] == 300
    assert [one["text"].partition(";")[0] for one in answer["because"] if one["rule"] == "queue-growth"] == [
        "queue grew from its usual 30 messages to 300 since 2026-04-07T19:26Z"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "queue.txt: No such file or directory; save the queue with: postqueue -j > queue.txt"),
        ("what is this\n", "queue.txt: no queue listing of a form that we know"),
    ],
)
def test_a_queue_that_is_none_is_said(
    log: str,
    text: str | None,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("queue.txt").write_text(text)
    assert run(["check", log, "--queue", "queue.txt"]) == 3
    assert f"outwarden: {says}" in capsys.readouterr().err
