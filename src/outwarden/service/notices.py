"""Which alarms are told together, and the words in which that is done.

What waits is told by turn, all that a person is called for, all that began and all that ended, so that a network that
is listed at once is one run of the site's command and not hundreds.  Everything here only thinks: the store keeps what
it decides.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from outwarden.detection.listing_changes import Turn
from outwarden.store.alarms import Alarm, Call, Notice

HOUR = timedelta(hours=1)
MOST_TOGETHER = 50
"""So many lines, and the texts that fit, go through a pipe and an environment variable."""
_MOST_OCTETS = 30_000
_RULE = "-" * 40
_SEE = {
    Call.PERSON: "outwarden status",
    Call.DIGEST: "outwarden status",
    Turn.BEGAN: "outwarden blocklists --history",
    Turn.ENDED: "outwarden blocklists --history",
}


def groups(waiting: Sequence[Alarm]) -> Iterator[tuple[Alarm, ...]]:
    """Yield alarms that are told together: what needs somebody first."""
    for turn in (*Call, *Turn):
        alike = [alarm for alarm in waiting if alarm.turn is turn]
        for start in range(0, len(alike), MOST_TOGETHER):
            yield tuple(alike[start : start + MOST_TOGETHER])


def cap_remark(per_hour: int, made: Sequence[datetime]) -> str:
    """Return what the last notice that an hour may have says of itself, "" for those before it.

    ``made`` are the times of all within the hour, its own last.
    """
    if len(made) < per_hour:
        return ""
    return f"the last of {per_hour} alarms within an hour: further ones wait until {made[0] + HOUR:%H:%M} UTC"


def notice_line(notice: Notice) -> str:
    """Return the notice in one line."""
    first, *others = notice.alarms
    more = ""
    if others:
        more = f"; {_counted(len(others), 'more ', first.turn)}"
    return f"{first.line}{more}" + (f" ({notice.remark})" if notice.remark else "")


def notice_body(notice: Notice) -> str:
    """Return the notice in full: of several alarms all lines, and below them the texts that fit."""
    first, *others = notice.alarms
    body = first.body
    if others:
        lines = [f"{_counted(len(notice.alarms), '', first.turn)}:", ""]
        lines += [f"  - {alarm.line}" for alarm in notice.alarms]
        body = "\n".join(lines) + "\n" + "".join(_texts(notice.alarms))
    return body + (f"\nThis is {notice.remark}, and come together then.\n" if notice.remark else "")


def log_lines(notice: Notice) -> str:
    """Return what the log is told: a line for each alarm."""
    lines = [
        f"{alarm.written_at:%Y-%m-%dT%H:%M:%SZ} alarm {alarm.id} {alarm.turn}: {alarm.line}\n"
        for alarm in notice.alarms
    ]
    if notice.remark:
        lines.append(f"{notice.made_at:%Y-%m-%dT%H:%M:%SZ} alarms: {notice.remark}\n")
    return "".join(lines)


def _counted(count: int, more: str, turn: Turn | Call) -> str:
    if turn is Call.DIGEST:
        return f"{count} {more}{'digest' if count == 1 else 'digests'}"
    if turn is Call.PERSON:
        return f"{count} {more}{'thing waits' if count == 1 else 'things wait'} for you"
    return f"{count} {more}{'listing' if count == 1 else 'listings'} {turn.value}"


def _texts(alarms: Sequence[Alarm]) -> Iterator[str]:
    left = _MOST_OCTETS
    for told, alarm in enumerate(alarms):
        left -= len(alarm.body.encode())
        if left < 0:
            missing = f"The texts of {len(alarms) - told} more did not fit; see: {_SEE[alarm.turn]}"
            yield f"\n{_RULE}\n\n{missing}\n"
            return
        yield f"\n{_RULE}\n\n{alarm.body}"
