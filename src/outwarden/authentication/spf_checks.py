"""What an operator is told of SPF, and the record to publish."""

from collections.abc import Sequence
from ipaddress import ip_address

from outwarden.authentication.answers import Answer, RecordSource, RecordType
from outwarden.authentication.domain_names import Address
from outwarden.authentication.report import Check, failed, passed, txt_line, unknown, warned
from outwarden.authentication.spf import Sending, SpfResult, evaluate_spf
from outwarden.authentication.spf_record import SpfSurvey, survey_spf
from outwarden.authentication.spf_syntax import MalformedSpf, is_spf, parse_spf

Outbound = Sequence[Address]


def check_spf(domain: str, addresses: Outbound, helo: str | None, records: RecordSource) -> list[Check]:
    """Check the record of ``domain``, and evaluate it for each of our outbound ``addresses``."""
    survey = survey_spf(domain, records)
    publish = advised_spf(domain, survey, addresses, records)
    checks = [_record_check(domain, survey, publish)]
    if survey.record is not None:
        checks += _limit_checks(survey, publish) + _ending_check(survey, publish) + _style_check(survey, publish)
    if survey.record is not None or survey.faults:
        checks += [_address_check(domain, address, helo, publish, records) for address in addresses]
    if helo is not None and helo != domain:
        checks += [_helo_check(helo, address, addresses, records) for address in addresses]
    return checks


def _record_check(domain: str, survey: SpfSurvey, publish: str) -> Check:
    if survey.faults:
        return failed("spf", "; ".join(survey.faults), publish)
    if survey.could_not_ask:
        return unknown("spf", "could not ask for all of it: " + "; ".join(survey.could_not_ask))
    if survey.text is None:
        return failed("spf", f"{domain} has no SPF record", publish)
    return passed("spf", survey.text)


def _limit_checks(survey: SpfSurvey, publish: str) -> list[Check]:
    if survey.for_some:
        text = "; ".join(survey.for_some) + ": permerror for every sender that no address before that names"
        return [failed("spf-limits", text, publish)]
    return [passed("spf-limits", f"{survey.terms} of 10 terms ask the DNS, {survey.void} of 2 find nothing")]


def _ending_check(survey: SpfSurvey, publish: str) -> list[Check]:
    if survey.could_not_ask or survey.faults:
        return []
    if survey.ending in {"-", "~"}:
        return [passed("spf-ending", f"ends in {survey.ending}all")]
    if survey.ending is None:
        return [failed("spf-ending", "has no all: whom it does not name is judged neutral", publish)]
    return [failed("spf-ending", f"ends in {survey.ending}all: anybody may send in its name", publish)]


def _style_check(survey: SpfSurvey, publish: str) -> list[Check]:
    return [warned("spf-style", "; ".join(survey.weaknesses), publish)] if survey.weaknesses else []


def _address_check(domain: str, address: Address, helo: str | None, publish: str, records: RecordSource) -> Check:
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


def advised_spf(domain: str, survey: SpfSurvey, addresses: Outbound, records: RecordSource) -> str:
    """Return the line to publish: what is there and works, our addresses, and an end that says no.

    Terms that cannot be read, that do not work, and ``ptr`` are left out; several records become one.
    The end is "-all" where it was before, else the milder "~all": there may be senders we know nothing of.
    """
    texts = [text for text in records.ask(domain, RecordType.TXT).values if is_spf(text)]
    terms = [term for text in texts for term in text[6:].split(" ") if term]
    kept = [term for term in dict.fromkeys(terms) if _is_kept(term, survey)]
    ending = "-all" if "-all" in (term.lower() for term in terms) else "~all"
    if not texts and not addresses and records.ask(domain, RecordType.MX).values:
        kept = ["mx"]
    published = _Published(records, domain, _compose(kept, [], ending))
    named = [address for address in addresses if not _passes(domain, address, published)]
    return txt_line(domain, _compose(kept, named, ending))


def _is_kept(term: str, survey: SpfSurvey) -> bool:
    name = term.lower().lstrip("+-~?")
    if name == "all" or name.partition(":")[0] == "ptr" or (name.startswith("redirect=") and not survey.usable):
        return False
    if any(f'"{term}"' in text for text in (*survey.faults, *survey.weaknesses)):
        return False
    try:
        parse_spf(f"v=spf1 {term}")
    except MalformedSpf:
        return False
    return True


def _passes(domain: str, address: Address, records: RecordSource) -> bool:
    return evaluate_spf(Sending(address, domain, f"postmaster@{domain}"), records).result is SpfResult.PASS


def _compose(kept: list[str], addresses: Outbound, ending: str) -> str:
    """Addresses first: they cost no look-up.  A redirect takes the place of "all"."""
    modifiers = [term for term in kept if "=" in term.partition(":")[0]]
    mechanisms = [term for term in kept if term not in modifiers]
    named = [f"ip{ip_address(address).version}:{address}" for address in addresses]
    end = [] if any(term.lower().startswith("redirect=") for term in modifiers) else [ending]
    return " ".join(["v=spf1", *dict.fromkeys(named), *mechanisms, *end, *dict.fromkeys(modifiers)])
