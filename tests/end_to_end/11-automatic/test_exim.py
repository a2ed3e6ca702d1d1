"""Held mail leaves a real Exim by probes; what a blocked account has queued is frozen.

What the gate would have frozen an ACL freezes here: all that Rosa hands in.  Exim lists by envelope sender.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lab.exim
import pytest
from lab.exim import Exim, exim_program
from lab.mail_of_the_day import JAN, ROSA, submit
from lab.smtp_world import Sink
from lab.waiting import wait_until

from outwarden.events import Action, Decision
from outwarden.responses.exim import Exim as OurExim
from outwarden.service.automatic import automatic
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.held_mail import SETTLED_AFTER, HeldMail
from outwarden.service.settings import ActingSettings
from outwarden.store.store import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root")


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture
def exim(home: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exim]:
    (home / "pauses").mkdir()
    freezing = f"  warn authenticated = *\n    condition = ${{{{if eq{{{{$authenticated_id}}}}{{{{{ROSA[0]}}}}}}}}}\n"
    settings = lab.exim._SETTINGS.replace(
        "  accept authenticated = *", f"{freezing}    control = freeze\n  accept authenticated = *"
    )
    monkeypatch.setattr(lab.exim, "_SETTINGS", f"OUTWARDEN_PAUSES = {home}/pauses\n{settings}")
    server = Exim(home, exim_program(), sink, "+received_sender")
    (home / "bin").mkdir()
    names = ("LD_PRELOAD", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP")
    exports = "".join(f"export {name}='{server._environment[name]}'\n" for name in names)
    program = home / "bin/exim4"
    program.write_text(f"#!/bin/sh\n{exports}exec '{server._program}' -C '{server._settings}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
    yield server
    server.stop()


def test_probes_leave_and_the_rest_when_the_hold_ends(exim: Exim, sink: Sink, home: Path) -> None:
    late = timedelta(0)
    may: list[int] = []

    def clock() -> datetime:
        return datetime.now(UTC) + late

    def frozen() -> int:
        return exim.run("-bp").count("*** frozen ***")

    def decided(action: Action, account: str) -> Decision:
        return Decision(account, action, clock(), 7.0)

    settings = ActingSettings(hold="act", block="act")
    with Store(home / "outwarden.db") as store:
        book = Book.load(store)
        held_mail = HeldMail(home / "outwarden.db", OurExim(), book, clock, gate_open=True)
        automatic.begin(store, book, settings, decided(Action.HOLD, ROSA[0]), clock())
        for recipients in (["a"], ["b1", "b2", "b3"], ["c"]):
            submit(exim.port, ROSA[0], [f"{name}@bigmail.example" for name in recipients], ROSA)
        wait_until(lambda: frozen() == 3, "three frozen messages")
        held_mail.look(lambda account, waiting, smallest: may.extend((waiting, smallest)) or 2)  # type: ignore[func-returns-value]
        assert may == [5, 1]
        wait_until(lambda: len(sink.accepted) == 2, "the probe")
        assert sorted(each.recipients[0] for each in sink.accepted) == ["a@bigmail.example", "c@bigmail.example"]
        automatic.end(store, book, ROSA[0], "the judge", "it came to nothing", clock())
        held_mail.look(lambda *_: 0)
        wait_until(lambda: len(sink.accepted) == 3, "the rest")
        submit(exim.port, JAN[0], ["busy-ida@bigmail.example"], JAN)
        wait_until(lambda: exim.log_says("Please try again later"), "a deferral")
        automatic.begin(store, book, settings, decided(Action.BLOCK, JAN[0]), clock())
        late += SETTLED_AFTER
        held_mail.look(lambda *_: 0)
        assert frozen() == 1
        assert book.unfinished() == []
        assert store.alarms.waiting() == []
