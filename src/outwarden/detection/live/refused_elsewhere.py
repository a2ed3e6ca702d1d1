"""How much of everybody's mail is refused just now: when our own address is listed, nobody is to blame alone.

Each account counts in each two hours with at most five answers and one refusal, so that one spammer, or ten,
do not make refusals look usual.
"""

from __future__ import annotations

import msgspec

from outwarden.detection.live.record import AccountRecord

_SECONDS = 7200
_SLOTS = 2
_RESULTS_EACH = 5
_REFUSED_EACH = 1
_USUAL = 0.4
_WEIGHT = 50.0
"""Drawn towards 0.8 % as by fifty answers."""


class RefusedElsewhere(msgspec.Struct):
    """Answers and refusals of all accounts in the last two to four hours."""

    slot: int = 0
    results: list[int] = msgspec.field(default_factory=lambda: [0] * _SLOTS)
    refused: list[int] = msgspec.field(default_factory=lambda: [0] * _SLOTS)

    def __post_init__(self) -> None:
        """Refuse what was saved by another program.  Raises ``ValueError``."""
        if len(self.results) != _SLOTS or len(self.refused) != _SLOTS or min(*self.results, *self.refused) < 0:
            raise ValueError("counters of another shape")

    def hear(self, record: AccountRecord, now: float, results: int, refused: int) -> None:
        """Count what an account was answered, as far as it counts."""
        slot = int(now) // _SECONDS
        if slot > self.slot:
            for gone in range(min(slot - self.slot, _SLOTS)):
                place = (slot - gone) % _SLOTS
                self.results[place] = self.refused[place] = 0
            self.slot = slot
        elif self.slot - slot >= _SLOTS:
            return
        if slot < record.told_slot:
            # Late answers, in turn with others, would count anew each time.
            return
        if slot > record.told_slot:
            record.told_slot, record.told_results, record.told_refused = slot, 0, 0
        results = max(0, min(results, _RESULTS_EACH - record.told_results))
        refused = max(0, min(refused, _REFUSED_EACH - record.told_refused))
        record.told_results += results
        record.told_refused += refused
        self.results[slot % _SLOTS] += results
        self.refused[slot % _SLOTS] += refused

    @property
    def rate(self) -> float:
        """The share of answers that refused mail as spam or as blocklisted."""
        return (sum(self.refused) + _USUAL) / (sum(self.results) + _WEIGHT)
