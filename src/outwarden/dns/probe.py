"""Whether a resolver can be believed at all, found out before anything else is asked of it.

A resolver that is dead, or that answers with an address where no name is, makes every list's answer worthless: the
first would look like silence of all lists, the second like listings on all of them.  That single lists refuse
a resolver shows in their own controls, and is named here only where most of them do.

Not told apart: a resolver that rewrites only some names; the lists' own random canaries find that.
"""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from outwarden.dns.lookup import Lookup
from outwarden.dns.packets import RecordType
from outwarden.dns.questions import Failure, Question, Reply

# Under each, names that nobody has registered do not exist; there is no wildcard (IAB commentary of 2003-09).
_SUFFIXES = ("com", "net", "org", "de", "uk")
# One name may exist by accident of a search list or a private zone; not two.
_REWRITTEN = 2
# Several lists say by these that they refuse the resolver: Spamhaus' published return codes.
_REFUSALS = ip_network("127.255.255.0/24")


class ResolverFault(StrEnum):
    """What is wrong with a resolver."""

    DEAD = "dead"
    REWRITES = "rewrites"
    REFUSED_BY_LISTS = "refused-by-lists"


class ResolverState(NamedTuple):
    """What was found: the fault or None, one line for the operator, and the lists that refused."""

    fault: ResolverFault | None
    text: str
    refused_by: tuple[str, ...] = ()


def probe(lookup: Lookup, controls: Mapping[str, str] | None = None) -> ResolverState:
    """Ask a few names that cannot exist, and the lists' ``controls``: by list, the name of a test entry.

    Takes the look-up's deadline at most.  A name server that refuses names of foreign zones is no fault: it holds
    the lists itself.
    """
    canaries = [Question(f"{secrets.token_hex(12)}.{suffix}", RecordType.A) for suffix in _SUFFIXES]
    tests = [Question(name, RecordType.A, list_id) for list_id, name in (controls or {}).items()]
    replies = list(lookup.ask([*canaries, *tests]))
    return _dead(lookup, replies) or _rewriting(lookup, replies) or _refused(lookup, replies)


def _dead(lookup: Lookup, replies: list[Reply]) -> ResolverState | None:
    if any(reply.rcode is not None for reply in replies):
        return None
    gone = any(reply.failure == Failure.UNREACHABLE for reply in replies)
    why = "nothing answers at that address" if gone else f"no answer within {lookup.deadline_seconds:g} seconds"
    return ResolverState(
        ResolverFault.DEAD,
        f"resolver {lookup.resolver}: {why}; start it, or name another with --resolver HOST[:PORT]",
    )


def _rewriting(lookup: Lookup, replies: list[Reply]) -> ResolverState | None:
    invented = [reply for reply in replies if not reply.question.group and reply.addresses]
    if len(invented) < _REWRITTEN:
        return None
    name, address = invented[0].question.name, invented[0].addresses[0]
    return ResolverState(
        ResolverFault.REWRITES,
        f"resolver {lookup.resolver} says {address} where no name is ({name}): no list can be asked through it; "
        "run a resolver of your own, and name it with --resolver HOST[:PORT]",
    )


def _refused(lookup: Lookup, replies: list[Reply]) -> ResolverState:
    asked = [reply for reply in replies if reply.question.group]
    refused_by = tuple(sorted(reply.question.group for reply in asked if _is_refusal(reply)))
    if not refused_by or 2 * len(refused_by) <= len(asked):
        return ResolverState(None, f"resolver {lookup.resolver} answers", refused_by)
    return ResolverState(
        ResolverFault.REFUSED_BY_LISTS,
        f"resolver {lookup.resolver} is refused by {len(refused_by)} of {len(asked)} lists ({', '.join(refused_by)}), "
        "as public resolvers are; run a resolver of your own, and name it with --resolver HOST[:PORT]",
        refused_by,
    )


def _is_refusal(reply: Reply) -> bool:
    if reply.failure:
        return reply.failure == Failure.REFUSED
    return bool(reply.addresses) and all(ip_address(each) in _REFUSALS for each in reply.addresses)
