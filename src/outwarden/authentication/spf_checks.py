"""What an operator is told of SPF, and the record to publish."""

from collections.abc import Sequence
from ipaddress import ip_address

from outwarden.authentication.answers import Answer, RecordSource, RecordType
from outwarden.authentication.domain_names import Address
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned
from outwarden.authentication.spf import MOST_TERMS, Sending, SpfResult, evaluate_spf
from outwarden.authentication.spf_record import SpfSurvey, survey_spf
from outwarden.authentication.spf_syntax import is_spf

Outbound = Sequence[Address]


def check_spf(domain: str, addresses: Outbound, helo: str | None, records: RecordSource) -> list[Check]:
    """Check the record of ``domain``, and evaluate it for each of our outbound ``addresses``."""
    survey = survey_spf(domain, records)
    publish = advised_spf(domain, addresses, records)
    checks = [_record_check(domain, survey, publish)]
    if survey.record is not None:
        checks += _limit_checks(survey, publish) + _ending_check(survey, publish) + _style_check(survey, publish)
    if survey.record is not None or survey.faults:
        checks += [_address_check(domain, address, helo, publish, records) for address in addresses]
    if helo is not None and helo != domain:
        checks += [_helo_check(helo, address, addresses, records) for address in addresses]
    return checks


def _record_check(domain: str, survey: SpfSurvey, publish: str | None) -> Check:
    if survey.faults:
        return failed("spf", "; ".join(survey.faults), publish)
    if survey.could_not_ask:
        return unknown("spf", "could not ask for all of it: " + "; ".join(survey.could_not_ask))
    if survey.text is None:
        return failed("spf", f"{domain} has no SPF record", publish)
    return passed("spf", survey.text)


def _limit_checks(survey: SpfSurvey, publish: str | None) -> list[Check]:
    if survey.for_some:
        text = "; ".join(survey.for_some) + ": permerror for every sender that no address before that names"
        return [failed("spf-limits", text, publish)]
    return [passed("spf-limits", f"{survey.terms} of 10 terms ask the DNS, {survey.void} of 2 find nothing")]


def _ending_check(survey: SpfSurvey, publish: str | None) -> list[Check]:
    if survey.could_not_ask or survey.faults:
        return []
    if survey.ending in {"-", "~"}:
        return [passed("spf-ending", f"ends in {survey.ending}all")]
    if survey.ending is None:
        return [failed("spf-ending", "has no all: whom it does not name is judged neutral", publish)]
    return [failed("spf-ending", f"ends in {survey.ending}all: anybody may send in its name", publish)]


def _style_check(survey: SpfSurvey, publish: str | None) -> list[Check]:
    return [warned("spf-style", "; ".join(survey.weaknesses), publish)] if survey.weaknesses else []


def _address_check(
    domain: str, address: Address, helo: str | None, publish: str | None, records: RecordSource
) -> Check:
    verdict = evaluate_spf(Sending(address, helo or domain, f"postmaster@{domain}"), records)
    text = f"{address}: {verdict.result}, {verdict.because}"
    if verdict.result is SpfResult.PASS:
        return passed("spf-address", text)
    if verdict.result is SpfResult.TEMPERROR:
        return unknown("spf-address", text)
    return failed("spf-address", text, publish)


def _helo_check(helo: str, address: Address, addresses: Outbound, records: RecordSource) -> Check:
    verdict = evaluate_spf(Sending(address, helo), records)
    text = f"{address} as {helo}: {verdict.result}, {verdict.because}"
    if verdict.result is SpfResult.PASS:
        return passed("spf-helo", text)
    if verdict.result is SpfResult.TEMPERROR:
        return unknown("spf-helo", text)
    if verdict.result is SpfResult.NONE:
        return warned("spf-helo", text, txt_line(helo, _compose([], addresses, "-all")))
    return failed("spf-helo", text)


class _Published:
    """The DNS as it would be with another SPF record for one domain."""

    def __init__(self, records: RecordSource, domain: str, text: str) -> None:
        self._records = records
        self._domain = domain
        self._text = text

    def ask(self, name: str, kind: RecordType) -> Answer:
        """Answer from the DNS as it is, but for the record in question."""
        if (name, kind) == (self._domain, RecordType.TXT):
            return Answer((self._text,))
        return self._records.ask(name, kind)


def advised_spf(domain: str, addresses: Outbound, records: RecordSource) -> str | None:
    """Return the line to publish: what is there and works, our addresses, and an end that says no.

    Terms that cannot be read, that do not work, and ``ptr`` are left out; several records become one.
    The end is "-all" where it was before, else the milder "~all": there may be senders we know nothing of.
    None where no such record would work: which of too many services to give up is the operator's choice.
    """
    texts = [text for text in records.ask(domain, RecordType.TXT).values if is_spf(text)]
    terms = [term for text in texts for term in _effective_terms(text)]
    kept = [term for term in dict.fromkeys(terms) if _is_kept(term, domain, records)]
    ending = "-all" if "-all" in (term.lower() for term in terms) else "~all"
    if not texts and not addresses and records.ask(domain, RecordType.MX).values:
        kept = ["mx"]
    published = _Published(records, domain, _compose(kept, [], ending))
    named = [address for address in addresses if not _passes(domain, address, published)]
    advised = _compose(kept, named, ending)
    outcome = survey_spf(domain, _Published(records, domain, advised))
    return None if outcome.faults or outcome.for_some else txt_line(domain, advised)


def _effective_terms(text: str) -> list[str]:
    """Return the terms of a record; beside "all" a redirect has no effect (RFC 7208 section 6.1)."""
    terms = [term for term in text[6:].split(" ") if term]
    ends = any(term.lower().lstrip("+-~?") == "all" for term in terms)
    return [term for term in terms if not (ends and term.lower().startswith("redirect="))]


def _is_kept(term: str, domain: str, records: RecordSource) -> bool:
    """Return whether a term works, looked at alone; what only breaks a limit may work in other company."""
    if term.lower().lstrip("+-~?").partition(":")[0].partition("/")[0] in {"all", "ptr"}:
        return False
    alone = survey_spf(domain, _Published(records, domain, f"v=spf1 {term}"))
    return not alone.void if alone.usable else alone.usable is None or alone.terms > MOST_TERMS


def _passes(domain: str, address: Address, records: RecordSource) -> bool:
    return evaluate_spf(Sending(address, domain, f"postmaster@{domain}"), records).result is SpfResult.PASS


def _compose(kept: list[str], addresses: Outbound, ending: str) -> str:
    """Addresses first: they cost no look-up.  A redirect takes the place of "all"."""
    modifiers = {term.partition("=")[0].lower(): term for term in kept if "=" in term.partition(":")[0]}
    mechanisms = [term for term in kept if term not in modifiers.values()]
    named = [f"ip{ip_address(address).version}:{address}" for address in addresses]
    end = [] if "redirect" in modifiers else [ending]
    return " ".join(["v=spf1", *dict.fromkeys(named), *mechanisms, *end, *modifiers.values()])
