"""What a step says is what it does; what is kept is whole, bounded and nobody else's to read."""

import io
import json
import subprocess
import tarfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from outwarden.responses.evidence import archive
from outwarden.responses.mail_server import Pauses, Queued
from outwarden.responses.recipes import exchange, exchange_queue, sendmail, sendmail_queue
from outwarden.responses.steps import BackDate, Command, CouldNotAct, KeptLines

NOW = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)


def waiting(queue_id: str) -> Queued:
    return Queued(queue_id, True, 100, "rosa@isp.example", "rosa@isp.example", ("ann@bigmail.example",))


def test_arguments_stay_arguments_in_a_shell_too(tmp_path: Path) -> None:
    odd = 'it\'s; touch $HOME `id` \\ "x"'
    command = Command(("printf", "%s|", odd, "-n"), ("one", "two"))
    assert command.answer() == f"{odd}|-n|".encode()
    assert subprocess.run(["sh", "-c", command.words()], capture_output=True, check=True).stdout == command.answer()
    assert Command(("cat",), ("4C9D2E1A", "4C9D2E1B")).answer() == b"4C9D2E1A\n4C9D2E1B\n"
    assert Command(("postsuper", "-h", "-"), tuple("abcdefghijklmnopqrstuvwxyz")).words().endswith("and 6 more")


def test_a_program_that_fails_is_told_in_its_own_words() -> None:
    with pytest.raises(CouldNotAct, match=r"ls .*/nowhere.*: .*No such file"):
        Command(("ls", "/nowhere/at/all")).take()
    with pytest.raises(CouldNotAct, match="no-such-program: No such file"):
        Command(("no-such-program",)).take()


def test_files_are_written_replaced_and_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    for step, content in (
        (KeptLines(file, ["rosa: 7", "jan: 8"]), "rosa: 7\njan: 8\n"),
        (KeptLines(file, []), ""),
        (KeptLines(file, None), None),
        (KeptLines(file, None), None),
    ):
        step.take()
        assert (file.read_text() if file.exists() else None) == content
        subprocess.run(["sh", "-c", step.words()], check=True)
        assert (file.read_text() if file.exists() else None) == content
    with pytest.raises(CouldNotAct):
        BackDate(file).take()


def test_an_archive_has_every_message_and_its_digest(tmp_path: Path) -> None:
    messages = {"4C9D2E1A": b"one\n", "4C9D2E1B": b"two\n"}

    def content(queue_id: str) -> bytes:
        if queue_id not in messages:
            raise CouldNotAct("gone")
        return messages[queue_id]

    kept = archive(map(waiting, ["4C9D2E1A", "4C9D2EFF", "4C9D2E1B"]), content, tmp_path / "evidence", "x.tar.zst", NOW)
    assert kept.queue_ids == ("4C9D2E1A", "4C9D2E1B"), "one that is gone is not said to be kept"
    raw = kept.file.read_bytes()
    assert (kept.sha256, kept.file.stat().st_mode & 0o777) == (sha256(raw).hexdigest(), 0o600)
    assert (tmp_path / "evidence").stat().st_mode & 0o777 == 0o700
    with tarfile.open(fileobj=io.BytesIO(zstandard.ZstdDecompressor().stream_reader(raw).read())) as tar:
        table = tar.extractfile("messages.jsonl")
        assert table is not None
        rows = [json.loads(line) for line in table.read().splitlines()]
        assert tar.getnames() == ["4C9D2E1A.txt", "4C9D2E1B.txt", "messages.jsonl"]
    assert [row["sha256"] for row in rows] == [sha256(raw).hexdigest() for raw in messages.values()]


def test_an_archive_is_bounded_and_says_what_is_in_it(tmp_path: Path) -> None:
    kept = archive(map(waiting, ["4C9D2E1A", "4C9D2E1B"]), lambda _: b"x" * 60, tmp_path, "x.tar.zst", NOW, 100)
    assert kept.queue_ids == ("4C9D2E1A",)


def test_an_archive_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file where the folder should be")
    with pytest.raises(CouldNotAct, match="nothing was deleted"):
        archive([waiting("4C9D2E1A")], lambda _: b"x", tmp_path / "evidence", "x.tar.zst", NOW)
    assert [each.name for each in tmp_path.iterdir()] == ["evidence"]


@pytest.mark.parametrize("undo", [False, True])
@pytest.mark.parametrize(
    "wanted",
    [Pauses(whole_server=True), Pauses(accounts={"rosa@isp.example": 0}), Pauses(destinations=("bigmail.example",))],
    ids=["server", "account", "destination"],
)
def test_the_other_mail_servers_have_commands_for_every_pause_and_its_end(wanted: Pauses, undo: bool) -> None:
    named = [*wanted.accounts, *wanted.destinations]
    for recipe in (sendmail, exchange):
        lines = recipe(wanted, undo)
        assert lines
        assert all(any(name in line for line in lines) for name in named)


@pytest.mark.parametrize("verb", ["hold", "release", "delete"])
def test_the_other_mail_servers_have_commands_for_every_change_of_the_queue(verb: str) -> None:
    for recipe in (sendmail_queue, exchange_queue):
        assert "rosa@isp.example" in recipe(verb, "rosa@isp.example")[0]
