"""Whom an account has written to before, in at most three kilobytes.

Up to a few hundred recipients are kept as 32-bit numbers in order; more than that go into a Bloom filter
of fixed size.  Two generations: whoever was not written to for one to two of them is forgotten.  It errs in one
direction: a stranger may be taken for an acquaintance, which speaks for the account, never against it.

    recipients in the filter   strangers taken for known
                       1,000   3 %
                       3,000   15 %
                       6,000   39 %
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import ClassVar

import msgspec
from xxhash import xxh3_64_intdigest

GENERATION_SECONDS = 60 * 86_400


def number_of(address: str) -> int:
    """Return the 32-bit number of a recipient's address, lower case where the domain is."""
    # An envelope may carry bytes that are no text, and they must not raise.
    return xxh3_64_intdigest(address.encode("utf-8", "surrogatepass")) & 0xFFFFFFFF


class Generation(msgspec.Struct, array_like=True, gc=False):
    """A set of 32-bit numbers: exact while it is small (``numbers``, in order, 4 bytes each), then a filter."""

    most_numbers: ClassVar[int] = 384
    filter_bytes: ClassVar[int] = 1536

    numbers: bytes = b""
    filter: bytearray = msgspec.field(default_factory=bytearray)

    def __post_init__(self) -> None:
        """Refuse what was saved by another program.  Raises ``ValueError``."""
        if len(self.numbers) % 4 or len(self.filter) not in (0, self.filter_bytes):
            raise ValueError("a set of recipients of another size")

    def __contains__(self, number: int) -> bool:
        if self.filter:
            return _has(self.filter, number)
        numbers = memoryview(self.numbers).cast("I")
        place = bisect_left(numbers, number)
        return place < len(numbers) and numbers[place] == number

    def add(self, number: int) -> bool:
        """Remember a number; return whether it was not in it."""
        if self.filter:
            return _set(self.filter, number)
        numbers = array("I", self.numbers)
        place = bisect_left(numbers, number)
        if place < len(numbers) and numbers[place] == number:
            return False
        numbers.insert(place, number)
        if len(numbers) <= self.most_numbers:
            self.numbers = numbers.tobytes()
        else:
            self._widen(numbers)
        return True

    def add_all(self, other: Generation) -> None:
        """Remember all that another generation does."""
        for number in array("I", other.numbers):
            self.add(number)
        if other.filter:
            if not self.filter:
                self._widen(array("I", self.numbers))
            self.filter = bytearray(one | another for one, another in zip(self.filter, other.filter, strict=True))

    def _widen(self, numbers: array[int]) -> None:
        """Turn the numbers into a filter."""
        self.filter = bytearray(self.filter_bytes)
        for number in numbers:
            _set(self.filter, number)
        self.numbers = b""


class Unmet(Generation, array_like=True):
    """Recipients of mail that was held or refused: a smaller set, as it is wanted for days, not for months.

    It errs against the account: of a thousand in it one acquaintance in seven is taken for one of them.
    """

    most_numbers: ClassVar[int] = 128
    filter_bytes: ClassVar[int] = 512


class KnownRecipients(msgspec.Struct, array_like=True, gc=False):
    """Two generations of recipients; ``began`` is when the current one did (POSIX seconds)."""

    began: float
    current: Generation = msgspec.field(default_factory=Generation)
    before: Generation = msgspec.field(default_factory=Generation)

    def meet(self, number: int) -> bool:
        """Remember a recipient; return whether it was new."""
        return self.current.add(number) and number not in self.before

    def __contains__(self, number: int) -> bool:
        return number in self.current or number in self.before

    def turn(self, now: float) -> None:
        """Begin a new generation where the current one is old enough."""
        if now - self.began >= GENERATION_SECONDS:
            self.before = self.current if now - self.began < 2 * GENERATION_SECONDS else Generation()
            self.current = Generation()
            self.began = now


def _places(filter_bits: bytearray, number: int) -> tuple[int, int]:
    bits = 8 * len(filter_bits)
    return number % bits, (number >> 13 ^ number * 5) % bits


def _has(filter_bits: bytearray, number: int) -> bool:
    first, second = _places(filter_bits, number)
    return bool(filter_bits[first >> 3] >> (first & 7) & 1 and filter_bits[second >> 3] >> (second & 7) & 1)


def _set(filter_bits: bytearray, number: int) -> bool:
    """Set the bits of a number; return whether one of them was not set."""
    if _has(filter_bits, number):
        return False
    first, second = _places(filter_bits, number)
    filter_bits[first >> 3] |= 1 << (first & 7)
    filter_bits[second >> 3] |= 1 << (second & 7)
    return True
