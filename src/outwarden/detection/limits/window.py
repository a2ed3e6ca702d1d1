"""One sliding window: how much was counted in the last minute, hour or day.

Time is cut into steps, and what was counted in one step is one number.  A count leaves when its whole step lies
further back than the window is long, so it stays for the window and up to one step more (10 seconds, 5 minutes, an
hour).  The error is all on one side: in no window, wherever it begins, is there more than the limit; somebody who
uses it up may have to wait one step too long.
"""

from __future__ import annotations

import msgspec

MOST_COUNTED = 2**31
"""No step counts further, whatever an event claims."""

Counted = list[int]
"""Numbers of steps, each followed by what was counted in it; oldest step first."""


class Span(msgspec.Struct, frozen=True):
    """A window: what it is called, how long its steps are, and how many of them it covers."""

    name: str
    step_seconds: int
    steps: int

    @property
    def seconds(self) -> int:
        """How long the window is."""
        return self.step_seconds * self.steps

    def slide(self, counted: Counted, at: float) -> int:
        """Forget what the window has passed at ``at`` (POSIX seconds), and return how much is in it.

        A clock that was set back frees nothing.  What is dated further ahead than the window is long comes from a
        clock that was wrong: it counts as of now, so that it does not count for ever.
        """
        now = int(at) // self.step_seconds
        passed = 0
        while passed < len(counted) and counted[passed] < now - self.steps:
            passed += 2
        if passed:
            del counted[:passed]
        if counted and counted[-2] > now + self.steps:
            self._date_back(counted, now)
        return sum(counted[1::2])

    def count(self, counted: Counted, at: float, amount: int) -> None:
        """Count an amount at ``at``."""
        now = int(at) // self.step_seconds
        place = len(counted)
        # What is late by a step or two is put where it belongs.
        while place and counted[place - 2] > now:
            place -= 2
        if place and counted[place - 2] == now:
            counted[place - 1] = min(counted[place - 1] + amount, MOST_COUNTED)
        else:
            counted[place:place] = (now, min(amount, MOST_COUNTED))

    def free_at(self, counted: Counted, room: int) -> int | None:
        """Return when at most ``room`` is left in the window (POSIX seconds); None where ``room`` is below 0."""
        if room < 0:
            return None
        left = sum(counted[1::2])
        for place in range(0, len(counted), 2):
            left -= counted[place + 1]
            if left <= room:
                return (counted[place] + self.steps + 1) * self.step_seconds
        return None

    def _date_back(self, counted: Counted, now: int) -> None:
        ahead = next(place for place in range(0, len(counted), 2) if counted[place] > now + self.steps)
        wrong = min(sum(counted[ahead + 1 :: 2]), MOST_COUNTED)
        del counted[ahead:]
        self.count(counted, now * self.step_seconds, wrong)


MINUTE = Span("minute", 10, 6)
HOUR = Span("hour", 300, 12)
DAY = Span("day", 3600, 24)
SPANS = (MINUTE, HOUR, DAY)
