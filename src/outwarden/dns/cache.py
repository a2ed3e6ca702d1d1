"""Replies remembered for as long as their TTL says; ``now`` is an argument, in seconds of any steady clock."""

from itertools import islice

from outwarden.dns.questions import Question, Reply

# RFC 8767 section 4: a longer TTL is no promise, and a listing is not to be believed for more than a day.
_LONGEST_SECONDS = 86_400


class Cache:
    """Replies about at most ``size`` names; the oldest half makes room."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.names: dict[str, dict[int, tuple[float, Reply]]] = {}
        """By name and type: until when it is good, and the reply.  Public, as to see that a name is not here must
        cost next to nothing."""

    def find(self, question: Question, now: float) -> Reply | None:
        """Return the reply that is still good, for this question, its TTL what is left of it."""
        until, reply = self.names.get(question.name, {}).get(question.qtype, (now, None))
        if reply is None or until <= now:
            return None
        return Reply(question, reply.rcode, reply.addresses, reply.texts, int(until - now))

    def keep(self, reply: Reply, now: float) -> None:
        """Remember a reply whose TTL is more than 0, and that is no failure."""
        if reply.ttl <= 0 or reply.failure:
            return
        question, names = reply.question, self.names
        if len(names) >= self._size and question.name not in names:
            for name in list(islice(names, (self._size + 1) // 2)):
                del names[name]
        until = now + min(reply.ttl, _LONGEST_SECONDS)
        names.setdefault(question.name, {})[question.qtype] = until, reply
