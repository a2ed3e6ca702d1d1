"""What a connection of a mail server needs to know of the language that is spoken over it.

Each way of asking has a conversation: it thinks, and knows neither socket nor clock.  It says what happens, and
is told the verdicts that are asked for.
"""

from typing import Protocol

import msgspec

from outwarden.filter.envelope import Envelope
from outwarden.filter.verdicts import Verdict


class MalformedQuestion(Exception):
    """What came cannot be understood; the connection is of no more use, once ``last_words`` are said."""

    def __init__(self, why: str, last_words: bytes = b"") -> None:
        super().__init__(why)
        self.last_words = last_words


class SenderNamed(msgspec.Struct, frozen=True):
    """A message begins, or has another recipient; the server waits for a verdict on the envelope."""

    envelope: Envelope


class Content(msgspec.Struct, frozen=True):
    """The next bytes of the message, the headers first; lines end as the server writes them, by CR LF or by LF."""

    octets: bytes | bytearray


class MessageEnded(msgspec.Struct, frozen=True):
    """The message is whole, or as whole as this way of asking shows it; the server waits for a verdict on it."""

    envelope: Envelope


class Forgotten(msgspec.Struct, frozen=True):
    """The message that had begun comes to nothing."""


class Left(msgspec.Struct, frozen=True):
    """Nothing more is said over this connection."""


Happening = SenderNamed | Content | MessageEnded | Forgotten | Left


class Conversation(Protocol):
    """``receive`` what came, ask ``happens`` until it returns None, send what ``unsent`` returns.

    While a verdict is owed, what came later is kept for after ``answer``, so do not receive without end.
    """

    @property
    def progress(self) -> bytes:
        """What tells a server that waits for a verdict to go on waiting; empty where nothing can."""
        ...

    @property
    def agreed(self) -> bool:
        """Whether the other side has begun as it should."""
        ...

    @property
    def in_message(self) -> bool:
        """Whether a message has begun and is not answered yet."""
        ...

    @property
    def frame_begun(self) -> bool:
        """Whether the other side owes the rest of something."""
        ...

    @property
    def frames_taken(self) -> int:
        """How many pieces have been taken; one that comes slowly does not raise it."""
        ...

    def receive(self, octets: bytes) -> None:
        """Take in what came."""
        ...

    def unsent(self) -> bytes:
        """Return what is to be sent, once."""
        ...

    def happens(self) -> Happening | None:
        """Return what happens next; None until more comes or the verdict is there.  Raises ``MalformedQuestion``."""
        ...

    def answer(self, verdict: Verdict) -> bool:
        """Answer the happening that waits for a verdict, and return whether the message is done with.

        Raises ``Unspeakable``, and then it still waits.
        """
        ...
