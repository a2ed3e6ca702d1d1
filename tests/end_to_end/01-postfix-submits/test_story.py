"""A real Postfix takes mail from people, a script and strangers; ``outwarden`` says what became of it.

Logged-in mail goes straight out and through a content filter that hands it in again, with and
without telling where it came from.  The world accepts, puts off, refuses; notifications come back;
one message stays in the queue and is then given up.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.dovecot import Dovecot
from lab.mail_of_the_day import (
    JAN,
    OF_A_SCRIPT,
    OF_STRANGERS,
    ROSA,
    account,
    assert_told,
    strangers_write,
    submit,
    told_to_wait,
)
from lab.postfix import Postfix
from lab.smtp_world import ContentFilter, Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]


@dataclass
class World:
    postfix: Postfix
    sink: Sink
    filter: ContentFilter


@pytest.fixture(params=["long queue IDs", "short queue IDs"])
def world(home: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    sink = Sink()
    postfix = Postfix(home, sink, long_queue_ids=request.param == "long queue IDs")
    content_filter = ContentFilter(postfix.back)
    dovecot = Dovecot(home / "dovecot", postfix.socket, dict([ROSA, JAN]))
    postfix.start(content_filter.port)
    yield World(postfix, sink, content_filter)
    postfix.stop()
    dovecot.stop()
    content_filter.stop()
    sink.stop()


def test_what_became_of_it(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    postfix = world.postfix
    # People write, with a login, from two networks.
    to = ["ann@bigmail.example", "unknown-bob@bigmail.example", "grey-cy@bigmail.example", "jan@isp.example"]
    submit(postfix.submission, ROSA[0], to, ROSA, client="127.0.7.2")
    submit(postfix.submission, "Rosa@ISP.example", ["full-dora@bigmail.example"], ROSA, client="127.0.9.2")
    # Through the filter, which keeps the origin to itself and then tells it.
    submit(postfix.filtered, JAN[0], ["ann@bigmail.example", "blocked-eva@bigmail.example"], JAN, client="127.0.7.3")
    wait_until(lambda: postfix.log_says("sender non-delivery notification", 3), "the filtered mail")
    world.filter.tells_origin = True
    submit(postfix.filtered, JAN[0], ["content-fay@bigmail.example"], JAN, client="127.0.7.3")
    submit(postfix.filtered, JAN[0], ["dmarc-gil@bigmail.example"], JAN, client="127.0.7.3")
    # A script, two strangers, and mail for a host that stays busy.
    _run_script(postfix)
    strangers_write(postfix.smtp)
    submit(postfix.submission, JAN[0], ["busy-ida@bigmail.example"], JAN, client="127.0.7.3")
    wait_until(lambda: postfix.log_says("status=deferred", 2), "two deferrals")
    wait_until(lambda: postfix.log_says("sender non-delivery notification", 7), "seven notifications")
    wait_until(lambda: _left_to_wait(postfix, 2), "the delivery of the notifications")
    waiting = told_to_wait(outwarden, home / "queue.json", postfix.run("postqueue", "-j"))
    assert waiting == {"grey-cy@bigmail.example", "busy-ida@bigmail.example"}

    world.sink.patient = True
    postfix.run("postqueue", "-f")
    wait_until(lambda: postfix.log_says("status=deferred", 3), "the second attempts")
    wait_until(lambda: postfix.log_says("to=<grey-cy@bigmail.example>", 2), "the delivery of what was put off")
    wait_until(lambda: _left_to_wait(postfix, 1), "one left to wait")
    postfix.run("postsuper", "-e", "ALL")
    postfix.run("postqueue", "-f")
    wait_until(lambda: postfix.log_says("status=force-expired"), "the one given up")
    wait_until(lambda: postfix.log_says(": removed", _queue_files(postfix)), "an empty queue")

    (answer,) = outwarden("logs", "--json", postfix.log)
    assert answer["lines_not_understood"] == 0
    assert_told(answer, _EXPECTED, world.sink)


def _run_script(postfix: Postfix) -> None:
    subprocess.run(
        ["/usr/sbin/sendmail", "-C", postfix.home / "etc", "-f", "web", "kim@bigmail.example", "unknown-lu@a.example"],
        input="Subject: form\n\nHello.\n",
        text=True,
        check=True,
    )


def _left_to_wait(postfix: Postfix, messages: int) -> bool:
    """Say whether that many messages wait and nothing else is still on its way."""
    listed = postfix.run("postqueue", "-j").splitlines()
    return len(listed) == messages and all('"queue_name": "deferred"' in message for message in listed)


def _queue_files(postfix: Postfix) -> int:
    """Return how many messages the log has seen begin, whatever their ID."""
    return postfix.log.read_text().count(": message-id=")


_EXPECTED = {
    "rosa@isp.example": {
        **account("login", 2, 5, 3, deferred=1, returned=2, unknown_recipient=1, mailbox_full=1),
        "client_addresses": 2,
        "networks": 2,
    },
    "jan@isp.example": {
        **account(
            "login",
            messages=4,
            recipients=5,
            delivered=1,
            deferred=2,
            expired=1,
            returned=4,
            address_blocklisted=1,
            content_refused=1,
            authentication_failed=1,
        ),
        "client_addresses": 1,
        "networks": 1,
    },
    **OF_A_SCRIPT,
    **OF_STRANGERS,
    "<>": account("null", 8, 8, 8),
}
