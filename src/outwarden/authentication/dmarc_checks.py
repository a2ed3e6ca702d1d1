"""What an operator is told of DMARC, and the one record to publish."""

from outwarden.authentication.answers import RecordSource, RecordType
from outwarden.authentication.dmarc import (
    Discovery,
    DmarcRecord,
    ReportAddress,
    discover,
    is_dmarc,
    report_consent_name,
)
from outwarden.authentication.domain_names import can_be_asked, is_within
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned

_KEPT = ("p", "sp", "np", "adkim", "aspf", "psd")


def check_dmarc(domain: str, records: RecordSource) -> list[Check]:
    """Check the record that holds for ``domain``, its own or that of its organisational domain."""
    found = discover(domain, records)
    if found.own.could_not_ask or (found.could_not_ask and found.own.record is None):
        return [unknown("dmarc", f"could not ask for {found.could_not_ask}")]
    if found.holding is None or found.holding.record is None:
        return [_missing(found)]
    record, at, text = found.holding.record, found.holding.domain, found.holding.text
    publish = txt_line(f"_dmarc.{at}", advised_dmarc(at, record, at == found.organisational))
    checks = [_holds(found, at, f"{text}", publish), _policy(at == domain, record, publish)]
    checks += _tags(record, publish) + _test_mode(record, publish)
    if at == found.organisational and record.psd != "y":
        checks += _subdomains(record, publish)
    checks += [_reports(record, publish), _failure_reports(at, record, publish)]
    return checks + _consents(at, record, records)


def _missing(found: Discovery) -> Check:
    publish = txt_line(f"_dmarc.{found.domain}", advised_dmarc(found.domain, None, is_organisational=True))
    if found.own.fault:
        return failed("dmarc", f"the record of _dmarc.{found.domain} {found.own.fault}", publish)
    return failed("dmarc", f"neither {found.domain} nor a domain above it has a DMARC record", publish)


def _holds(found: Discovery, at: str, text: str, publish: str) -> Check:
    if found.own.fault:
        return failed("dmarc", f"the record of _dmarc.{found.domain} {found.own.fault}", publish)
    return passed("dmarc", text if at == found.domain else f"the record of {at} holds: {text}")


def _policy(is_own: bool, record: DmarcRecord, publish: str) -> Check:
    policy = record.policy_for("domain" if is_own else "subdomain")
    if "p" not in record.tags:
        return warned("dmarc-policy", 'there is no "p=", which means none', publish)
    if policy == "none":
        return warned("dmarc-policy", "the policy is none: forged mail is delivered; tighten it when reports are clean")
    return passed("dmarc-policy", f"the policy is {policy}")


def _tags(record: DmarcRecord, publish: str) -> list[Check]:
    notes = [f"{tag}={record.tags[tag]} is removed" for tag in record.removed]
    notes += [f"the size in {address.uri} is removed" for address in _all_addresses(record) if address.sized]
    notes += [f"{text} is no value that receivers know" for text in record.ignored]
    if record.tags.get("pct", "100") != "100":
        notes.append("receivers of today apply the policy to all mail; t=y asks for a milder one")
    return [warned("dmarc-tags", "; ".join(notes), publish)] if notes else []


def _test_mode(record: DmarcRecord, publish: str) -> list[Check]:
    if not record.testing:
        return []
    return [warned("dmarc-test-mode", f"t=y: {record.policy} is applied as {record.policy_for('domain')}", publish)]


def _subdomains(record: DmarcRecord, publish: str) -> list[Check]:
    policy = record.policy_for("nonexistent")
    if policy == "none":
        return [warned("dmarc-subdomains", "names below it that do not exist can be forged: no np=reject", publish)]
    return [passed("dmarc-subdomains", f"the policy for names below it that do not exist is {policy}")]


def _reports(record: DmarcRecord, publish: str) -> Check:
    if not record.reports:
        return failed("dmarc-reports", 'no address for aggregate reports, "rua="', publish)
    return passed("dmarc-reports", "aggregate reports go to " + ", ".join(to.mailbox for to in record.reports))


def _failure_reports(at: str, record: DmarcRecord, publish: str) -> Check:
    if not record.failure_reports:
        more = f'{publish[:-1]}; ruf=mailto:dmarc-failures@{at}; fo=1"'
        return warned("dmarc-failure-reports", 'no address for failure reports, "ruf="; few receivers send any', more)
    if "1" not in record.tags.get("fo", "0").split(":"):
        return warned("dmarc-failure-reports", "without fo=1 only mail that fails in every way is reported", publish)
    where = ", ".join(to.mailbox for to in record.failure_reports)
    return passed("dmarc-failure-reports", f"failure reports go to {where}, fo={record.tags['fo']}")


def _consents(at: str, record: DmarcRecord, records: RecordSource) -> list[Check]:
    domains = dict.fromkeys(address.domain for address in _all_addresses(record))
    outside = [other for other in domains if not is_within(other, at) and not is_within(at, other)]
    return [_consent(at, other, records) for other in outside]


def _consent(at: str, other: str, records: RecordSource) -> Check:
    """RFC 9990: who takes reports about another domain says so in its own zone."""
    name = report_consent_name(at, other)
    if not can_be_asked(name):
        return failed("dmarc-report-consent", f"{other} is no domain that reports can go to")
    answer = records.ask(name, RecordType.TXT)
    if answer.failure is not None:
        return unknown("dmarc-report-consent", f"could not ask for {name}: {answer.failure}")
    if any(is_dmarc(text) for text in answer.values):
        return passed("dmarc-report-consent", f"{other} takes reports about {at}")
    text = f"{other} does not say that it takes reports about {at}; to be published by {other}"
    return failed("dmarc-report-consent", text, txt_line(name, "v=DMARC1;"))


def _all_addresses(record: DmarcRecord) -> tuple[ReportAddress, ...]:
    return record.reports + record.failure_reports


def advised_dmarc(domain: str, record: DmarcRecord | None, is_organisational: bool) -> str:
    """Return the record to publish: the policy as it is, and all else as RFC 9989 would have it."""
    tags = record.tags if record else {}
    parts = ["v=DMARC1", f"p={record.policy if record else 'none'}"]
    parts += [f"{tag}={tags[tag]}" for tag in _KEPT[1:] if tag in tags and not _is_ignored(record, tag)]
    if is_organisational and (record is None or record.policy_for("nonexistent") == "none"):
        parts = [part for part in parts if not part.startswith("np=")] + ["np=reject"]
    reports = record.reports if record else ()
    parts.append("rua=" + (_uris(reports) or f"mailto:dmarc-reports@{domain}"))
    if record is not None and record.failure_reports:
        parts += [f"ruf={_uris(record.failure_reports)}", "fo=1"]
    return "; ".join(parts)


def _is_ignored(record: DmarcRecord | None, tag: str) -> bool:
    return record is not None and any(text.startswith(f"{tag}=") for text in record.ignored)


def _uris(addresses: tuple[ReportAddress, ...]) -> str:
    return ",".join(address.uri.rpartition("!")[0] if address.sized else address.uri for address in addresses)
