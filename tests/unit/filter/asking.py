"""Speaks to a conversation in pieces, and gives each question that is asked the verdict a test wants."""

from collections.abc import Iterable

from outwarden.filter import Accept, Envelope, Verdict
from outwarden.filter.conversation import Content, Conversation, Happening, MessageEnded, SenderNamed


class Asking:
    """What happened in a conversation, and what it said."""

    def __init__(self, conversation: Conversation, early: Verdict = Accept(), late: Verdict = Accept()) -> None:  # noqa: B008 - frozen
        self.conversation = conversation
        self.happened: list[Happening] = []
        self._early, self._late = early, late

    def say(self, octets: bytes, pieces: int = 1) -> bytes:
        """Let it be heard in so many pieces; return what is answered.  Raises ``MalformedQuestion``."""
        said = b""
        step = max(1, -(-len(octets) // pieces))
        for at in range(0, len(octets), step):
            self.conversation.receive(octets[at : at + step])
            while (happening := self.conversation.happens()) is not None:
                self.happened.append(happening)
                if isinstance(happening, SenderNamed | MessageEnded):
                    assert self.conversation.happens() is None
                    self.conversation.answer(self._early if isinstance(happening, SenderNamed) else self._late)
            said += self.conversation.unsent()
        return said

    @property
    def content(self) -> bytes:
        """The message."""
        return b"".join(one.octets for one in self.happened if isinstance(one, Content))

    @property
    def kinds(self) -> list[str]:
        """What happened, in a word each."""
        return [type(one).__name__ for one in self.happened]

    def envelopes(self) -> Iterable[Envelope]:
        """Return the envelopes that were asked about."""
        return [one.envelope for one in self.happened if isinstance(one, SenderNamed | MessageEnded)]
