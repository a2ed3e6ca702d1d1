"""What the streams look at: one account at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from outwarden.detection.live.record import AccountRecord, Most, NetworkUse

# The first and last second that a datetime can say.
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799


class Scene(NamedTuple):
    """An account's record at a moment, and what several streams need of it.

    ``hour`` and ``day`` are the sums of the last hour and day by ``Count``, ``own`` those of all time before;
    ``most`` is the most of the last weeks, and ``elsewhere`` what came from networks new to the account.
    ``others_refused`` is the share of everybody's mail that is refused just now.
    """

    record: AccountRecord
    now: float
    hour: list[int]
    day: list[int]
    own: list[float]
    most: Most
    elsewhere: NetworkUse
    others_refused: float

    @property
    def at(self) -> datetime:
        """The moment, in UTC."""
        return moment(self.now)


def scene_of(record: AccountRecord, now: float, others_refused: float = 0.0) -> Scene:
    """Look at an account; what comes late is judged by what is known today."""
    now = max(now, record.hour.began_at)
    return Scene(
        record,
        now,
        record.hour.sums,
        record.day.sums,
        record.own,
        record.most(),
        record.from_new_networks(now),
        others_refused,
    )


def moment(now: float) -> datetime:
    """Return POSIX seconds as a time in UTC, the nearest that can be said."""
    return datetime.fromtimestamp(min(max(now, _EARLIEST), _LATEST), UTC)
