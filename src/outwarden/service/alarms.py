"""Sends the alarms that are written down: a line on stderr, and the site's own command where there is one.

Each is sent once.  A kill of this process loses none and repeats none, as a courier with a receipt hands them
over (``alarm_courier``); of a machine that stops in the middle of one nobody can tell, and it is not repeated.  A
command that fails (exit code other than 0) is tried again, five times within a good half hour.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from outwarden.service import alarm_courier
from outwarden.store.alarms import Alarm
from outwarden.store.database import StoreUnusable
from outwarden.store.store import Store

MOST_TRIES = 5
FIRST_WAIT = timedelta(minutes=1)
_PATIENCE_SECONDS = 60.0
_RECEIPTS_KEPT = timedelta(days=7)


class AlarmSender:
    """Sends what waits in the store; ``command`` is the site's program and its arguments, empty for none."""

    def __init__(self, store: Store, command: Sequence[str], patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._store = store
        self._command = tuple(command)
        self._patience_seconds = patience_seconds
        self._receipts = store.path.with_name(f"{store.path.name}-alarms")

    def send(self, now: datetime) -> int:
        """Send all that is due; returns how many were settled.  Raises ``StoreUnusable``."""
        settled = 0
        for alarm in self._store.alarms.waiting(now):
            try:
                self._receipts.mkdir(mode=0o750, exist_ok=True)
                code = self._hand_over(alarm)
            except OSError as fault:
                # Without a receipt nobody could tell whether it was sent: it waits.
                raise StoreUnusable(f"{self._receipts}: {fault.strerror}; make it a folder we may write") from fault
            if code in (0, alarm_courier.UNKNOWN):
                self._store.alarms.settle(alarm.id, "sent" if code == 0 else "begun, and not known how it ended", now)
                settled += 1
            elif alarm.attempts + 1 < MOST_TRIES:
                wait = FIRST_WAIT * (1 << alarm.attempts)
                self._store.alarms.try_again(alarm.id, f"the command ended with {code}", now + wait)
            else:
                self._store.alarms.settle(alarm.id, f"given up: the command ended with {code}", now)
                settled += 1
        return settled

    def tidy(self, now: datetime) -> None:
        """Remove receipts of long ago."""
        if self._receipts.is_dir():
            for receipt in self._receipts.iterdir():
                if receipt.stat().st_mtime < (now - _RECEIPTS_KEPT).timestamp():
                    receipt.unlink(missing_ok=True)

    def _hand_over(self, alarm: Alarm) -> int:
        receipt = self._receipts / f"{alarm.id}-{alarm.attempts + 1}"
        arguments = [part.replace("{line}", alarm.line) for part in self._command]
        # In a session of its own, so that what stops the service does not stop it half-way.
        courier = subprocess.Popen(  # noqa: S603 (the site's own command, and no shell)
            [sys.executable, "-I", "-S", alarm_courier.__file__, str(receipt), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | _environment(alarm),
            start_new_session=True,
            cwd=Path("/"),
        )
        try:
            return courier.wait(self._patience_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(courier.pid, signal.SIGKILL)
            courier.wait()
            return alarm_courier.UNKNOWN


def _environment(alarm: Alarm) -> dict[str, str]:
    log = f"{alarm.written_at:%Y-%m-%dT%H:%M:%SZ} alarm {alarm.id} {alarm.turn}: {alarm.line}\n"
    return {
        "OUTWARDEN_ALARM": msgspec.json.encode(
            {"id": alarm.id, "turn": alarm.turn, "line": alarm.line, "body": alarm.body, "at": alarm.written_at}
        ).decode(),
        "OUTWARDEN_ALARM_BODY": alarm.body,
        # The line goes to the log with the first try only.
        "OUTWARDEN_ALARM_LOG": log if alarm.attempts == 0 else "",
    }
