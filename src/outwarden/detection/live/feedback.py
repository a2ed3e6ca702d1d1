"""What remotes answer and recipients complain of: which answers count, and each one once."""

from __future__ import annotations

import msgspec
from xxhash import xxh3_64_intdigest

from outwarden.detection.history import AS_SPAM
from outwarden.events import Attempted, Outcome, RefusalClass

_UNKNOWN = frozenset({RefusalClass.UNKNOWN_RECIPIENT, RefusalClass.RECIPIENT_DOMAIN_INVALID})

_BYTES = 1 << 18
_BITS = 8 * _BYTES
_FULL = 250_000
"""So many answers are remembered before a new filter begins; one in a thousand of them is taken for a doubled one."""


def answer_of(event: Attempted) -> tuple[int, int, int] | None:
    """Return what an attempt says as (accepted, unknown, refused); None where it says nothing about the account.

    Deliveries within our own system, deferrals, and refusals for other reasons (a full mailbox, a size) say nothing.
    """
    if not event.outbound or not event.recipient:
        return None
    if event.outcome is Outcome.DELIVERED:
        return 1, 0, 0
    if event.outcome is not Outcome.BOUNCED:
        return None
    if event.refusal_class in _UNKNOWN:
        return 0, 1, 0
    return (0, 0, 1) if event.refusal_class in AS_SPAM else None


class Heard(msgspec.Struct):
    """Which answers were heard: two Bloom filters of fixed size, the older forgotten when the newer is full.

    It errs in one direction: an answer may be taken for one heard before, and is then lost.
    """

    count: int = 0
    current: bytearray = msgspec.field(default_factory=bytearray)
    before: bytearray = msgspec.field(default_factory=bytearray)

    def __post_init__(self) -> None:
        """Refuse what was saved by another program.  Raises ``ValueError``."""
        if len(self.current) not in (0, _BYTES) or len(self.before) not in (0, _BYTES):
            raise ValueError("a set of answers of another size")

    def first(self, text: str) -> bool:
        """Remember an answer; return whether it was not heard before."""
        digest = xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
        places = [(digest >> shift) % _BITS for shift in (0, 14, 28, 42)]
        if not self.current:
            self.current = bytearray(_BYTES)
        if _all_in(self.current, places):
            return False
        new = not self.before or not _all_in(self.before, places)
        if self.count >= _FULL:
            self.before, self.current, self.count = self.current, bytearray(_BYTES), 0
        for place in places:
            self.current[place >> 3] |= 1 << (place & 7)
        self.count += 1
        return new


def _all_in(bits: bytearray, places: list[int]) -> bool:
    # A loop, as a generator takes three times as long, and this is asked for each answer.
    for place in places:
        if not bits[place >> 3] >> (place & 7) & 1:
            return False
    return True
