"""A real OpenSMTPD takes mail from a trusted network and from strangers; ``outwarden`` says what became of it."""

import os
import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.opensmtpd import OpenSmtpd
from lab.postfix import submit
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real OpenSMTPD needs root"),
    pytest.mark.skipif(not shutil.which("unshare"), reason="util-linux is not installed"),
]


@dataclass
class World:
    opensmtpd: OpenSmtpd
    sink: Sink


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    sink = Sink()
    opensmtpd = OpenSmtpd(home, sink)
    yield World(opensmtpd, sink)
    opensmtpd.stop()
    sink.stop()


def test_what_became_of_it(world: World, outwarden: Callable[..., Any]) -> None:
    opensmtpd = world.opensmtpd
    to = ["ann@bigmail.example", "unknown-bob@bigmail.example", "grey-cy@bigmail.example", "jan@isp.example"]
    submit(opensmtpd.port, "rosa@isp.example", to, client="127.0.7.2")
    submit(opensmtpd.port, "rosa@ISP.example", ["full-dora@bigmail.example"], client="127.0.7.3")
    submit(
        opensmtpd.port, "jan@isp.example", ["blocked-eva@bigmail.example", "ann@bigmail.example"], client="127.0.7.4"
    )
    submit(opensmtpd.port, "jan@isp.example", ["dmarc-gil@bigmail.example"], client="127.0.7.4")
    submit(opensmtpd.port, "Hal@Far.example", ["rosa@isp.example"], client="127.0.8.2")
    submit(opensmtpd.port, "offers@far.example", ["club@isp.example"], client="127.0.8.3")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(opensmtpd.port, "spam@far.example", ["ann@bigmail.example"], client="127.0.8.9")
    wait_until(lambda: opensmtpd.log_says('result="TempFail"'), "the deferral")
    wait_until(lambda: opensmtpd.log_says("delivery evpid=", 10 + 5), "the attempts and five notifications")

    (answer,) = outwarden("logs", "--json", opensmtpd.log)
    assert answer["lines_not_understood"] == 0
    told = {account["account"]: account for account in answer["accounts"]}
    assert set(told) == set(_EXPECTED)
    for account, expected in _EXPECTED.items():
        assert {field: told[account][field] for field in expected} == expected, account
    listings = [(seen["list"], seen["address"], seen["count"]) for seen in answer["listings_seen"]]
    assert listings == ([("spamhaus-zen", "192.0.2.1", 1)] if world.sink.looks_remote else [])


def _counts(
    kind: str, messages: int, recipients: int, delivered: int, deferred: int, returned: int, **refused: int
) -> dict[str, Any]:
    return {
        "kind": kind,
        "messages": messages,
        "recipients": recipients,
        "delivered": delivered,
        "deferred_attempts": deferred,
        "bounced": sum(refused.values()),
        "expired": 0,
        "bounces_returned": returned,
        "refused": {name.replace("_", "-"): count for name, count in refused.items()},
    }


_EXPECTED = {
    "rosa@isp.example": {
        **_counts("address", 2, 5, 2, 1, 2, unknown_recipient=1, mailbox_full=1),
        "client_addresses": 2,
        "networks": 1,
    },
    "jan@isp.example": _counts("address", 2, 3, 1, 0, 2, address_blocklisted=1, authentication_failed=1),
    "Hal@far.example": _counts("address", 1, 1, 1, 0, 0),
    "offers@far.example": _counts("address", 1, 1, 0, 0, 1, content_refused=1),
    "<>": _counts("null", 5, 5, 5, 0, 0),
}
