"""What the mail server is told about a message, in words that every way of asking can carry.

The text is for people: it reaches whoever handed the message in, so it says what is wrong and what to do.
"""

import msgspec


class AddHeader(msgspec.Struct, frozen=True):
    """Add a header at the end of the message's own."""

    name: str
    value: str


class ChangeHeader(msgspec.Struct, frozen=True):
    """Give the ``occurrence``-th header of this name (the first is 1) another value; an empty one removes it."""

    name: str
    occurrence: int
    value: str


Edit = AddHeader | ChangeHeader


class Accept(msgspec.Struct, frozen=True):
    """Let it go on, with these changes of its headers."""

    edits: tuple[Edit, ...] = ()


class Hold(msgspec.Struct, frozen=True):
    """Take it, and keep it in the mail server's own hold queue.  A server that cannot hold defers it instead."""

    text: str
    edits: tuple[Edit, ...] = ()


class Defer(msgspec.Struct, frozen=True):
    """Answer 451 4.7.1: whoever hands it in keeps it and tries again."""

    text: str


class Refuse(msgspec.Struct, frozen=True):
    """Answer 550 5.7.1: whoever hands it in is told, and it goes nowhere."""

    text: str


Verdict = Accept | Hold | Defer | Refuse
