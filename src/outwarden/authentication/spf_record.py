"""Is the SPF record of a domain usable, whoever sends?  The whole tree of includes, without a message.

Where evaluation stops at the first term that matches, this looks at each: a broken include behind a
matching address is broken for everybody else.  What hangs on the message (a macro) counts as a term
and is not looked into.
"""

from typing import NamedTuple

from outwarden.authentication.answers import Answer, RecordSource, RecordType
from outwarden.authentication.domain_names import can_be_asked
from outwarden.authentication.spf import MOST_HOSTS, MOST_TERMS, MOST_VOID, SpfResult, SpfVerdict, select_spf
from outwarden.authentication.spf_macros import expand_domain, has_macro
from outwarden.authentication.spf_syntax import MalformedSpf, Mechanism, SpfRecord, parse_spf

_MOST_DOMAINS = 100
"""Records looked at before giving up on a tree that breaks the limit of terms anyway."""


class SpfSurvey(NamedTuple):
    """What is known of a domain's SPF.

    ``text`` is its record, None where it has none or several.  ``faults`` each make receivers answer
    "permerror" to everybody; ``for_some`` only to senders that no address before the limit names;
    ``weaknesses`` to nobody.  ``could_not_ask`` names what stayed open.  ``terms`` counts those that
    ask the DNS, ``void`` those that find nothing, for a sender that no term matches.
    ``ending`` is the qualifier of "all" of the last record in the chain of redirects.
    """

    text: str | None = None
    record: SpfRecord | None = None
    faults: tuple[str, ...] = ()
    for_some: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()
    could_not_ask: tuple[str, ...] = ()
    terms: int = 0
    void: int = 0
    ending: str | None = None

    @property
    def usable(self) -> bool | None:
        """Whether receivers can use it for anybody; None where some of it could not be asked for."""
        if self.faults:
            return False
        return None if self.could_not_ask else self.text is not None


def survey_spf(domain: str, records: RecordSource) -> SpfSurvey:
    """Look at the record of ``domain`` and at all it leads to."""
    survey = _Survey(records)
    return survey.of(domain)


class _Survey:
    """The counts and findings of one tree."""

    def __init__(self, records: RecordSource) -> None:
        self._records = records
        self._faults: list[str] = []
        self._for_some: list[str] = []
        self._weaknesses: list[str] = []
        self._could_not_ask: list[str] = []
        self._terms = 0
        self._void = 0
        self._domains = 0
        self._names_addresses = False

    def of(self, domain: str) -> SpfSurvey:
        answer = self._records.ask(domain, RecordType.TXT)
        text = select_spf(domain, answer)
        if isinstance(text, SpfVerdict):
            return SpfSurvey(
                faults=(text.because,) if text.result is SpfResult.PERMERROR else (),
                could_not_ask=(text.because,) if text.result is SpfResult.TEMPERROR else (),
            )
        record = self._read(domain, text)
        ending = self._walk(record, domain, ()) if record else None
        return SpfSurvey(
            text,
            record,
            tuple(dict.fromkeys(self._faults)),
            tuple(dict.fromkeys(self._for_some)),
            tuple(dict.fromkeys(self._weaknesses)),
            tuple(dict.fromkeys(self._could_not_ask)),
            self._terms,
            self._void,
            ending,
        )

    def _read(self, domain: str, text: str) -> SpfRecord | None:
        try:
            return parse_spf(text)
        except MalformedSpf as fault:
            self._faults.append(f"the record of {domain} {fault}")
            return None

    def _walk(self, record: SpfRecord, domain: str, above: tuple[str, ...]) -> str | None:
        """Look at each term; return the qualifier of "all" where the chain of redirects ends in one."""
        for term in record.mechanisms:
            if term.name == "all":
                return term.qualifier  # What stands after it is never evaluated, RFC 7208 section 5.1.
            if term.network is not None:
                self._names_addresses = True
            else:
                self._count_term()
                self._look_up(term, domain, (*above, domain))
        if record.redirect is None:
            return None
        self._count_term()
        return self._follow(record.redirect, f"redirect={record.redirect}", domain, (*above, domain))

    def _look_up(self, term: Mechanism, domain: str, above: tuple[str, ...]) -> None:
        if term.name == "ptr":
            self._weaknesses.append(f'"{term.text}" of {domain}: RFC 7208 says not to use "ptr"')
        elif term.name == "include":
            self._follow(term.domain, term.text, domain, above)
        elif not has_macro(term.domain):
            self._look_up_hosts(term, expand_domain(term.domain, {}) if term.domain else domain)

    def _look_up_hosts(self, term: Mechanism, target: str) -> None:
        if term.name == "mx":
            answer = self._ask(target, RecordType.MX)
            if len(answer.values) > MOST_HOSTS:
                self._faults.append(
                    f'"{term.text}": {target} has {len(answer.values)} mail exchangers; {MOST_HOSTS} may'
                )
        else:
            answer = self._ask(target, RecordType.A)
            if answer.void and term.name == "a":
                answer = self._ask(target, RecordType.AAAA)
        if answer.void:
            self._count_void()
            self._weaknesses.append(f'"{term.text}": {target} has nothing to find')

    def _follow(self, spec: str, text: str, domain: str, above: tuple[str, ...]) -> str | None:
        """Look into an included record, or one that is redirected to."""
        if has_macro(spec):
            return None
        target = expand_domain(spec, {})
        self._domains += 1
        if target in above:
            self._faults.append(f'"{text}" of {domain} leads back to {target}')
            return None
        if self._domains > _MOST_DOMAINS:
            return None
        found = select_spf(target, self._ask(target, RecordType.TXT))
        if isinstance(found, SpfVerdict):
            if found.result is not SpfResult.TEMPERROR:
                self._faults.append(f'"{text}" of {domain}: {found.because}')
            return None
        record = self._read(target, found)
        return self._walk(record, target, above) if record else None

    def _count_term(self) -> None:
        self._terms += 1
        if self._terms == MOST_TERMS + 1:
            self._over(f"more than {MOST_TERMS} terms ask the DNS")

    def _count_void(self) -> None:
        self._void += 1
        if self._void == MOST_VOID + 1:
            self._over(f"more than {MOST_VOID} look-ups find nothing")

    def _over(self, limit: str) -> None:
        """A limit is crossed: evaluation still ends before it for addresses that the record names."""
        (self._for_some if self._names_addresses else self._faults).append(limit)

    def _ask(self, name: str, kind: RecordType) -> Answer:
        answer = self._records.ask(name, kind) if can_be_asked(name) else Answer(exists=False)
        if answer.failure is not None:
            self._could_not_ask.append(f"{name} {kind}: {answer.failure}")
        return answer
