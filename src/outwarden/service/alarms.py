"""Sends the alarms that are written down: a line on stderr, and the site's own command where there is one.

What waits is put together into notices, one run of the command each, and no more of them an hour than the site
wants; the last one says so, and the alarms after it wait, written down, for the next.

Each is sent once.  A kill of this process loses none and repeats none, as a courier with a receipt hands them
over (``alarm_courier``), and a receipt's name is no other notice's, of no other store; of a machine that stops in the
middle of one nobody can tell, and it is not repeated.  A command that fails (exit code other than 0) is tried again,
five times within a good half hour.
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
from outwarden.service.notices import HOUR, cap_remark, groups, log_lines, notice_body, notice_line
from outwarden.store.alarms import Notice
from outwarden.store.database import StoreUnusable
from outwarden.store.store import Store

MOST_TRIES = 5
FIRST_WAIT = timedelta(minutes=1)
_PATIENCE_SECONDS = 60.0
_RECEIPTS_KEPT = timedelta(days=7)


class AlarmSender:
    """Sends what waits in the store; ``command`` is the site's program and its arguments, empty for none."""

    def __init__(
        self,
        store: Store,
        command: Sequence[str],
        per_hour: int | None = None,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """``per_hour`` is how often the command is run at most within an hour, None for no limit.

        A try that is repeated is the same run.  A log can take any number of lines: without a command there is no cap.
        """
        self._store = store
        self._command = tuple(command)
        self._per_hour = per_hour if command else None
        self._patience_seconds = patience_seconds
        self._receipts = store.path.with_name(f"{store.path.name}-alarms")

    def send(self, now: datetime) -> int:
        """Send all that is due; returns how many notices were settled.  Raises ``StoreUnusable``."""
        self._put_together(now)
        settled = 0
        for notice in self._store.alarms.due(now):
            try:
                self._receipts.mkdir(mode=0o750, exist_ok=True)
                code = self._hand_over(notice)
            except OSError as fault:
                # Without a receipt nobody could tell whether it was sent: it waits.
                raise StoreUnusable(f"{self._receipts}: {fault.strerror}; make it a folder we may write") from fault
            if code in (0, alarm_courier.UNKNOWN):
                self._store.alarms.settle(notice.id, "sent" if code == 0 else "begun, and not known how it ended", now)
                settled += 1
            elif notice.attempts + 1 < MOST_TRIES:
                wait = FIRST_WAIT * (1 << notice.attempts)
                self._store.alarms.try_again(notice.id, f"the command ended with {code}", now + wait)
            else:
                self._store.alarms.settle(notice.id, f"given up: the command ended with {code}", now)
                settled += 1
        return settled

    def tidy(self, now: datetime) -> None:
        """Remove receipts of long ago."""
        if self._receipts.is_dir():
            for receipt in self._receipts.iterdir():
                if receipt.stat().st_mtime < (now - _RECEIPTS_KEPT).timestamp():
                    receipt.unlink(missing_ok=True)

    def _put_together(self, now: datetime) -> None:
        alarms = self._store.alarms
        if not alarms.waiting():
            return
        with self._store.writing():
            made = alarms.made_between(now - HOUR, now)
            for group in groups(alarms.waiting()):
                if self._per_hour is not None and len(made) >= self._per_hour:
                    break
                made.append(now)
                remark = "" if self._per_hour is None else cap_remark(self._per_hour, made)
                alarms.put_together(group, remark, now)

    def _hand_over(self, notice: Notice) -> int:
        receipt = self._receipts / f"{notice.receipt}-{notice.attempts + 1}"
        line = notice_line(notice)
        arguments = [part.replace("{line}", line) for part in self._command]
        # In a session of its own, so that what stops the service does not stop it half-way.
        courier = subprocess.Popen(  # noqa: S603 (the site's own command, and no shell)
            [sys.executable, "-I", "-S", alarm_courier.__file__, str(receipt), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | _environment(notice),
            start_new_session=True,
            cwd=Path("/"),
        )
        try:
            return courier.wait(self._patience_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(courier.pid, signal.SIGKILL)
            courier.wait()
            return alarm_courier.UNKNOWN


def _environment(notice: Notice) -> dict[str, str]:
    first, body = notice.alarms[0], notice_body(notice)
    told = {
        "id": notice.id,
        "turn": first.turn,
        "line": notice_line(notice),
        "body": body,
        "at": first.written_at,
        "alarms": [{"id": each.id, "line": each.line, "at": each.written_at} for each in notice.alarms],
    }
    return {
        "OUTWARDEN_ALARM": msgspec.json.encode(told).decode(),
        "OUTWARDEN_ALARM_BODY": body,
        # The lines go to the log with the first try only.
        "OUTWARDEN_ALARM_LOG": log_lines(notice) if notice.attempts == 0 else "",
    }
