"""One connection of a mail server: from the socket to the conversation, to who decides, and back."""

import asyncio
import socket
from collections.abc import Awaitable
from enum import Enum
from typing import Protocol, cast

import msgspec

from outwarden.filter.begun import Begun, begun
from outwarden.filter.conversation import (
    Content,
    Conversation,
    Happening,
    Left,
    MalformedQuestion,
    MessageEnded,
    SenderNamed,
)
from outwarden.filter.decider import Decider
from outwarden.filter.spool import Spool, SpoolSpace
from outwarden.filter.verdicts import Accept, Defer, Verdict


class Undecided(Enum):
    """What is answered when nobody decides: the decider failed, or was not there in time."""

    ACCEPT = "accept"
    DEFER = "defer"


class Patience(msgspec.Struct, frozen=True):
    """How long who is waited for, in seconds.

    ``frame_seconds`` is for what a server has begun and takes milliseconds: the negotiation, a frame, taking an
    answer.  Between two frames there may be a person who types, and Postfix keeps the connection while its
    client says nothing, so ``idle_seconds`` must exceed what the server allows its clients: a connection that
    we close first costs a message.  ``decision_seconds`` must be less than the server waits for an answer.
    ``crowded_seconds`` takes the place of ``frame_seconds`` while others wait for their turn.
    """

    frame_seconds: float = 30.0
    crowded_seconds: float = 1.0
    idle_seconds: float = 7200.0
    decision_seconds: float = 20.0
    progress_seconds: float = 5.0


class Counts:
    """What the filter has seen since it began."""

    def __init__(self) -> None:
        self.connections = 0
        self.messages = 0
        self.undecided = 0
        self.broken_off = 0
        self.turned_away = 0


class Place(Protocol):
    """What a connection is told, and where it reports: a ``Listener``."""

    decider: Decider
    patience: Patience
    undecided: Undecided
    space: SpoolSpace
    counts: Counts

    def conversation(self) -> Conversation:
        """Return a conversation that has not begun."""
        ...

    def entered(self, connection: "Connection") -> None:
        """Take note of a connection."""
        ...

    def left(self, connection: "Connection") -> None:
        """Take note that it is gone."""
        ...

    def say(self, line: str) -> None:
        """Tell the operator."""
        ...


_NOBODY_DECIDES = Defer("Your message could not be checked just now; please try again in a few minutes")


class Connection(asyncio.Protocol):
    """Reads no further while it waits: for its turn, for a verdict, or for the server to take what was answered."""

    _transport: asyncio.Transport
    _reminder: asyncio.TimerHandle

    def __init__(self, listener: Place, loop: asyncio.AbstractEventLoop) -> None:
        self._listener, self._loop = listener, loop
        self._conversation = listener.conversation()
        self._spool = Spool(listener.space)
        self._deciding: asyncio.Task[Verdict] | None = None
        self._decide_by = 0.0
        self._waits_for: set[str] = set()
        self._heard_at = self._since = loop.time()
        self._stopping = self._finished = False
        self._tcp: socket.socket | None = None

    # --- what the loop calls -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # A stream has no other, though uvloop's does not say so.
        self._transport = cast(asyncio.Transport, transport)
        connected = transport.get_extra_info("socket")
        if connected.family != socket.AF_UNIX and hasattr(socket, "TCP_QUICKACK"):
            self._tcp = connected
        self._acknowledge()
        self._listener.entered(self)

    def data_received(self, octets: bytes) -> None:
        """Take in what came, and go as far as it leads."""
        if self._finished:
            return
        self._heard_at = self._loop.time()
        begun, taken = self._conversation.frame_begun, self._conversation.frames_taken
        self._conversation.receive(octets)
        self._go_on()
        if not begun or self._conversation.frames_taken > taken:
            self._since = self._heard_at
        self._acknowledge()

    def connection_lost(self, _error: Exception | None) -> None:
        """Give back everything, and let nobody decide for nothing."""
        self._give_up_deciding()
        self._spool.clear()
        self._listener.left(self)

    def pause_writing(self) -> None:
        """Hear nothing more from who does not take answers."""
        self._since = self._loop.time()
        self._wait_for("the answers to be taken")

    def resume_writing(self) -> None:
        """Go on."""
        self._wait_no_longer_for("the answers to be taken")

    # --- what the listener calls -------------------------------------------------------------

    def wait_for_turn(self) -> None:
        """Hear nothing until it is this connection's turn."""
        self._wait_for("its turn")

    def take_turn(self) -> None:
        """Begin to hear."""
        self._heard_at = self._since = self._loop.time()
        self._wait_no_longer_for("its turn")

    def turn_away(self) -> None:
        """Close at once."""
        self._transport.abort()

    def stop(self) -> None:
        """Close, if no message is under way; else after it."""
        self._stopping = True
        if not self._conversation.in_message:
            self._transport.close()

    def break_off_if_late(self, now: float, *, crowded: bool) -> None:
        """Close the connection if it keeps us waiting too long; ``crowded``: and others, who wait for its place."""
        patience = self._listener.patience
        begun_seconds = patience.crowded_seconds if crowded else patience.frame_seconds
        if self._deciding is not None or "its turn" in self._waits_for:
            return
        if "the answers to be taken" in self._waits_for:
            late, what = now - self._since > begun_seconds, "does not take its answers"
        elif self._finished or not self._conversation.agreed or self._conversation.frame_begun:
            late, what = now - self._since > begun_seconds, "has begun and does not go on"
        else:
            late, what = now - self._heard_at > patience.idle_seconds, "says nothing"
        if late:
            self._break_off(f"it {what}")

    # --- the conversation --------------------------------------------------------------------

    def _go_on(self) -> None:
        conversation = self._conversation
        if self._finished:
            return
        try:
            while not self._busy() and (happening := conversation.happens()) is not None:
                self._take(happening)
        except MalformedQuestion as error:
            self._part_with(str(error), error.last_words)
            return
        self._flush()
        if self._stopping and not conversation.in_message:
            self._transport.close()

    def _flush(self) -> None:
        if (unsent := self._conversation.unsent()) and not self._transport.is_closing():
            self._transport.write(unsent)

    def _busy(self) -> bool:
        return bool(self._waits_for) or self._transport.is_closing()

    def _take(self, happening: Happening) -> None:
        if isinstance(happening, Content):
            self._spool.write(happening.octets)
        elif isinstance(happening, SenderNamed | MessageEnded):
            self._ask(happening)
        elif isinstance(happening, Left):
            self._flush()
            self._transport.close()
        else:
            self._spool.clear()

    def _ask(self, happening: SenderNamed | MessageEnded) -> None:
        """Have it decided; whatever goes wrong there must not leave the mail server without an answer."""
        decider = self._listener.decider
        try:
            if isinstance(happening, SenderNamed):
                self._spool.clear()
                self._answer(decider.decide_sender(happening.envelope))
                return
            decided = decider.decide_message(happening.envelope, self._spool)
            if isinstance(decided, Awaitable):
                decided = begun(decided)
            if isinstance(decided, Begun):
                self._wait_for_verdict(decided)
            else:
                self._answer(decided)
        except Exception as error:  # noqa: BLE001 - the site says what an undecided message becomes
            self._undecided(f"{type(error).__name__}: {error}")

    def _wait_for_verdict(self, decision: Begun) -> None:
        self._decide_by = self._loop.time() + self._listener.patience.decision_seconds
        self._deciding = self._loop.create_task(decision)
        self._deciding.add_done_callback(self._decided)
        self._remind()
        self._wait_for("a verdict")

    def _remind(self) -> None:
        left = self._decide_by - self._loop.time()
        self._reminder = self._loop.call_later(min(left, self._listener.patience.progress_seconds), self._still_decides)

    def _still_decides(self) -> None:
        """Tell the server that we are at it; or, when the time is over, that there is no verdict."""
        if self._deciding is None or self._deciding.done():
            # The verdict is there, and ``_decided`` is about to be called.
            return
        self._transport.write(self._conversation.progress)
        if self._loop.time() < self._decide_by:
            self._remind()
            return
        self._give_up_deciding()
        self._undecided(f"TimeoutError: no verdict within {self._listener.patience.decision_seconds:.0f} s")
        self._go_on_after_verdict()

    def _give_up_deciding(self) -> None:
        if self._deciding is not None:
            self._reminder.cancel()
            self._deciding.cancel()
            self._deciding = None

    def _decided(self, deciding: asyncio.Task[Verdict]) -> None:
        if deciding is not self._deciding:
            return
        self._reminder.cancel()
        self._deciding = None
        if deciding.cancelled():
            return
        try:
            self._answer(deciding.result())
        except Exception as error:  # noqa: BLE001 - the site says what an undecided message becomes
            self._undecided(f"{type(error).__name__}: {error}")
        self._go_on_after_verdict()

    def _go_on_after_verdict(self) -> None:
        self._since = self._heard_at = self._loop.time()
        self._flush()
        self._wait_no_longer_for("a verdict")

    def _undecided(self, why: str) -> None:
        self._listener.counts.undecided += 1
        self._listener.say(f"a message was not decided on: {why}")
        self._answer(Accept() if self._listener.undecided is Undecided.ACCEPT else _NOBODY_DECIDES)

    def _answer(self, verdict: Verdict) -> None:
        if self._conversation.answer(verdict):
            self._listener.counts.messages += 1
            self._spool.clear()

    # --- the socket --------------------------------------------------------------------------

    def _acknowledge(self) -> None:
        """Acknowledge at once what came by TCP.

        Postfix sends small packets, each only once the one before is acknowledged; an answer would carry that,
        but most steps have none, and Linux waits 40 ms for one.  It forgets that it was told not to.
        """
        if self._tcp is not None and not self._transport.is_closing():
            self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _wait_for(self, what: str) -> None:
        if not self._waits_for:
            self._transport.pause_reading()
        self._waits_for.add(what)

    def _wait_no_longer_for(self, what: str) -> None:
        self._waits_for.discard(what)
        if not self._busy():
            self._transport.resume_reading()
            self._go_on()

    def _part_with(self, why: str, last_words: bytes) -> None:
        """Break off; if there is something to be said about it, only once the other side has heard it and closes.

        What it has sent meanwhile and nobody has read would make the kernel reset the connection, answer and all.
        """
        if not last_words:
            self._break_off(why)
            return
        self._finished = True
        self._since = self._loop.time()
        self._listener.counts.broken_off += 1
        self._listener.say(f"a connection of the mail server is of no more use: {why}")
        self._transport.write(self._conversation.unsent() + last_words)
        self._transport.write_eof()

    def _break_off(self, why: str) -> None:
        self._listener.counts.broken_off += 1
        self._listener.say(f"a connection of the mail server was broken off: {why}")
        self._transport.abort()
