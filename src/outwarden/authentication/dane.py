"""DANE: the TLSA records of the mail exchangers (RFC 7672, RFC 6698 section 2.1).

Whether a record fits the certificate that the host shows is not looked at: that takes a connection.
"""

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.receiver_rules import Severity
from outwarden.authentication.report import Check, failed, passed, unknown, warned

_LENGTHS = {1: 32, 2: 64}  # Octets of SHA-256 and SHA-512, by matching type.


def check_dane(exchangers: tuple[str, ...], records: RecordSource) -> list[Check]:
    """Check each mail exchanger; hosts without TLSA records are named together, for DANE is a choice."""
    answers = {host: records.ask(f"_25._tcp.{host}", RecordType.TLSA) for host in exchangers}
    without = [host for host, answer in answers.items() if answer.void]
    checks = []
    for host, answer in answers.items():
        if answer.failure is not None:
            checks.append(unknown("dane", f"could not ask for _25._tcp.{host}: {answer.failure}"))
        elif answer.values:
            checks.append(_check_host(host, answer.values, answer.secure))
    if without and len(without) < len(exchangers):
        checks.append(warned("dane", f"{', '.join(without)} has no TLSA record, other mail exchangers have"))
    return checks


def _check_host(host: str, values: tuple[str, ...], secure: bool) -> Check:
    faults = {value: fault for value in values if (fault := tlsa_fault(value))}
    if not secure:
        text = f"{host}: TLSA records, but the resolver did not validate them: without DNSSEC senders ignore them"
        return warned("dane", text)
    if len(faults) == len(values):
        text = f"{host}: no TLSA record can be used: {'; '.join(faults.values())}; senders may refuse to deliver"
        return failed("dane", text, severity=Severity.CRITICAL)
    if faults:
        return warned("dane", f"{host}: {'; '.join(faults.values())}; other records of it can be used")
    return passed("dane", f"{host}: {len(values)} TLSA records under DNSSEC")


def tlsa_fault(value: str) -> str | None:
    """Return why senders cannot use a TLSA record, ``"3 1 1 HEX"``, or None."""
    parts = value.split(" ")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts[:3]):
        return "a TLSA record that cannot be read"
    usage, selector, matching = (int(part) for part in parts[:3])
    if usage not in {2, 3}:
        return f"usage {usage}, where SMTP knows 2 and 3 only"  # RFC 7672 section 3.1.3.
    if selector not in {0, 1}:
        return f"the unknown selector {selector}"
    if matching not in {0, 1, 2}:
        return f"the unknown matching type {matching}"
    octets, wanted = len(parts[3]) // 2, _LENGTHS.get(matching)
    return f"a hash of {octets} octets, where there must be {wanted}" if wanted and octets != wanted else None
