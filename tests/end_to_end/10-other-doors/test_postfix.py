"""A real Postfix asks the gate as the files of ``packaging/postfix`` say, and does and says what it is told."""

import json
import os
import re
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lab.postfix
import pytest
from lab.doors import Doors
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

PACKAGING = Path(__file__).parents[3] / "packaging/postfix"
POLICY = (PACKAGING / "outwarden-policy-service.cf").read_text()
FAILS_OPEN = re.sub(r"^outwarden_later = .*$", "outwarden_later = DUNNO", POLICY, flags=re.MULTILINE)
MILTER = (PACKAGING / "outwarden-milter.cf").read_text()
LATER = "Your message could not be checked just now; please try again in a few minutes"
ENDED = "5.7.1 <END-OF-MESSAGE>: End-of-data rejected: "


class World:
    def __init__(self, postfix: Postfix, doors: Doors, sink: Sink) -> None:
        self.postfix, self.doors, self.sink = postfix, doors, sink

    @contextmanager
    def session(self, login: Login = ROSA) -> Iterator[smtplib.SMTP]:
        with smtplib.SMTP("127.0.0.1", self.postfix.submission, "client.example", source_address=("127.0.7.2", 0)) as s:
            s.login(*login)
            yield s

    def send(self, word: str, login: Login = ROSA) -> None:
        with self.session(login) as session:
            session.sendmail(login[0], [f"{word}@bigmail.example"], "Subject: a\r\n\r\nHello.")

    def said(self, word: str, login: Login = ROSA) -> tuple[int, str]:
        """Hand in a message that is not taken; return what the client is told."""
        try:
            self.send(word, login=login)
        except smtplib.SMTPDataError as refused:
            return refused.smtp_code, bytes(refused.smtp_error).decode()
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, words),) = refused.recipients.values()
            return code, words.decode()
        pytest.fail("it was taken")

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.postfix.run("postqueue", "-j").splitlines()]


@pytest.fixture
def world(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Return Postfix beside the gate; the parameter is what was pasted: the policy service, if nothing else."""
    settings = getattr(request, "param", POLICY)
    options = "".join(f"{line[1:]}\n" for line in settings.splitlines() if line.startswith("#   -o"))
    before = "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n127.0.0.1:{filtered}"
    assert lab.postfix._MASTER.count(before) == 1
    monkeypatch.setattr(lab.postfix, "_MASTER", lab.postfix._MASTER.replace(before, options + before))
    sink = Sink()
    postfix = Postfix(home, sink, settings=settings)
    (home / "spool/outwarden").mkdir()
    doors = Doors(home, "postfix", {name: home / f"spool/outwarden/{name}.sock" for name in ("policy", "milter")})
    dovecot = Dovecot(home / "dovecot", postfix.socket, dict([ROSA, JAN]))
    doors.start()
    postfix.start(free_port())
    try:
        yield World(postfix, doors, sink)
    finally:
        postfix.stop()
        dovecot.stop()
        doors.stop()
        sink.stop()


def test_a_day_at_the_gate(world: World) -> None:
    world.send("fine")
    assert world.said("refuse") == (550, f"{ENDED}The text of your message is spam; 100 % of $it. Case 17")
    code, words = world.said("defer")
    assert (code, words.partition("rejected: ")[2]) == (
        451,
        "You have sent more than ever before; try again in an hour. Case 18",
    )
    code, words = world.said("fine", login=JAN)
    assert (code, words.partition("rejected: ")[2]) == (
        550,
        "Your account is blocked until its password is changed. Case 16",
    )
    world.send("hold")
    wait_until(lambda: [one["queue_name"] for one in world.queue()] == ["hold"], "what is held alone in the queue")
    assert world.postfix.log_says("Case 19")
    # Nobody decides, or the words would end their line: the client keeps it.
    for word in ("fail", "inject"):
        code, words = world.said(word)
        assert (code, words.partition("rejected: ")[2]) == (451, LATER)
    assert world.doors.stop() == 0
    assert len(world.doors.words().splitlines()) == 2


def test_what_is_asked(world: World) -> None:
    with world.session() as session:
        for recipients in (["ann@bigmail.example", "bob@bigmail.example"], ["cy@bigmail.example"]):
            session.sendmail(ROSA[0], recipients, "Subject: a\r\n\r\nHello.")
        session.docmd("MAIL FROM:<>")
        session.docmd("RCPT TO:<given-up@bigmail.example>")
        session.docmd("RSET")
        session.sendmail("", ["dan@bigmail.example"], "Subject: a\r\n\r\nHello.")
    first, second, third = world.doors.seen()
    assert (first["sender"], first["login"], first["login_mechanism"]) == (ROSA[0], ROSA[0], "PLAIN")
    assert (first["recipients"], first["recipient_count"]) == (["ann@bigmail.example", "bob@bigmail.example"], 2)
    assert (first["client_address"], first["helo"]) == ("127.0.7.2", "client.example")
    assert 10 < first["announced_size"] < 1000
    assert world.postfix.log_says(f"{first['queue_id']}: client=")
    assert (second["recipients"], second["recipient_count"]) == (["cy@bigmail.example"], 1)
    assert (third["sender"], third["recipients"]) == ("<>", ["dan@bigmail.example"])


@pytest.mark.parametrize("world", [POLICY, FAILS_OPEN], indirect=True, ids=["fails closed", "fails open"])
def test_the_gate_is_killed_while_it_decides(world: World, request: pytest.FixtureRequest) -> None:
    fails_open = request.node.callspec.params["world"] == FAILS_OPEN
    # Twice: killed in the middle of the message, and not there at all for the next.
    for word in ("die", "fine"):
        if fails_open:
            world.send(word)
        else:
            code, words = world.said(word)
            assert (code, words.partition("rejected: ")[2]) == (451, LATER)
    assert world.doors.process is not None
    assert world.doors.process.wait(5) == -9
    world.doors.start()
    world.send("afterwards")
    wait_until(lambda: len(world.sink.accepted) == (3 if fails_open else 1), "what was accepted")


def test_broken_and_slow_clients_hinder_nobody(world: World) -> None:
    broken = []
    for words in (b"", b"request=smtpd_access_policy\n", b"\0\n\n", b"no attribute\n\n"):
        one = world.doors.connect("policy")
        one.sendall(words)
        broken.append(one)
    world.send("fine")
    for one in broken:
        one.close()


@pytest.mark.parametrize("world", [MILTER], indirect=True)
def test_the_milter_as_it_is_pasted(world: World) -> None:
    """What else it does is the story before this one."""
    with world.session() as session:
        session.sendmail(ROSA[0], ["ann@bigmail.example"], "Subject: fine\r\n\r\nHello.\r\n")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            session.sendmail(ROSA[0], ["ann@bigmail.example"], "Subject: refuse\r\n\r\nHello.\r\n")
    assert refused.value.smtp_code == 550
    sendmail = ["/usr/sbin/sendmail", "-C", world.postfix.home / "etc", "ann@bigmail.example"]
    subprocess.run(sendmail, input="Subject: form\n\nHello.\n", text=True, check=True)
    wait_until(lambda: len(world.doors.seen()) == 3, "the script's mail")
    assert [one["login"] for one in world.doors.seen()] == [ROSA[0], ROSA[0], ""]
    world.doors.stop()
    with pytest.raises(smtplib.SMTPResponseException), world.session():
        pass
