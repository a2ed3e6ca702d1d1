"""Short queue IDs as Postfix makes them, which come back after their message has left."""

from dataclasses import dataclass, field
from random import Random

from outwarden.cli.sample_day.clock import MINUTE

_IN_USE = 1 << 62


@dataclass(slots=True)
class QueueIds:
    """Five digits of microseconds, then an inode number.

    An ID comes back only when every earlier life of it is over, in whatever order the stories are told.
    """

    chance: Random
    reused: int = 0
    _free_from: dict[str, int] = field(default_factory=dict)
    _given_back: list[str] = field(default_factory=list)

    def take(self, at: int) -> str:
        """Return an ID that no message has at that time or later."""
        if self._given_back and self.chance.random() < 0.002:
            old = self.chance.choice(self._given_back)
            if self._free_from[old] + MINUTE < at:
                self.reused += 1
                self._free_from[old] = _IN_USE
                return old
        while True:
            fresh = f"{self.chance.randrange(1_000_000):05X}{0x18F000 + self.chance.randrange(4000):X}"
            if fresh not in self._free_from:
                self._free_from[fresh] = _IN_USE
                return fresh

    def give_back(self, queue_id: str, at: int) -> None:
        """Note that the message has left the queue."""
        self._free_from[queue_id] = at
        self._given_back.append(queue_id)
