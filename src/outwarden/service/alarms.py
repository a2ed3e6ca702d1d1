"""Sends the alarms that are written down: a line on stderr, the site's own command, and every channel there is.

What waits is put together into notices, and no more of them an hour than the site wants; the last one says so, and the
alarms after it wait, written down, for the next.

Each is sent once to each.  A kill of this process loses none and repeats none, as a courier with a receipt hands them
over (``alarm_courier``), and a receipt's name is no other notice's, of no other store; of a machine that stops in the
middle of one nobody can tell, and it is not repeated.  What fails (exit code other than 0) is tried again, five times
within a good half hour.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from outwarden.service import alarm_courier
from outwarden.service.alarm_channels import Channels
from outwarden.service.alarm_handover import FIRST_WAIT, MOST_TRIES, PATIENCE_SECONDS, Handover
from outwarden.service.alarm_settings import AlarmChannel
from outwarden.service.notices import HOUR, cap_remark, groups, log_lines, notice_body, notice_line
from outwarden.store.alarms import Notice
from outwarden.store.store import Store


class AlarmSender:
    """Sends what waits in the store; ``command`` is the site's program and its arguments, empty for none."""

    def __init__(
        self,
        store: Store,
        command: Sequence[str],
        per_hour: int | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        channels: Mapping[str, AlarmChannel] | None = None,
    ) -> None:
        """``per_hour`` is how often the command is run at most within an hour, None for no limit.

        A try that is repeated is the same run.  A log can take any number of lines: where nobody else is told there is
        no cap.
        """
        self._store = store
        self._command = tuple(command)
        self._per_hour = per_hour if command or channels else None
        self._handover = Handover(store.path, patience_seconds)
        self._channels = Channels(store, channels or {}, self._handover, environment)

    def send(self, now: datetime) -> int:
        """Send all that is due; returns how many notices were settled.  Raises ``StoreUnusable``."""
        self._put_together(now)
        settled = 0
        for notice in self._store.alarms.due(now):
            code = self._hand_over(notice)
            if code in (0, alarm_courier.UNKNOWN):
                self._store.alarms.settle(notice.id, "sent" if code == 0 else "begun, and not known how it ended", now)
                settled += 1
            elif notice.attempts + 1 < MOST_TRIES:
                wait = FIRST_WAIT * (1 << notice.attempts)
                self._store.alarms.try_again(notice.id, f"the command ended with {code}", now + wait)
            else:
                self._store.alarms.settle(notice.id, f"given up: the command ended with {code}", now)
                settled += 1
        return settled + self._channels.send(now)

    def next_try_at(self) -> datetime | None:
        """Return when there is something to try next, None where nothing waits.  Raises ``StoreUnusable``."""
        nexts = (self._store.alarms.next_try_at(), self._store.tellings.next_try_at())
        return min((at for at in nexts if at is not None), default=None)

    def tidy(self, now: datetime) -> None:
        """Remove receipts of long ago."""
        self._handover.tidy(now)

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
                self._channels.plan(alarms.put_together(group, remark, now), group[0].turn, now)

    def _hand_over(self, notice: Notice) -> int:
        line = notice_line(notice)
        arguments = [part.replace("{line}", line) for part in self._command]
        return self._handover.hand_over(
            f"{notice.receipt}-{notice.attempts + 1}",
            arguments,
            # The lines go to the log with the first try only.
            environment(notice) | {"OUTWARDEN_ALARM_LOG": log_lines(notice) if notice.attempts == 0 else ""},
        )


def environment(notice: Notice) -> dict[str, str]:
    """Return what whoever tells of a notice finds in the environment."""
    first, body = notice.alarms[0], notice_body(notice)
    told = {
        "id": notice.id,
        "turn": first.turn,
        "line": notice_line(notice),
        "body": body,
        "at": first.written_at,
        "alarms": [{"id": each.id, "line": each.line, "at": each.written_at} for each in notice.alarms],
    }
    return {"OUTWARDEN_ALARM": msgspec.json.encode(told).decode(), "OUTWARDEN_ALARM_BODY": body}
