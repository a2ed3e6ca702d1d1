"""Held mail leaves a real Postfix by probes, oldest first; what a blocked account has queued is put on hold.

What the gate would put on hold a line of main.cf does here: all that Rosa hands in.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab.dovecot import Dovecot
from lab.mail_of_the_day import JAN, ROSA, submit
from lab.postfix import Postfix
from lab.smtp_world import Sink
from lab.waiting import wait_until

from outwarden.events import Action, Decision, Finding
from outwarden.responses.postfix import Postfix as OurPostfix
from outwarden.responses.steps import CouldNotAct
from outwarden.service.automatic import automatic
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.held_mail import SETTLED_AFTER, HeldMail
from outwarden.service.settings import ActingSettings
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]
SOURCE = str(Path(__file__).parents[3] / "src")
SETTINGS = ActingSettings(hold="act", block="act")
HELD_BY_THE_GATE = "smtpd_data_restrictions = check_sasl_access inline:{ { rosa@isp.example = HOLD by the gate } }\n"


class Place:
    """The mail server, the world, the journal, and who looks after held mail."""

    def __init__(self, home: Path, postfix: Postfix, sink: Sink) -> None:
        self.postfix, self.sink = postfix, sink
        self.path = home / "outwarden.db"
        self.store = Store(self.path)
        self.late = timedelta(0)
        self.restart()

    def restart(self, gate_open: bool = True) -> None:
        self.book = Book.load(self.store)
        self.held_mail = HeldMail(self.path, OurPostfix(self.postfix.home / "etc"), self.book, self.clock, gate_open)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.late

    def later(self) -> Place:
        self.late += SETTLED_AFTER
        return self

    def look(self, *may: int) -> list[tuple[str, int, int]]:
        """Look after held mail, of which so many may leave; return what was asked."""
        asked: list[tuple[str, int, int]] = []
        answers = iter(may)

        def may_leave(account: str, waiting: int, smallest: int) -> int:
            asked.append((account, waiting, smallest))
            return next(answers, 0)

        self.held_mail.look(may_leave)
        return asked

    def begin(self, action: Action, account: str) -> Response:
        finding = Finding("strangers", 7.0, "all 9 recipients are new", self.clock())
        decision = Decision(account, action, self.clock(), 7.0, (finding,))
        return automatic.begin(self.store, self.book, SETTINGS, decision, self.clock()).response

    def end(self, account: str, wrongly: bool = False) -> None:
        automatic.end(self.store, self.book, account, "the judge", "it came to nothing", self.clock(), wrongly)

    def rosa_writes(self, *recipients: str) -> None:
        submit(self.postfix.submission, ROSA[0], list(recipients), ROSA)

    def jan_writes_in_vain(self, *recipients: str) -> None:
        """Hand in mail that stays in the queue."""
        before = self.postfix.log.read_text().count("status=deferred") if self.postfix.log.exists() else 0
        for recipient in recipients:
            submit(self.postfix.submission, JAN[0], [f"busy-{recipient}"], JAN)
        wait_until(lambda: self.postfix.log_says("status=deferred", before + len(recipients)), "deferrals")

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.postfix.run("postqueue", "-j").splitlines()]

    def on_hold(self) -> set[str]:
        return {message["recipients"][0]["address"] for message in self.queue() if message["queue_name"] == "hold"}

    def left(self) -> list[str]:
        return [recipient for message in self.sink.accepted for recipient in message.recipients]

    def responses(self) -> list[tuple[ResponseKind, ResponseState, str]]:
        """What was done in the queue, oldest first."""
        kinds = (ResponseKind.QUEUE_HOLD, ResponseKind.QUEUE_RELEASE)
        newest = reversed(self.store.responses.newest(99))
        return [(each.kind, each.state, each.remark) for each in newest if each.kind in kinds]


@pytest.fixture
def place(home: Path) -> Iterator[Place]:
    sink = Sink()
    postfix = Postfix(home, sink, settings=HELD_BY_THE_GATE)
    dovecot = Dovecot(home / "dovecot", postfix.socket, dict([ROSA, JAN]))
    postfix.start(postfix.filter)
    place = Place(home, postfix, sink)
    yield place
    place.store.close()
    postfix.stop()
    dovecot.stop()
    sink.stop()


DONE, RELEASE, HOLD = ResponseState.DONE, ResponseKind.QUEUE_RELEASE, ResponseKind.QUEUE_HOLD


def test_probes_leave_oldest_first_and_whole(place: Place) -> None:
    place.begin(Action.HOLD, ROSA[0])
    place.rosa_writes("a1@bigmail.example")
    place.rosa_writes(*(f"b{number}@bigmail.example" for number in range(200)))
    place.rosa_writes("c1@bigmail.example", "c2@bigmail.example")
    place.rosa_writes("d1@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 4, "four messages on hold")
    assert place.look(0) == [(ROSA[0], 204, 1)]
    assert place.responses() == []
    # The large one does not fit; those after it do, in their order.
    assert place.look(3) == [(ROSA[0], 204, 1)]
    wait_until(lambda: len(place.left()) == 3, "the first probe")
    assert sorted(place.left()) == ["a1@bigmail.example", "c1@bigmail.example", "c2@bigmail.example"]
    assert place.responses() == [(RELEASE, DONE, "messages released: 2")]
    assert place.look(1) == [(ROSA[0], 201, 1)]
    wait_until(lambda: len(place.left()) == 4, "the second probe")
    assert place.look(200) == [(ROSA[0], 200, 200)]
    wait_until(lambda: len(place.left()) == 204, "the large one")
    # Nothing waits, and it is asked all the same.
    assert place.look(0) == [(ROSA[0], 0, 1)]
    assert place.store.alarms.waiting() == []


def test_when_a_hold_ends_all_of_it_leaves_but_what_others_held_before(place: Place) -> None:
    place.rosa_writes("before@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 1, "a message that others hold")
    place.look()
    place.begin(Action.HOLD, ROSA[0])
    place.rosa_writes("one@bigmail.example")
    place.rosa_writes("two@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 3, "messages that we hold")
    assert place.look(0) == [(ROSA[0], 2, 1)]
    place.end(ROSA[0])
    assert place.look() == []
    wait_until(lambda: len(place.left()) == 2, "what was held")
    assert place.on_hold() == {"before@bigmail.example"}
    # What the gate put on hold at the last moment leaves as well, and then it is done.
    place.rosa_writes("late@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 2, "a late one")
    place.later().look()
    wait_until(lambda: len(place.left()) == 3, "the late one")
    assert place.responses() == [(RELEASE, DONE, "messages released: 1")]
    assert place.book.unfinished() == []
    # From now on it is somebody else's again.
    place.rosa_writes("after@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 2, "a message that others hold")
    place.look()
    assert len(place.book.held_already(ROSA[0])) == 2
    assert place.on_hold() == {"before@bigmail.example", "after@bigmail.example"}


def test_what_a_blocked_account_has_queued_is_held_once(place: Place) -> None:
    place.jan_writes_in_vain("ann@bigmail.example", "bob@bigmail.example")
    place.begin(Action.BLOCK, JAN[0])
    assert place.look() == []
    assert place.on_hold() == {"busy-ann@bigmail.example", "busy-bob@bigmail.example"}
    assert place.responses() == [(HOLD, ResponseState.INTENDED, "messages on hold: 2")]
    # Accepted at the last moment: within the first minute it is held too.
    place.jan_writes_in_vain("cy@bigmail.example")
    place.look()
    assert len(place.on_hold()) == 3
    place.later().look()
    assert place.responses() == [(HOLD, DONE, "messages on hold: 3")]
    # What a person releases is not held again, nor after a restart.
    (released, *_) = [message for message in place.queue() if message["queue_name"] == "hold"]
    place.postfix.run("postsuper", "-H", released["queue_id"])
    place.look()
    place.restart()
    place.look()
    assert len(place.on_hold()) == 2
    # Blocked rightly: what waits is for a person to look at.
    place.end(JAN[0])
    place.look()
    place.later().look()
    assert len(place.on_hold()) == 2
    assert len(place.responses()) == 1


def test_who_was_blocked_wrongly_gets_it_all_back(place: Place) -> None:
    place.jan_writes_in_vain("ann@bigmail.example")
    place.begin(Action.BLOCK, JAN[0])
    place.look()
    assert len(place.on_hold()) == 1
    place.end(JAN[0], wrongly=True)
    place.look()
    assert place.on_hold() == set()
    assert len(place.queue()) == 1, "and tried again"
    place.later().look()
    assert place.responses()[-1] == (RELEASE, DONE, "messages released: 1")


def test_held_mail_of_who_is_blocked_stays(place: Place) -> None:
    place.begin(Action.HOLD, ROSA[0])
    place.rosa_writes("ann@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 1, "a message on hold")
    place.begin(Action.BLOCK, ROSA[0])
    assert place.look() == []
    place.later().look()
    assert place.on_hold() == {"ann@bigmail.example"}
    assert place.responses() == [(HOLD, DONE, "messages on hold: 1")]


@pytest.mark.parametrize("where", ["before the deed", "after the deed"])
def test_killed_at_a_probe_it_is_the_same_in_the_end(place: Place, where: str) -> None:
    place.begin(Action.HOLD, ROSA[0])
    place.rosa_writes("a@bigmail.example")
    place.rosa_writes("b@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 2, "two messages on hold")
    _killed(place, where, 1)
    place.restart()
    (begun,) = place.book.unfinished()
    assert (begun.kind, begun.state) == (RELEASE, ResponseState.INTENDED)
    # Nothing more may leave, and what was allowed does.
    assert place.look(0) == [(ROSA[0], 1, 1)]
    wait_until(lambda: place.left() == ["a@bigmail.example"], "the probe")
    assert place.on_hold() == {"b@bigmail.example"}
    assert [state for _, state, _ in place.responses()] == [DONE]


@pytest.mark.parametrize("where", ["before the deed", "after the deed"])
def test_killed_at_holding_it_is_the_same_in_the_end(place: Place, where: str) -> None:
    place.jan_writes_in_vain("ann@bigmail.example")
    place.begin(Action.BLOCK, JAN[0])
    _killed(place, where, 0)
    place.restart()
    place.later().look()
    assert place.on_hold() == {"busy-ann@bigmail.example"}
    assert place.responses() == [(HOLD, DONE, "messages on hold: 1")]


def test_what_cannot_be_done_calls_a_person_once_and_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.begin(Action.HOLD, ROSA[0])
    place.rosa_writes("a@bigmail.example")
    wait_until(lambda: len(place.on_hold()) == 1, "a message on hold")

    def broken(*_: object) -> list[Any]:
        raise CouldNotAct("postsuper: no space left")

    with monkeypatch.context() as patched:
        patched.setattr(OurPostfix, "release", broken)
        place.look(1)
        place.look(0)
    (alarm,) = place.store.alarms.waiting()
    assert alarm.line == f"{ROSA[0]}: its queued mail could not be released: postsuper: no space left"
    assert place.responses() == [(RELEASE, ResponseState.FAILED, "postsuper: no space left")]
    place.restart()
    place.look(0)
    wait_until(lambda: place.left() == ["a@bigmail.example"], "the probe")
    assert [state for _, state, _ in place.responses()] == [DONE]


@pytest.mark.parametrize("wrongly", [False, True])
def test_without_a_gate_a_blocked_account_is_paused_in_the_mail_server(place: Place, wrongly: bool) -> None:
    before = (place.postfix.home / "etc/main.cf").read_text()
    place.restart(gate_open=False)
    place.jan_writes_in_vain("ann@bigmail.example")
    place.begin(Action.BLOCK, JAN[0])
    place.look()
    (pause,) = place.store.responses.standing()
    assert (pause.kind, pause.subject, pause.asked_by) == (ResponseKind.PAUSE_ACCOUNT, JAN[0], "outwarden run")
    submit(place.postfix.submission, JAN[0], ["bob@bigmail.example"], JAN)
    wait_until(lambda: len(place.on_hold()) == 2, "what is handed in meanwhile")
    for _ in range(3):
        place.later().look()
    (same,) = place.store.responses.standing()
    settled = same.stands_since
    place.later().look()
    assert place.store.responses.standing()[0].stands_since == settled, "once the sessions have ended it rests"
    place.end(JAN[0], wrongly)
    place.look()
    assert place.store.responses.standing() == []
    assert (place.postfix.home / "etc/main.cf").read_text() == before
    assert len(place.on_hold()) == (0 if wrongly else 2)


def _killed(place: Place, where: str, may: int) -> None:
    """Look in a process that kills itself: once it is written down, or once it is done."""
    victim = {
        "before the deed": "held_mail._take",
        "after the deed": "held_mail._Work._turn",
    }[where]
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from outwarden.responses.postfix import Postfix\n"
        "from outwarden.service.automatic import held_mail\n"
        "from outwarden.service.automatic.book import Book\n"
        "from outwarden.store.store import Store\n"
        f"{victim} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store, config = map(Path, sys.argv[1:])\n"
        "book = Book.load(Store(store))\n"
        "held = held_mail.HeldMail(store, Postfix(config), book, lambda: datetime.now(UTC), True)\n"
        f"held.look(lambda *_: {may})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, place.path, place.postfix.home / "etc"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        timeout=30,
    )
    assert ended.returncode == -signal.SIGKILL
