"""All checks of one domain, in the order in which an operator would cure them."""

from datetime import UTC, datetime
from typing import NamedTuple

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.cfbl import check_cfbl
from outwarden.authentication.dane import CertificateProbe, Showing, check_dane
from outwarden.authentication.dkim import selectors
from outwarden.authentication.dkim_canonical import Message
from outwarden.authentication.dkim_checks import check_dkim_keys, check_message
from outwarden.authentication.dmarc_checks import check_dmarc
from outwarden.authentication.domain_names import Address
from outwarden.authentication.mail_exchangers import check_exchangers, check_parked, find_exchangers
from outwarden.authentication.mta_sts import PolicyFetcher, check_mta_sts
from outwarden.authentication.report import Check, DomainReport, failed
from outwarden.authentication.reverse_names import check_reverse_names
from outwarden.authentication.role_mailboxes import MailboxProbe, check_role_mailboxes
from outwarden.authentication.spf_checks import check_spf
from outwarden.authentication.tls_reports import check_tls_reports


class Own(NamedTuple):
    """What the operator knows of the sending side: outbound addresses, HELO name, selectors, a sent message.

    ``assumed`` says that all of it holds for our mail at large, and tells nothing of this one domain.
    """

    addresses: tuple[Address, ...] = ()
    helo: str | None = None
    selectors: tuple[str, ...] = ()
    message: Message | None = None
    assumed: bool = False


class Reaching(NamedTuple):
    """Who may reach out beyond the DNS; None where nobody may."""

    fetch: PolicyFetcher | None = None
    probe: MailboxProbe | None = None
    certificates: CertificateProbe | None = None


def check_domain(domain: str, own: Own, records: RecordSource, reaching: Reaching, at: int) -> DomainReport:
    """Check ``domain``; ``at`` is now, in seconds since 1970 UTC.

    A name that does not exist gets no other check.  A domain that takes no mail, and of which by
    itself no outbound address, selector or message is known, is judged as a parked one.
    """
    apex = records.ask(domain, RecordType.SOA)
    if apex.failure is None and not apex.exists:
        return DomainReport(domain, (failed("domain", f"{domain} does not exist: not registered, or mistyped"),))
    mail = find_exchangers(domain, records)
    if mail.parked and (own.assumed or own == Own()):
        return DomainReport(domain, tuple(check_parked(domain, mail, records)))
    checks: list[Check] = [
        *check_reverse_names(domain, own.addresses, own.helo, records),
        *check_spf(domain, own.addresses, own.helo, records),
        *check_dkim_keys(domain, _known_selectors(domain, own), records),
    ]
    if own.message is not None:
        checks += [*check_message(own.message, records, at), check_cfbl(own.message)]
    checks += [*check_dmarc(domain, records), *check_exchangers(domain, mail, records)]
    if not mail.parked:
        checks += check_mta_sts(domain, mail.hosts, records, reaching.fetch)
        asking = reaching.certificates
        showing = None if asking is None else Showing(asking, domain, datetime.fromtimestamp(at, UTC))
        checks += [check_tls_reports(domain, records), *check_dane(mail.hosts, records, showing)]
    checks += check_role_mailboxes(domain, mail.hosts, reaching.probe)
    return DomainReport(domain, tuple(checks))


def _known_selectors(domain: str, own: Own) -> tuple[str, ...]:
    """Those that were given, and those that our own message is signed with for this domain."""
    signed = selectors(own.message) if own.message is not None else []
    from_message = (selector for signer, selector in signed if signer == domain)
    return tuple(dict.fromkeys((*own.selectors, *from_message)))
