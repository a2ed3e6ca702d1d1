"""SPF: may this address send for this domain?  RFC 7208's check_host(), asking for records as it goes.

It promises the limits of section 4.6.4: ten terms that ask the DNS, ten mail exchangers or reverse
names per term, two look-ups that find nothing.  Whoever answers the questions decides how long they
may take.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from outwarden.authentication.answers import Answer, RecordSource, RecordType
from outwarden.authentication.domain_names import Address, can_be_asked, is_within, reverse_name
from outwarden.authentication.spf_macros import MalformedMacro, expand_domain, expand_explanation
from outwarden.authentication.spf_syntax import MalformedSpf, Mechanism, SpfRecord, is_spf, parse_spf

MOST_TERMS = 10
"""Terms of one check that may ask the DNS (RFC 7208 section 4.6.4)."""
MOST_HOSTS = 10
"""Mail exchangers, or reverse names, of one term (same section)."""
MOST_VOID = 2
"""Terms of one check that may find nothing (same section)."""


class SpfResult(StrEnum):
    """The seven results of RFC 7208 section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 (a result, no password)
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


QUALIFIERS = {"+": SpfResult.PASS, "-": SpfResult.FAIL, "~": SpfResult.SOFTFAIL, "?": SpfResult.NEUTRAL}


class Sending(NamedTuple):
    """Who sends: the client's address, its HELO name, the envelope sender (empty: the null sender).

    ``receiver`` and ``at`` (seconds since 1970, UTC) only serve the macros of explanations.
    """

    address: Address
    helo: str
    envelope_sender: str = ""
    receiver: str = "unknown"
    at: int = 0


class SpfVerdict(NamedTuple):
    """The result, why in words, what the domain says to who is refused, and how many terms asked or found nothing."""

    result: SpfResult
    because: str
    explanation: str | None = None
    terms: int = 0
    void: int = 0


class _Broken(Exception):
    """Ends the evaluation with an error as its result."""

    def __init__(self, result: SpfResult, because: str) -> None:
        super().__init__(because)
        self.result = result


def evaluate_spf(sending: Sending, records: RecordSource) -> SpfVerdict:
    """Return what SPF says of a client and the envelope sender (of the HELO name for the null sender)."""
    evaluation = _Evaluation(sending, records)
    try:
        verdict = evaluation.check_host(evaluation.sender_domain)
    except _Broken as broken:
        verdict = SpfVerdict(broken.result, str(broken))
    return verdict._replace(terms=evaluation.terms, void=evaluation.void)


def select_spf(domain: str, answer: Answer) -> str | SpfVerdict:
    """Return the one SPF record of ``domain``, or the verdict where there is not exactly one."""
    if answer.failure is not None:
        return SpfVerdict(SpfResult.TEMPERROR, f"could not ask for the record of {domain}: {answer.failure}")
    found = [text for text in answer.values if is_spf(text)]
    if not found:
        return SpfVerdict(SpfResult.NONE, f"{domain} has no SPF record")
    if len(found) > 1:
        # RFC 7208 section 4.5: more than one is an error, even when they are the same.
        return SpfVerdict(SpfResult.PERMERROR, f"{domain} has {len(found)} SPF records; there must be one")
    return found[0]


class _Evaluation:
    """One check, with the counts that all its records share."""

    def __init__(self, sending: Sending, records: RecordSource) -> None:
        mapped = sending.address.ipv4_mapped if isinstance(sending.address, IPv6Address) else None
        self.address: Address = mapped or sending.address  # RFC 7208 section 5.
        self.sending = sending
        self.records = records
        local_part, _, domain = sending.envelope_sender.rpartition("@")
        if not sending.envelope_sender:
            domain = sending.helo  # RFC 7208 section 2.4: the null sender is postmaster at the HELO name.
        self.local_part = local_part or "postmaster"
        self.sender_domain = domain.removesuffix(".").lower()
        self.terms = 0
        self.void = 0
        self.reverse_names: tuple[str, ...] | None = None

    def check_host(self, domain: str, *, included: bool = False) -> SpfVerdict:
        """Evaluate the record of one domain."""
        if not can_be_asked(domain) or "." not in domain:
            return SpfVerdict(SpfResult.NONE, f'"{domain}" is no whole domain name')  # RFC 7208 section 4.3.
        text = select_spf(domain, self.records.ask(domain, RecordType.TXT))
        if isinstance(text, SpfVerdict):
            return text
        try:
            record = parse_spf(text)
        except MalformedSpf as fault:
            raise _Broken(SpfResult.PERMERROR, f"the record of {domain} {fault}") from None
        return self._evaluate(record, domain, included)

    def _evaluate(self, record: SpfRecord, domain: str, included: bool) -> SpfVerdict:
        for term in record.mechanisms:
            if self._matches(term, domain):
                result = QUALIFIERS[term.qualifier]
                verdict = SpfVerdict(result, f'"{term.text}" of {domain} matches')
                if result is SpfResult.FAIL and not included and record.explanation:
                    return verdict._replace(explanation=self._explain(record.explanation, domain))
                return verdict
        if record.redirect is None:
            return SpfVerdict(SpfResult.NEUTRAL, f"no term of {domain} matches")  # RFC 7208 section 4.7.
        return self._redirect(record.redirect, domain, included)

    def _redirect(self, spec: str, domain: str, included: bool) -> SpfVerdict:
        self._count_term()
        verdict = self.check_host(self._target(spec, domain), included=included)
        if verdict.result is SpfResult.NONE:  # RFC 7208 section 6.1.
            raise _Broken(SpfResult.PERMERROR, f'"redirect={spec}" of {domain}: {verdict.because}')
        return verdict

    def _matches(self, term: Mechanism, domain: str) -> bool:
        if term.name == "all":
            return True
        if term.network is not None:
            return self.address in term.network
        self._count_term()
        target = self._target(term.domain, domain) if term.domain else domain
        match term.name:
            case "include":
                return self._include(target, term)
            case "ptr":
                return any(is_within(name, target) for name in self._validated_names())
            case "exists":
                return bool(self._ask(target, RecordType.A).values)  # IPv4 for IPv6 clients too: section 5.7.
            case "mx":
                return any(self._is_at(host, term) for host in self._exchangers(target, term))
            case _:
                return self._is_near(self._ask(target, self._family).values, term)

    def _include(self, target: str, term: Mechanism) -> bool:
        verdict = self.check_host(target, included=True)
        if verdict.result is SpfResult.NONE:  # RFC 7208 section 5.2.
            raise _Broken(SpfResult.PERMERROR, f'"{term.text}": {verdict.because}')
        if verdict.result in {SpfResult.TEMPERROR, SpfResult.PERMERROR}:
            raise _Broken(verdict.result, verdict.because)
        return verdict.result is SpfResult.PASS

    def _exchangers(self, target: str, term: Mechanism) -> list[str]:
        found = [value.partition(" ")[2] for value in self._ask(target, RecordType.MX).values]
        if len(found) > MOST_HOSTS:
            raise _Broken(SpfResult.PERMERROR, f'"{term.text}": {target} has more than {MOST_HOSTS} mail exchangers')
        return found

    def _is_at(self, host: str, term: Mechanism) -> bool:
        answer = self.records.ask(host, self._family) if can_be_asked(host) else Answer()
        return self._is_near(self._answered(answer, host).values, term)

    def _is_near(self, addresses: tuple[str, ...], term: Mechanism) -> bool:
        prefix = term.prefix4 if self.address.version == 4 else term.prefix6
        return any(self.address in ip_network(f"{address}/{prefix}", strict=False) for address in addresses)

    @property
    def _family(self) -> RecordType:
        return RecordType.A if self.address.version == 4 else RecordType.AAAA

    def _ask(self, name: str, kind: RecordType) -> Answer:
        """Ask for a term; a name that cannot be asked for finds nothing (RFC 7208 section 4.8)."""
        answer = self._answered(self.records.ask(name, kind) if can_be_asked(name) else Answer(), name)
        if answer.void:
            self.void += 1
            if self.void > MOST_VOID:
                raise _Broken(SpfResult.PERMERROR, f"more than {MOST_VOID} look-ups find nothing, the last {name}")
        return answer

    def _answered(self, answer: Answer, name: str) -> Answer:
        if answer.failure is not None:
            raise _Broken(SpfResult.TEMPERROR, f"could not ask for {name}: {answer.failure}")
        return answer

    def _count_term(self) -> None:
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise _Broken(SpfResult.PERMERROR, f"more than {MOST_TERMS} terms ask the DNS")

    def _validated_names(self) -> tuple[str, ...]:
        """Names of the client whose addresses lead back to it; nobody's fault is an error (section 5.5)."""
        if self.reverse_names is None:
            names = self.records.ask(reverse_name(self.address), RecordType.PTR).values[:MOST_HOSTS]
            self.reverse_names = tuple(name.lower() for name in names if self._leads_back(name))
        return self.reverse_names

    def _leads_back(self, name: str) -> bool:
        if not can_be_asked(name):
            return False
        return any(ip_address(value) == self.address for value in self.records.ask(name, self._family).values)

    def _target(self, spec: str, domain: str) -> str:
        return expand_domain(spec, self._macros(domain))

    def _macros(self, domain: str) -> Mapping[str, Callable[[], str]]:
        """The letters of RFC 7208 section 7.2."""
        sender = f"{self.local_part}@{self.sender_domain}"
        return {
            "s": lambda: sender,
            "l": lambda: self.local_part,
            "o": lambda: self.sender_domain,
            "d": lambda: domain,
            "i": lambda: _dotted(self.address),
            "p": lambda: self._best_name(domain),
            "v": lambda: "in-addr" if self.address.version == 4 else "ip6",
            "h": lambda: self.sending.helo,
        }

    def _best_name(self, domain: str) -> str:
        # RFC 7208 section 7.3: the domain itself, else a name below it, else any, else "unknown".
        names = self._validated_names()
        within = [name for name in names if is_within(name, domain)]
        return domain if domain in names else next(iter((*within, *names)), "unknown")

    def _explain(self, spec: str, domain: str) -> str | None:
        """The domain's own words to who is refused; whatever goes wrong, there are none (section 6.2)."""
        target = self._target(spec, domain)
        texts = self.records.ask(target, RecordType.TXT).values if can_be_asked(target) else ()
        if len(texts) != 1 or not texts[0].isascii():
            return None
        more: Mapping[str, Callable[[], str]] = {
            "c": lambda: str(self.address),
            "r": lambda: self.sending.receiver,
            "t": lambda: str(self.sending.at),
        }
        try:
            return expand_explanation(texts[0], {**self._macros(domain), **more})
        except MalformedMacro:
            return None


def _dotted(address: Address) -> str:
    """``%{i}``: an IPv6 address as nibbles between dots, in capitals as the public suite has them."""
    return str(address) if isinstance(address, IPv4Address) else ".".join(address.exploded.replace(":", "").upper())
