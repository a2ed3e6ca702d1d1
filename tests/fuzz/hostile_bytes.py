"""Saved bytes as a broken disk or a hostile hand leaves them: flipped, cut, doubled, spliced."""

import random
from collections.abc import Callable, Sequence

# What begins an array, a map, a text, bytes or a number of many bytes in MessagePack, with a length that is none.
_HEADS = (
    *(
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\x7f\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdc\xff\xff",
    ),
    *(b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\x00" * 7, b"\xcb\x7f\xf8" + b"\x00" * 6, b"\xcb\x7f\xf0" + b"\x00" * 6),
    *(
        b"\xc0",
        b"\xc1",
        b"\xc2",
        b"\x90",
        b"\x80",
        b"\xa0",
        b"\xa1\xff",
        b"\x00",
        b"\xff",
        b"\x91" * 2000,
        b"\x81" * 2000,
    ),
)

_Mutation = Callable[[random.Random, bytes], bytes]


def _span(chance: random.Random, saved: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(saved))
    return start, min(len(saved), start + chance.choice((1, 1, 2, 5, 9, 100)))


def _flip(chance: random.Random, saved: bytes) -> bytes:
    if not saved:
        return saved
    at = chance.randrange(len(saved))
    return saved[:at] + bytes((saved[at] ^ 1 << chance.randrange(8),)) + saved[at + 1 :]


def _cut_off(chance: random.Random, saved: bytes) -> bytes:
    return saved[: chance.randint(0, len(saved))]


def _delete(chance: random.Random, saved: bytes) -> bytes:
    start, end = _span(chance, saved)
    return saved[:start] + saved[end:]


def _repeat(chance: random.Random, saved: bytes) -> bytes:
    start, end = _span(chance, saved)
    return saved[:end] + saved[start:end] * chance.choice((1, 1, 50)) + saved[end:]


def _put_head(chance: random.Random, saved: bytes) -> bytes:
    start, end = _span(chance, saved)
    return saved[:start] + chance.choice(_HEADS) + saved[chance.choice((start, end)) :]


def _swap(chance: random.Random, saved: bytes) -> bytes:
    start, end = _span(chance, saved)
    other, until = _span(chance, saved)
    return saved[:start] + saved[other:until] + saved[end:]


_MUTATIONS: tuple[_Mutation, ...] = (_flip, _flip, _flip, _cut_off, _delete, _repeat, _put_head, _put_head, _swap)


def hostile_bytes(chance: random.Random, kept: Sequence[bytes]) -> bytes:
    """Return one of the kept, changed once or a few times."""
    saved = chance.choice(kept)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        saved = chance.choice(_MUTATIONS)(chance, saved)
    return saved
