"""A real Exim asks the gate as ``packaging/exim/outwarden-gate.conf`` says, and does and says what it is told."""

import os
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lab.exim
import pytest
from lab.doors import Doors
from lab.exim import Exim, exim_program
from lab.mail_of_the_day import JAN, ROSA, Login
from lab.smtp_world import Sink
from lab.waiting import free_port, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root")

PARTS = (Path(__file__).parents[3] / "packaging/exim/outwarden-gate.conf").read_text()
ANN = "ann@bigmail.example"
LATER = "4.7.1 Your message could not be checked just now; please try again in a few minutes"
BLOCKED = "5.7.1 Your account is blocked until its password is changed. Case 16"


class World:
    def __init__(self, exim: Exim, doors: Doors, sink: Sink) -> None:
        self.exim, self.doors, self.sink = exim, doors, sink

    @contextmanager
    def session(self, login: Login = ROSA, helo: str = "client.example") -> Iterator[smtplib.SMTP]:
        with smtplib.SMTP("127.0.0.1", self.exim.port, helo, source_address=("127.0.7.2", 0)) as session:
            session.login(*login)
            yield session

    def send(self, subject: str, login: Login = ROSA, helo: str = "client.example", headers: str = "") -> None:
        with self.session(login, helo) as session:
            session.sendmail(login[0], [ANN], message(subject, headers))

    def said(self, subject: str, login: Login = ROSA) -> tuple[int, str]:
        """Hand in a message that is not taken; return what the client is told."""
        with self.session(login) as session:
            try:
                session.sendmail(login[0], [ANN], message(subject))
            except smtplib.SMTPDataError as refused:
                code, words = refused.smtp_code, bytes(refused.smtp_error)
            except smtplib.SMTPRecipientsRefused as refused:
                code, words = refused.recipients[ANN]
            else:
                pytest.fail("it was taken")
        # Exim breaks a long text into lines, each with the status in front.
        return code, re.sub(r"\n\d\.\d\.\d", "", words.decode())


def message(subject: str, headers: str = "") -> str:
    return f"From: {ROSA[0]}\r\nSubject: {subject}\r\n{headers}\r\nHello.\r\n"


@pytest.fixture
def world(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Return Exim beside the gate.

    The parameter says with which build, what becomes of mail without the gate, and whether it is asked by TCP.
    """
    content_scanning, undecided, by_tcp = getattr(request, "param", (True, "defer", False))
    program = exim_program(content_scanning)
    (home / "run").mkdir()
    accounts: Path | int = free_port() if by_tcp else home / "run/accounts.sock"
    messages: Path | int = free_port() if by_tcp else home / "run/messages.sock"
    sink, doors = Sink(), Doors(home, "mail", {"readsocket": accounts, "rspamd": messages})
    # Exim looks the client's name up, to tell the gate: here it asks no DNS for it.
    (home / "hosts").write_text(f"127.0.7.2 client.example\n{sink.address} {sink.address}\n")
    monkeypatch.setenv("NSS_WRAPPER_HOSTS", str(home / "hosts"))
    monkeypatch.setattr(lab.exim, "_SETTINGS", prepared(lab.exim._SETTINGS, doors, undecided))
    doors.start()
    try:
        exim = Exim(home, program, sink, "+received_sender")
        yield World(exim, doors, sink)
        exim.stop()
    finally:
        doors.stop()
        sink.stop()


def prepared(settings: str, doors: Doors, undecided: str) -> str:
    """Put the three parts of the snippet where it says they go."""
    _, macros, recipient, letter = re.split(r"^# \d\..*\n(?:#.*\n)*", PARTS, flags=re.MULTILINE)
    accounts, messages = doors.places["readsocket"], doors.places["rspamd"]
    by_tcp = isinstance(accounts, int)
    macros = macros.replace("/run/outwarden/accounts.sock", f"inet:127.0.0.1:{accounts}" if by_tcp else str(accounts))
    macros = macros.replace("/run/outwarden/messages.sock", f"127.0.0.1 {messages}" if by_tcp else str(messages))
    macros = macros.replace("OUTWARDEN_UNDECIDED = defer", f"OUTWARDEN_UNDECIDED = {undecided}")
    macros += "host_lookup_order = byaddr\nacl_smtp_data = accept_clean\nacl_not_smtp = accept_clean\n"
    whole_message = f"accept_clean:\n{letter}  accept\n"
    for part, before in (
        (macros, "exim_path ="),
        (recipient, "  accept authenticated = *"),
        (whole_message, "begin routers"),
    ):
        assert settings.count(before) == 1
        settings = settings.replace(before, part.replace("{", "{{").replace("}", "}}") + before)
    return settings


@pytest.mark.parametrize("world", [(True, "defer", False), (True, "defer", True)], indirect=True)
def test_a_day_at_the_gate(world: World) -> None:
    world.send("fine")
    assert world.said("refuse") == (550, "5.7.1 The text of your message is spam; 100 % of $it. Case 17")
    assert world.said("defer") == (451, "4.7.1 You have sent more than ever before; try again in an hour. Case 18")
    assert world.said("fine", JAN) == (550, BLOCKED)
    world.send("hold")
    wait_until(lambda: world.exim.run("-bp").count("*** frozen ***") == 1, "what is held")
    assert world.exim.log_says(f"of {ROSA[0]}: Case 19")
    # Held at the first recipient means nothing where the whole message is shown.
    world.send("fine", helo="held.example")
    wait_until(lambda: len(world.sink.accepted) == 2, "what was accepted")
    # Nobody decides, or the words would end their line: the client keeps it.
    assert world.said("fail") == world.said("inject") == (451, LATER)
    assert world.doors.stop() == 0
    assert world.doors.words().splitlines() == [
        "a message was not decided on: KeyError: 'fail'",
        "a message was not decided on: Unspeakable: words with control characters: "
        "'No\\r\\n\\r\\naction=OK\\n\\nAction: no action'",
    ]


def test_what_is_asked(world: World) -> None:
    recipients = [ANN, "bob@bigmail.example", "cy@bigmail.example"]
    with world.session() as session:
        session.sendmail(ROSA[0], recipients, message("first"))
        session.sendmail("", [ANN], message("second"))
    first, second = world.doors.seen()
    assert first["text"].startswith("Received: from [127.0.7.2] (helo=client.example)\n")
    assert first["text"].endswith(f"\nFrom: {ROSA[0]}\nSubject: first\n\nHello.\n")
    assert (first["login"], first["sender"]) == (ROSA[0], ROSA[0])
    assert (first["recipients"], first["recipient_count"]) == (recipients, 3)
    assert (first["client_address"], first["helo"]) == ("127.0.7.2", "client.example")
    assert world.exim.log_says(f"{first['queue_id']} <= ")
    assert (second["sender"], second["recipients"]) == ("<>", [ANN])
    assert second["text"].startswith("Received: ")


def test_headers_are_added_and_removed(world: World, home: Path) -> None:
    with world.session() as session:
        session.sendmail(ROSA[0], [JAN[0]], message("mark", "X-Forged: yes\r\nX-Kept: yes\r\n"))
        session.sendmail(ROSA[0], [JAN[0]], message("fine", "X-Forged: yes\r\n"))
    wait_until(lambda: len(list((home / "mail/all/new").glob("*"))) == 2, "two letters")
    marked, plain = sorted((one.read_text() for one in (home / "mail/all/new").glob("*")), key=len, reverse=True)
    assert "\nX-Mark: of rosa\tfolded\n" in marked
    assert "\nX-Second: two: parts\n" in marked
    assert "\nX-Kept: yes\n" in marked
    assert "X-Forged" not in marked
    assert "X-Forged: yes" in plain
    assert "X-Mark" not in plain


def test_a_script_on_the_server_itself(world: World) -> None:
    world.exim.run("-i", ANN, text="Subject: fine\n\nHello.\n")
    wait_until(lambda: len(world.sink.accepted) == 1, "the script's mail")
    world.exim.run("-i", ANN, text="Subject: hold\n\nHello.\n")
    wait_until(lambda: world.exim.run("-bp").count("*** frozen ***") == 1, "what is held")
    assert [(one["login"], one["client_address"]) for one in world.doors.seen()] == [("root", ""), ("root", "")]


def test_a_stranger_is_not_asked_about(world: World, home: Path) -> None:
    with smtplib.SMTP("127.0.0.1", world.exim.port, "far.example") as session:
        session.sendmail("hal@far.example", [ROSA[0]], message("refuse"))
    assert world.doors.seen() == []


@pytest.mark.parametrize(
    "world", [(build, word, False) for build in (True, False) for word in ("defer", "accept")], indirect=True
)
def test_the_gate_is_not_there(world: World, request: pytest.FixtureRequest) -> None:
    content_scanning, undecided, _ = request.node.callspec.params["world"]
    world.doors.stop()
    if undecided == "accept":
        world.send("fine")
        wait_until(lambda: len(world.sink.accepted) == 1, "what was accepted")
        assert not content_scanning or world.exim.log_says('"warn" statement skipped')
    else:
        assert world.said("fine") == (451, LATER)
    world.doors.start()
    world.send("fine")


@pytest.mark.parametrize("world", [(True, "defer", False), (True, "accept", False)], indirect=True)
def test_the_gate_is_killed_while_it_decides(world: World, request: pytest.FixtureRequest) -> None:
    _, undecided, _ = request.node.callspec.params["world"]
    if undecided == "accept":
        world.send("die")
        wait_until(lambda: len(world.sink.accepted) == 1, "what was accepted")
    else:
        assert world.said("die") == (451, LATER)
    assert world.doors.process is not None
    assert world.doors.process.wait(5) == -9
    world.doors.start()
    world.send("afterwards")


@pytest.mark.parametrize("world", [(False, "defer", False)], indirect=True)
def test_without_content_scanning(world: World) -> None:
    world.send("refuse")
    wait_until(lambda: len(world.sink.accepted) == 1, "a message that is not shown")
    assert world.said("fine", JAN) == (550, BLOCKED)
    world.send("fine", helo="held.example")
    wait_until(lambda: world.exim.run("-bp").count("*** frozen ***") == 1, "what is held")
    assert world.exim.log_says(f"of {ROSA[0]}: Case 20")


def test_hostile_addresses_stay_in_their_place(world: World) -> None:
    with world.session(helo="[127.0.0.1]") as session:
        session.sendmail('"a\tuser=jan@isp.example"@isp.example', [ANN], message("fine"))
    (seen,) = world.doors.seen()
    assert seen["login"] == ROSA[0]


def test_broken_and_slow_clients_hinder_nobody(world: World) -> None:
    broken = []
    for door in world.doors.places:
        for words in (b"", b"CHECK RSPAMC/1.3\r\nContent-length: 10000\r\n\r\nHello", b"stage=rcpt\tuser", b"\0\n\n"):
            one = world.doors.connect(door)
            one.sendall(words)
            broken.append(one)
    world.send("fine")
    assert world.said("fine", JAN) == (550, BLOCKED)
    for one in broken:
        one.close()
    wait_until(lambda: len(world.sink.accepted) == 1, "what was accepted")
