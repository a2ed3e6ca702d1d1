"""A real OpenSMTPD takes mail from a trusted network and from strangers; ``outwarden`` says what became of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab.mail_of_the_day import OF_STRANGERS, a_relay_is_sought, account, assert_told, strangers_write, submit
from lab.opensmtpd import OpenSmtpd
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
    strangers_write(opensmtpd.port)
    a_relay_is_sought(opensmtpd.port)
    wait_until(lambda: opensmtpd.log_says('result="TempFail"'), "the deferral")
    wait_until(lambda: opensmtpd.log_says("delivery evpid=", 10 + 5), "the attempts and five notifications")

    (answer,) = outwarden("logs", "--json", opensmtpd.log)
    assert answer["lines_not_understood"] == 0
    assert_told(answer, _EXPECTED, world.sink)


_EXPECTED = {
    "rosa@isp.example": {
        **account("address", 2, 5, 2, deferred=1, returned=2, unknown_recipient=1, mailbox_full=1),
        "client_addresses": 2,
        "networks": 1,
    },
    "jan@isp.example": account("address", 2, 3, 1, returned=2, address_blocklisted=1, authentication_failed=1),
    **OF_STRANGERS,
    "<>": account("null", 5, 5, 5),
}
