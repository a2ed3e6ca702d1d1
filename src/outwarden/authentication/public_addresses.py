"""Which addresses of a host may be connected to only because a stranger's DNS says so."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.domain_names import Address

_MOST_ADDRESSES = 4


class Found(NamedTuple):
    """Addresses to connect to, or why there is none; ``answered`` where the DNS did say so."""

    addresses: tuple[Address, ...]
    fault: str | None = None
    answered: bool = True


def find_addresses(host: str, records: RecordSource, may_connect: Callable[[Address], bool]) -> Found:
    """Return the first addresses of ``host`` that ``may_connect`` allows."""
    answers = [records.ask(host, kind) for kind in (RecordType.A, RecordType.AAAA)]
    found = [ip_address(value) for answer in answers for value in answer.values]
    allowed = tuple(address for address in found if may_connect(address))[:_MOST_ADDRESSES]
    if allowed:
        return Found(allowed)
    if found:
        return Found((), f"{host} has no public address, only {found[0]}")
    failure = next((answer.failure for answer in answers if answer.failure is not None), None)
    if failure is not None:
        return Found((), f"could not ask for the address of {host}: {failure}", answered=False)
    return Found((), f"{host} has no address")
