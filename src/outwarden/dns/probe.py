"""Whether a resolver can be believed at all, found out beside what is asked of it.

A resolver that is dead, or that answers with an address where no name is, makes every list's answer worthless: the
first would look like silence of all lists, the second like listings on all of them, or on none.  So a few names that
cannot exist are asked about in the same stream as the lists' controls; nobody waits for them whose controls hold.  That
single lists refuse a resolver shows in their own controls, and is named here only where most of them do.

Not told apart: a resolver that rewrites only some names; the lists' own random canaries find that.
"""

import secrets
from collections.abc import Collection
from typing import NamedTuple

from outwarden.dns.packets import RecordType
from outwarden.dns.questions import Failure, Question, Reply
from outwarden.dns.resolver import Resolver

# Under each, names that nobody has registered do not exist; there is no wildcard (IAB commentary of 2003-09).
_SUFFIXES = ("com", "net", "org", "de", "uk")
# One name may exist by accident of a search list or a private zone; not two.
_REWRITTEN = 2
# That one list refuses may be its own fault.
_REFUSING = 2
_CURE = "name another with --resolver HOST[:PORT]"
_OWN = "run a resolver of your own, and name it with --resolver HOST[:PORT]"


class Verdicts(NamedTuple):
    """What the lists' own controls said, by list: which were asked, are fit, and refuse the resolver."""

    asked: Collection[str]
    fit: Collection[str]
    refusing: Collection[str]
    majors: Collection[str]


class ResolverProbe:
    """Names that cannot exist, and what one resolver says of them."""

    def __init__(self, resolver: Resolver, deadline_seconds: float) -> None:
        self._resolver = resolver
        self._deadline_seconds = deadline_seconds
        self._left = 0
        self._invented: list[Reply] = []
        self._failures: set[str] = set()
        self._heard = False
        self.begun = False
        """Whether anything was asked of the resolver: without that there is nothing to say of it."""

    def questions(self) -> list[Question]:
        """Return what is to be asked, of no group: once, beside the controls of lists."""
        self.begun = True
        self._left = len(_SUFFIXES)
        return [Question(f"{secrets.token_hex(12)}.{suffix}", RecordType.A) for suffix in _SUFFIXES]

    def take(self, reply: Reply) -> None:
        """Take in the reply to one of the questions."""
        self._left -= 1
        self.note(reply)
        if reply.addresses:
            self._invented.append(reply)

    def note(self, reply: Reply) -> None:
        """Take in the reply to a list's control: it shows at least whether the resolver lives."""
        if reply.failure is None:
            self._heard = True
        else:
            self._failures.add(reply.failure)

    @property
    def undecided(self) -> bool:
        """Whether it may still turn out that the resolver rewrites."""
        found = len(self._invented)
        return found < _REWRITTEN <= found + self._left

    @property
    def rewrites(self) -> str | None:
        """What it says where no name is, in words; None where it does not rewrite, as far as is known."""
        if len(self._invented) < _REWRITTEN:
            return None
        name, address = self._invented[0].question.name, self._invented[0].addresses[0]
        return f"the resolver says {address} where no name is ({name})"

    def fault(self, lists: Verdicts) -> str | None:
        """Return what is wrong with the resolver and what to do, in one line, when all replies are in; None if nothing.

        A name server that refuses names of foreign zones is no fault: it holds the lists itself.
        """
        words = None
        if self.rewrites is not None:
            words = f"{self.rewrites.removeprefix('the resolver ')}: no list can be asked through it; {_OWN}"
        elif not self._heard and not lists.fit:
            words = self._why_useless()
        elif _most(lists.refusing, lists.asked) or _most(lists.refusing, lists.majors):
            refused_by = f"{len(lists.refusing)} of {len(lists.asked)} lists ({', '.join(sorted(lists.refusing))})"
            words = f"is refused by {refused_by}, as public ones are; {_OWN}"
        return None if words is None else f"resolver {self._resolver} {words}"

    def _why_useless(self) -> str:
        """Nothing that was asked has an answer: why not?"""
        if Failure.REFUSED in self._failures:
            return f"refuses all questions; allow this host to ask it, or {_CURE}"
        if self._failures - {Failure.TIMEOUT, Failure.UNREACHABLE, Failure.BREAKER}:
            return f"finds no answer to anything; see whether it reaches other name servers, or {_CURE}"
        if Failure.UNREACHABLE in self._failures:
            return f"is not there: nothing answers at that address; start it, or {_CURE}"
        return f"is silent: no answer within {self._deadline_seconds:g} seconds; start it, or {_CURE}"


def _most(some: Collection[str], of: Collection[str]) -> bool:
    """Whether more than half refuse, and not one alone."""
    refusing = len(set(some) & set(of))
    return refusing >= _REFUSING and 2 * refusing > len(of)
