"""What a reader knows of open messages, as bytes: a service begun again goes on where the last one was.

A saved log is one byte of version, eight of checksum, and MessagePack of typed structs.  The checksum
finds out bytes that a disk or a hand has changed; so what decodes is what was saved, and a reader
need not fear a state that no log can bring it into.

Two places of a reader may point at one message (a queue ID, and the queue ID it came back under).
``Numbered`` writes such a message down once, and a number in each of the places.

Not done: bytes of another version are not read.  The log is then read as if it were new.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
import xxhash

VERSION = 1
"""To be raised with every change of a saved struct's fields, in this room's readers."""

_CHECKSUM = 8

_Thing = TypeVar("_Thing")


class MalformedState(ValueError):
    """The bytes are no state that this version saved."""


class SavedState(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What every saved struct is: its fields in their order, without their names."""


def sealed(state: SavedState) -> bytes:
    """Return the bytes of a whole log's state, with version and checksum."""
    content = encoded(state)
    return bytes((VERSION,)) + xxhash.xxh3_64_digest(content) + content


def opened(saved: bytes, kind: type[_Thing]) -> _Thing:
    """Return the state out of its sealed bytes.  Raises ``MalformedState``."""
    if saved[:1] != bytes((VERSION,)):
        raise MalformedState(f"version {saved[0]}, not {VERSION}" if saved else "no bytes at all")
    content = saved[1 + _CHECKSUM :]
    if saved[1 : 1 + _CHECKSUM] != xxhash.xxh3_64_digest(content):
        raise MalformedState("the checksum does not fit: the bytes were changed or cut off")
    return decoded(content, kind)


def encoded(state: SavedState) -> bytes:
    """Return the bytes of a state that stands inside another."""
    return msgspec.msgpack.encode(state)


def decoded(saved: bytes, kind: type[_Thing]) -> _Thing:
    """Return the state out of its bytes.  Raises ``MalformedState``."""
    try:
        return msgspec.msgpack.decode(saved, type=kind)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as fault:
        # ValueError: text that is not UTF-8.
        raise MalformedState(str(fault)) from fault


class Numbered(Generic[_Thing]):
    """Things that several places point at, each with one number; ``things`` has them in its order."""

    def __init__(self) -> None:
        self.things: list[_Thing] = []
        self._numbers: dict[int, int] = {}

    def number(self, thing: _Thing) -> int:
        """Return the thing's number: the same one for the same thing, a new one for another like it."""
        number = self._numbers.setdefault(id(thing), len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


def numbered(things: Sequence[_Thing], number: int) -> _Thing:
    """Return the thing of that number.  Raises ``MalformedState``."""
    if not 0 <= number < len(things):
        raise MalformedState(f"nothing has the number {number}")
    return things[number]
