"""What every log reader offers, so that the dispatcher need not know which one it feeds."""

from typing import Protocol

from outwarden.events import Event


class LogReader(Protocol):
    """Turns blocks of one mail server's log into events.

    A block is text of complete lines, each ended by a newline.  A reader passes over lines that
    are not its own without counting them, keeps what is still open between blocks, and raises
    nothing, whatever it is fed.
    """

    lines_understood: int
    """Lines of its own that it knew, those that carry no event among them."""

    lines_not_understood: int
    """Lines that are plainly its server's but of no form it knows."""

    def feed(self, block: str) -> list[Event]:
        """Return the events that this block completes, in the order of the log."""
        ...

    def finish(self) -> list[Event]:
        """Return the events still held back when the log ends; the reader may be fed again."""
        ...

    def saved(self) -> bytes:
        """Return all that the reader knows between two blocks, its stamps excepted."""
        ...

    def restore(self, saved: bytes) -> None:
        """Know what another reader of this kind had saved, and nothing else.  Raises ``MalformedState``."""
        ...
