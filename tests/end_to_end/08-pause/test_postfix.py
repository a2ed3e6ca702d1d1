"""A real Postfix is paused under flow, as a whole, for one account, for one destination, and resumed.

Nothing reaches the world after the command has returned; others go on; a program that is killed half way is made good
by the next one; what is deleted is kept.
"""

import asyncio
import io
import json
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import zstandard
from lab.dovecot import Dovecot
from lab.mail_of_the_day import JAN, ROSA, submit
from lab.postfix import Postfix
from lab.smtp_world import Sink
from lab.waiting import wait_until

from outwarden.service.control.queue_answers import QueueAnswers
from outwarden.service.control.server import Answer, Asker, ControlServer
from outwarden.service.settings import load
from outwarden.store.store import Store

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]
SOURCE = str(Path(__file__).parents[3] / "src")


@dataclass
class Place:
    """The mail server, the world, and the command with its configuration."""

    postfix: Postfix
    sink: Sink
    settings: Path
    run: Callable[..., Any]

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401 - it is JSON
        return self.run("--config", self.settings, "--json", *arguments, codes=codes)

    @property
    def main_cf(self) -> str:
        return (self.postfix.home / "etc/main.cf").read_text()

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.postfix.run("postqueue", "-j").splitlines()]

    def held(self) -> int:
        return sum(message["queue_name"] == "hold" for message in self.queue())


@pytest.fixture
def place(home: Path, outwarden: Callable[..., Any]) -> Iterator[Place]:
    sink = Sink()
    postfix = Postfix(home, sink)
    dovecot = Dovecot(home / "dovecot", postfix.socket, dict([ROSA, JAN]))
    postfix.start(postfix.filter)
    settings = home / "outwarden.toml"
    settings.write_text(
        f'[store]\npath = "{home}/kept/outwarden.db"\n[mail_server]\nkind = "postfix"\npostfix_config = "{home}/etc"\n'
        f'[control]\nsocket = "{home}/control.sock"\n'
    )
    yield Place(postfix, sink, settings, outwarden)
    postfix.stop()
    dovecot.stop()
    sink.stop()


class Flow:
    """Mail that is handed in without end, from two sessions."""

    def __init__(self, port: int) -> None:
        self._port, self.accepted, self._stop = port, [0, 0], threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in (0, 1)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> int:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
        return sum(self.accepted)

    def _send(self, number: int) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, "client.example") as session:
            while not self._stop.is_set():
                session.sendmail("jan@isp.example", ["ann@bigmail.example"], "Subject: on and on\r\n\r\nHello.\r\n")
                self.accepted[number] += 1


def test_nothing_leaves_after_the_whole_server_was_paused(place: Place) -> None:
    before = place.main_cf
    flow = Flow(place.postfix.smtp)
    wait_until(lambda: len(place.sink.accepted) > 100, "mail under way")
    (paused,) = place("pause", "--for", "1h", "--reason", "spam is leaving")
    left = len(place.sink.accepted)
    accepted_then = sum(flow.accepted)
    wait_until(lambda: sum(flow.accepted) > accepted_then + 50, "mail that is still accepted")
    # Pausing again, and asking the queue for a delivery, change nothing.
    (again,) = place("pause", "--for", "2h")
    place.postfix.run("postqueue", "-f")
    accepted = flow.stop()
    wait_until(lambda: len(place.queue()) == accepted - left, "the queue")
    assert len(place.sink.accepted) == left
    assert (paused["kind"], paused["state"], paused["reason"]) == ("pause-server", "done", "spam is leaving")
    assert again["response"] == paused["response"]
    assert again["until"] > paused["until"]
    assert place("pause", "--list")[0]["undo"] == "outwarden resume"
    assert place("resume")[0]["state"] == "undone"
    wait_until(lambda: len(place.sink.accepted) == accepted, "all that waited")
    assert place.main_cf == before
    assert place("resume") == []


def test_one_account_is_held_while_others_flow(place: Place) -> None:
    before = place.main_cf
    submit(place.postfix.submission, "other@isp.example", ["busy-ida@bigmail.example"], ROSA)
    submit(place.postfix.submission, JAN[0], ["busy-ida@bigmail.example"], JAN)
    submit(place.postfix.submission, ROSA[0], ["busy-ida@bigmail.example"], JAN)
    wait_until(lambda: place.postfix.log_says("status=deferred", 3), "three deferrals")
    (paused,) = place("pause", "--account", "Rosa@isp.example", "--reason", "stolen")
    # What Rosa's login handed in, whatever its sender; not what Jan's login handed in under her name.
    # A session that has just said goodbye may still be counted as open beside it.
    assert "messages put on hold: 1" in paused["remarks"]
    assert [each["sender"] for each in place.queue() if each["queue_name"] == "hold"] == ["other@isp.example"]
    listing = place.postfix.home / "queue.json"
    listing.write_text(place.postfix.run("postqueue", "-j"))
    by_sender = place("queue", "list", str(listing), "--account", ROSA[0])
    assert [each["sender"] for each in by_sender] == [ROSA[0]], "a listing has no logins"
    for _ in range(3):
        submit(place.postfix.submission, "third@isp.example", ["ann@bigmail.example"], ROSA)
        submit(place.postfix.submission, JAN[0], ["ann@bigmail.example"], JAN)
    wait_until(lambda: len(place.sink.accepted) == 3, "Jan's mail")
    assert {each.sender for each in place.sink.accepted} == {JAN[0]}
    assert place.held() == 4
    (ended,) = place("resume", "--account", "rosa@isp.example")
    assert ended["remarks"] == ["messages released: 4"]
    wait_until(lambda: len(place.sink.accepted) == 6, "Rosa's mail")
    assert place.held() == 0
    assert place.main_cf == before


def test_sessions_that_were_open_before_are_counted_and_a_repeat_holds_what_they_left(place: Place) -> None:
    with smtplib.SMTP("127.0.0.1", place.postfix.submission, "client.example") as session:
        session.login(*ROSA)
        (paused,) = place("pause", "--account", ROSA[0])
        assert [remark.partition(";")[0] for remark in paused["remarks"]] == ["SMTP sessions that were open before: 1"]
        session.sendmail(ROSA[0], ["busy-ida@bigmail.example"], "Subject: still open\r\n\r\nHello.\r\n")
    wait_until(lambda: place.postfix.log_says("status=deferred"), "the deferral")
    assert place("pause", "--account", ROSA[0])[0]["remarks"] == ["messages put on hold: 1"]
    submit(place.postfix.submission, ROSA[0], ["ann@bigmail.example"], ROSA)
    assert place.held() == 2


def test_what_was_on_hold_before_stays_on_hold(place: Place) -> None:
    submit(place.postfix.submission, ROSA[0], ["busy-ida@bigmail.example"], ROSA)
    wait_until(lambda: place.postfix.log_says("status=deferred"), "a deferral")
    (waiting,) = place.queue()
    place("queue", "hold", waiting["queue_id"])
    place("pause", "--account", ROSA[0])
    submit(place.postfix.submission, ROSA[0], ["ann@bigmail.example"], ROSA)
    place("resume", "--account", ROSA[0])
    wait_until(lambda: len(place.sink.accepted) == 1, "the later message")
    assert [(each["queue_id"], each["queue_name"]) for each in place.queue()] == [(waiting["queue_id"], "hold")]


def test_one_destination_waits_and_the_others_do_not(place: Place) -> None:
    before = place.main_cf
    place("pause", "--destination", "BigMail.example")
    submit(place.postfix.submission, JAN[0], ["ann@bigmail.example", "bob@far.example"], JAN)
    wait_until(lambda: place.postfix.log_says("(deferred transport)"), "the deferral")
    wait_until(lambda: len(place.sink.accepted) == 1, "the other recipient")
    assert place.sink.accepted[0].recipients == ["bob@far.example"]
    # A second pause, of everything, and its end leave the first one as it is.
    place("pause")
    place("resume")
    submit(place.postfix.submission, JAN[0], ["cy@far.example"], JAN)
    wait_until(lambda: len(place.sink.accepted) == 2, "the next message")
    place("resume", "--destination", "bigmail.example")
    wait_until(lambda: len(place.sink.accepted) == 3, "what waited")
    assert place.main_cf == before


def test_a_slow_delivery_does_not_outlive_the_pause(place: Place) -> None:
    """One in the middle of its message is ended, and the message is still queued."""
    release = threading.Event()
    asked = threading.Event()
    judge = place.sink._after_data

    def slowly(*given: Any) -> str:  # noqa: ANN401
        asked.set()
        release.wait(20)
        return judge(*given)

    place.sink._after_data = slowly
    try:
        submit(place.postfix.submission, JAN[0], ["ann@bigmail.example"], JAN)
        assert asked.wait(10)
        (paused,) = place("pause")
        assert paused["remarks"] == ["deliveries ended in the middle of their message, which is queued: 1"]
        assert len(place.queue()) == 1
    finally:
        release.set()


@pytest.mark.parametrize("then", ["resumed", "repeated"])
@pytest.mark.parametrize("where", ["before the deed", "before the reload"])
def test_a_program_that_was_killed_is_made_good(place: Place, where: str, then: str) -> None:
    before = place.main_cf
    _killed(place, where, "pause", "--reason", "first")
    assert (place.main_cf == before) is (where == "before the deed")
    (begun,) = place("pause", "--list")
    assert (begun["state"], begun["reason"]) == ("intended", "first")
    if then == "repeated":
        (paused,) = place("pause")
        assert (paused["response"], paused["state"]) == (begun["response"], "done")
        submit(place.postfix.submission, JAN[0], ["ann@bigmail.example"], JAN)
        wait_until(lambda: place.postfix.log_says("(deferred transport)"), "the deferral")
    place("resume")
    assert place.main_cf == before
    assert place("pause", "--list") == []
    submit(place.postfix.submission, JAN[0], ["bob@bigmail.example"], JAN)
    wait_until(lambda: len(place.sink.accepted) == (2 if then == "repeated" else 1), "the mail")


def test_a_pause_whose_time_is_over_ends(place: Place) -> None:
    before = place.main_cf
    place("pause", "--account", JAN[0], "--for", "1s")
    place("pause", "--destination", "bigmail.example")
    wait_until(lambda: len(place("resume", "--expired")) == 1, "the end of the second")
    assert [each["kind"] for each in place("pause", "--list")] == ["pause-destination"]
    place("resume", "--all")
    assert place.main_cf == before


def test_the_service_ends_a_pause_when_it_starts(place: Place) -> None:
    before = place.main_cf
    place("pause", "--for", "1s")
    with place.settings.open("a") as settings:
        settings.write(
            '[site]\naddresses = ["192.0.2.1"]\n'
            '[dns]\nresolver = "127.0.0.1:9"\n[blocklists]\nlists = ["spamhaus-zen"]\n'
        )
    wait_until(lambda: place("run", "--once") == [] and place.main_cf == before, "the end of the pause")
    assert place("pause", "--list") == []


def test_what_is_deleted_is_kept(place: Place, home: Path) -> None:
    for number in range(5):
        submit(place.postfix.submission, ROSA[0], [f"busy-{number}@bigmail.example"], ROSA)
    submit(place.postfix.submission, JAN[0], ["busy-ida@bigmail.example"], JAN)
    wait_until(lambda: place.postfix.log_says("status=deferred", 6), "six deferrals")
    hers = {each["queue_id"] for each in place.queue() if each["sender"] == ROSA[0]}
    (changed,) = place("queue", "delete", "--account", ROSA[0], "--reason", "spam")
    assert set(changed["queue_ids"]) == hers
    assert [each["sender"] for each in place.queue()] == [JAN[0]]
    archive = Path(changed["archive"])
    assert archive.parent == home / "kept/evidence"
    assert (archive.stat().st_mode & 0o777, sha256(archive.read_bytes()).hexdigest()) == (0o600, changed["sha256"])
    unpacked = zstandard.ZstdDecompressor().stream_reader(archive.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        assert {Path(name).stem for name in tar.getnames()} == hers | {"messages"}
        message = tar.extractfile(f"{min(hers)}.txt")
        assert message is not None
        assert b"sasl_username=rosa@isp.example" in message.read()
    # Again there is nothing to do, and the archive stays.
    (again,) = place("queue", "delete", "--account", ROSA[0])
    assert (again["queue_ids"], again["archive"], archive.exists()) == ([], None, True)


def test_single_messages_are_held_and_released(place: Place) -> None:
    for name in ("ann", "bob"):
        submit(place.postfix.submission, JAN[0], [f"busy-{name}@bigmail.example"], JAN)
    wait_until(lambda: place.postfix.log_says("status=deferred", 2), "two deferrals")
    one, two = sorted(each["queue_id"] for each in place.queue())
    assert place("queue", "hold", one)[0]["queue_ids"] == [one]
    assert place("queue", "hold", one)[0]["queue_ids"] == []
    assert place("queue", "release", one, two)[0]["queue_ids"] == [one]
    assert place("queue", "hold", "0123456789AB", codes=(3,)) == []
    assert place("queue", "hold", "ALL", codes=(2,)) == []
    assert place.held() == 0


def test_a_dry_run_prints_the_commands_and_changes_nothing(place: Place, home: Path) -> None:
    before = place.main_cf
    submit(place.postfix.submission, ROSA[0], ["busy-ida@bigmail.example"], ROSA)
    wait_until(lambda: place.postfix.log_says("status=deferred"), "a deferral")
    (plan,) = place("pause", "--account", ROSA[0], "--dry-run")
    etc = home / "etc"
    (waiting,) = place.queue()
    assert plan["commands"] == [
        f"postconf -c {etc} -e 'smtpd_end_of_data_restrictions=check_sasl_access "
        "inline:{ { rosa@isp.example = HOLD outwarden pause 0 } }'",
        f"touch -d '10 seconds ago' {etc}/main.cf",
        f"kill -HUP {(home / 'spool/pid/master.pid').read_text().strip()}",
        f"printf '%s\\n' {waiting['queue_id']} | postsuper -c {etc} -h -",
    ]
    assert (place.main_cf, place.held(), (home / "kept").exists()) == (before, 0, False)
    # What it prints is what works: the lines for the whole server, run by a shell.
    (plan,) = place("pause", "--dry-run")
    assert plan["commands"][0] == (
        f"postconf -c {etc} -e default_transport=outwarden-paused: relay_transport=outwarden-paused: "
        "'defer_transports=smtp, relay, outwarden-paused'"
    )
    for line in plan["commands"]:
        subprocess.run(["sh", "-c", line], check=True, capture_output=True)
    submit(place.postfix.submission, JAN[0], ["ann@bigmail.example"], JAN)
    wait_until(lambda: place.postfix.log_says("(deferred transport)"), "the deferral")


@pytest.fixture
def asked(place: Place, home: Path) -> Iterator[list[tuple[str, str]]]:
    """A service that answers the verbs about pauses and the queue; what it was asked, and by whom."""
    settings = load(place.settings).settings
    acting, loop = ThreadPoolExecutor(1), asyncio.new_event_loop()
    heard: list[tuple[str, str]] = []

    def act(verb: str, arguments: dict[str, Any], asked_by: str) -> object:
        heard.append((verb, asked_by))
        with Store(Path(settings.store.path)) as store:
            answers = QueueAnswers(store, settings.mail_server, lambda: datetime.now(UTC), UTC).by_verb()
            return answers[verb].give(arguments, asked_by)

    def answer(verb: str, changes: bool) -> Answer:
        async def give(arguments: dict[str, Any], asker: Asker) -> object:
            return await loop.run_in_executor(acting, act, verb, arguments, asker.name)

        return Answer(give, changes)

    verbs = QueueAnswers(None, settings.mail_server, lambda: datetime.now(UTC), UTC).by_verb()  # type: ignore[arg-type]
    server = ControlServer(
        home / "control.sock", "", {verb: answer(verb, each.changes) for verb, each in verbs.items()}
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
    yield heard
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    acting.shutdown()


def test_where_the_service_is_at_work_it_is_asked(
    place: Place, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carla")
    before = place.main_cf
    for sender, login in ((ROSA[0], ROSA), (JAN[0], JAN)):
        submit(place.postfix.submission, sender, ["busy-ida@bigmail.example"], login)
    wait_until(lambda: place.postfix.log_says("status=deferred", 2), "two deferrals")
    (paused,) = place("pause", "--account", "Rosa@isp.example", "--for", "1h", "--reason", "stolen")
    assert (paused["remarks"], paused["asked_by"]) == (["messages put on hold: 1"], "carla")
    assert place("pause", "--list")[0]["response"] == paused["response"]
    (waiting,) = place("queue", "list", "--account", ROSA[0])
    assert (waiting["sender"], waiting["queue"]) == (ROSA[0], "hold")
    assert len(place("queue", "list")) == 2
    (deleted,) = place("queue", "delete", "--account", ROSA[0])
    assert deleted["queue_ids"] == [waiting["queue_id"]]
    assert Path(deleted["archive"]).exists()
    assert place("queue", "hold", "0123456789AB", codes=(3,)) == []
    assert place("queue", "hold", "ALL", codes=(2,)) == []
    (resumed,) = place("resume", "--all")
    assert resumed["state"] == "undone"
    assert place.main_cf == before
    assert [verb for verb, _ in asked] == [
        "pause", "pause.list", "queue.list", "queue.list", "queue.delete", "queue.hold", "queue.hold", "resume",
    ]  # fmt: skip
    assert {name for _, name in asked} == {"carla"}


def _killed(place: Place, where: str, *arguments: str) -> None:
    """Run the command in a process that kills itself: once it is written down, or once main.cf is written, too."""
    victim = {"before the deed": "postfix.Postfix.apply", "before the reload": "postfix.BackDate.take"}[where]
    program = (
        "import os, signal\n"
        "from outwarden.responses import postfix\n"
        f"{victim} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from outwarden.cli.main import run\n"
        f"run({['--config', str(place.settings), *arguments]!r})\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": SOURCE}, timeout=30)
    assert ended.returncode == -signal.SIGKILL
