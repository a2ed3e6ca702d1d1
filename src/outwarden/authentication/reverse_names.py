"""Reverse names: does each outbound address have a name that leads back to it, and does the HELO name?"""

from ipaddress import IPv4Address

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.domain_names import Address, can_be_asked, name_fault, reverse_name
from outwarden.authentication.report import Check, failed, passed, unknown, warned

_MOST_NAMES = 10


def check_reverse_names(
    domain: str, addresses: tuple[Address, ...], helo: str | None, records: RecordSource
) -> list[Check]:
    """Check each outbound address: PTR, back again (FCrDNS), and the HELO name where it is known."""
    if not addresses:
        return [unknown("reverse-name", "no outbound address is known: give each with --address")]
    checks = [_check_address(address, helo or f"mail.{domain}", records) for address in addresses]
    if helo is not None:
        checks += [_check_helo(helo, address, records) for address in addresses]
    return checks


def _check_address(address: Address, wanted: str, records: RecordSource) -> Check:
    answer = records.ask(reverse_name(address), RecordType.PTR)
    publish = f"{reverse_name(address)}. IN PTR {wanted}."
    if answer.failure is not None:
        return unknown("reverse-name", f"could not ask for the name of {address}: {answer.failure}")
    if not answer.values:
        return failed("reverse-name", f"{address} has no name; whoever runs the reverse zone publishes it", publish)
    names = answer.values[:_MOST_NAMES]
    backs = {name: leads_to(name, address, records) for name in names}
    good = [name for name, back in backs.items() if back]
    if not good and None in backs.values():
        return unknown("reverse-name", f"{address} is {names[0]}; could not ask whether that leads back")
    if not good:
        back = _address_line(names[0], address)
        return failed("reverse-name", f"{address} is {', '.join(names)}, which does not lead back to it", back)
    if is_generic(good[0], address):
        return warned("reverse-name", f"{address} is {good[0]}: that looks like a customer's line", publish)
    return passed("reverse-name", f"{address} is {good[0]} and back")


def _check_helo(helo: str, address: Address, records: RecordSource) -> Check:
    if name_fault(helo) or "." not in helo:
        return failed("helo", f'"{helo}" is no whole host name')
    back = leads_to(helo, address, records)
    if back is None:
        return unknown("helo", f"could not ask for the address of {helo}")
    if back:
        return passed("helo", f"{helo} is {address}")
    return failed("helo", f"{helo} does not lead to {address}", _address_line(helo, address))


def _address_line(name: str, address: Address) -> str:
    return f"{name}. IN {_family(address)} {address}"


def leads_to(name: str, address: Address, records: RecordSource) -> bool | None:
    """Return whether ``name`` has ``address``; None where it could not be asked."""
    if not can_be_asked(name):
        return False
    answer = records.ask(name, _family(address))
    return None if answer.failure is not None else str(address) in answer.values


def _family(address: Address) -> RecordType:
    return RecordType.A if isinstance(address, IPv4Address) else RecordType.AAAA


def is_generic(name: str, address: Address) -> bool:
    """Return whether a name is made of its address, as providers name lines that should not send mail."""
    if not isinstance(address, IPv4Address):
        return False
    octets = str(address).split(".")
    written = (sep.join(order) for sep in (".", "-", "_") for order in (octets, octets[::-1]))
    return any(form in name for form in written) or "".join(f"{int(octet):03}" for octet in octets) in name
