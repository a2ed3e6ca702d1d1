"""What the streams look at: one account at one moment."""

from __future__ import annotations

from typing import NamedTuple

from outwarden.detection.live.record import AccountRecord, Most, NetworkUse


class Scene(NamedTuple):
    """An account's record at a moment, and what several streams need of it.

    ``hour`` and ``day`` are the sums of the last hour and day by ``Count``, ``own`` those of all time before;
    ``most`` is the most of the last weeks, and ``elsewhere`` what came from networks new to the account.
    """

    record: AccountRecord
    now: float
    hour: list[int]
    day: list[int]
    own: list[float]
    most: Most
    elsewhere: NetworkUse


def scene_of(record: AccountRecord, now: float) -> Scene:
    """Look at an account."""
    return Scene(
        record,
        now,
        record.hour.sums,
        record.day.sums,
        record.own,
        record.most(),
        record.from_new_networks(now),
    )
