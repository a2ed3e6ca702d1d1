"""Replies remembered for as long as their TTL says; ``now`` is an argument, in seconds of any steady clock."""

from itertools import islice

from outwarden.dns.questions import Question, Reply

# RFC 8767 section 4: a longer TTL is no promise, and a listing is not to be believed for more than a day.
_LONGEST_SECONDS = 86_400


class Cache:
    """At most ``size`` replies; the oldest half makes room."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[tuple[str, int], tuple[float, Reply]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: Question, now: float) -> Reply | None:
        """Return the reply that is still good, for this question, its TTL what is left of it."""
        kept = self._kept.get((question.name, question.qtype))
        if kept is None or kept[0] <= now:
            return None
        return kept[1]._replace(question=question, ttl=int(kept[0] - now))

    def keep(self, reply: Reply, now: float) -> None:
        """Remember a reply whose TTL is more than 0, and that is no failure."""
        if reply.ttl <= 0 or reply.failure:
            return
        if len(self._kept) >= self._size:
            for key in list(islice(self._kept, (self._size + 1) // 2)):
                del self._kept[key]
        until = now + min(reply.ttl, _LONGEST_SECONDS)
        self._kept[reply.question.name, reply.question.qtype] = until, reply
