"""DANE: the TLSA records of the mail exchangers (RFC 7672, RFC 6698 section 2.1), and what they show by STARTTLS.

Whether the records fit the certificate that a host shows is looked at only where somebody may ask the host.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.receiver_rules import Severity
from outwarden.authentication.report import Check, failed, passed, unknown, warned
from outwarden.authentication.tlsa import Tlsa, advised_tlsa, misfit, read_tlsa

_MOST_ASKED = 10
"""A stranger's DNS can name any number of mail exchangers; so many are connected to."""


class Shown(NamedTuple):
    """The certificates that a host shows, in DER, its own first; or why there are none.

    ``refused``: the host was asked, and offers no TLS.
    """

    chain: tuple[bytes, ...] = ()
    fault: str | None = None
    refused: bool = False


CertificateProbe = Callable[[str], Shown]
"""From a mail exchanger to the certificates that it shows."""


class Showing(NamedTuple):
    """Who asks the hosts for their certificates, for the mail of which domain, and when that is (now)."""

    probe: CertificateProbe
    domain: str
    at: datetime


def check_dane(exchangers: tuple[str, ...], records: RecordSource, showing: Showing | None = None) -> list[Check]:
    """Check each mail exchanger; hosts without TLSA records are named together, for DANE is a choice."""
    answers = {host: records.ask(f"_25._tcp.{host}", RecordType.TLSA) for host in exchangers}
    without = [host for host, answer in answers.items() if answer.void]
    checks = []
    asked = 0
    for host, answer in answers.items():
        if answer.failure is not None:
            checks.append(unknown("dane", f"could not ask for _25._tcp.{host}: {answer.failure}"))
        elif answer.values:
            checks.append(_check_host(host, answer.values, answer.secure))
            usable = [record for value in answer.values if isinstance(record := read_tlsa(value), Tlsa)]
            if showing is not None and usable and asked < _MOST_ASKED:
                asked += 1
                checks.append(_check_certificate(host, usable, answer.secure, showing))
    if without and len(without) < len(exchangers):
        checks.append(warned("dane", f"{', '.join(without)} has no TLSA record, other mail exchangers have"))
    return checks


def _check_host(host: str, values: tuple[str, ...], secure: bool) -> Check:
    faults = {value: fault for value in values if isinstance(fault := read_tlsa(value), str)}
    if not secure:
        text = f"{host}: TLSA records, but the resolver did not validate them: without DNSSEC senders ignore them"
        return warned("dane", text)
    if len(faults) == len(values):
        text = f"{host}: no TLSA record can be used: {'; '.join(faults.values())}; senders may refuse to deliver"
        return failed("dane", text, severity=Severity.CRITICAL)
    if faults:
        return warned("dane", f"{host}: {'; '.join(faults.values())}; other records of it can be used")
    return passed("dane", f"{host}: {len(values)} TLSA records under DNSSEC")


def _check_certificate(host: str, usable: Sequence[Tlsa], secure: bool, showing: Showing) -> Check:
    """Compare what the host shows: one record that fits is enough (RFC 7671 section 8.1: others may be to come)."""
    shown = showing.probe(host)
    names = tuple(dict.fromkeys((host, showing.domain)))
    faults = {record: misfit(record, shown.chain, names, showing.at) for record in usable} if shown.chain else {}
    fitting = [record for record, fault in faults.items() if fault is None]
    if fitting:
        others = len(faults) - len(fitting)
        more = f"; {others} more {'does' if others == 1 else 'do'} not, as when a key is changed" if others else ""
        return passed("dane-certificate", f"{host}: TLSA {fitting[0]} fits what it shows{more}")
    if not faults and not shown.refused:
        return unknown("dane-certificate", f"{shown.fault}")
    told = f"{host}: " + ("; ".join(f"TLSA {record} {fault}" for record, fault in faults.items()) or f"{shown.fault}")
    advised = advised_tlsa(shown.chain)
    publish = None if advised is None else f"_25._tcp.{host}. IN TLSA {advised}"
    if not secure:
        return warned("dane-certificate", f"{told}; without DNSSEC senders do not see it yet", publish)
    return failed("dane-certificate", f"{told}: senders that check DANE do not deliver", publish)
