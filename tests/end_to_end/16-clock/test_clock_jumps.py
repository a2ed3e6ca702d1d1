"""The mail server's clock jumps back an hour, forward a day, and comes right: all is counted, nobody is accused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from lab.gate_world import ACCOUNTS
from lab.ledger import Ledger
from lab.past_mail import client_of, lines_of_message, write_past
from lab.service import Service
from lab.waiting import wait_until

JUMPS = (timedelta(0), timedelta(hours=-1), timedelta(hours=23), timedelta(hours=-1), timedelta(0))


def test_the_clock_jumps(home: Path) -> None:
    log = home / "maillog"
    now = datetime.now(UTC)
    write_past(home / "maillog.1", ACCOUNTS, now)
    log.touch()
    service = Service(home, log, '[site]\ndomains = ["isp.example"]\n', gate="deadline_milliseconds = 0")
    service.start()
    try:
        wait_until(lambda: service.says("the past is read"), "the past to be read", 30)
        ledger = Ledger(service.store)
        written = 0
        for turn, jump in enumerate(JUMPS):
            written += _writes(log, now + jump, turn)
            _all_is_there(ledger, written)
        assert service.ask("status")["accounts"] == []
        assert service.stop() == 0
        assert ledger.rows("SELECT kind, subject FROM response") == []
        ledger.sums_agree()
        # Nothing is read a second time, whatever the lines say about when they were written.
        service.start()
        _writes(log, now, len(JUMPS))
        _all_is_there(ledger, written + len(ACCOUNTS))
        assert service.stop() == 0
        ledger.sums_agree()
    finally:
        if service.process is not None and service.process.poll() is None:
            service.kill()


def _writes(log: Path, at: datetime, turn: int) -> int:
    """Let each account hand in a message, by what the clock says then."""
    chance = Random(turn)
    with log.open("a") as lines:
        for number, account in enumerate(ACCOUNTS):
            queue_id = f"4b{turn:02d}{number:03d}Zz1"
            sent = at + timedelta(seconds=number)
            lines.writelines(
                f"{line}\n" for line in lines_of_message(sent, account, queue_id, client_of(account, ACCOUNTS), chance)
            )
    return len(ACCOUNTS)


def _all_is_there(ledger: Ledger, written: int) -> None:
    wait_until(lambda: ledger.ends().total() == written, f"{written} messages in the store")
    assert ledger.messages(submitted=True).total() == written
    assert ledger.messages(submitted=False).total() == 0
