"""Listens for the mail server, and sees to it that connections are few enough, quick enough, and end well."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from outwarden.filter.connection import Connection, Counts, Patience, Undecided
from outwarden.filter.conversation import Conversation
from outwarden.filter.decider import Decider
from outwarden.filter.endpoint import WAITING_TO_BE_ACCEPTED, Endpoint, UnixEndpoint
from outwarden.filter.spool import SpoolSpace

MOST_CONNECTIONS = 200
# So many times within the shortest patience it is looked who has used it up.
_LOOKS = 4
_STOP_CHECKED_SECONDS = 0.02


class Listener(ABC):
    """``start`` it, and ``stop`` it once.

    The connections beyond ``most_connections`` wait for their turn, as many again; those beyond are closed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        decider: Decider,
        space: SpoolSpace,
        say: Callable[[str], None],
        *,
        undecided: Undecided = Undecided.DEFER,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self.decider, self.space, self.say = decider, space, say
        self.undecided, self.patience = undecided, patience
        self.counts = Counts()
        self._endpoint = endpoint
        self._most_connections = most_connections
        self._open: set[Connection] = set()
        self._waiting: deque[Connection] = deque()
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    @abstractmethod
    def conversation(self) -> Conversation:
        """Return a conversation that has not begun."""

    async def start(self) -> None:
        """Listen.  Raises ``CannotListen``."""
        loop = asyncio.get_running_loop()
        listening = self._endpoint.listen()
        listening.setblocking(False)
        create = loop.create_unix_server if isinstance(self._endpoint, UnixEndpoint) else loop.create_server
        # The loop listens once more, and by itself would have no more than a hundred wait.
        self._server = await create(lambda: Connection(self, loop), sock=listening, backlog=WAITING_TO_BE_ACCEPTED)
        self._watch = loop.create_task(self._look_after_connections(loop))

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Take no new connection, let messages that are under way be decided, and close."""
        if self._server is None or self._watch is None:
            return
        self._server.close()
        self._endpoint.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        for connection in [*self._open, *self._waiting]:
            connection.stop()
        while self._open and loop.time() < deadline:
            await asyncio.sleep(_STOP_CHECKED_SECONDS)
        for connection in [*self._open, *self._waiting]:
            connection.turn_away()
        self._watch.cancel()
        while self._open or self._waiting:
            await asyncio.sleep(0)

    def entered(self, connection: Connection) -> None:
        """Let a new connection in, or have it wait."""
        self.counts.connections += 1
        if len(self._open) < self._most_connections:
            self._open.add(connection)
        elif len(self._waiting) < self._most_connections:
            self._waiting.append(connection)
            connection.wait_for_turn()
        else:
            self.counts.turned_away += 1
            connection.turn_away()

    def left(self, connection: Connection) -> None:
        """Let in who waits for longest."""
        if connection in self._open:
            self._open.remove(connection)
            if self._waiting:
                following = self._waiting.popleft()
                self._open.add(following)
                following.take_turn()
        elif connection in self._waiting:
            self._waiting.remove(connection)

    async def _look_after_connections(self, loop: asyncio.AbstractEventLoop) -> None:
        patience = self.patience
        pause = min(patience.frame_seconds, patience.crowded_seconds, patience.idle_seconds) / _LOOKS
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in tuple(self._open):
                connection.break_off_if_late(now, crowded=bool(self._waiting))
