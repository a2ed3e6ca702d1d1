"""What is counted of an account, and the sliding windows it is counted in."""

from __future__ import annotations

import msgspec


class Count:
    """The counters of a window, in their order; plain numbers, as a list takes thrice as long to look up an enum's."""

    MESSAGES = 0
    RECIPIENTS = 1
    NEW = 2
    """Recipients this account had not written to before."""
    TO_STRANGERS = 3
    """Messages at least half of whose recipients were new."""
    RESULTS = 4
    """Final answers of remotes."""
    UNKNOWN = 5
    REFUSED = 6
    """Refused as spam or as blocklisted."""
    FILTERED = 7
    """Messages a content filter looked at."""
    SPAM = 8
    """Messages the content filter calls spam; at most three of one text."""
    FRESH_LINKED = 9
    """Messages with a link nobody here has used before: a young domain, a stored file, a short URL."""
    FRESH_TARGETS = 10
    """How many different such links."""
    LISTED_TARGETS = 11
    COMPLAINTS = 12
    FOREIGN = 13
    """Messages whose header From is not the account's own."""
    NETWORKS = 14
    """Client networks that were new to the account."""
    COUNTRIES = 15
    """Countries that were new to the account."""
    LISTED_CLIENTS = 16
    """Messages from a listed client address in a new network."""


WIDTH = Count.LISTED_CLIENTS + 1
NOTHING = [0] * WIDTH

MOST = 2**31
"""No counter grows beyond this, whatever an event claims."""


class Window(msgspec.Struct, array_like=True, gc=False):
    """Sums over the last ``slots`` slots of ``seconds`` each: a window that slides in steps.

    With four slots of a quarter of an hour it covers the last 45 to 60 minutes.  What happened before
    the window is not counted at all, and what comes late is put where it belongs, if that is still inside.
    """

    seconds: int
    slots: int
    slot: int
    rows: list[list[int] | None]
    sums: list[int]

    def __post_init__(self) -> None:
        """Refuse what was saved by another program.  Raises ``ValueError``."""
        rows = [row for row in self.rows if row is not None]
        sums = [sum(column) for column in zip(NOTHING, *rows, strict=True)]
        if self.seconds < 1 or len(self.rows) != self.slots or self.sums != sums or min(map(min, rows), default=0) < 0:
            raise ValueError("a window whose sums are not those of its rows")

    @property
    def began_at(self) -> int:
        """When the newest of its slots began (POSIX seconds)."""
        return self.slot * self.seconds

    def turn(self, now: float) -> list[tuple[int, list[int]]]:
        """Slide to ``now``; return the rows that fell out with when they began, oldest first.  Never slides back.

        All times are POSIX seconds.
        """
        slot = int(now) // self.seconds
        behind = slot - self.slot
        if behind <= 0:
            return _NO_ROWS
        fallen = []
        rows, slots = self.rows, self.slots
        for step in range(1, min(behind, slots) + 1):
            place = (self.slot + step) % slots
            row = rows[place]
            if row is not None:
                rows[place] = None
                fallen.append(((self.slot + step - slots) * self.seconds, row))
                self.sums = [whole - part for whole, part in zip(self.sums, row, strict=True)]
        self.slot = slot
        return fallen

    def reaches(self, at: float) -> bool:
        """Return whether the window has not passed a moment."""
        return self.slot - int(at) // self.seconds < self.slots

    def row(self, at: float) -> list[int] | None:
        """Return the row for a moment, None where the window has passed it."""
        slot = int(at) // self.seconds
        if slot > self.slot:
            slot = self.slot
        if self.slot - slot >= self.slots:
            return None
        place = slot % self.slots
        row = self.rows[place]
        if row is None:
            row = self.rows[place] = NOTHING.copy()
        return row

    def add(self, at: float, counter: int, amount: int) -> None:
        """Count something that happened at ``at``."""
        row = self.row(at)
        if row is not None:
            row[counter] += amount
            self.sums[counter] += amount

    def clear(self) -> None:
        """Forget all that is in the window."""
        self.rows = [None] * self.slots
        self.sums = NOTHING.copy()


_NO_ROWS: list[tuple[int, list[int]]] = []


def window(seconds: int, slots: int) -> Window:
    """Return an empty window."""
    return Window(seconds, slots, 0, [None] * slots, NOTHING.copy())
