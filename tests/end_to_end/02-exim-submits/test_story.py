"""A real Exim takes mail from people, a script and strangers; ``outwarden`` says what became of it.

Told twice: with the log as Exim writes it when nobody has set anything, and with all the log
selectors that change the form of its lines.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.exim import Exim, exim_program
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
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root"),
    pytest.mark.skipif(not shutil.which("apt-get"), reason="Exim is fetched from Debian, and this is none"),
]

_EVERYTHING = "+millisec +received_recipients +subject +pid +outgoing_port +incoming_port +queue_time +deliver_time"


@dataclass
class World:
    exim: Exim
    sink: Sink


@pytest.fixture(params=["", _EVERYTHING], ids=["plain", "every selector"])
def world(home: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    sink = Sink()
    exim = Exim(home, exim_program(), sink, request.param)
    yield World(exim, sink)
    exim.stop()
    sink.stop()


def test_what_became_of_it(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    exim = world.exim
    to = ["ann@bigmail.example", "unknown-bob@bigmail.example", "grey-cy@bigmail.example", "jan@isp.example"]
    submit(exim.port, ROSA[0], to, ROSA, client="127.0.7.2")
    rosa_and_jan_write(exim.port)
    submit(exim.port, JAN[0], ["busy-ida@given-up.example"], JAN, client="127.0.7.3")
    exim.run("-f", "web@isp.example", "kim@bigmail.example", "unknown-lu@corp.example", text="Subject: form\n\nHi.\n")
    strangers_write(exim.port)
    a_password_is_guessed(exim.port)
    a_relay_is_sought(exim.port)
    # Two wait; all the others have come to their end.
    wait_until(lambda: exim.log_says(" == ", 2), "two deferrals")
    wait_until(lambda: exim.log_says(" Completed", _begun(exim) - 2), "the end of the others")
    told_to_wait(outwarden, home / "queue.txt", exim.run("-bp"))

    world.sink.patient = True
    wait_until(lambda: _run_the_queue(exim), "an empty queue")

    (answer,) = outwarden("logs", "--json", exim.log)
    # A complaint about this laboratory's own settings file, which no other Exim has.
    assert answer["lines_not_understood"] in (0, exim.log.read_text().count("exim user lost privilege for using -C"))
    assert_told(answer, _expected(exim), world.sink)


def _begun(exim: Exim) -> int:
    return exim.log.read_text().count(" <= ")


def _run_the_queue(exim: Exim) -> bool:
    exim.run("-qff")
    return exim.log_says(" Completed", _begun(exim))


def _expected(exim: Exim) -> dict[str, dict[str, Any]]:
    # How often Exim tries before it gives up depends on when the queue is run.
    tries = exim.log.read_text().count("== busy-ida@given-up.example")
    return {
        "rosa@isp.example": {
            **account("login", 2, 5, 3, deferred=1, returned=2, unknown_recipient=1, mailbox_full=1),
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
