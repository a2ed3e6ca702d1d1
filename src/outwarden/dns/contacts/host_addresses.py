"""The addresses of a registry's server, asked of the same resolver as all else."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from outwarden.dns.contacts.https_pages import CouldNotFetch
from outwarden.dns.lookup import Failure, Lookup, Question, Reply
from outwarden.dns.packets import RecordType


def addresses_of(lookup: Lookup, host: str) -> list[IPv4Address | IPv6Address]:
    """Return the addresses of a host, IPv4 first.  Raises ``CouldNotFetch`` where it could not be asked for any."""
    replies = sorted(
        lookup.ask([Question(host, RecordType.A), Question(host, RecordType.AAAA)]),
        key=lambda reply: reply.question.qtype,
    )
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
