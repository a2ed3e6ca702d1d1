"""The service is killed while it has a message to decide on: each site gets what it wants, and nothing twice."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from lab.gate_world import ROSA, GateWorld, gate_world
from lab.ledger import settle
from lab.load import Taken
from lab.past_mail import friends_of
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

LATER = "451 4.7.1 Your message could not be checked just now; please try again in a few minutes"
POLICY = """\
smtpd_end_of_data_restrictions = check_policy_service {{ unix:{home}/policy.sock, {{ default_action = {later} }} }}
"""


@pytest.mark.parametrize("fails_open", [True, False], ids=["open", "closed"])
def test_killed_mid_message_by_milter(home: Path, fails_open: bool) -> None:
    with gate_world(home, settings="", fallback="accept" if fails_open else "tempfail") as world:
        _killed_mid_message(world, fails_open)


@pytest.mark.parametrize("fails_open", [True, False], ids=["open", "closed"])
def test_killed_mid_message_by_policy_service(home: Path, fails_open: bool) -> None:
    gate = f'policy_service = "unix:{home}/policy.sock"\ngroup = "postfix"\ndeadline_milliseconds = 0'
    settings = POLICY.format(home=home, later="DUNNO" if fails_open else LATER)
    with gate_world(home, settings="", gate=gate, postfix_settings=settings) as world:
        _killed_mid_message(world, fails_open)


def _killed_mid_message(world: GateWorld, fails_open: bool) -> None:
    before, during, after = (_letter(world, number) for number in range(3))
    taken = [_taken(before, *_handed_in(world, before))]
    code, words = _handed_in(world, during, killed=True)
    if fails_open:
        taken.append(_taken(during, code, words))
    else:
        assert code == 451, words
        assert not words.startswith("5"), words
    world.service.start()
    taken.append(_taken(after, *_handed_in(world, after)))
    if not fails_open:
        # The client comes again with what was put off.
        taken.append(_taken(during, *_handed_in(world, during)))
    settle(world, taken)


def _letter(world: GateWorld, number: int) -> str:
    return f"From: {ROSA}\r\nSubject: As ever\r\nMessage-ID: <{number}@isp.example>\r\n\r\nSee you at {number}.\r\n"


def _taken(letter: str, code: int, words: str) -> Taken:
    assert code == 250, words
    return Taken(ROSA, letter.partition("<")[2].partition(">")[0], words.rpartition(" ")[2])


def _handed_in(world: GateWorld, letter: str, *, killed: bool = False) -> tuple[int, str]:
    """Hand in a message; ``killed``: the service has it, and has not answered, when it dies."""
    with world.session(ROSA) as session:
        assert session.mail(ROSA)[0] == 250
        assert session.rcpt(friends_of(ROSA)[0])[0] == 250
        assert session.docmd("DATA")[0] == 354
        if killed:
            _stop(world)
        session.send(f"{letter}.\r\n".encode())
        if killed:
            wait_until(lambda: _waits_for_an_answer(world), "Postfix to wait for the gate")
            world.service.kill()
        code, words = session.getreply()
    return code, words.decode()


def _stop(world: GateWorld) -> None:
    assert world.service.process is not None
    world.service.process.send_signal(signal.SIGSTOP)


def _waits_for_an_answer(world: GateWorld) -> bool:
    """Return whether something that was sent to the gate lies unread in its sockets."""
    listed = subprocess.run(["ss", "-xnH"], capture_output=True, text=True, check=True).stdout
    return any(str(world.home) in line and int(line.split()[2]) > 0 for line in listed.splitlines())
