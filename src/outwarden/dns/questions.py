"""What is asked of the look-up path, and what it replies."""

from enum import StrEnum
from typing import NamedTuple

from outwarden.dns.packets import ResponseCode


class Failure(StrEnum):
    """Why a reply says nothing about the name: it could not be asked."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    """Nothing listens at the resolver's address, or no way leads there."""
    REFUSED = "refused"
    SERVFAIL = "servfail"
    ERROR = "error"
    """Any other response code but NOERROR and NXDOMAIN; see ``rcode``."""
    MALFORMED = "malformed"
    """All that came under the right id and question could not be read."""
    TRUNCATED = "truncated"
    """Too long for UDP, and TCP gave nothing in time."""
    BREAKER = "breaker"
    """Not asked: its group gave no answer so many times that it counts as down."""
    NO_ROOM = "no-room"
    """Not asked: too many questions are under way."""
    NAME = "name"
    """Not asked: no such name can be."""


_MEANINGS: dict[int, Failure | None] = {
    ResponseCode.NOERROR: None,
    ResponseCode.NXDOMAIN: None,
    ResponseCode.SERVFAIL: Failure.SERVFAIL,
    ResponseCode.REFUSED: Failure.REFUSED,
}
FAILURES = tuple(_MEANINGS.get(rcode, Failure.ERROR) for rcode in range(16))
"""For each code that a header can hold: what it says of the asking."""


class Question(NamedTuple):
    """One look-up.  Questions of one ``group`` (a list) share a pace and a circuit breaker; "" has neither."""

    name: str
    qtype: int
    group: str = ""


class Reply(NamedTuple):
    """What came of one question.

    ``rcode`` is None without an answer.  ``failure`` is None exactly when the answer speaks of the name: NOERROR, with
    or without records, or NXDOMAIN.  ``addresses``, ``texts`` and ``ttl`` (seconds) as in ``packets.DnsAnswer``.
    """

    question: Question
    rcode: int | None
    addresses: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    ttl: int = 0
    failure: str | None = None
