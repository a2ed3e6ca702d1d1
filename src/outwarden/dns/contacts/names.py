"""Looking up names for a search: few questions, one after the other, by the same resolver as all else.

A resolver that gives no answer to the first questions is asked no more, so that a search without one ends at once.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from outwarden.dns.contacts.https_pages import CouldNotFetch
from outwarden.dns.lookup import Failure, Lookup, Question, Reply
from outwarden.dns.packets import RecordType


class Names:
    """The look-ups of one search."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._answered = False
        self._given_up: str | None = None

    def ask(self, questions: Iterable[Question]) -> list[Reply]:
        """Return one reply for each question, in their order."""
        asked = list(questions)
        if self._given_up is not None:
            return [Reply(question, None, failure=self._given_up) for question in asked]
        replies = sorted(self._lookup.ask(asked), key=lambda reply: asked.index(reply.question))
        self._answered = self._answered or any(reply.rcode is not None for reply in replies)
        if not self._answered:
            self._given_up = next((reply.failure for reply in replies), None)
        return replies

    def addresses_of(self, host: str) -> list[IPv4Address | IPv6Address]:
        """Return the addresses of a host, IPv4 first.  Raises ``CouldNotFetch`` where it could not be asked for any."""
        replies = self.ask([Question(host, RecordType.A), Question(host, RecordType.AAAA)])
        found = [ip_address(address) for reply in replies for address in reply.addresses]
        failed = next((reply for reply in replies if reply.failure is not None), None)
        if not found and failed is not None:
            raise CouldNotFetch(f"address of {why_not(failed)}")
        return found


def why_not(reply: Reply) -> str:
    """Return what was asked, and why there was no answer."""
    if reply.failure == Failure.UNREACHABLE:
        return f"{reply.question.name}: the resolver cannot be reached; name another with --resolver HOST[:PORT]"
    return f"{reply.question.name}: {reply.failure}"
