"""The recipients of a message that is just handed in: some are kept, all are counted."""

from outwarden.events import Mailbox

MOST_BYTES = 1 << 20
"""So much room the recipients of a message may take; those beyond are counted and not kept."""

_COSTS = 64


class Recipients:
    """Grows by one at a time; ``room`` is what they take, in bytes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.kept: list[Mailbox] = []
        self.count = self.room = 0
        self._most_bytes = most_bytes

    def add(self, recipient: Mailbox) -> None:
        """Count one more, and keep it while there is room."""
        self.count += 1
        room = self.room + len(recipient) + _COSTS
        if room <= self._most_bytes:
            self.room = room
            self.kept.append(recipient)
