"""When which target is asked about next: spread over the whole interval, with a little chance.

The first round after a start is spread too, and a target that was asked about before the start keeps its turn, so
that a restart makes no burst.  Chance and time are handed in.
"""

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

JITTER = 0.1
"""Each turn comes early or late by up to this share of the interval."""


class Schedule:
    """The turns of all targets."""

    def __init__(
        self,
        names: Sequence[str],
        every: timedelta,
        asked_at: Mapping[str, datetime],
        now: datetime,
        chance: Random,
    ) -> None:
        """``asked_at`` is when each was last asked about, where it was."""
        self._every = every
        self._chance = chance
        slot = every / max(len(names), 1)
        self._turns = [(self._first(asked_at.get(name), now, slot * place), name) for place, name in enumerate(names)]
        heapq.heapify(self._turns)

    def take_due(self, now: datetime) -> str | None:
        """Return the name whose turn it is, None where nobody's is; its next turn is an interval later."""
        if not self._turns or self._turns[0][0] > now:
            return None
        at, name = self._turns[0]
        # An interval after the turn, not after now: being late once does not push all into one heap.
        following = at + self._every
        if following <= now:
            following = now + self._every
        heapq.heapreplace(self._turns, (following + self._wobble(), name))
        return name

    def next_at(self) -> datetime | None:
        """Return when the next turn is, None where there are no names."""
        return self._turns[0][0] if self._turns else None

    def _first(self, asked_at: datetime | None, now: datetime, offset: timedelta) -> datetime:
        # What was asked in the future was asked by a clock that was wrong.
        if asked_at is None or not now - self._every < asked_at <= now:
            return now + offset
        return asked_at + self._every

    def _wobble(self) -> timedelta:
        return self._every * self._chance.uniform(-JITTER, JITTER)
