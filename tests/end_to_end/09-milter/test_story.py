"""A real Postfix asks the gate about what people hand in, and does and says what it is told."""

import hashlib
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.dovecot import Dovecot
from lab.mail_of_the_day import JAN, ROSA, Login
from lab.postfix import Postfix
from lab.smtp_world import Sink
from lab.waiting import free_port, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

ANN = "ann@bigmail.example"


class Gate:
    """The filter's process and what it saw."""

    def __init__(self, home: Path, by_tcp: bool) -> None:
        self._seen = home / "seen"
        self._seen.touch()
        self._port = free_port() if by_tcp else 0
        self._path = home / "gate.sock"
        self.words = home / "gate.words"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is, in Postfix's words."""
        return f"inet:127.0.0.1:{self._port}" if self._port else f"unix:{self._path}"

    def start(self) -> None:
        where = str(self._port) if self._port else f"unix:{self._path}"
        program = [sys.executable, Path(__file__).with_name("gate.py"), where, self._seen]
        with self.words.open("ab") as words:
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
            self.process = subprocess.Popen(program, env=environment, stderr=words)
        wait_until(self._listens, "the gate")

    def _listens(self) -> bool:
        if self._port:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._port)) == 0
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._path)) == 0

    def stop(self) -> int:
        """End it; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._seen.read_text().splitlines()]

    def peak_megabytes(self) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class World:
    def __init__(self, postfix: Postfix, gate: Gate) -> None:
        self.postfix, self.gate = postfix, gate

    @contextmanager
    def session(self, login: Login = ROSA) -> Iterator[smtplib.SMTP]:
        with smtplib.SMTP("127.0.0.1", self.postfix.submission, "client.example", source_address=("127.0.7.2", 0)) as s:
            s.login(*login)
            yield s

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.postfix.run("postqueue", "-j").splitlines()]


@contextmanager
def world(home: Path, by_tcp: bool = False, settings: str = "") -> Iterator[World]:
    sink, gate = Sink(), Gate(home, by_tcp)
    milters = f"smtpd_milters = {gate.address}\nnon_smtpd_milters = {gate.address}\n"
    postfix = Postfix(home, sink, settings=milters + settings)
    dovecot = Dovecot(home / "dovecot", postfix.socket, dict([ROSA, JAN]))
    gate.start()
    postfix.start(free_port())
    try:
        yield World(postfix, gate)
    finally:
        postfix.stop()
        dovecot.stop()
        gate.stop()
        sink.stop()


def message(subject: str, body: str = "Hello.\r\n", headers: str = "") -> str:
    return f"From: {ROSA[0]}\r\nSubject: {subject}\r\n{headers}\r\n{body}"


@pytest.mark.parametrize("by_tcp", [False, True], ids=["UNIX socket", "TCP"])
def test_a_day_at_the_gate(home: Path, by_tcp: bool) -> None:
    with world(home, by_tcp) as here:
        _rosa_writes_over_one_connection(here)
        assert _said_to(here, ROSA, "defer") == (
            451,
            "4.7.1 You have sent more than ever before; try again in an hour. Case 18",
        )
        assert _said_to(here, JAN, "three") == (
            550,
            "5.7.1 Your account is blocked until its password is changed. Case 16",
        )
        with here.session() as session:
            assert session.sendmail(ROSA[0], [ANN], message("hold")) == {}
            assert session.sendmail(ROSA[0], [ROSA[0]], message("mark", headers="X-Forged: yes\r\n")) == {}
        # Nobody decides: the client keeps it, and the gate goes on.
        assert _said_to(here, ROSA, "fail")[0] == 451
        _assert_what_became_of_it(here, home)
        _assert_what_was_asked(here)
        assert here.gate.stop() == 0
        assert here.gate.words.read_text() == "a message was not decided on: KeyError: 'fail'\n"
        assert "warning: milter" not in here.postfix.log.read_text()


def _rosa_writes_over_one_connection(here: World) -> None:
    """Two messages go, a third is refused, a fourth goes."""
    with here.session() as session:
        assert session.sendmail(ROSA[0], [ANN, "bob@bigmail.example"], message("one")) == {}
        assert session.sendmail(ROSA[0], [ANN], message("two")) == {}
        with pytest.raises(smtplib.SMTPDataError) as refused:
            session.sendmail(ROSA[0], [ANN], message("refuse"))
        assert session.sendmail(ROSA[0], [ANN], message("four")) == {}
    assert refused.value.smtp_code == 550
    assert refused.value.smtp_error == b"5.7.1 The text of your message is spam; 100 % of it. Case 17"


def _said_to(here: World, login: Login, subject: str) -> tuple[int, str]:
    """Hand in a message that is not taken; return what the client is told."""
    with here.session(login) as session, pytest.raises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)) as refused:
        session.sendmail(login[0], [ANN], message(subject))
    words = refused.value.smtp_error
    return refused.value.smtp_code, words.decode() if isinstance(words, bytes) else words


def _assert_what_became_of_it(here: World, home: Path) -> None:
    for words, times in (
        ("milter-hold: END-OF-MESSAGE", 1),
        ("milter-reject: END-OF-MESSAGE", 3),
        ("milter-reject: MAIL from", 1),
        *(("Case 16", 1), ("Case 17", 1), ("Case 18", 1)),
    ):
        wait_until(lambda words=words, times=times: here.postfix.log_says(words, times), f"{words} in the log")
    wait_until(lambda: [one["queue_name"] for one in here.queue()] == ["hold"], "what is held alone in the queue")
    (delivered,) = (home / "mail").rglob("new/*")
    letter = delivered.read_text()
    assert "\nX-Mark: of rosa\n\tfolded\n" in letter
    assert "X-Forged" not in letter


def _assert_what_was_asked(here: World) -> None:
    seen = here.gate.seen()
    assert len(seen) == 8
    first, second = seen[:2]
    assert first["login"] == first["sender"] == ROSA[0]
    assert first["recipients"] == [ANN, "bob@bigmail.example"]
    assert (first["recipient_count"], first["login_mechanism"]) == (2, "PLAIN")
    assert (first["client_address"], first["helo"], first["host"]) == (
        "127.0.7.2",
        "client.example",
        "mail.isp.example",
    )
    assert here.postfix.log_says(f"{first['queue_id']}: client=")
    assert here.postfix.log_says(f"{second['queue_id']}: client=")
    assert second["queue_id"] != first["queue_id"]
    assert second["recipients"] == [ANN]


def test_every_byte_arrives_at_the_gate(home: Path) -> None:
    with world(home) as here:
        letter = message(
            "odd", ".\r\n" + "x" * 70_000 + "\r\n", "X-Odd:no space\r\nX-Folded: a\r\n b\r\n\tc\r\nX-Two:  d \r\n"
        )
        with here.session() as session:
            session.sendmail(ROSA[0], [ANN], letter)
        (seen,) = here.gate.seen()
        assert (seen["size"], seen["digest"]) == (len(letter), hashlib.sha256(letter.encode()).hexdigest())


def test_a_script_on_the_server_itself(home: Path) -> None:
    with world(home) as here:
        command = ["/usr/sbin/sendmail", "-C", home / "etc", "-f", "web@isp.example", ANN]
        subprocess.run(command, input="Subject: form\n\nHello.\n", text=True, check=True)
        wait_until(lambda: len(here.gate.seen()) == 1, "the script's mail")
        (seen,) = here.gate.seen()
        assert (seen["login"], seen["sender"], seen["recipients"]) == ("", "web@isp.example", [ANN])


@pytest.mark.parametrize("fallback", ["tempfail", "accept"])
def test_the_gate_is_killed_while_it_decides(home: Path, fallback: str) -> None:
    with world(home, settings=f"milter_default_action = {fallback}\n") as here:
        # Twice: killed in the middle of the message, and not there at all for the next.
        for subject in ("die", "next"):
            if fallback == "accept":
                with here.session() as session:
                    assert session.sendmail(ROSA[0], [ANN], message(subject)) == {}
                continue
            with pytest.raises(smtplib.SMTPResponseException) as deferred, here.session() as session:
                session.sendmail(ROSA[0], [ANN], message(subject))
            # Without a filter Postfix puts off all that a client says, its login with 454.
            assert deferred.value.smtp_code == (451 if subject == "die" else 454)
        assert here.gate.process is not None
        assert here.gate.process.wait(5) == -9
        here.gate.start()
        with here.session() as session:
            assert session.sendmail(ROSA[0], [ANN], message("afterwards")) == {}
        assert len(here.gate.seen()) == 2
        arrived = 3 if fallback == "accept" else 1
        wait_until(lambda: here.postfix.log_says("status=sent", arrived), "what was accepted")


def test_a_message_of_fifty_megabytes(home: Path) -> None:
    limits = "message_size_limit = 80000000\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n"
    with world(home, settings=limits) as here:
        with here.session() as session:
            session.sendmail(ROSA[0], [ANN], message("small"))
            before = here.gate.peak_megabytes()
            line = "x" * 75 + "\r\n"
            session.sendmail(ROSA[0], [ROSA[0]], message("large", line * 650_000))
        small, large = here.gate.seen()
        assert large["size"] > 50_000_000 > small["size"]
        assert here.gate.peak_megabytes() - before < 5
