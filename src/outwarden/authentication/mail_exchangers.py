"""Mail exchangers: where answers to our mail go, the null MX, and domains that have nothing to do with mail."""

from typing import NamedTuple

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.dmarc import discover
from outwarden.authentication.domain_names import can_be_asked
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown
from outwarden.authentication.spf import select_spf

NULL_MX = "0 "
"""The null MX of RFC 7505 section 3 in the form of ``Answer``."""


class Mail(NamedTuple):
    """How a domain takes mail.  ``parked``: it takes none; None where that could not be asked."""

    hosts: tuple[str, ...]
    null_mx: bool
    parked: bool | None
    fault: str | None = None


def find_exchangers(domain: str, records: RecordSource) -> Mail:
    """Return the mail exchangers of ``domain``, best first; a domain without is its own (RFC 5321 section 5.1)."""
    answer = records.ask(domain, RecordType.MX)
    if answer.failure is not None:
        return Mail((), False, None, f"could not ask for the mail exchangers of {domain}: {answer.failure}")
    pairs = [value.partition(" ") for value in answer.values]
    by_preference = sorted(pairs, key=lambda pair: (int(pair[0]) if pair[0].isdigit() else 0, pair[2]))
    hosts = tuple(host for _, _, host in by_preference if host)
    null = any(not host for _, _, host in pairs)
    if answer.values:
        return Mail(hosts, null, parked=not hosts)
    own = [records.ask(domain, kind) for kind in (RecordType.A, RecordType.AAAA)]
    if any(found.values for found in own):
        return Mail((domain,), False, parked=False)
    doubt = any(found.failure is not None for found in own)
    return Mail((), False, parked=None if doubt else True)


def check_exchangers(domain: str, mail: Mail, records: RecordSource) -> list[Check]:
    """Check that each mail exchanger can be reached by its name."""
    if mail.fault is not None:
        return [unknown("mail-exchangers", mail.fault)]
    if mail.null_mx and mail.hosts:
        text = "there is a null MX beside mail exchangers: senders may take either"
        return [failed("mail-exchangers", text, "\n".join(f"{domain}. IN MX 10 {host}." for host in mail.hosts))]
    checks = [_check_host(host, records) for host in mail.hosts]
    faults = [check for check in checks if check is not None]
    return faults or [passed("mail-exchangers", ", ".join(mail.hosts))]


def _check_host(host: str, records: RecordSource) -> Check | None:
    """RFC 5321 section 5.1: a mail exchanger is a name that has an address."""
    if not can_be_asked(host) or host.replace(".", "").isdigit():
        return failed("mail-exchangers", f"{host} is no host name; an address may not stand there")
    answers = [records.ask(host, kind) for kind in (RecordType.A, RecordType.AAAA)]
    if any(answer.values for answer in answers):
        return None
    if any(answer.failure is not None for answer in answers):
        return unknown("mail-exchangers", f"could not ask for the address of {host}")
    return failed("mail-exchangers", f"{host} has no address")


def check_parked(domain: str, mail: Mail, records: RecordSource) -> list[Check]:
    """Check that a domain without mail says so: null MX, ``v=spf1 -all``, ``p=reject``."""
    return [_null_mx(domain, mail), _no_senders(domain, records), _reject(domain, records)]


def _null_mx(domain: str, mail: Mail) -> Check:
    if mail.null_mx:
        return passed("parked", f"{domain} takes no mail and says so: null MX")
    return failed("parked", f"{domain} takes no mail, but has no null MX", f"{domain}. IN MX 0 .")


def _no_senders(domain: str, records: RecordSource) -> Check:
    answer = records.ask(domain, RecordType.TXT)
    text = select_spf(domain, answer)
    if answer.failure is not None:
        return unknown("parked", f"could not ask for the SPF record of {domain}: {answer.failure}")
    if isinstance(text, str) and text.lower().split() == ["v=spf1", "-all"]:
        return passed("parked", "its SPF record says that nobody sends for it")
    return failed("parked", "its SPF record does not say that nobody sends for it", txt_line(domain, "v=spf1 -all"))


def _reject(domain: str, records: RecordSource) -> Check:
    found = discover(domain, records)
    if found.holding is None and found.could_not_ask:
        return unknown("parked", f"could not ask for {found.could_not_ask}")
    record = found.holding.record if found.holding else None
    kind = "domain" if found.own.record is not None else "subdomain"
    if record is not None and record.policy_for(kind) == "reject":
        return passed("parked", "its DMARC policy is reject")
    publish = txt_line(f"_dmarc.{domain}", "v=DMARC1; p=reject")
    return failed("parked", "its DMARC policy is not reject", publish)
