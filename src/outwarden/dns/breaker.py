"""One list while it is asked: whether it answers, how much of it may be under way at once, and what waits.

A list that has not answered yet is asked little at once, and so cannot hold up the others.  After ``LOSSES``
questions in a row that got no answer it is down: what else there is to ask it need not be asked.
"""

from collections import deque

from outwarden.dns.pace import Pace
from outwarden.dns.questions import Question

LOSSES = 8
"""So many questions lost in a row, each asked several times, are no accident."""


class Group:
    """What is known of one list during one asking; times in seconds of a steady clock.

    ``at_once`` bounds what is asked of it between two answers, once it has answered.  The group "" is no list: it
    has no bounds and never goes down.
    """

    __slots__ = ("_at_once", "_limit", "_losses", "_unanswered", "down", "name", "pace", "waiting")

    def __init__(self, name: str, at_once: int, pace: Pace | None = None, down: bool = False) -> None:
        self.name = name
        self.pace = pace
        self.down = down
        self.waiting: deque[Question] = deque()
        """Questions that could not be asked at once, in order."""
        self._at_once = at_once
        self._limit = min(LOSSES, at_once) if name else at_once
        self._unanswered = 0
        self._losses = 0

    def wait_seconds(self, now: float) -> float | None:
        """Return after how many seconds the next question may be asked, None for not before an answer or a loss."""
        if self.name and self._unanswered >= self._limit:
            return None
        return 0.0 if self.pace is None else self.pace.wait_seconds(now)

    def asked(self) -> None:
        """Count a question that is asked now."""
        self._unanswered += 1
        if self.pace is not None:
            self.pace.spend()

    def asked_again(self) -> None:
        """Count a query that repeats a lost one: it cannot wait, but the next one waits the longer."""
        if self.pace is not None:
            self.pace.spend()

    def answered(self) -> None:
        """Take it that the list lives, whatever it answered."""
        self._unanswered = 0
        self._losses = 0
        self._limit = self._at_once
        self.down = False

    def lost(self) -> bool:
        """Count a question that got no answer; return whether the list has gone down with it."""
        self._unanswered = max(0, self._unanswered - 1)
        self._losses += 1
        if self.down or not self.name or self._losses < LOSSES:
            return False
        self.down = True
        return True
