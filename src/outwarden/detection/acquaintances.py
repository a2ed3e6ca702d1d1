"""Who has written to whom before: one table of fixed size for all accounts.

A blocked Bloom filter: the hash of (account, recipient) chooses one 64-bit word and three bits
in it, so that a question costs one look into memory.  With one million words (8 MB):

    pairs remembered   taken for known although new
            200,000    0.01 %
          1,000,000    0.06 %
          5,000,000    1.2 %

It errs in one direction only: a new recipient may be taken for a
known one, which speaks for the account, never against it.  It forgets nothing, and the same pairs
in the same order give the same answers in every run.
"""

from __future__ import annotations

from array import array

from xxhash import xxh3_64_intdigest

_WORDS = 1 << 20
_WORD_MASK = _WORDS - 1


def _bit_patterns() -> tuple[int, ...]:
    """Return 4096 words with three different bits set each, spread by plain arithmetic."""
    patterns = []
    for number in range(4096):
        first = number & 63
        second = (first + 1 + (number >> 6) % 21) & 63
        third = (second + 1 + (number * 2654435761 >> 12) % 21) & 63
        patterns.append(1 << first | 1 << second | 1 << third)
    return tuple(patterns)


_PATTERNS = _bit_patterns()


class Acquaintances:
    """A set of (number, text) pairs that can only grow, in 8 MB whatever is put into it."""

    __slots__ = ("_words",)

    def __init__(self) -> None:
        self._words = array("Q", bytes(8 * _WORDS))

    def meet(self, number: int, text: str) -> bool:
        """Remember the pair; return whether it was new."""
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            # A log line may carry bytes that are no text, and they must not raise.
            raw = text.encode("utf-8", "surrogatepass")
        digest = xxh3_64_intdigest(raw, number)
        place = digest & _WORD_MASK
        pattern = _PATTERNS[digest >> 52]
        word = self._words[place]
        if word & pattern == pattern:
            return False
        self._words[place] = word | pattern
        return True
