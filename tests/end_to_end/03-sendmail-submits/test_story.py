"""A real Sendmail takes mail from people, a script and strangers; ``outwarden`` says what became of it.

Sendmail writes the login on a line of its own, without a queue ID; only the process number joins it
with the message.
"""

import os
import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.postfix import submit
from lab.sendmail import Sendmail
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Sendmail needs root"),
    pytest.mark.skipif(not shutil.which("m4"), reason="m4 is not installed, which makes Sendmail's settings"),
    pytest.mark.skipif(not shutil.which("saslpasswd2", path="/usr/sbin"), reason="sasl2-bin is not installed"),
]

ROSA, JAN = ("rosa@isp.example", "rosa's secret"), ("jan@isp.example", "jan's secret")


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
    submit(sendmail.port, "Rosa@ISP.example", ["full-dora@bigmail.example"], ROSA, client="127.0.9.2")
    submit(sendmail.port, JAN[0], ["blocked-eva@bigmail.example", "ann@bigmail.example"], JAN, client="127.0.7.3")
    submit(sendmail.port, JAN[0], ["dmarc-gil@bigmail.example"], JAN, client="127.0.7.3")
    submit(sendmail.port, JAN[0], ["busy-ida@bigmail.example"], JAN, client="127.0.7.3")
    sendmail.run(
        "-f", "web@isp.example", "kim@bigmail.example", "unknown-lu@corp.example", text="Subject: form\n\nHi.\n"
    )
    submit(sendmail.port, "Hal@Far.example", ["rosa@isp.example"], client="127.0.8.2")
    submit(sendmail.port, "offers@far.example", ["club@isp.example"], client="127.0.8.3")
    _turned_away(sendmail)
    wait_until(lambda: "Total requests: 2" in sendmail.run("-bp"), "the end of all but two")
    _the_queue_shows_what_waits(world, outwarden, home)

    world.sink.patient = True
    sendmail.run("-q")
    wait_until(lambda: "Total requests: 1" in sendmail.run("-bp"), "the delivery of what was put off")
    wait_until(lambda: _given_up(sendmail), "an empty queue")

    (answer,) = outwarden("logs", "--json", sendmail.log)
    told = {account["account"]: account for account in answer["accounts"]}
    expected_of_all = _expected(sendmail)
    assert set(told) == set(expected_of_all)
    for account, expected in expected_of_all.items():
        assert {field: told[account][field] for field in expected} == expected, account
    assert answer["lines_not_understood"] == 0
    listings = [(seen["list"], seen["address"], seen["count"]) for seen in answer["listings_seen"]]
    assert listings == ([("spamhaus-zen", "192.0.2.1", 1)] if world.sink.looks_remote else [])


def _turned_away(sendmail: Sendmail) -> None:
    """A wrong password and an attempt to relay leave lines that are nobody's messages."""
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(sendmail.port, ROSA[0], ["ann@bigmail.example"], (ROSA[0], "wrong"), client="127.0.8.9")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(sendmail.port, "spam@far.example", ["ann@bigmail.example"], client="127.0.8.9")


def _given_up(sendmail: Sendmail) -> bool:
    """Run the queue as if no message might wait longer than a second."""
    sendmail.run("-OTimeout.queuereturn=1s", "-q")
    return sendmail.queue_is_empty()


def _the_queue_shows_what_waits(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    listing = home / "queue.txt"
    listing.write_text(world.sendmail.run("-bp"))
    waiting = outwarden("queue", "list", "--json", listing)
    assert {message["sender"] for message in waiting} == {ROSA[0], JAN[0]}


def _counts(
    kind: str,
    messages: int,
    recipients: int,
    delivered: int,
    deferred: int,
    expired: int,
    returned: int,
    **refused: int,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "messages": messages,
        "recipients": recipients,
        "delivered": delivered,
        "deferred_attempts": deferred,
        "bounced": sum(refused.values()),
        "expired": expired,
        "bounces_returned": returned,
        "refused": {name.replace("_", "-"): count for name, count in refused.items()},
    }


def _expected(sendmail: Sendmail) -> dict[str, dict[str, Any]]:
    # How often Sendmail tries before it gives up depends on when the queue is run.
    tries = sendmail.log.read_text().count("to=<busy-ida@bigmail.example>")
    return {
        "rosa@isp.example": {
            **_counts("login", 2, 6, 4, 1, 0, 2, unknown_recipient=1, mailbox_full=1),
            "client_addresses": 2,
            "networks": 2,
        },
        "jan@isp.example": _counts("login", 3, 4, 1, tries, 1, 3, address_blocklisted=1, authentication_failed=1),
        "web@isp.example": _counts("local", 1, 2, 1, 0, 0, 1, unknown_recipient=1),
        "Hal@far.example": _counts("address", 1, 1, 1, 0, 0, 0),
        "offers@far.example": _counts("address", 1, 1, 0, 0, 0, 1, content_refused=1),
        "<>": _counts("null", 7, 7, 7, 0, 0, 0),
    }
