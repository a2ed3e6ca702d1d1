"""A real Sendmail takes mail from people, a script and strangers; ``outwarden`` says what became of it.

Sendmail writes the login on a line of its own, without a queue ID; only the process number joins it
with the message.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.mail_of_the_day import (
    JAN,
    OF_A_SCRIPT,
    OF_STRANGERS,
    ROSA,
    a_password_is_guessed,
    a_relay_is_sought,
    account,
    assert_told,
    rosa_and_jan_write,
    strangers_write,
    submit,
    told_to_wait,
)
from lab.sendmail import Sendmail
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Sendmail needs root"),
    pytest.mark.skipif(not shutil.which("m4"), reason="m4 is not installed, which makes Sendmail's settings"),
    pytest.mark.skipif(not shutil.which("saslpasswd2", path="/usr/sbin"), reason="sasl2-bin is not installed"),
]


@dataclass
class World:
    sendmail: Sendmail
    sink: Sink


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    sink = Sink()
    sendmail = Sendmail(home, sink, dict([ROSA, JAN]))
    yield World(sendmail, sink)
    sendmail.stop()
    sink.stop()


def test_what_became_of_it(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    sendmail = world.sendmail
    to = [
        "ann@bigmail.example",
        "bea@corp.example",
        "unknown-bob@bigmail.example",
        "grey-cy@a.example",
        "jan@isp.example",
    ]
    submit(sendmail.port, ROSA[0], to, ROSA, client="127.0.7.2")
    rosa_and_jan_write(sendmail.port)
    submit(sendmail.port, JAN[0], ["busy-ida@bigmail.example"], JAN, client="127.0.7.3")
    sendmail.run(
        "-f", "web@isp.example", "kim@bigmail.example", "unknown-lu@corp.example", text="Subject: form\n\nHi.\n"
    )
    strangers_write(sendmail.port)
    a_password_is_guessed(sendmail.port)
    a_relay_is_sought(sendmail.port)
    wait_until(lambda: "Total requests: 2" in sendmail.run("-bp"), "the end of all but two")
    told_to_wait(outwarden, home / "queue.txt", sendmail.run("-bp"))

    world.sink.patient = True
    sendmail.run("-q")
    wait_until(lambda: "Total requests: 1" in sendmail.run("-bp"), "the delivery of what was put off")
    wait_until(lambda: _given_up(sendmail), "an empty queue")

    (answer,) = outwarden("logs", "--json", sendmail.log)
    assert answer["lines_not_understood"] == 0
    assert_told(answer, _expected(sendmail), world.sink)


def _given_up(sendmail: Sendmail) -> bool:
    """Run the queue as if no message might wait longer than a second."""
    sendmail.run("-OTimeout.queuereturn=1s", "-q")
    return sendmail.queue_is_empty()


def _expected(sendmail: Sendmail) -> dict[str, dict[str, Any]]:
    # How often Sendmail tries before it gives up depends on when the queue is run.
    tries = sendmail.log.read_text().count("to=<busy-ida@bigmail.example>")
    return {
        "rosa@isp.example": {
            **account("login", 2, 6, 4, deferred=1, returned=2, unknown_recipient=1, mailbox_full=1),
            "client_addresses": 2,
            "networks": 2,
        },
        "jan@isp.example": account(
            "login",
            messages=3,
            recipients=4,
            delivered=1,
            deferred=tries,
            expired=1,
            returned=3,
            address_blocklisted=1,
            authentication_failed=1,
        ),
        **OF_A_SCRIPT,
        **OF_STRANGERS,
        "<>": account("null", 7, 7, 7),
    }
