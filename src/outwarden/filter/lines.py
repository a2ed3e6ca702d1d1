"""Ways of asking that speak in lines: what is the same for all of them."""

from abc import ABC, abstractmethod

from outwarden.filter.conversation import Happening, MalformedQuestion, MessageEnded, SenderNamed
from outwarden.filter.verdicts import Defer, Refuse, Verdict


class Lines:
    """Cuts what comes, in pieces of any size, into lines; holds one unfinished line at most."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._at = self._searched = 0

    @property
    def begun(self) -> bool:
        """Whether more is held than the whole lines that were taken."""
        return len(self._held) > self._at

    @property
    def left(self) -> int:
        """How many bytes are held."""
        return len(self._held) - self._at

    def receive(self, octets: bytes) -> None:
        """Take in what came."""
        del self._held[: self._at]
        self._searched -= self._at
        self._at = 0
        self._held += octets

    def take(self) -> bytes | None:
        """Return the next line without its end, LF or CR LF.  None until it is whole.

        Raises ``MalformedQuestion`` for one that is too long.
        """
        end = self._held.find(b"\n", max(self._at, self._searched))
        if (len(self._held) if end < 0 else end) - self._at > self._most:
            raise MalformedQuestion(f"a line of more than {self._most} bytes")
        if end < 0:
            self._searched = len(self._held)
            return None
        line = bytes(self._held[self._at : end])
        self._at = end + 1
        return line.removesuffix(b"\r")

    def piece(self, length: int) -> bytearray:
        """Return the next bytes, whatever they are; there must be so many."""
        piece = self._held[self._at : self._at + length]
        self._at += length
        return piece


class LineConversation(ABC):
    """A ``Conversation`` in which each question is answered before the next is heard."""

    progress = b""

    def __init__(self, most_line_bytes: int) -> None:
        self._lines = Lines(most_line_bytes)
        self._unsent = bytearray()
        self._owed: SenderNamed | MessageEnded | None = None
        self.frames_taken = 0

    @property
    def agreed(self) -> bool:
        """Whether a question has ever come."""
        return self.frames_taken > 0

    @property
    def in_message(self) -> bool:
        """Whether an answer is owed."""
        return self._owed is not None

    @property
    def frame_begun(self) -> bool:
        """Whether the rest of a question is owed."""
        return self._lines.begun

    def receive(self, octets: bytes) -> None:
        """Take in what came."""
        self._lines.receive(octets)

    def unsent(self) -> bytes:
        """Return what is to be sent, once."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent

    def happens(self) -> Happening | None:
        """Return what happens next; None until more comes or the verdict is there.  Raises ``MalformedQuestion``."""
        if self._owed is not None:
            return None
        happening = self._next()
        if isinstance(happening, SenderNamed | MessageEnded):
            self._owed = happening
        return happening

    def answer(self, verdict: Verdict) -> bool:
        """Answer the happening that waits for a verdict, and return whether the message is done with.

        Raises ``Unspeakable``, and then it still waits.
        """
        ended = isinstance(self._owed, MessageEnded)
        self._unsent += self._spoken(verdict, ended)
        self._owed = None
        return ended or isinstance(verdict, Refuse | Defer)

    @abstractmethod
    def _next(self) -> Happening | None:
        """Return what happens next.  Raises ``MalformedQuestion``."""

    @abstractmethod
    def _spoken(self, verdict: Verdict, ended: bool) -> bytes:
        """Return the verdict's words; ``ended`` for one on the whole message.  Raises ``Unspeakable``."""


def text(octets: bytes | bytearray) -> str:
    """Return a stranger's bytes as text: UTF-8 where they are, escaped where not."""
    return octets.decode("utf-8", "backslashreplace")
