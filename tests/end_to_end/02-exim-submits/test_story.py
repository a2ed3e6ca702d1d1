"""A real Exim takes mail from people, a script and strangers; ``outwarden`` says what became of it.

Told twice: with the log as Exim writes it when nobody has set anything, and with all the log
selectors that change the form of its lines.
"""

import os
import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.exim import Exim, exim_program
from lab.postfix import submit
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root"),
    pytest.mark.skipif(not shutil.which("apt-get"), reason="Exim is fetched from Debian, and this is none"),
]

ROSA, JAN = (("rosa@isp.example", "secret of rosa@isp.example"), ("jan@isp.example", "secret of jan@isp.example"))
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
    submit(exim.port, "Rosa@ISP.example", ["full-dora@bigmail.example"], ROSA, client="127.0.9.2")
    submit(exim.port, JAN[0], ["blocked-eva@bigmail.example", "ann@bigmail.example"], JAN, client="127.0.7.3")
    submit(exim.port, JAN[0], ["dmarc-gil@bigmail.example"], JAN, client="127.0.7.3")
    submit(exim.port, JAN[0], ["busy-ida@given-up.example"], JAN, client="127.0.7.3")
    exim.run("-f", "web@isp.example", "kim@bigmail.example", "unknown-lu@corp.example", text="Subject: form\n\nHi.\n")
    submit(exim.port, "Hal@Far.example", ["rosa@isp.example"], client="127.0.8.2")
    submit(exim.port, "offers@far.example", ["club@isp.example"], client="127.0.8.3")
    _turned_away(exim)
    # Two wait; all the others have come to their end.
    wait_until(lambda: exim.log_says(" == ", 2), "two deferrals")
    wait_until(lambda: exim.log_says(" Completed", _begun(exim) - 2), "the end of the others")
    _the_queue_shows_what_waits(world, outwarden, home)

    world.sink.patient = True
    wait_until(lambda: _run_the_queue(exim), "an empty queue")

    (answer,) = outwarden("logs", "--json", exim.log)
    # A complaint about this laboratory's own settings file, which no other Exim has.
    assert answer["lines_not_understood"] in (0, exim.log.read_text().count("exim user lost privilege for using -C"))
    told = {account["account"]: account for account in answer["accounts"]}
    expected_of_all = _expected(exim)
    assert set(told) == set(expected_of_all)
    for account, expected in expected_of_all.items():
        assert {field: told[account][field] for field in expected} == expected, account
    listings = [(seen["list"], seen["address"], seen["count"]) for seen in answer["listings_seen"]]
    assert listings == ([("spamhaus-zen", "192.0.2.1", 1)] if world.sink.looks_remote else [])


def _turned_away(exim: Exim) -> None:
    """A wrong password and an attempt to relay leave lines that are nobody's messages."""
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(exim.port, ROSA[0], ["ann@bigmail.example"], (ROSA[0], "wrong"), client="127.0.8.9")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(exim.port, "spam@far.example", ["ann@bigmail.example"], client="127.0.8.9")


def _begun(exim: Exim) -> int:
    return exim.log.read_text().count(" <= ")


def _run_the_queue(exim: Exim) -> bool:
    exim.run("-qff")
    return exim.log_says(" Completed", _begun(exim))


def _the_queue_shows_what_waits(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    listing = home / "queue.txt"
    listing.write_text(world.exim.run("-bp"))
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


def _expected(exim: Exim) -> dict[str, dict[str, Any]]:
    # How often Exim tries before it gives up depends on when the queue is run.
    tries = exim.log.read_text().count("== busy-ida@given-up.example")
    return {
        "rosa@isp.example": {
            **_counts("login", 2, 5, 3, 1, 0, 2, unknown_recipient=1, mailbox_full=1),
            "client_addresses": 2,
            "networks": 2,
        },
        "jan@isp.example": _counts("login", 3, 4, 1, tries, 1, 3, address_blocklisted=1, authentication_failed=1),
        "web@isp.example": _counts("local", 1, 2, 1, 0, 0, 1, unknown_recipient=1),
        "Hal@far.example": _counts("address", 1, 1, 1, 0, 0, 0),
        "offers@far.example": _counts("address", 1, 1, 0, 0, 0, 1, content_refused=1),
        "<>": _counts("null", 7, 7, 7, 0, 0, 0),
    }
