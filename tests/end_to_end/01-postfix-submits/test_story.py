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
from lab.postfix import Postfix, submit
from lab.smtp_world import ContentFilter, Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]

ROSA, JAN = ("rosa@isp.example", "rosa's secret"), ("jan@isp.example", "jan's secret")


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
    # A script, a stranger, a stranger's spam to a forwarded alias, and mail for a host that stays busy.
    _run_script(postfix)
    submit(postfix.smtp, "Hal@Far.example", ["rosa@isp.example"], client="127.0.8.2")
    submit(postfix.smtp, "offers@far.example", ["club@isp.example"], client="127.0.8.3")
    submit(postfix.submission, JAN[0], ["busy-ida@bigmail.example"], JAN, client="127.0.7.3")
    wait_until(lambda: postfix.log_says("status=deferred", 2), "two deferrals")
    wait_until(lambda: postfix.log_says("sender non-delivery notification", 7), "seven notifications")
    _the_queue_shows_what_waits(world, outwarden, home)

    world.sink.patient = True
    postfix.run("postqueue", "-f")
    wait_until(lambda: postfix.log_says("status=deferred", 3), "the second attempts")
    wait_until(lambda: postfix.log_says("to=<grey-cy@bigmail.example>", 2), "the delivery of what was put off")
    wait_until(lambda: postfix.run("postqueue", "-j").count('"queue_name": "deferred"') == 1, "one left to wait")
    postfix.run("postsuper", "-e", "ALL")
    postfix.run("postqueue", "-f")
    wait_until(lambda: postfix.log_says("status=force-expired"), "the one given up")
    wait_until(lambda: postfix.log_says(": removed", _queue_files(postfix)), "an empty queue")

    (answer,) = outwarden("logs", "--json", postfix.log)
    assert answer["lines_not_understood"] == 0
    told = {account["account"]: account for account in answer["accounts"]}
    assert set(told) == set(_EXPECTED)
    for account, expected in _EXPECTED.items():
        assert {field: told[account][field] for field in expected} == expected, account
    listings = [(seen["list"], seen["address"], seen["count"]) for seen in answer["listings_seen"]]
    assert listings == ([("spamhaus-zen", "192.0.2.1", 1)] if world.sink.looks_remote else [])


def _run_script(postfix: Postfix) -> None:
    subprocess.run(
        ["/usr/sbin/sendmail", "-C", postfix.home / "etc", "-f", "web", "kim@bigmail.example", "unknown-lu@a.example"],
        input="Subject: form\n\nHello.\n",
        text=True,
        check=True,
    )


def _queue_files(postfix: Postfix) -> int:
    """Return how many messages the log has seen begin, whatever their ID."""
    return postfix.log.read_text().count(": message-id=")


def _the_queue_shows_what_waits(world: World, outwarden: Callable[..., Any], home: Path) -> None:
    listing = home / "queue.json"
    listing.write_text(world.postfix.run("postqueue", "-j"))
    waiting = outwarden("queue", "list", "--json", listing)
    assert {message["sender"] for message in waiting} == {ROSA[0], JAN[0]}
    assert {recipient["address"] for message in waiting for recipient in message["recipients"]} == {
        "grey-cy@bigmail.example",
        "busy-ida@bigmail.example",
    }


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


_EXPECTED = {
    "rosa@isp.example": {
        **_counts("login", 2, 5, 3, 1, 0, 2, unknown_recipient=1, mailbox_full=1),
        "client_addresses": 2,
        "networks": 2,
    },
    "jan@isp.example": {
        **_counts("login", 4, 5, 1, 2, 1, 4, address_blocklisted=1, content_refused=1, authentication_failed=1),
        "client_addresses": 1,
        "networks": 1,
    },
    "web@isp.example": _counts("local", 1, 2, 1, 0, 0, 1, unknown_recipient=1),
    "Hal@far.example": _counts("address", 1, 1, 1, 0, 0, 0),
    "offers@far.example": _counts("address", 1, 1, 0, 0, 0, 1, content_refused=1),
    "<>": _counts("null", 8, 8, 8, 0, 0, 0),
}
