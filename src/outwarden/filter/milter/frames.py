"""Milter frames: four bytes of length, one that names the command, and what belongs to it.

The protocol has no standard.  Its layout is that of ``libmilter/mfdef.h`` of Sendmail 8.17 and of ``milter8.c``
of Postfix.
"""

from enum import IntEnum
from struct import Struct

from outwarden.filter.conversation import MalformedQuestion

MOST_CONTENT_BYTES = 1 << 20
"""The longest header or piece of a body.  Mail servers send 64 KiB at most, unless more was agreed on."""

MOST_BYTES = 1 << 16
"""The longest other command: none of them is longer than some lines of SMTP."""


class MalformedMilter(MalformedQuestion):
    """What came is not the milter protocol; the connection is of no more use."""


class Command(IntEnum):
    """What the mail server says."""

    ABORT = ord("A")
    BODY = ord("B")
    CONNECT = ord("C")
    MACROS = ord("D")
    END_OF_MESSAGE = ord("E")
    HELO = ord("H")
    QUIT_NEW_CONNECTION = ord("K")
    HEADER = ord("L")
    MAIL = ord("M")
    END_OF_HEADERS = ord("N")
    NEGOTIATE = ord("O")
    QUIT = ord("Q")
    RECIPIENT = ord("R")
    DATA = ord("T")
    UNKNOWN = ord("U")


_CONTENT = {Command.BODY, Command.END_OF_MESSAGE, Command.HEADER}
_MOST = {int(command): MOST_CONTENT_BYTES if command in _CONTENT else MOST_BYTES for command in Command}
_HEAD = Struct(">IB")
_HEAD_BYTES, _head_at = _HEAD.size, _HEAD.unpack_from


class Frames:
    """Cuts what comes, in pieces of any size, into frames; holds one unfinished frame at most."""

    def __init__(self) -> None:
        self.taken = 0
        # What came last, as it came; one to which more is added only where a frame comes in pieces.
        self._held: bytes | bytearray = b""
        self._at = 0

    @property
    def begun(self) -> bool:
        """Whether more is held than the whole frames that were taken."""
        return len(self._held) > self._at

    def receive(self, octets: bytes) -> None:
        """Take in what came."""
        held = self._held
        if self._at == len(held):
            self._held = octets
        elif isinstance(held, bytearray):
            del held[: self._at]
            held += octets
        else:
            self._held = bytearray(held[self._at :])
            self._held += octets
        self._at = 0

    def take(self) -> tuple[int, bytes | bytearray] | None:
        """Return the next frame: its command and the rest.  None until it is whole.

        Raises ``MalformedMilter`` as soon as it is seen that there will be none.
        """
        held, at = self._held, self._at
        if len(held) < at + _HEAD_BYTES:
            return None
        length, command = _head_at(held, at)
        if not 0 < length <= _MOST.get(command, -1) + 1:
            raise MalformedMilter(f"a frame of {length} bytes that begins with {chr(command)!r}")
        end = at + 4 + length
        if len(held) < end:
            return None
        self._at = end
        self.taken += 1
        return command, held[at + _HEAD_BYTES : end]


def frame(command: int, content: bytes = b"") -> bytes:
    """Return one frame."""
    return (len(content) + 1).to_bytes(4, "big") + bytes((command,)) + content


def strings(content: bytes | bytearray) -> list[bytes]:
    """Return the strings that a frame consists of, each ended by a zero byte.  Raises ``MalformedMilter``."""
    if not content.endswith(b"\0"):
        raise MalformedMilter("a string without its end")
    return bytes(content[:-1]).split(b"\0")
