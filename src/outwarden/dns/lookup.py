"""Asks a resolver very many questions, and gives out the replies as they come.

Every question gets exactly one ``Reply``, in any order, at the latest a deadline after it was first asked.  A lost
packet is asked for again; a list that is silent goes down by its circuit breaker and holds nobody up; a list with a
pace is asked no faster.  Questions are drawn from the iterator as there is room, so that a sweep of millions takes no
more memory than a sweep of thousands.

An answer counts when its id, name, type and class are those of a question under way on that very socket, and the
resolver's address is its sender's.  Ids are unpredictable; for a resolver that is not on this machine questions
are spread over several ports and their letters' case is random.  What does not fit is counted in ``ignored``.

Not done: a second resolver is not tried by itself; two threads may not use one ``Lookup`` at the same time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from outwarden.dns.asking import Asking, Stopped
from outwarden.dns.cache import Cache
from outwarden.dns.pace import Pace
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.dns.resolver import Resolver

__all__ = ["Failure", "Lookup", "Question", "Reply", "Stopped"]

_REPLIES_KEPT = 10_000
# For so long a list that went down is not asked again.
_REST_SECONDS = 60.0
# Half the ids that one socket has, so that a free one is found at once.
_MOST_IN_FLIGHT = 1 << 15


class Lookup:
    """A resolver, and what is remembered between askings: replies, paces, and which lists are down."""

    def __init__(
        self,
        resolver: Resolver,
        deadline_seconds: float = 1.0,
        in_flight: int = 128,
        paces: Mapping[str, float] | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """``in_flight`` bounds the questions under way; ``paces`` are queries per second by group.

        Once it ``is_stopped`` nobody wants the replies any more.
        """
        if not 1 <= in_flight <= _MOST_IN_FLIGHT:
            raise ValueError(f"{in_flight} questions under way; expected 1 to {_MOST_IN_FLIGHT}")
        self.resolver = resolver
        self.deadline_seconds = deadline_seconds
        self.in_flight = in_flight
        self.is_stopped = is_stopped
        self.ignored = 0
        """Packets that were no answer to a question under way: late, repeated, wrong, or forged."""
        self.cache = Cache(_REPLIES_KEPT)
        self.paces = {group: Pace(per_second) for group, per_second in (paces or {}).items()}
        self._down_until: dict[str, float] = {}

    def ask(self, questions: Iterable[Question]) -> Iterator[Reply]:
        """Ask all the questions; one reply for each, as they come.  A reply never raises; the iterable may.

        Raises ``Stopped`` within half a second where nobody wants the replies any more.
        """
        asking = Asking(self, iter(questions))
        try:
            yield from asking.replies()
        finally:
            asking.close()

    def is_down(self, group: str, now: float) -> bool:
        """Return whether the group's breaker is open."""
        return self._down_until.get(group, now) > now

    def went_down(self, group: str, now: float) -> None:
        """Remember that the group is down."""
        self._down_until[group] = now + _REST_SECONDS
