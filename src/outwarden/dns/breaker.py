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
    never goes down.
    """

    __slots__ = ("_at_once", "_losses", "credit", "down", "name", "pace", "waiting")

    def __init__(self, name: str, at_once: int, pace: Pace | None = None, down: bool = False) -> None:
        self.name = name
        self.pace = pace
        self.down = down
        self.waiting: deque[Question] = deque()
        """Questions that could not be asked at once, in order."""
        self.credit = 0 if down else min(LOSSES, at_once) if name else at_once
        """How many more may be asked before an answer comes."""
        self._at_once = at_once
        self._losses = 0

    def answered(self) -> None:
        """Take it that the list lives, whatever it answered."""
        self.credit = self._at_once
        self._losses = 0
        self.down = False

    def lost(self) -> bool:
        """Count a question that got no answer; return whether the list has gone down with it."""
        self.credit += 1
        self._losses += 1
        if self.down or not self.name or self._losses < LOSSES:
            return False
        self.down = True
        self.credit = 0
        return True
